"""Clips in which two frames have one time, or a stretch of time has no frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from estimators.errors import InputError
from estimators.export.tables import frame_table, joint_table
from estimators.media.browser import browser_copy
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import frames, open_clip, selected
from estimators.media.encode import ClipWriter
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.run import ClipSettings
from estimators.workflows.clip.series import playable_times
from estimators.workflows.clip.video import AnnotatedClip
from tests.clip_factory import Recipe, make_clip, number_of, numbered
from tests.unit.analysis_motion import clip_of, walking

MODEL = "movenet-lightning"
# Two thousand frames a second in a file that counts milliseconds.
TIMES_S = [0, 0.001, 0.001, 0.002, 0.002, 0.003, 0.003, 0.004]
LAST_OF_EACH_TIME = [0, 2, 4, 6, 7]


@pytest.fixture
def doubled(tmp_path: Path) -> ClipInfo:
    recipe = Recipe(pts=range(8), time_base=Fraction(1, 2000), options={"bf": "0"})
    clip = open_clip(make_clip(tmp_path / "doubled.mkv", recipe))
    assert clip.timestamps_s.tolist() == TIMES_S
    return clip


def clip_at(folder: Path, pts: Sequence[int]) -> ClipInfo:
    """A clip whose listing says that its frames are shown at `pts` milliseconds."""
    clip = open_clip(make_clip(folder / "clip.mp4", Recipe(pts=(0, 1))))
    listing = replace(clip.listing, pts=np.array(pts), time_base=Fraction(1, 1000))
    return replace(clip, listing=listing)


def test_every_frame_is_still_processed(doubled: ClipInfo) -> None:
    shown = list(frames(doubled))
    assert [(f.index, number_of(f.image)) for f in shown] == [(n, n) for n in range(8)]


def test_of_two_pictures_at_one_time_the_later_one_is_written(tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "a.mp4", (128, 96)) as writer:
        for number, time_s in enumerate([0, 0, 0.1, 0.2, 0.2]):
            writer.write(numbered(number, 128, 96), time_s)
    written = open_clip(tmp_path / "a.mp4")
    assert writer.frame_count == written.frame_count == 3
    assert written.timestamps_s == pytest.approx([0, 0.1, 0.2], abs=1e-4)
    assert [number_of(frame.image) for frame in frames(written)] == [1, 2, 4]


def test_the_annotated_video_and_the_copy_to_play_show_the_later_one(
    doubled: ClipInfo, tmp_path: Path
) -> None:
    with AnnotatedClip(tmp_path / "annotated.mp4", doubled, ClipSettings((MODEL,))) as video:
        for frame in frames(doubled):
            video.add(frame, {}, {MODEL: "no answer"})
    assert browser_copy(doubled, tmp_path / "copy.mp4") == "encode"
    copy = open_clip(tmp_path / "copy.mp4")
    assert [number_of(frame.image) for frame in frames(copy)] == LAST_OF_EACH_TIME
    for written in (copy, open_clip(tmp_path / "annotated.mp4")):
        assert written.timestamps_s == pytest.approx(sorted(set(TIMES_S)), abs=1e-6)


def test_the_players_times_ascend_and_do_not_drift(tmp_path: Path) -> None:
    """One pair of frames at the start must not move the frames of half an hour later."""
    pts = [0, 0, *range(33, 33 * 60_000, 33)]
    times = playable_times(clip_at(tmp_path, pts))
    assert (np.diff(times) > 0).all()
    assert np.abs(times - np.array(pts) / 1000).max() < 2e-6


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("time_s", [TIMES_S, [0.0] * 8])
def test_numbers_over_time_and_rows_of_the_tables(time_s: list[float]) -> None:
    times = np.array(time_s)
    path = walking(times, (100, 50), (20, 0))
    estimates = {m: clip_of([path], times, m) for m in ("movenet-multipose", "keypointrcnn-fast")}
    analysis = ClipAnalysis.of(estimates)
    for row in analysis.steadiness():
        assert not math.isinf(row.jitter)
        assert (row.sightings, row.limb_jumps, row.side_swaps) == (8, 0, 0)
    answers = list(analysis.estimates.values())
    assert not joint_table(answers).duplicated(["model", "frame_index", "person", "joint"]).any()
    assert not frame_table(answers).duplicated(["model", "frame_index"]).any()


@pytest.mark.parametrize(
    ("start_s", "end_s", "near"),
    [(1.0, 2.0, "0.000"), (8.5, 8.9, "9.000"), (99.0, None, "9.000"), (None, -0.5, "0.000")],
)
def test_a_part_without_a_frame_says_where_there_is_one(
    start_s: float | None, end_s: float | None, near: str, tmp_path: Path
) -> None:
    clip = clip_at(tmp_path, [1000, 10_000])
    with pytest.raises(InputError, match="no frame between") as caught:
        selected(clip, start_s, end_s)
    assert f"one at {near} s" in caught.value.advice
