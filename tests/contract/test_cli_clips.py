"""`compare` on clips with real models: files, progress, Ctrl-C."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from estimators.media.clips import open_clip

ROOT = Path(__file__).parents[2]
BALANCE, STREET = (ROOT / "sample_media" / name for name in ("balance.mp4", "street.mp4"))


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "estimators", "compare", *map(str, arguments)]


def frame_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "frames.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    models = "movenet-lightning,blazepose-full"
    done = subprocess.run(
        command(BALANCE, "--models", models, "--stride", 2, "--output", out),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "50 of 50 frames" in done.stdout
    (out / "said.txt").write_text(done.stdout)
    return out


def test_the_summary_tells_steadiness_agreement_and_disputes(folder: Path) -> None:
    said = (folder / "said.txt").read_text().splitlines()
    steady = next(i for i, line in enumerate(said) if line.startswith("STEADINESS OF"))
    for row, model in zip(
        said[steady + 1 :], ("movenet-lightning", "blazepose-full"), strict=False
    ):
        name, jitter, dropout, *counts = row.split()
        assert name == model
        assert float(jitter) > 0
        assert 0 <= float(dropout) <= 100
        assert all(int(count) >= 0 for count in counts)
    pair = next(line for line in said if re.match(r"movenet-lightning +blazepose-full", line))
    assert 0 < float(pair.split()[2]) <= 1
    disputed = next(i for i, line in enumerate(said) if line.startswith("DISPUTED FRAME"))
    assert int(said[disputed + 1].split()[0]) in range(0, 100, 2)


def test_who_is_who_is_in_the_tables(folder: Path) -> None:
    with (folder / "joints.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for model in ("movenet-lightning", "blazepose-full"):
        assert "1" in {row["identity"] for row in rows if row["model"] == model}
    thresholds = json.loads((folder / "manifest.json").read_text())["thresholds"]
    assert thresholds["blazepose-full"].keys() == {"joint", "pose"}


def test_the_times_are_the_clips_own(folder: Path) -> None:
    times = [float(r["time_s"]) for r in frame_rows(folder) if r["model"] == "blazepose-full"]
    assert times == open_clip(BALANCE).timestamps_s[::2].tolist()


def test_video_numbers_and_manifest_are_there(folder: Path) -> None:
    assert open_clip(folder / "annotated.mp4").frame_count == 50
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["state"], manifest["settings"]["stride"]) == ("done", 2)
    results = json.loads((folder / "movenet-lightning.coco.json").read_text())
    assert {r["image_id"] for r in results} == set(range(0, 100, 2))
    assert (folder / "joints.parquet").stat().st_size > 1000


def test_two_clips_and_a_picture_each_get_their_files(tmp_path: Path) -> None:
    picture = ROOT / "sample_media" / "astronaut.jpg"
    options = ("--models", "movenet-lightning", "--stride", 50, "--format", "csv", "--no-video")
    done = subprocess.run(
        command(picture, BALANCE, STREET, *options, "--output", tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {r["file"] for r in frame_rows(tmp_path)} == {"astronaut.jpg"}
    for clip, frames in ((BALANCE, 2), (STREET, 5)):
        assert len(frame_rows(tmp_path / clip.stem)) == frames
        assert not (tmp_path / clip.stem / "annotated.mp4").exists()


def test_ctrl_c_keeps_what_is_done_and_says_so(tmp_path: Path) -> None:
    """On a terminal, where the bar is drawn; the clip is long enough to be interrupted."""
    terminal, child_end = pty.openpty()
    termios.tcsetwinsize(child_end, (25, 100))  # without a size no bar is drawn
    child = subprocess.Popen(
        command(STREET, "--models", "movenet-thunder", "--output", tmp_path),
        cwd=ROOT,
        stdout=child_end,
        stderr=child_end,
    )
    os.close(child_end)
    told = read_until(terminal, bar_past_two)
    # The video is drawn when the models are done: its encoder would slow them down.
    assert list(tmp_path.iterdir()) == []
    child.send_signal(signal.SIGINT)
    told += read_until(terminal, lambda text: "interrupted:" in text)
    assert child.wait(60) == 130
    rows = frame_rows(tmp_path)
    assert 3 <= len(rows) < 230
    assert f"interrupted: {len(rows)} of 230 frames" in " ".join(told.split())
    assert open_clip(tmp_path / "annotated.mp4").frame_count == len(rows)
    assert json.loads((tmp_path / "manifest.json").read_text())["state"] == "cancelled"
    os.close(terminal)


def bar_past_two(text: str) -> bool:
    return any(int(done) > 2 for done in re.findall(r" (\d+)/230 ", text))


def read_until(terminal: int, found: Callable[[str], bool]) -> str:
    text, deadline = "", time.monotonic() + 120
    while not found(text):
        assert time.monotonic() < deadline, text
        text += os.read(terminal, 4096).decode(errors="replace")
    return text
