"""Interlaced clips coded field by field: two fields are one frame, whoever packs them."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from field_factory import BOTTOM, TOP, WHOLE, make_fields

from estimators.media.browser import way_to_play
from estimators.media.clips import frames, open_clip
from estimators.media.fields import FieldPairs
from tests.clip_factory import Recipe, bars_of, make_clip

PAIR = (TOP, BOTTOM)
# Encoders choose between fields and whole frames as the picture moves.
MIXED = (PAIR, PAIR, (WHOLE,), PAIR, (WHOLE,), (BOTTOM, TOP), (BOTTOM, TOP), PAIR)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("codec", ["h264", "mpeg2video"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.mpg"])
def test_every_frame_comes_once(name: str, codec: str, together: bool, tmp_path: Path) -> None:
    clip = open_clip(make_fields(tmp_path / name, codec, MIXED, together))
    shown = list(frames(clip))
    assert [bars_of(frame.image) for frame in shown] == list(range(8))
    assert [frame.index for frame in shown] == list(range(8))
    assert [frame.time_s for frame in shown] == pytest.approx([n / 25 for n in range(8)])
    assert clip.notes == ()
    part = list(frames(clip, 0.12, 0.2))
    assert [bars_of(frame.image) for frame in part] == [3, 4, 5]


@pytest.mark.parametrize("codec", ["h264", "mpeg2video"])
def test_fields_of_two_frames_are_no_pair(codec: str, tmp_path: Path) -> None:
    """Each has lost its other field."""
    path = make_fields(tmp_path / "a.mp4", codec, [PAIR, PAIR, (TOP,), (BOTTOM,), PAIR], False)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pairs = FieldPairs(stream)
        packets = [packet for packet in container.demux(stream) if packet.size]
        completed = [n for n, packet in enumerate(packets) if pairs.completes(packet)]
    assert completed == [1, 3, 7]


def test_the_last_frame_lasts_both_its_fields(tmp_path: Path) -> None:
    clip = open_clip(make_fields(tmp_path / "a.mp4", "h264", [PAIR] * 4, together=False))
    assert clip.duration_s == pytest.approx(0.16)
    assert clip.average_rate == pytest.approx(25)
    assert way_to_play(clip) == "encode"


@pytest.mark.parametrize(
    "options",
    [{}, {"x264-params": "interlaced=1"}, {"x264-params": "interlaced=1:cqm=jvt"}],
    ids=["progressive", "adaptive", "with scaling lists"],
)
def test_no_whole_frame_is_taken_for_a_field(options: dict[str, str], tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", Recipe(options=options))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pairs = FieldPairs(stream)
        assert not any(pairs.completes(packet) for packet in container.demux(stream))
    assert open_clip(path).frame_count == 40


@pytest.mark.parametrize("cut", [0, 1, 5, 7, 12, 20, 40])
def test_broken_headers_do_no_harm(cut: int, tmp_path: Path) -> None:
    path = make_fields(tmp_path / "a.mp4", "h264", [PAIR] * 3, together=False)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.extradata = (stream.codec_context.extradata or b"")[:cut]
        pairs = FieldPairs(stream)
        for packet in container.demux(stream):
            pairs.completes(av.Packet(bytes(packet)[:cut]))
