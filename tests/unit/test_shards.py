"""Shards: who works on what, what a shard says of itself, and which may be merged."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from estimators.errors import InputError
from estimators.workflows.shards import FILE, Shard, ShardRun, find_parts, number_of, parse_shard

JOB: dict[str, Any] = {
    "annotations": "aa",
    "pictures": {"count": 3, "sha256": "bb"},
    "protocol": "whole",
    "people": {},
    "models": {"posenet": {"weights": "w", "options": {}, "device": "cpu", "code": "c"}},
}


def test_every_picture_belongs_to_one_shard_for_good() -> None:
    names = [f"val2017/{i:012d}.jpg" for i in range(2000)]
    shares = Counter(number_of(name, 8) for name in names)
    assert set(shares) == set(range(1, 9))
    assert max(shares.values()) < 1.3 * min(shares.values())
    for name in names[:50]:
        assert [Shard(i, 8).has(name) for i in range(1, 9)].count(True) == 1
    # As `sha256sum` tells it, too; parts of other days and machines have to fit.
    assert [number_of(n, 8) for n in ("a.jpg", "b.jpg", "c/é.jpg")] == [3, 3, 1]
    assert number_of(unicodedata.normalize("NFD", "c/é.jpg"), 8) == 1
    assert all(Shard().has(name) for name in names)


@pytest.mark.parametrize(
    "text", ["", "2", "0/4", "5/4", "-1/4", "a/b", "1/2/3", "1/1000000", "²/4"]
)
def test_what_is_no_shard_is_said(text: str) -> None:
    with pytest.raises(InputError, match="--shard"):
        parse_shard(text)
    assert parse_shard(" 2/8 ") == Shard(2, 8)


def shard(folder: Path, number: int = 1, of: int = 2, **job: Any) -> Path:
    run = ShardRun(
        Shard(number, of), "evaluate", {**JOB, **job}, ("evaluate", "--shard", f"{number}/{of}")
    )
    place = folder / run.shard.folder
    place.mkdir(parents=True)
    run.write(place)
    return place


def test_a_shard_tells_what_it_is_of(tmp_path: Path) -> None:
    one = shard(tmp_path / "here", 1)
    two = shard(tmp_path / "there", 2)
    for given in ([one, two], [tmp_path / "here", tmp_path / "there"], [one, one, two.parent]):
        parts = find_parts(given)
        assert sorted(parts.folders) == [1, 2]
        assert all(len(found) == 1 for found in parts.folders.values())
        assert list(parts.absent()) == []
        assert parts.run.job == JOB
    (absent,) = find_parts([one]).absent()
    assert "shard 2 of 2 is missing" in absent
    assert "Run: python -m estimators evaluate --shard 2/2" in absent


def test_the_command_of_a_shard_keeps_its_words() -> None:
    run = ShardRun(Shard(1, 2), "compare", {}, ("compare", "my file.jpg", "--shard=1/2"))
    assert run.again(Shard(2, 2)) == "python -m estimators compare 'my file.jpg' --shard=2/2"


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"annotations": "other"}, "other annotations"),
        ({"pictures": {"count": 2, "sha256": "x"}}, "other pictures"),
        ({"protocol": "crop"}, "another protocol"),
        ({"people": {"posenet": 1}}, "other numbers of people"),
        ({"models": {"movenet-thunder": {}}}, "other models"),
        *(
            ({"models": {"posenet": {**JOB["models"]["posenet"], name: "x"}}}, words)
            for name, words in (
                ("weights", "other weights of posenet"),
                ("options", "other options of posenet"),
                ("device", "another device of posenet"),
                ("code", "another version of the code"),
            )
        ),
    ],
)
def test_what_does_not_fit_together_is_not_merged(
    tmp_path: Path, job: dict[str, Any], said: str
) -> None:
    shard(tmp_path, 1)
    shard(tmp_path, 2, **job)
    with pytest.raises(InputError, match=said):
        find_parts([tmp_path])


def test_shards_of_another_dealing_are_not_merged(tmp_path: Path) -> None:
    shard(tmp_path, 1)
    shard(tmp_path, 2, of=3)
    with pytest.raises(InputError, match="2 shards, the other of 3"):
        find_parts([tmp_path])


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"format": "pose-shard/2"}'])
def test_a_damaged_shard_is_named(tmp_path: Path, content: bytes) -> None:
    shard(tmp_path, 1)
    place = shard(tmp_path, 2)
    (place / FILE).write_bytes(content)
    with pytest.raises(InputError, match=rf"shard-2-of-2/{FILE} is damaged"):
        find_parts([tmp_path])


def test_folders_without_shards_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no shards"):
        find_parts([tmp_path])
    with pytest.raises(InputError, match="no folder"):
        find_parts([tmp_path / "none"])
    assert json.loads((shard(tmp_path) / FILE).read_text())["shard"] == {"number": 1, "of": 2}
