"""Two thousand damaged files, and that the fuzzer notices each kind of fault."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests import fuzz
from tests.fuzz_inputs import damaged, honest

SEED, COUNT = 1, 2000


def test_damaged_files_end_in_our_own_errors() -> None:
    outcome = fuzz.run(SEED, COUNT)
    told = {f"{n} ({fuzz.kind_of(n)})": words for n, words in outcome.faults.items()}
    assert told == {}, "python -m tests.fuzz --count 1 --first NUMBER keeps the file"
    assert outcome.leaks == []


def test_every_kind_of_fault_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "MOST_SECONDS", 5.0)
    outcome = fuzz.run(-1, fuzz.SETTLED + 40)
    assert set(outcome.faults) == {3, 5, 7}
    assert "LookupError" in outcome.faults[3]
    assert "ended its process (-6)" in outcome.faults[5]
    assert "took over 5 s" in outcome.faults[7]
    assert [leak for leak in outcome.leaks if leak.startswith("files")]


def test_honest_files_are_read(tmp_path: Path) -> None:
    assert set(honest()) == set(fuzz.KINDS)
    for kind, files in honest().items():
        for data in files:
            folder = tmp_path / kind
            folder.mkdir(exist_ok=True)
            fuzz._READERS[kind](data, folder, random.Random(3))


def test_a_case_is_the_same_for_the_same_seed() -> None:
    for number in range(len(fuzz.KINDS)):
        once, again = (fuzz.content_of(5, number) for _ in range(2))
        assert once == again
    kinds = [damaged("jpeg", random.Random(n)) for n in range(50)]
    assert len(set(kinds)) > 40
    assert sys.getsizeof(max(kinds, key=len)) < 100_000
