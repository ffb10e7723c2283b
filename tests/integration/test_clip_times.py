"""When frames are shown, whatever clock a container keeps and whatever it leaves out."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from estimators.errors import InputError
from estimators.media.browser import browser_copy
from estimators.media.clips import frames, open_clip, selected
from estimators.workflows.clip.run import ClipSettings
from estimators.workflows.clip.series import playable_times
from estimators.workflows.clip.video import AnnotatedClip
from tests.clip_factory import Recipe, make_clip, number_of, numbered, with_pts

MODEL = "movenet-lightning"
MILLISECONDS = Fraction(1, 1000)
QUIET = {"x265-params": "log-level=none"}
# As an editor cuts without encoding: what lies before the start keeps a time below zero.
UNSHIFTED = {"avoid_negative_ts": "disabled"}

CUT = {
    "a.mkv": Recipe(pts=range(-12, 20)),
    "no reordering.mkv": Recipe(pts=range(-7, 20), options={"bf": "0"}),
    "hevc.mkv": Recipe("libx265", pts=range(-9, 20), options=QUIET),
    "a.mp4": Recipe(pts=range(-12, 20)),
    "a.mov": Recipe(pts=range(-5, 20), options={"bf": "0"}),
}
HOUR = 3600
LATE = {
    "an hour.mkv": with_pts(Recipe(), range(HOUR * 1000, HOUR * 1000 + 660, 33), MILLISECONDS),
    "an hour.mp4": Recipe(pts=range(HOUR * 30, HOUR * 30 + 20)),
    "an hour.webm": with_pts(
        Recipe("libvpx"), range(HOUR * 1000, HOUR * 1000 + 660, 33), MILLISECONDS
    ),
    "before zero.webm": Recipe("libvpx", pts=range(-5, 15), container=UNSHIFTED),
    "a.ts": Recipe(pts=range(100, 120)),
    "a.mpg": Recipe("mpeg2video", pts=range(20), options={"bf": "2"}),
    "a.avi": Recipe("mpeg4", pts=range(20), options={"bf": "2"}),
}


@pytest.mark.parametrize("name", CUT)
def test_exact_times_win_over_those_before_the_start(name: str, tmp_path: Path) -> None:
    recipe = replace(CUT[name], container=UNSHIFTED)
    before = -recipe.pts[0]
    clip = open_clip(make_clip(tmp_path / name, recipe))
    shown = list(frames(clip))
    assert [number_of(frame.image) for frame in shown] == list(range(before, before + 20))
    assert [frame.index for frame in shown] == list(range(20))
    assert [f.time_s for f in shown] == pytest.approx([n / 30 for n in range(20)], abs=6e-4)
    # An edit list hides them by itself; without one it has to be said.
    assert [note.split()[0] for note in clip.notes] == ([str(before)] * name.endswith("mkv"))
    part = list(frames(clip, 0.3, 0.4))
    assert [number_of(frame.image) - before for frame in part] == [9, 10, 11, 12]
    assert browser_copy(clip, tmp_path / "copy.mp4") == "encode" or name.endswith(("mp4", "mov"))
    copy = open_clip(tmp_path / "copy.mp4")
    assert [number_of(frame.image) for frame in frames(copy)] == list(range(before, before + 20))


def test_a_clip_that_ends_before_its_start_says_so(tmp_path: Path) -> None:
    recipe = with_pts(Recipe(options={"bf": "0"}, container=UNSHIFTED), range(-9, -5), MILLISECONDS)
    path = make_clip(tmp_path / "a.mkv", recipe)
    with pytest.raises(InputError, match="none of its 4 frames when to show it") as caught:
        open_clip(path)
    assert "Convert" in caught.value.advice


@pytest.mark.parametrize("name", LATE)
def test_time_counts_from_the_first_frame_everywhere(name: str, tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / name, LATE[name]))
    times = clip.timestamps_s
    assert (times[0], clip.frame_count) == (0, 20)
    assert times[-1] == pytest.approx(19 / 30, abs=0.01)
    assert next(frames(clip, start_s=0.2)).index in (6, 7)
    assert selected(clip, end_s=0.2).tolist() == list(range(7))
    with AnnotatedClip(tmp_path / "annotated.mp4", clip, ClipSettings((MODEL,))) as video:
        for frame in frames(clip):
            video.add(frame, {}, {MODEL: "no answer"})
    way = browser_copy(clip, tmp_path / "copy.mp4")
    written = [tmp_path / "annotated.mp4", tmp_path / "copy.mp4"][: 1 + (way != "as it is")]
    for path in written:
        copy = open_clip(path)
        assert copy.first_frame_s == 0
        assert copy.timestamps_s == pytest.approx(times, abs=1e-6)
        with av.open(str(path)) as container:
            assert container.duration / 1e6 < 1
            assert [
                s.type for s in container.streams if (s.start_time or 0) * s.time_base > 1
            ] == []
    # The player asks for times on the clock of the file that it plays.
    played = playable_times(clip, clip.first_frame_s)
    assert played[0] == pytest.approx(clip.first_frame_s)


def test_sound_stays_beside_its_pictures(tmp_path: Path) -> None:
    """A clip whose sound starts two seconds before its pictures; the tone starts with the sound."""
    recipe = Recipe(pts=range(60, 100), audio="aac")
    clip = open_clip(make_clip(tmp_path / "a.mkv", recipe))
    assert clip.first_frame_s == pytest.approx(2)
    browser_copy(clip, tmp_path / "copy.mp4")
    with AnnotatedClip(tmp_path / "annotated.mp4", clip, ClipSettings((MODEL,))) as video:
        for frame in frames(clip):
            video.add(frame, {}, {MODEL: "no answer"})
    for name in ("copy.mp4", "annotated.mp4"):
        with av.open(str(tmp_path / name)) as container:
            sound = [float(f.pts * f.time_base) for f in container.decode(audio=0)]
            assert -0.05 < sound[0] <= 0.001
            assert sound[-1] == pytest.approx(40 / 30, abs=0.06)


def test_a_gifs_short_delays_are_those_that_browsers_show(tmp_path: Path) -> None:
    pictures = [Image.fromarray(numbered(n, 128, 96)) for n in range(6)]
    delays = [0, 10, 20, 50, 100, 10]
    path = tmp_path / "a.gif"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=delays, disposal=1)
    clip = open_clip(path)
    assert [number_of(frame.image) for frame in frames(clip)] == list(range(6))
    assert clip.timestamps_s == pytest.approx([0, 0.1, 0.2, 0.22, 0.27, 0.37])
    assert clip.duration_s == pytest.approx(0.47)


@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_times_far_from_zero_and_not_ascending(name: str, tmp_path: Path) -> None:
    """Numbers so large that a microsecond more is the same number."""
    codec = "libvpx" if name.endswith("webm") else "libx264"
    recipe = Recipe(codec, options={"bf": "0"} if codec == "libx264" else {})
    pts = [2**50 + late for late in (0, 1, 1, 1, 2)]
    clip = open_clip(make_clip(tmp_path / name, with_pts(recipe, pts, MILLISECONDS)))
    assert clip.timestamps_s == pytest.approx([0, 0.001, 0.001, 0.001, 0.002])
    assert browser_copy(clip, tmp_path / "copy.mp4") == "encode"
    assert (np.diff(playable_times(clip)) > 0).all()
    copy = open_clip(tmp_path / "copy.mp4")
    assert copy.timestamps_s == pytest.approx([0, 0.001, 0.002])


@pytest.mark.parametrize("late", [40 * 86_400_000, 2**50])
def test_times_that_are_months_apart_are_refused(late: int, tmp_path: Path) -> None:
    recipe = with_pts(Recipe(options={"bf": "0"}), [0, 33, late], MILLISECONDS)
    with pytest.raises(InputError, match=r"times in .* are damaged") as caught:
        open_clip(make_clip(tmp_path / "a.mkv", recipe))
    assert caught.value.advice


def test_a_damaged_frame_does_not_move_those_behind_it(tmp_path: Path) -> None:
    """AVI tells no time to show frames at, but without reordering its own ones are exact."""
    path = make_clip(tmp_path / "a.avi", Recipe("mjpeg", "yuvj420p"))
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    data[packets[7].pos : packets[7].pos + packets[7].size] = b"\0" * packets[7].size
    shown = [(frame.index, number_of(frame.image)) for frame in frames(open_clip(bytes(data)))]
    assert shown == [(n, n) for n in range(40) if n != 7]


@pytest.mark.parametrize(("kind", "second"), [("ts libx264", 10), ("mpg mpeg2video", 100)])
def test_joined_recordings_follow_each_other(kind: str, second: int, tmp_path: Path) -> None:
    """The second one's clock starts no later than the first one's; its frames come behind it."""
    ending, codec = kind.split()
    parts = [
        make_clip(tmp_path / f"{count}.{ending}", Recipe(codec, pts=range(start, start + count)))
        for start, count in ((100, 30), (second, 40))
    ]
    joined = tmp_path / f"joined.{ending}"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = open_clip(joined)
    numbers = [*range(30), *range(40)]
    shown = list(frames(clip))
    assert [number_of(frame.image) for frame in shown] == numbers
    assert [frame.index for frame in shown] == list(range(70))
    assert [f.time_s for f in shown] == pytest.approx([n / 30 for n in range(70)], abs=0.002)
    part = list(frames(clip, shown[28].time_s, shown[33].time_s))
    assert [number_of(frame.image) for frame in part] == numbers[28:34]
    assert "jump back" in " ".join(clip.notes)
    assert browser_copy(clip, tmp_path / "copy.mp4") == "encode"
    assert [number_of(f.image) for f in frames(open_clip(tmp_path / "copy.mp4"))] == numbers


@pytest.mark.parametrize("count", [2, 6, 12])
@pytest.mark.parametrize("reordered", ["0", "3"])
def test_a_clock_that_jumps_back_a_little_costs_no_frame(
    count: int, reordered: str, tmp_path: Path
) -> None:
    """Less than half a second; by a frame where the first part's last ones wait for their turn."""
    parts = [
        make_clip(tmp_path / f"{n}.ts", Recipe(pts=range(length), options={"bf": bf}))
        for n, (length, bf) in enumerate([(count, reordered), (10, "0")])
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = open_clip(joined)
    assert [number_of(frame.image) for frame in frames(clip)] == [*range(count), *range(10)]
    assert np.diff(clip.timestamps_s) == pytest.approx(1 / 30, abs=0.002)
    assert "jump back" in " ".join(clip.notes)


@pytest.mark.parametrize("name", ["slow.mkv", "slow.mp4", "slow.ts"])
def test_reordered_frames_far_apart_are_no_jump(name: str, tmp_path: Path) -> None:
    """A frame every three seconds, with B-frames: those decoded later are shown much earlier."""
    recipe = with_pts(Recipe(), range(0, 60_000, 3000), MILLISECONDS)
    clip = open_clip(make_clip(tmp_path / name, recipe))
    assert [number_of(frame.image) for frame in frames(clip)] == list(range(20))
    assert clip.timestamps_s == pytest.approx([3 * n for n in range(20)])
    assert clip.notes == ()


TOLD_ONCE = {"a.asf": Recipe(pts=range(20)), "a.mpg": Recipe(pts=range(20))}


@pytest.mark.parametrize("name", TOLD_ONCE)
def test_one_time_for_several_frames_loses_none(name: str, tmp_path: Path) -> None:
    """ASF stores one time a frame; an MPEG program stream may time only the first of a packet."""
    clip = open_clip(make_clip(tmp_path / name, TOLD_ONCE[name]))
    shown = list(frames(clip))
    assert [number_of(frame.image) for frame in shown] == list(range(20))
    assert [f.time_s for f in shown] == pytest.approx([n / 30 for n in range(20)], abs=0.001)
    assert clip.notes == ()
    assert [number_of(f.image) for f in frames(clip, 0.3, 0.4)] == [9, 10, 11, 12]
    assert browser_copy(clip, tmp_path / "copy.mp4") == "encode"
    assert len(list(frames(open_clip(tmp_path / "copy.mp4")))) == 20


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "flv", "ts"])
def test_times_to_decode_that_stand_for_those_to_show(ending: str, tmp_path: Path) -> None:
    """Some tools write frames with B-frames between them without a time to show them at."""
    target = tmp_path / f"a.{ending}"
    with (
        av.open(str(make_clip(tmp_path / "source.mp4", Recipe(pts=range(20))))) as source,
        av.open(str(target), "w") as output,
    ):
        stream = output.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for number, packet in enumerate(packets):
            packet.pts = packet.dts = round(number / 30 / packet.time_base)
            packet.stream = stream
            output.mux(packet)
    shown = list(frames(open_clip(target)))
    assert [number_of(frame.image) for frame in shown] == list(range(20))
    assert [f.time_s for f in shown] == pytest.approx([n / 30 for n in range(20)], abs=0.001)


@pytest.mark.parametrize("name", ["a.avi", "a.asf"])
def test_turns_count_from_the_first_frame_that_can_be_decoded(name: str, tmp_path: Path) -> None:
    """A recording that begins behind its first clean frame, without times to show frames at."""
    whole = make_clip(tmp_path / f"whole {name}", Recipe(pts=range(40), options={"g": "12"}))
    with av.open(str(whole)) as source, av.open(str(tmp_path / name), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in [packet for packet in source.demux(video=0) if packet.size][6:]:
            packet.stream = stream
            output.mux(packet)
    clip = open_clip(tmp_path / name)
    shown = list(frames(clip))
    assert [number_of(frame.image) for frame in shown] == list(range(12, 40))
    assert shown[-1].index == clip.frame_count - 1
