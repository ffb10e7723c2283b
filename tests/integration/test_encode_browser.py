"""Copies for the player: the same frames at the same times, in a form that a browser plays."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from estimators.media.boxes import starts_playing_at_once
from estimators.media.browser import browser_copy, has_sound, way_to_play
from estimators.media.clips import frames, open_clip
from estimators.media.samples import clips as sample_clips
from tests.clip_factory import Recipe, make_clip, number_of, with_pts

QUIET = {"x265-params": "log-level=none"}
FAST = {"movflags": "faststart"}
UNEVEN = tuple(np.cumsum([0, *([33, 34, 33, 120, 17] * 8)]).tolist())

WAYS = {
    "fast.mp4": (Recipe(container=FAST), "as it is"),
    "vp9.webm": (Recipe("libvpx-vp9"), "as it is"),
    "turned.mp4": (Recipe(container=FAST, quarter_turns=1, rotation=-90), "as it is"),
    "slow start.mp4": (Recipe(audio="aac"), "rewrap"),
    "h264.mkv": (Recipe(), "rewrap"),
    "uneven.mkv": (Recipe(pts=UNEVEN, time_base=Fraction(1, 1000)), "encode"),
    "uneven, no b-frames.mkv": (
        Recipe(pts=UNEVEN, time_base=Fraction(1, 1000), options={"bf": "0"}),
        "rewrap",
    ),
    "turned slow start.mov": (Recipe(quarter_turns=3, rotation=90), "rewrap"),
    "vp9.mkv": (Recipe("libvpx-vp9"), "encode"),
    "hevc.mp4": (with_pts(Recipe("libx265", options=QUIET), UNEVEN, Fraction(1, 1000)), "encode"),
    "ten bit.mov": (Recipe("libx265", "yuv420p10le", options=QUIET), "encode"),
    "turned hevc.mov": (
        Recipe("libx265", options=QUIET, quarter_turns=1, rotation=-90),
        "encode",
    ),
    "mpeg4.avi": (Recipe("mpeg4", options={"bf": "2"}), "encode"),
    "h264.avi": (Recipe(), "encode"),
    "odd.mkv": (Recipe(pixel_format="yuv444p", width=127, height=95), "encode"),
    "anim.gif": (with_pts(Recipe("gif", "rgb8"), range(0, 200, 5), Fraction(1, 100)), "encode"),
}


@pytest.mark.parametrize("name", WAYS)
def test_copies_keep_every_frame_and_time(name: str, tmp_path: Path) -> None:
    recipe, way = WAYS[name]
    clip = open_clip(make_clip(tmp_path / name, recipe))
    target = tmp_path / "copy.mp4"
    assert way_to_play(clip) == way
    assert browser_copy(clip, target) == way
    if way == "as it is":
        assert not target.exists()
        return
    copy = open_clip(target)
    assert way_to_play(copy) == "as it is"
    assert copy.timestamps_s == pytest.approx(clip.timestamps_s, abs=1e-9)
    assert [number_of(f.image) for f in frames(copy)] == list(range(clip.frame_count))
    assert (copy.width, copy.height) == (clip.width + clip.width % 2, clip.height + clip.height % 2)
    assert copy.duration_s == pytest.approx(clip.duration_s, abs=2e-3)
    assert copy.has_audio == clip.has_audio
    assert {p.name for p in tmp_path.iterdir()} == {name, "copy.mp4"}
    if way == "encode":
        assert np.diff(np.flatnonzero(copy.listing.key)).max() <= 15


def test_a_cut_clip_gets_a_copy_of_what_is_there(tmp_path: Path) -> None:
    recipe = Recipe(width=320, height=240, container=FAST, pts=range(80), audio="aac")
    data = make_clip(tmp_path / "a.mp4", recipe).read_bytes()
    clip = open_clip(data[: len(data) * 6 // 10])
    target = tmp_path / "copy.mp4"
    assert browser_copy(clip, target) == "encode"
    copy = open_clip(target)
    assert copy.frame_count >= clip.frame_count - 1
    assert set(copy.timestamps_s.round(6)) <= set(clip.timestamps_s.round(6))
    assert copy.notes == ()


@pytest.mark.parametrize(
    ("name", "audio", "heard"),
    [
        ("silent.mp4", None, False),
        ("aac.mp4", "aac", True),
        ("aac.mkv", "aac", True),
        ("pcm.mkv", "pcm_s16le", False),  # cannot go into an MP4 as it is
    ],
)
def test_sound_is_offered_only_where_the_file_that_plays_has_some(
    name: str, audio: str | None, heard: bool, tmp_path: Path
) -> None:
    container = FAST if name.endswith("mp4") else {}
    clip = open_clip(make_clip(tmp_path / name, Recipe(container=container, audio=audio)))
    assert clip.has_audio == (audio is not None)
    target = tmp_path / "copy.mp4"
    own = browser_copy(clip, target) == "as it is"
    played = clip.source if own else target
    assert isinstance(played, Path)
    assert has_sound(played, clip) == heard
    assert has_sound(played, clip) == open_clip(played).has_audio


def test_large_clips_get_a_smaller_copy(tmp_path: Path) -> None:
    recipe = Recipe("libx265", width=400, height=200, options=QUIET, audio="aac")
    clip = open_clip(make_clip(tmp_path / "a.mp4", recipe))
    browser_copy(clip, tmp_path / "copy.mp4", longest_side=200)
    copy = open_clip(tmp_path / "copy.mp4")
    assert (copy.width, copy.height, copy.frame_count, copy.has_audio) == (200, 100, 40, True)
    assert [number_of(f.image) for f in frames(copy)] == list(range(40))


def test_progress_is_told_and_an_exception_in_it_ends_the_work(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "a.avi", Recipe("mpeg4")))
    told: list[tuple[int, int]] = []
    browser_copy(
        clip, tmp_path / "copy.mp4", progress=lambda done, total: told.append((done, total))
    )
    assert told == [(done, 40) for done in range(1, 41)]

    def cancel(done: int, total: int) -> None:
        if done == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        browser_copy(clip, tmp_path / "other.mp4", progress=cancel)
    assert {p.name for p in tmp_path.iterdir()} == {"a.avi", "copy.mp4"}


def test_samples_play_as_they_are() -> None:
    for sample in sample_clips():
        assert way_to_play(open_clip(sample.path)) == "as it is"
        assert starts_playing_at_once(sample.path)
