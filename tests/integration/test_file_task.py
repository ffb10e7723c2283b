"""Files made in the background, and a clip at a glance."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from estimators.errors import InputError
from estimators.media.clips import open_clip
from estimators.workflows.clip.film_strip import film_strip
from estimators.workflows.file_task import FileTask, Progress
from tests.clip_factory import Recipe, make_clip, number_of, with_pts


def test_a_file_that_is_made_tells_its_progress(tmp_path: Path) -> None:
    half, on = threading.Event(), threading.Event()

    def make(path: Path, progress: Progress) -> tuple[str, ...]:
        progress(5, 10)
        half.set()
        assert on.wait(10)
        path.write_text("made")
        return ("quite large",)

    task = FileTask(tmp_path / "out.txt", make)
    assert half.wait(10)
    assert (task.state, task.share) == ("running", 0.5)
    on.set()
    task.join(10)
    assert (task.state, task.notes, task.path.read_text()) == ("done", ("quite large",), "made")


@pytest.mark.parametrize("how", ["cancelled", "nobody wants it"])
def test_a_file_that_nobody_waits_for_is_not_made(tmp_path: Path, how: str) -> None:
    started, stop = threading.Event(), threading.Event()

    def make(path: Path, progress: Progress) -> tuple[str, ...]:
        while True:
            progress(1, 10)
            started.set()

    task = FileTask(tmp_path / "out.txt", make, lambda: not stop.is_set())
    assert started.wait(10)
    task.cancel() if how == "cancelled" else stop.set()
    task.join(10)
    assert task.state == "cancelled"


def test_what_goes_wrong_is_told(tmp_path: Path) -> None:
    def full(path: Path, progress: Progress) -> tuple[str, ...]:
        raise InputError("The disk is full.", "Free some space.")

    def wrong(path: Path, progress: Progress) -> tuple[str, ...]:
        raise ZeroDivisionError("oh")

    tasks = [FileTask(tmp_path / "out", make) for make in (full, wrong)]
    for task in tasks:
        task.join(10)
    assert [task.state for task in tasks] == ["failed", "failed"]
    assert tasks[0].error == "The disk is full. Free some space."
    assert tasks[1].error == "ZeroDivisionError: oh"


@pytest.mark.parametrize("frames", [40, 500])
def test_a_strip_goes_evenly_through_the_clip_the_right_way_up(tmp_path: Path, frames: int) -> None:
    """Short clips show exact frames, long ones the keyframes before."""
    recipe = Recipe(options={"g": "10"}, quarter_turns=1, rotation=-90)
    recipe = with_pts(recipe, range(frames), Fraction(1, 30))
    clip = open_clip(make_clip(tmp_path / "clip.mp4", recipe))
    strip = film_strip(clip, height=96)
    assert strip.shape[0] == 96
    pictures = 16
    width = strip.shape[1] // pictures
    assert strip.shape[1] == pictures * width
    told = [number_of(strip[:, i * width : (i + 1) * width]) for i in range(pictures)]
    exact = [-(-i * (frames - 1) // pictures) for i in range(pictures)]
    keys = np.flatnonzero(clip.listing.key)
    wanted = exact if frames == 40 else [int(keys[keys <= n][-1]) for n in exact]
    assert told == [n % 256 for n in wanted]


def test_a_clip_of_one_frame_is_a_strip_of_one_picture(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "one.mp4", Recipe(pts=(0,))))
    assert film_strip(clip, height=96).shape == (96, 128, 3)
