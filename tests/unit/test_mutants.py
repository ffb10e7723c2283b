"""The mutants of `make mutants`: the same ones for the same seed, and none without a meaning."""

from __future__ import annotations

import random

from tests import mutants
from tests.mutants import ROOT, Imports, Mutant, Places

SOURCE = '''"""Of nothing."""
from dataclasses import dataclass
FACTOR = 0.6

@dataclass(frozen=True)
class Box:
    width: int | None = None

    def area(self, by: float | int) -> float | None:
        """One - two."""
        return None if self.width is None else self.width * by

def both(a: list[int], b: list[int]) -> list[tuple[int, int]]:
    return list(zip(a, b, strict=True))
NONE = 0.0
'''


def changed(source: str, monkeypatch, tmp_path) -> list[Mutant]:  # type: ignore[no-untyped-def]
    (tmp_path / "it.py").write_text(source)
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    places = Places("it.py")
    drawn = [places.mutant(i, random.Random(n)) for i in range(len(places.ways)) for n in range(40)]
    return [mutant for mutant in drawn if mutant]


def test_what_means_nothing_is_left_alone(monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    found = changed(SOURCE, monkeypatch, tmp_path)
    assert {mutant.number for mutant in found} == {3, 11, 15}
    assert {m.after for m in found if m.number == 15} == {"NONE = 1.0\n", "NONE = -1.0\n"}
    factors = {float(m.after.split("=")[1]) for m in found if m.number == 3}
    assert {round(factor, 6) for factor in factors} == {1.6, -0.4, 0.9, 0.3}
    into = {m.after.strip() for m in found if m.number == 11}
    assert "return None if self.width is not None else self.width * by" in into
    assert "return None if self.width is None else self.width + by" in into
    assert not [line for line in into if "==" in line or "<<" in line or "&" in line]


def test_a_seed_draws_the_same_mutants_again() -> None:
    first = mutants.sample(3, "runtime/turns", 5)
    assert first == mutants.sample(3, "runtime/turns", 5)
    assert first != mutants.sample(4, "runtime/turns", 5)
    assert len({(m.file, m.number, m.after) for m in first}) == 5
    for mutant in first:
        source = (ROOT / mutant.file).read_text(encoding="utf-8")
        lines, after = source.splitlines(), mutant.code(source).splitlines()
        apart = [i for i, pair in enumerate(zip(lines, after, strict=True)) if pair[0] != pair[1]]
        assert apart == [mutant.number - 1]


def test_tests_that_import_a_module_come_first(monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    for file, text in {
        "estimators/votes.py": "",
        "estimators/verdict.py": "from estimators import votes",
        "tests/unit/stand.py": "def by() -> None:\n    import estimators.verdict",
        "tests/unit/test_votes.py": "from estimators.votes import wilson",
        "tests/unit/test_page.py": "from stand import by",
        "tests/unit/test_other.py": "import estimators",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    near, far = Imports().tests("estimators/votes.py")
    assert near == ["tests/unit/test_votes.py"]
    assert far == ["tests/unit/test_page.py"]


def test_every_note_is_about_a_file_that_is_there_and_says_why() -> None:
    noted = mutants.notes()
    assert noted
    for (file, _), why in noted.items():
        assert (ROOT / file).is_file(), file
        assert why.endswith("."), why
