"""`compare` on a bad disk, without a terminal, and when something asks it to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from estimators.cli.main import main
from estimators.export.sinks import require_writable
from estimators.workflows.clip import files as clip_files
from tests.unit.small_disk import small_disk

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_media"
CLIP, STREET, PICTURE = (
    str(SAMPLES / name) for name in ("balance.mp4", "street.mp4", "astronaut.jpg")
)
FAST = ("--models", "movenet-lightning")


def started(*arguments: str, shell: str = "", **more: object) -> subprocess.Popen[str]:
    """`shell` redirects: its closing of a stream cannot be had from `Popen`."""
    command = [sys.executable, "-m", "estimators", *arguments]
    if shell:
        command = ["sh", "-c", f'exec "$0" "$@" {shell}', *command]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    return subprocess.Popen(command, **{**pipes, **more})


@pytest.mark.parametrize("command", [("models",), ("--help",), ("compare", PICTURE, *FAST)])
@pytest.mark.parametrize("shell", [">&-", ">/dev/full"])
def test_without_a_place_for_its_words_it_says_so_in_a_line(
    command: tuple[str, ...], shell: str
) -> None:
    child = started(*command, shell=shell)
    said = child.communicate(timeout=100)[1]
    assert child.returncode == 2, said
    assert len(said.splitlines()) == 1
    assert said.startswith("error: ")
    assert "output" in said


def test_closed_input_and_errors_do_not_matter() -> None:
    child = started("compare", PICTURE, *FAST, shell="<&- 2>&-")
    assert "movenet-lightning" in child.communicate(timeout=100)[0]
    assert child.returncode == 0


def test_a_full_place_for_words_keeps_the_files(tmp_path: Path) -> None:
    child = started("compare", PICTURE, *FAST, "--output", str(tmp_path), shell=">/dev/full")
    child.communicate(timeout=100)
    assert child.returncode == 2
    assert json.loads((tmp_path / "results.json").read_text())["results"]


def test_numbers_are_kept_where_the_video_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from estimators.cli import clips

    annotate = clips.annotate

    def on_a_small_disk(*arguments: object, **more: object) -> object:
        with small_disk(20_000):
            return annotate(*arguments, **more)

    monkeypatch.setattr(clips, "annotate", on_a_small_disk)
    assert main(["compare", CLIP, *FAST, "--stride", "10", "--output", str(tmp_path)]) == 1
    said = capfd.readouterr()
    assert "annotated.mp4 cannot be written" in said.err
    assert "MEDIAN ms" in said.out
    names = set(os.listdir(tmp_path))
    assert "annotated.mp4" not in names
    assert names >= {"joints.csv", "frames.csv", "joints.parquet", "results.json", "manifest.json"}
    assert not [name for name in names if name.endswith(".part")]


def test_files_that_fit_are_whole_and_the_others_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_folder = clip_files.write_folder

    def on_a_small_disk(*arguments: object) -> object:
        with small_disk(30_000):
            return write_folder(*arguments)

    monkeypatch.setattr(clip_files, "write_folder", on_a_small_disk)
    arguments = ["compare", CLIP, *FAST, "--stride", "5", "--no-video", "--output", str(tmp_path)]
    assert main(arguments) == 2
    said = capfd.readouterr()
    assert "cannot be written" in said.err
    assert "MEDIAN ms" in said.out
    assert all((tmp_path / name).stat().st_size < 30_000 for name in os.listdir(tmp_path))
    assert not (tmp_path / "joints.csv").exists()
    assert len((tmp_path / "frames.csv").read_text().splitlines()) == 21
    assert pq.read_table(tmp_path / "frames.parquet").num_rows == 20
    json.loads((tmp_path / "manifest.json").read_text())


def test_an_unwritable_folder_is_told_before_any_model_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def no_runner(*arguments: object, **more: object) -> None:
        raise AssertionError("a model was about to run")

    def on_a_full_disk(folder: Path) -> None:
        with small_disk(0):
            require_writable(folder)

    monkeypatch.setattr("estimators.cli.compare.ProcessRunner", no_runner)
    for module in ("clips", "output"):
        monkeypatch.setattr(f"estimators.cli.{module}.require_writable", on_a_full_disk)
    for file in (PICTURE, CLIP):
        assert main(["compare", file, *FAST, "--output", str(tmp_path)]) == 2
        said = capfd.readouterr().err
        assert len(said.splitlines()) == 1
        assert "cannot be written to" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_it_keeps_the_frames_that_are_done(number: int, tmp_path: Path) -> None:
    child = started("compare", STREET, "--models", "movenet-thunder", "--output", str(tmp_path))
    wait_for_a_model(child)
    time.sleep(1.0)
    child.send_signal(number)
    said = child.communicate(timeout=100)[1]
    assert child.returncode == 130, said
    assert "Traceback" not in said
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["state"] == "cancelled"
    rows = (tmp_path / "frames.csv").read_text().splitlines()
    assert len(rows) - 1 == manifest["frames_done"]
    assert 0 < manifest["frames_done"] < manifest["frames_selected"]
    assert (tmp_path / "annotated.mp4").stat().st_size > 1000


def test_asked_to_end_it_keeps_the_pictures_that_are_done(tmp_path: Path) -> None:
    pictures = []
    for i in range(300):
        pictures.append(tmp_path / f"{i}.jpg")
        pictures[-1].symlink_to(PICTURE)
    out = tmp_path / "out"
    child = started("compare", *map(str, pictures), *FAST, "--output", str(out))
    wait_for_a_model(child)
    time.sleep(1.0)
    child.send_signal(signal.SIGTERM)
    said = child.communicate(timeout=100)[1]
    assert child.returncode == 130, said
    assert "what is done is kept" in said
    frames = [r["frames"][0] for r in json.loads((out / "results.json").read_text())["results"]]
    assert len(frames) == 300
    done = [frame for frame in frames if "error" not in frame]
    assert 0 < len(done) < 300
    assert all("interrupted" in frame["error"] for frame in frames[len(done) :])


def wait_for_a_model(child: subprocess.Popen[str]) -> None:
    """Until its process has the model's file in memory."""
    import psutil

    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and child.poll() is None:
        for hosted in psutil.Process(child.pid).children():
            if any("libLiteRt" in m.path or "litert" in m.path for m in hosted.memory_maps()):
                return
        time.sleep(0.1)
    pytest.fail(f"no model was loaded: {child.communicate()}")


def test_what_libraries_say_to_developers_is_not_told(tmp_path: Path) -> None:
    """Pillow warns of a broken EXIF block, with the path of its own source."""
    jpeg = Path(PICTURE).read_bytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(20)
    broken = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "exif.jpg").write_bytes(jpeg[:2] + broken + jpeg[2:])
    child = started("compare", str(tmp_path / "exif.jpg"), *FAST)
    assert child.communicate(timeout=100)[1] == ""
    assert child.returncode == 0
