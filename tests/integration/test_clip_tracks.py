"""Several tracks in one file, frames too large in any, and starts that browsers get wrong."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from estimators.errors import InputError
from estimators.media.browser import browser_copy, way_to_play
from estimators.media.clips import ClipLimits, frames, open_clip
from estimators.media.h264 import turned_by_stream
from estimators.media.listing import opened, video_stream
from tests.clip_factory import Recipe, make_clip, make_tracks, number_of, retold

SMALL, LARGE = Recipe(width=64, height=48), Recipe(width=160, height=96)
COVER = Recipe("mjpeg", "yuvj420p", width=320, height=320, pts=(0,))
SIDE = 12_000
DEFAULT, NONE = Disposition.default, Disposition(0)

CHOICES = {
    "the second is the default": ([(SMALL, NONE), (LARGE, DEFAULT)], 1),
    "the small one is the default": ([(LARGE, NONE), (SMALL, DEFAULT)], 1),
    "both are the default": ([(SMALL, DEFAULT), (LARGE, DEFAULT)], 1),
    "two that are alike": ([(SMALL, NONE), (SMALL, NONE)], 0),
    "none is the default": ([(LARGE, NONE), (SMALL, NONE)], 0),
    "a cover that is no clip": ([(COVER, DEFAULT), (SMALL, NONE)], 1),
    "a cover behind": ([(SMALL, NONE), (COVER, DEFAULT)], 0),
}


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("choice", CHOICES)
def test_the_default_or_best_track_is_taken_and_said(
    choice: str, ending: str, tmp_path: Path
) -> None:
    tracks, wanted = CHOICES[choice]
    clip = open_clip(make_tracks(tmp_path / f"a.{ending}", tracks))
    recipe = tracks[wanted][0]
    assert (clip.track, clip.width, clip.height) == (wanted, recipe.width, recipe.height)
    assert [number_of(frame.image) for frame in frames(clip)] == list(range(40))
    left_out = tracks[1 - wanted][0]
    assert f"Used: track {wanted + 1} ({recipe.width}×{recipe.height}" in clip.notes[0]
    assert f"track {2 - wanted} ({left_out.width}×{left_out.height}" in clip.notes[0]
    assert ("a single picture" in clip.notes[0]) == (left_out is COVER)


def test_a_flagged_cover_is_no_track(tmp_path: Path) -> None:
    tracks = [(COVER, Disposition.attached_pic), (SMALL, NONE)]
    clip = open_clip(make_tracks(tmp_path / "a.mp4", tracks))
    assert (clip.width, clip.frame_count, clip.notes) == (64, 40, ())


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_browser_gets_the_chosen_track_alone(ending: str, tmp_path: Path) -> None:
    tracks = [(SMALL, NONE), (LARGE, DEFAULT)]
    options = {"movflags": "faststart"} if ending == "mp4" else {}
    clip = open_clip(make_tracks(tmp_path / f"a.{ending}", tracks, options))
    assert browser_copy(clip, tmp_path / "copy.mp4") == "rewrap"
    copy = open_clip(tmp_path / "copy.mp4")
    assert (copy.width, copy.alone, way_to_play(copy)) == (160, True, "as it is")
    webm = [(Recipe("libvpx", width=w, height=48), DEFAULT) for w in (64, 96)]
    assert way_to_play(open_clip(make_tracks(tmp_path / "b.webm", webm))) == "encode"


PEAK = """
import resource, sys
from estimators.errors import InputError
from estimators.media.clips import open_clip
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(open_clip(sys.argv[1]).frame_count, "frames")
except InputError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.fixture(scope="module")
def huge(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A flat PNG of 12,000×12,000 pixels in 140 kB."""
    encoder = av.CodecContext.create("png", "w")
    encoder.width = encoder.height = SIDE
    encoder.pix_fmt, encoder.time_base = "gray", Fraction(1, 30)
    encoder.options = {"compression_level": "1"}
    picture = av.VideoFrame.from_ndarray(np.zeros((SIDE, SIDE), np.uint8), format="gray")
    return bytes(encoder.encode(picture)[0])


def with_huge_tracks(
    path: Path, picture: bytes, count: int, said: int = SIDE, cover: bool = False
) -> Path:
    """A small clip, and beside it tracks of two huge pictures."""
    small = make_clip(path.with_name("small.mp4"), SMALL)
    with av.open(str(small)) as clip, av.open(str(path), "w") as output:
        source = clip.streams.video[0]
        first = output.add_stream_from_template(source)
        first.disposition = NONE
        tracks = [output.add_stream("png", rate=30) for _ in range(count)]
        for track in tracks:
            track.width = track.height = said
            track.pix_fmt = "gray"
            track.disposition = Disposition.attached_pic if cover else DEFAULT
        output.start_encoding()
        for number, track in product(range(1 if cover else 2), tracks):
            packet = av.Packet(picture)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 30), track
            output.mux(packet)
        for packet in clip.demux(source):
            if packet.size:
                packet.stream = first
                output.mux(packet)
    return path


def peak(path: Path) -> tuple[int, str]:
    """How many kB opening a clip takes for a time, and what it says."""
    ran = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    told, kilobytes = ran.stdout.split("\n", 1)
    return int(kilobytes), told


@pytest.mark.parametrize("count", [1, 4])
def test_no_track_costs_memory_before_its_size_is_refused(
    count: int, huge: bytes, tmp_path: Path
) -> None:
    kilobytes, told = peak(with_huge_tracks(tmp_path / "a.mov", huge, count))
    assert "too large (12000×12000)" in told
    assert kilobytes < 30_000


def test_a_cover_may_be_huge_as_nothing_decodes_it(huge: bytes, tmp_path: Path) -> None:
    path = with_huge_tracks(tmp_path / "a.mp4", huge, 1, cover=True)
    kilobytes, told = peak(path)
    assert "40 frames" in told
    assert kilobytes < 30_000


def test_tracks_that_hide_their_size_are_not_decoded(huge: bytes, tmp_path: Path) -> None:
    kilobytes, told = peak(with_huge_tracks(tmp_path / "a.mov", huge, 4, said=40))
    assert "larger than it says" in told
    assert kilobytes < 30_000


def test_a_stream_whose_tracks_come_late_is_read_all_the_same(tmp_path: Path) -> None:
    for name, codec in {"a.mpg": "mpeg2video", "a.flv": "flv", "a.ts": "libx264"}.items():
        clip = open_clip(make_clip(tmp_path / name, Recipe(codec)))
        assert [number_of(frame.image) for frame in frames(clip)] == list(range(40))


def test_frames_of_the_largest_size_are_taken(tmp_path: Path) -> None:
    size = 2304, 4096
    recipe = Recipe(width=size[0], height=size[1], pts=(0, 1), options={"preset": "ultrafast"})
    path = make_clip(tmp_path / "a.mp4", recipe)
    clip = open_clip(path)
    assert (clip.width, clip.height) == size
    assert [number_of(f.image) for f in frames(clip, longest_side=256)] == [0, 1]
    with pytest.raises(InputError, match=r"at most 9\.4 million pixels"):
        open_clip(path, ClipLimits(max_pixels=4096 * 2304 - 1))


def test_large_frames_are_decoded_by_few_threads(tmp_path: Path) -> None:
    counts = []
    for width, height in ((64, 48), (1920, 1088), (3840, 2160)):
        recipe = Recipe(width=width, height=height, pts=(0,), options={"preset": "ultrafast"})
        path = make_clip(tmp_path / f"{width}.mp4", recipe)
        with opened(path, path.name, 0) as container:
            counts.append(video_stream(container, 0).codec_context.thread_count)
    assert 1 <= counts[1] <= counts[0] <= 4
    assert counts[1:] == [min(2, counts[0]), 1]


FAST = {"movflags": "faststart"}


def test_a_clip_turned_by_its_stream_alone_is_encoded(tmp_path: Path) -> None:
    recipe = Recipe(quarter_turns=1, container=FAST)
    whole = make_clip(tmp_path / "whole.mp4", recipe)
    said = "h264_metadata=display_orientation=insert:rotate="
    for degrees in (90, 270):
        path = retold(whole, tmp_path / f"{degrees}.mp4", f"{said}{degrees}", FAST)
        clip = open_clip(path)
        assert (clip.width, clip.height) == (96, 128)
        assert browser_copy(clip, tmp_path / f"{degrees}.copy.mp4") == "encode"
        copy = open_clip(tmp_path / f"{degrees}.copy.mp4")
        assert (copy.width, copy.height, copy.rotation) == (96, 128, 0)
        shown = [number_of(frame.image) for frame in frames(copy)]
        assert shown == [number_of(frame.image) for frame in frames(clip)]
        assert (shown == list(range(40))) == (degrees == 270)


def test_a_turn_that_the_stream_takes_back_is_none() -> None:
    start, orientation = b"\0\0\1\x06", bytes([47, 2])
    assert turned_by_stream(start + orientation + b"\x20\0\x80", b"")
    assert not turned_by_stream(start + orientation + b"\x80\0\x80", b"")


def test_a_clip_that_starts_at_no_clean_frame_is_encoded(tmp_path: Path) -> None:
    """Cut at a recovery point, as a copy without encoding is cut at an open group of pictures."""
    options = {"x264-params": "open-gop=1:keyint=10:min-keyint=10:scenecut=0:bframes=2"}
    whole = make_clip(tmp_path / "whole.mp4", Recipe(options=options, container=FAST))
    assert way_to_play(open_clip(whole)) == "as it is"
    path = tmp_path / "cut.mp4"
    with av.open(str(whole)) as clip, av.open(str(path), "w", options=FAST) as output:
        stream = clip.streams.video[0]
        kept = output.add_stream_from_template(stream)
        packets = [p for p in clip.demux(stream) if p.size]
        second = [n for n, p in enumerate(packets) if p.is_keyframe][1]
        start = packets[second].pts
        for packet in packets[second:]:
            if packet.pts >= start:
                packet.pts, packet.dts = packet.pts - start, packet.dts - start
                packet.stream = kept
                output.mux(packet)
    clip = open_clip(path)
    assert clip.listing.key[0]
    assert way_to_play(clip) == browser_copy(clip, tmp_path / "copy.mp4") == "encode"


def test_a_copy_can_be_encoded_anew(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "a.mp4", Recipe(container=FAST)))
    target = tmp_path / "copy.mp4"
    assert browser_copy(clip, target) == "as it is"
    assert browser_copy(clip, target, anew=True) == "encode"
    copy = open_clip(target)
    assert np.flatnonzero(copy.listing.key).tolist() == [0, 15, 30]
    assert copy.timestamps_s == pytest.approx(clip.timestamps_s)


def test_the_ways_of_the_known_faults(shared: Path) -> None:
    faults = shared / "data" / "faults"
    for name in ("c26_recovery_start.mp4", "c04_negative.webm", "c03_sei270.mp4"):
        assert way_to_play(open_clip(faults / name)) == "encode", name
    clip = open_clip(faults / "c12_preview_first.mp4")
    assert (clip.width, clip.height) == (320, 480)
    assert open_clip(faults / "c03_sei270.mp4").pixel_ratio == Fraction(1)
