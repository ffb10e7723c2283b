"""Clips of every kind: no frame invented, none lost, each at its own time and upright."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from estimators.media.browser import browser_copy
from estimators.media.clips import (
    frames,
    in_clip_pixels,
    open_clip,
    processed_size,
    selected,
)
from estimators.media.samples import clips as sample_clips
from estimators.skeletons import COCO_17
from estimators.types import PoseSet
from tests.clip_factory import Recipe, make_clip, number_of, numbered, packet_listing, with_pts

MILLISECONDS = Fraction(1, 1000)
UNEVEN = tuple(np.cumsum([0, *([33, 34, 33, 120, 17] * 8)]).tolist())

KINDS = {
    "h264.mp4": Recipe(),
    "h264 without B-frames.mp4": Recipe(options={"bf": "0"}),
    "variable rate.mp4": with_pts(Recipe(), UNEVEN, MILLISECONDS),
    "variable rate.webm": with_pts(Recipe(codec="libvpx"), UNEVEN, MILLISECONDS),
    "variable rate.mkv": with_pts(Recipe(), UNEVEN, MILLISECONDS),
    "starts late.mp4": with_pts(Recipe(), range(15, 55), Fraction(1, 30)),
    "hevc 10 bit.mov": Recipe("libx265", "yuv420p10le", options={"x265-params": "log-level=none"}),
    "odd size.mkv": Recipe(pixel_format="yuv444p", width=127, height=95),
    "vp9.webm": Recipe("libvpx-vp9", options={"auto-alt-ref": "1", "lag-in-frames": "20"}),
    "vp8.webm": Recipe("libvpx", options={"auto-alt-ref": "1", "lag-in-frames": "16"}),
    "av1 10 bit.mp4": Recipe("libsvtav1", "yuv420p10le", options={"preset": "8"}),
    "mpeg4.avi": Recipe("mpeg4", options={"bf": "2"}),
    "mpeg4.mp4": Recipe("mpeg4", options={"bf": "2"}),
    "h264 with B-frames.avi": Recipe(),
    "mjpeg.avi": Recipe("mjpeg", "yuvj420p"),
    "animation.gif": with_pts(Recipe("gif", "rgb8"), range(0, 200, 5), Fraction(1, 100)),
    "with sound.mp4": Recipe(audio="aac"),
    "one frame.mp4": Recipe(pts=(0,)),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_frame_comes_once_at_its_own_time(name: str, tmp_path: Path) -> None:
    path = make_clip(tmp_path / name, KINDS[name])
    truth = packet_listing(path)
    clip = open_clip(path)
    assert [pts * clip.time_base for pts in clip.listing.pts.tolist()] == truth
    assert clip.frame_count == len(KINDS[name].pts)
    shown = list(frames(clip))
    assert [frame.index for frame in shown] == list(range(len(truth)))
    since = [float(t - truth[0]) for t in truth]
    assert [frame.time_s for frame in shown] == pytest.approx(since, abs=1e-9)
    assert [number_of(frame.image) for frame in shown] == list(range(len(truth)))
    assert {frame.image.shape[:2] for frame in shown} == {(clip.height, clip.width)}
    assert clip.notes == ()


@pytest.mark.parametrize("name", ["h264.mp4", "variable rate.mp4", "vp9.webm", "hevc 10 bit.mov"])
def test_times_equal_what_the_decoder_says(name: str, tmp_path: Path) -> None:
    path = make_clip(tmp_path / name, KINDS[name])
    with av.open(str(path)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    decoded = [time - times[0] for time in times]
    assert [f.time_s for f in frames(open_clip(path))] == pytest.approx(decoded, abs=1e-9)


def test_what_a_clip_says_about_itself(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "a.mp4", Recipe(audio="aac")))
    assert (clip.codec, clip.pixel_format, clip.rotation) == ("h264", "yuv420p", 0)
    assert (clip.width, clip.height, clip.has_audio, clip.variable) == (128, 96, True, False)
    assert clip.duration_s == pytest.approx(40 / 30, abs=1e-3)
    assert clip.average_rate == pytest.approx(30, abs=0.05)


def test_variable_rate_is_noticed_and_rounding_is_not(tmp_path: Path) -> None:
    assert open_clip(make_clip(tmp_path / "v.mp4", KINDS["variable rate.mp4"])).variable
    rounded = with_pts(Recipe(), [round(i * 1000 / 30) for i in range(40)], MILLISECONDS)
    assert not open_clip(make_clip(tmp_path / "r.mkv", rounded)).variable


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_rotated_clips_are_shown_upright(turns: int, tmp_path: Path) -> None:
    # Stored turned by quarter turns counter-clockwise; the matrix turns them back.
    recipe = Recipe(quarter_turns=turns, rotation=-90 * turns)
    path = make_clip(tmp_path / "phone.mp4", recipe)
    clip = open_clip(path)
    assert clip.rotation == 90 * turns
    assert (clip.width, clip.height) == ((96, 128) if turns % 2 else (128, 96))
    shown = list(frames(clip))
    assert [number_of(frame.image) for frame in shown] == list(range(40))
    assert {frame.image.shape for frame in shown} == {(clip.height, clip.width, 3)}


def test_rotation_agrees_with_opencv(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    for turns in (1, 2, 3):
        path = make_clip(tmp_path / f"{turns}.mp4", Recipe(rotation=-90 * turns))
        capture = cv2.VideoCapture(str(path))
        ok, theirs = capture.read()
        capture.release()
        assert ok
        ours = next(frames(open_clip(path))).image
        assert ours.shape == theirs.shape
        assert np.abs(ours.astype(int) - theirs[..., ::-1]).mean() < 6


def test_mirrored_clips_are_shown_upright(tmp_path: Path) -> None:
    plain = next(frames(open_clip(make_clip(tmp_path / "plain.mp4")))).image
    mirrored = next(frames(open_clip(make_clip(tmp_path / "m.mp4", Recipe(hflip=True))))).image
    assert np.array_equal(mirrored, plain[:, ::-1])


def test_an_edit_list_hides_frames(tmp_path: Path) -> None:
    """What an editor cut off stays in the file, but is not part of the clip."""
    path = make_clip(tmp_path / "edited.mp4", Recipe(options={"bf": "0", "g": "5"}))
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4
    # version and flags, entry count, duration, media time
    assert data[at + 4 : at + 8] == (1).to_bytes(4, "big")
    timescale = open_clip(path).time_base.denominator
    data[at + 12 : at + 16] = (timescale * 10 // 30).to_bytes(4, "big")
    path.write_bytes(data)
    clip = open_clip(path)
    assert [number_of(f.image) for f in frames(clip)] == list(range(10, 40))
    assert clip.timestamps_s.tolist() == [float(t) for t in packet_listing(path)]
    assert clip.frame_count == 30
    assert clip.notes == ()


@pytest.mark.parametrize("name", ["h264.mp4", "vp9.webm", "mpeg4.avi", "h264 with B-frames.avi"])
@pytest.mark.parametrize("stride", [1, 7])
def test_trim_and_stride_pick_the_right_frames(name: str, stride: int, tmp_path: Path) -> None:
    path = make_clip(tmp_path / name, KINDS[name])
    clip = open_clip(path)
    times = clip.timestamps_s
    shown = list(frames(clip, times[11], times[33], stride))
    assert [frame.index for frame in shown] == list(range(11, 34, stride))
    assert [number_of(frame.image) for frame in shown] == list(range(11, 34, stride))
    assert selected(clip, times[11], times[33], stride).tolist() == [f.index for f in shown]


def test_a_seek_lands_before_the_frame_that_is_wanted(tmp_path: Path) -> None:
    recipe = Recipe(pts=range(120), options={"g": "12", "bf": "3", "sc_threshold": "0"})
    clip = open_clip(make_clip(tmp_path / "keys.mp4", recipe))
    assert clip.listing.key.sum() == 10
    for first in (0, 11, 12, 13, 59, 60, 119):
        frame = next(frames(clip, clip.timestamps_s[first]))
        assert (frame.index, number_of(frame.image)) == (first, first)


def test_a_seek_does_not_start_where_a_picture_is_only_refreshed(tmp_path: Path) -> None:
    """Cameras that stream refresh the picture column by column: its keys are no whole pictures."""
    options = {"x264-params": "intra-refresh=1:keyint=20:bframes=0"}
    clip = open_clip(make_clip(tmp_path / "a.mp4", Recipe(pts=range(120), options=options)))
    assert clip.listing.key.sum() > 1
    for first in (45, 86, 99):
        times = clip.timestamps_s[[first, first + 2]]
        assert [number_of(f.image) for f in frames(clip, *times)] == [first, first + 1, first + 2]


def test_smaller_frames_and_the_way_back(tmp_path: Path) -> None:
    recipe = Recipe(width=200, height=100, quarter_turns=1, rotation=-90)
    clip = open_clip(make_clip(tmp_path / "a.mp4", recipe))
    assert (clip.width, clip.height) == (100, 200)
    assert processed_size(clip, 50) == (25, 50)
    frame = next(frames(clip, longest_side=50))
    assert (frame.width, frame.height) == (25, 50)
    xy = np.full((1, 17, 2), [12.5, 10.0], np.float32)
    found = PoseSet(COCO_17, xy, np.ones((1, 17)), box_xyxy=np.array([[0, 0, 25, 50]], np.float32))
    back = in_clip_pixels(found, clip, 50)
    assert np.allclose(back.xy, [50, 40])
    assert back.box_xyxy is not None
    assert back.box_xyxy.tolist() == [[0, 0, 100, 200]]
    assert in_clip_pixels(found, clip, 500) is found


def test_bytes_and_open_files_work_like_paths(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")
    for source in (path.read_bytes(), path.open("rb"), str(path)):
        clip = open_clip(source, name="mine.mp4")
        assert clip.name == "mine.mp4"
        assert len(list(frames(clip))) == 40


def test_samples_can_be_read() -> None:
    for sample in sample_clips():
        clip = open_clip(sample.path)
        assert clip.frame_count == sum(1 for _ in frames(clip, longest_side=64))
        assert clip.notes == ()


def test_ten_bit_colours_stay_right(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "deep.mov", KINDS["hevc 10 bit.mov"]))
    image = list(frames(clip))[37].image
    wanted = numbered(37, 128, 96)
    assert np.abs(image[40:60, 4:12].astype(int) - wanted[40:60, 4:12]).mean() < 12
    assert np.abs(image[80, 20].astype(int) - wanted[80, 20]).max() < 30


@pytest.mark.parametrize("matrix", ["YCgCo", "bt2020c", "ictcp", "smpte2085"])
def test_marks_of_colours_that_nobody_can_follow_cost_no_frame(matrix: str, tmp_path: Path) -> None:
    options = {"x264-params": f"colormatrix={matrix}"}
    clip = open_clip(make_clip(tmp_path / "a.mp4", Recipe(options=options, pts=range(12))))
    assert len(list(frames(clip))) == 12
    assert any("colours" in note for note in clip.notes)
    browser_copy(replace(clip, damaged=True), tmp_path / "copy.mp4")
    assert open_clip(tmp_path / "copy.mp4").frame_count == 12


def test_hdr_is_told(tmp_path: Path) -> None:
    parameters = "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    recipe = Recipe("libx265", "yuv420p10le", options={"x265-params": parameters})
    clip = open_clip(make_clip(tmp_path / "hdr.mp4", recipe))
    assert "HDR" in " ".join(clip.notes)
    assert sum(1 for _ in frames(clip)) == 40
