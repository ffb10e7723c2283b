"""Shards by the command line: two machines' parts of pictures and clips, merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli_process import SAMPLES, environment, estimators
from tests.unit.cli_untimed import require_same

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


def test_the_files_are_those_of_one_machine(folder: Path) -> None:
    same = require_same(folder / "one", folder / "many")
    assert {"joints.csv", "street/joints.csv", "movenet-lightning.coco.json"} <= same
    assert (folder / "one" / "street" / "manifest.json").is_file()


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
