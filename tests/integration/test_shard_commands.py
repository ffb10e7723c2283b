"""Shards by the command line: two machines' parts of pictures and clips, merged."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.unit.cli_process import SAMPLES, environment, estimators

PICTURES = [SAMPLES / name for name in ("astronaut.jpg", "grace_hopper.jpg")]
GIVEN = [PICTURES[0], SAMPLES / "street.mp4", PICTURES[1]]
OPTIONS = ["--models", "movenet-lightning", "--end", "0.2", "--no-video", "--threads", "1"]
COMPARE = ["compare", *GIVEN, *OPTIONS, "--format", "json,csv,coco"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One machine's results in `one`, the parts of two in `parts`, and those merged in `many`."""
    folder = tmp_path_factory.mktemp("shards")
    env = environment(folder / "cache")
    for into, more in (("one", ()), ("parts", ("--shard", "1/2")), ("parts", ("--shard", "2/2"))):
        done = estimators(*COMPARE, "--output", folder / into, *more, env=env)
        assert done.returncode == 0, done.stderr
    done = estimators("merge", folder / "parts", "--output", folder / "many", env=env)
    assert done.returncode == 0, done.stderr
    assert "no times are told" in done.stderr
    return folder


def untimed(path: Path) -> object:
    """A file without what is measured anew in each run."""
    text = path.read_text()
    if path.name == "frames.csv":
        header, *rows = csv.reader(text.splitlines())
        timed = {i for i, name in enumerate(header) if "_ms" in name or name == "busy"}
        return [[c for i, c in enumerate(row) if i not in timed] for row in rows]
    if path.name == "summary.csv":
        return [r for r in csv.reader(text.splitlines()) if r[-1] not in _COSTS]
    if path.name == "summary.json":
        return [r for r in json.loads(text)["figures"] if r["unit"] not in _COSTS]
    return _without(json.loads(text)) if path.suffix == ".json" else text


_COSTS = ("ms", "MB", "s")  # units of times and memory
_TIMED = ("created", "elapsed_s", "busy")


def _without(data: object) -> object:
    if isinstance(data, dict):
        return {k: _without(v) for k, v in data.items() if k not in _TIMED and "_ms" not in k}
    return [_without(v) for v in data] if isinstance(data, list) else data


def test_the_files_are_those_of_one_machine(folder: Path) -> None:
    one, many = folder / "one", folder / "many"
    names = sorted(str(p.relative_to(one)) for p in one.rglob("*") if p.is_file())
    assert names == sorted(str(p.relative_to(many)) for p in many.rglob("*") if p.is_file())
    assert {"joints.csv", "street/joints.csv", "street/manifest.json"} <= set(names)
    same = [n for n in names if (one / n).read_bytes() == (many / n).read_bytes()]
    assert {"joints.csv", "street/joints.csv", "movenet-lightning.coco.json"} <= set(same)
    for name in names:
        if Path(name).name != "verdict.json":  # it tells of times in words
            assert untimed(one / name) == untimed(many / name), name


def test_what_is_done_is_not_done_again(folder: Path) -> None:
    parts = folder / "parts"
    before = {p: p.stat().st_mtime_ns for p in parts.glob("shard-*/street/*")}
    sizes = {p: p.stat().st_size for p in parts.glob("shard-*/*.estimates")}
    env = environment(folder / "cache")
    for shard in ("1/2", "2/2"):
        done = estimators(*COMPARE, "--output", parts, "--shard", shard, env=env)
        assert done.returncode == 0, done.stderr
    assert {p: p.stat().st_mtime_ns for p in parts.glob("shard-*/street/*")} == before
    assert {p: p.stat().st_size for p in parts.glob("shard-*/*.estimates")} == sizes


def test_a_damaged_clip_is_named_with_what_to_run(folder: Path) -> None:
    (file,) = (folder / "parts").glob("shard-*/street/joints.csv")
    content = file.read_bytes()
    file.write_bytes(content[:-5] + b"9" + content[-4:])
    env = environment(folder / "cache")
    done = estimators("merge", folder / "parts", "--output", folder / "again", env=env)
    file.write_bytes(content)
    assert done.returncode == 2
    assert f"lacks the clip street.mp4: {file} is missing or damaged" in done.stderr
    assert "--shard" in done.stderr
    assert not (folder / "again" / "results.json").exists()
