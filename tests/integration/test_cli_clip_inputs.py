"""`compare` on clips: times that are none, names that clash or are no text, sound that is lost."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from estimators import registry
from estimators.analysis.clip import ClipEstimates
from estimators.cli.clips import VIDEO, Clips
from estimators.cli.inputs import Pictures, given_files
from estimators.cli.main import _parser, main
from estimators.errors import InputError
from estimators.export.files import to_bytes, write_csv, write_json, write_parquet
from estimators.export.tables import frame_table
from estimators.media.clips import open_clip
from estimators.media.names import printable
from estimators.media.pictures import read_picture
from estimators.media.samples import pictures
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.workflows.clip.job import ClipJob
from tests.clip_factory import Recipe, make_clip
from tests.unit import fake_adapters

MODEL = "movenet-lightning"
NO_UTF8 = os.fsdecode(b"caf\xe9\n")


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    runner = ProcessRunner(
        Settings(), threads=1, models={MODEL: replace(fake_adapters.spec(), key=MODEL)}
    )
    yield runner
    runner.close()


def clips(*arguments: object) -> Clips:
    options = _parser().parse_args(["compare", *map(str, arguments)])
    return Clips(options.files, options, alone=True)


def three_frames(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return make_clip(path, Recipe(pts=range(3)))


@pytest.mark.parametrize("option", ["--start", "--end"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "-0.5", "1e999", "soon"])
def test_what_is_no_time_ends_with_2_and_one_line(
    option: str, value: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare", "clip.mp4", f"{option}={value}"])
    assert ended.value.code == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"error: argument {option}: '{value}' is not a time")


def test_two_clips_of_one_name_get_a_folder_each(runner: ProcessRunner, tmp_path: Path) -> None:
    first, other = three_frames(tmp_path / "a.mp4"), three_frames(tmp_path / "there" / "a.mp4")
    capital, apart = three_frames(tmp_path / "A.mkv"), three_frames(tmp_path / "b.mp4")
    out = tmp_path / "out"
    files = (first, other, capital, apart, first)
    code = clips(*files, "--output", out).compare(partial(ClipJob, runner), [registry.get(MODEL)])
    assert code == 0
    names = {"a": "a.mp4", "a-2": "a.mp4", "A-3": "A.mkv", "b": "b.mp4"}
    assert {folder.name for folder in out.iterdir()} == names.keys()
    for folder, name in names.items():
        assert open_clip(out / folder / VIDEO).frame_count == 3
        manifest = json.loads((out / folder / "manifest.json").read_text())
        assert manifest["clip"]["file"] == name


def test_no_name_of_a_clip_leads_out_of_the_folder_for_the_files(tmp_path: Path) -> None:
    names = ("...mp4", "..mp4", " .mp4", ".mp4", "a. .mp4", "..a.mp4")
    files = [three_frames(tmp_path / name) for name in names]
    clips(*files, "--models", MODEL, "--output", tmp_path / "out")
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["..a", ".mp4", "a", "clip", "clip-2", "clip-3"]


def test_no_folder_of_a_clip_takes_the_name_of_a_table(tmp_path: Path) -> None:
    names = ("joints.csv.mp4", "movenet-lightning.coco.JSON.mkv", "frames.parquet.mp4", "csv.mp4")
    files = [three_frames(tmp_path / name) for name in names]
    clips(*files, "--models", MODEL, "--output", tmp_path / "out")
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {"joints.csv-2", "movenet-lightning.coco.JSON-2", "frames.parquet-2", "csv"}


def test_one_clip_alone_needs_no_folder_of_its_own(runner: ProcessRunner, tmp_path: Path) -> None:
    clip, out = three_frames(tmp_path / "a.mp4"), tmp_path / "out"
    clips(clip, "--output", out, "--no-video").compare(
        partial(ClipJob, runner), [registry.get(MODEL)]
    )
    assert (out / "frames.csv").is_file()


def test_an_annotated_video_does_not_overwrite_the_clip_that_it_shows(tmp_path: Path) -> None:
    clip = three_frames(tmp_path / VIDEO)
    with pytest.raises(InputError, match="would be overwritten"):
        clips(clip, "--output", tmp_path)
    clips(clip, "--output", tmp_path, "--no-video")


def test_the_loss_of_sound_is_told(
    runner: ProcessRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "a.mkv", Recipe(pts=range(3), audio="libopus"))
    clip.write_bytes(clip.read_bytes().replace(b"A_OPUS", b"A_ZZZZ"))
    code = clips(clip, "--output", tmp_path).compare(
        partial(ClipJob, runner), [registry.get(MODEL)]
    )
    assert code == 0
    assert "a.mkv: The sound could not be taken along" in capsys.readouterr().err
    assert open_clip(tmp_path / VIDEO).frame_count == 3


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("walk 1.mp4", "walk 1.mp4"),
        (
            "Zoë 歩く 👩‍🚀\N{NARROW NO-BREAK SPACE}.mp4",
            "Zoë 歩く 👩‍🚀\N{NARROW NO-BREAK SPACE}.mp4",
        ),
        (NO_UTF8, r"caf\udce9\n"),
        ("\x1b[31mred\x7f", r"\x1b[31mred\x7f"),
    ],
)
def test_a_name_becomes_text(name: str, shown: str) -> None:
    assert printable(name) == shown
    shown.encode("utf-8")


def test_names_that_are_no_text_reach_every_file_and_the_terminal(
    runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, out = three_frames(tmp_path / f"{NO_UTF8}.mp4"), tmp_path / f"out {NO_UTF8}"
    said = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr(sys, "stdout", said)
    assert main(["models"]) == 0  # prepares the terminal
    clips(clip, "--output", out).compare(partial(ClipJob, runner), [registry.get(MODEL)])
    said.flush()
    assert rb"caf\udce9\n.mp4: 3 of 3 frames" in said.buffer.getvalue()
    with (out / "frames.csv").open(newline="", encoding="utf-8") as file:
        assert {row["file"] for row in csv.DictReader(file)} == {r"caf\udce9\n.mp4"}


def test_pictures_names_too(tmp_path: Path) -> None:
    paths = [tmp_path / f"{NO_UTF8}.jpg", tmp_path / "there" / f"{NO_UTF8}.jpg"]
    paths[1].parent.mkdir()
    for path in paths:
        shutil.copy(pictures()[0].path, path)
    found = Pictures(given_files(paths))
    assert len(found.paths) == 2
    for name, file in found.paths.items():
        name.encode("utf-8")
        np.testing.assert_array_equal(found[name].image, read_picture(Path(file.name)).image)
    answer = ClipEstimates(MODEL, registry.get(MODEL).skeleton, next(iter(found.paths)), (4, 4))
    answer.append_failed(0, 0.0, "no luck")
    table = frame_table([answer])
    for data in (
        to_bytes(lambda sink: write_csv(table, sink)),
        to_bytes(lambda sink: write_parquet(table, sink)),
        to_bytes(lambda sink: write_json([answer], sink)),
    ):
        assert data
