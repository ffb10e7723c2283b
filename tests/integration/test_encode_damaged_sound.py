"""Sound that no decoder knows, no MP4 takes, or that is damaged: the pictures come all the same."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from estimators.media.audio import sound_of
from estimators.media.browser import browser_copy
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import frames, open_clip
from estimators.media.encode import ClipWriter, EncodeOptions
from tests.clip_factory import Recipe, make_clip, number_of

FRAMES = 40


def unknown(folder: Path) -> ClipInfo:
    """Sound in a codec that does not exist."""
    data = make_clip(folder / "a.mkv", Recipe(audio="libopus")).read_bytes()
    return open_clip(data.replace(b"A_OPUS", b"A_ZZZZ"), name="unknown.mkv")


def slow_mp3(folder: Path) -> ClipInfo:
    """MP3 at 11,025 Hz, which MP4 does not allow."""
    return open_clip(with_silence(folder / "slow.mkv", "libmp3lame", 11_025))


def fast_pcm(folder: Path) -> ClipInfo:
    """A rate that AAC has not."""
    return open_clip(with_silence(folder / "fast.mov", "pcm_s16le", 192_000))


def damaged(folder: Path) -> ClipInfo:
    """AC-3 packets with a few wrong bytes each: they seem to change their rate and channels."""
    path = make_clip(folder / "a.mp4", Recipe(audio="ac3"))
    return open_clip(spoilt(path), name="damaged.mp4")


def damaged_lossless(folder: Path) -> ClipInfo:
    """Sound that has to be decoded, and cannot be."""
    path = make_clip(folder / "a.mov", Recipe(audio="alac"))
    return open_clip(spoilt(path), name="damaged.mov")


def with_silence(path: Path, codec: str, rate: int) -> Path:
    silent = open_clip(make_clip(path.with_name(f"silent {path.name}")))
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = silent.width, silent.height, "yuv420p"
        audio = output.add_stream(codec, rate=rate, layout="mono")
        for shown in frames(silent):
            frame = av.VideoFrame.from_ndarray(shown.image, format="rgb24")
            frame.pts, frame.time_base = shown.index, Fraction(1, 30)
            output.mux(video.encode(frame))
        output.mux(video.encode())
        for start in range(0, rate, 1152):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), "s16", "mono")
            samples.sample_rate, samples.pts = rate, start
            output.mux(audio.encode(samples))
        output.mux(audio.encode())
    return path


def spoilt(path: Path) -> bytes:
    """The file with six wrong bytes in each packet of its sound."""
    data, dice = bytearray(path.read_bytes()), random.Random(3)
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(audio=0) if p.size]
    for packet in packets:
        for _ in range(6):
            data[packet.pos + dice.randrange(packet.size)] = dice.randrange(256)
    return bytes(data)


@pytest.mark.parametrize("make", [unknown, slow_mp3, fast_pcm, damaged, damaged_lossless])
def test_the_video_is_written_and_the_loss_of_sound_is_told(make, tmp_path: Path) -> None:
    clip = make(tmp_path)
    assert clip.has_audio
    target = tmp_path / "out.mp4"
    with ClipWriter(target, (128, 96), EncodeOptions(clip.time_base), sound_of(clip)) as writer:
        for frame in frames(clip):
            writer.write(frame.image, frame.time_s)
    (note,) = writer.notes
    assert "sound" in note
    assert [number_of(frame.image) for frame in frames(open_clip(target))] == list(range(FRAMES))
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize("make", [unknown, slow_mp3, damaged])
def test_the_copy_to_play_comes_too(make, tmp_path: Path) -> None:
    clip = make(tmp_path)
    browser_copy(clip, tmp_path / "copy.mp4")
    assert open_clip(tmp_path / "copy.mp4").frame_count == FRAMES
