"""Content decides whether a file is a picture or a clip, whatever its name ends with."""

from __future__ import annotations

import io
import os
import socket
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from estimators.errors import InputError
from estimators.media.clips import frames, open_clip
from estimators.media.kinds import kind_of, sniff
from estimators.media.pictures import read_picture

SIZE = (64, 48)
# What phones, cameras and editors make: the ending, FFmpeg's muxer, the codec.
MADE = {
    "phone.3gp": ("3gp", "mpeg4"),
    "old.qt": ("mov", "libx264"),
    "GL010042.LRV": ("mp4", "libx264"),
    "no ending": ("mp4", "libx264"),
    "lying.jpg": ("mp4", "libx264"),
    "00012.MTS": ("mpegts", "libx264"),
    "tv.ts": ("mpegts", "mpeg2video"),
    "disc.VOB": ("vob", "mpeg2video"),
    "tape.mpg": ("mpeg", "mpeg1video"),
    "office.wmv": ("asf", "wmv2"),
    "web.flv": ("flv", "libx264"),
    "free.ogv": ("ogg", "libvpx"),
    "web.webm": ("webm", "libvpx"),
    "rip.mkv": ("matroska", "libx264"),
    "old.avi": ("avi", "mpeg4"),
}


def made(path: Path) -> Path:
    """12 grey pictures, each 10 brighter than the one before, 25 a second."""
    muxer, codec = MADE[path.name]
    with av.open(str(path), "w", format=muxer) as output:
        stream = output.add_stream(codec, rate=25, options={"bf": "0"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for i in range(12):
            grey = np.full((SIZE[1], SIZE[0], 3), 60 + 10 * i, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", MADE)
def test_a_clip_is_one_whatever_its_name_ends_with(name: str, tmp_path: Path) -> None:
    path = made(tmp_path / name)
    assert kind_of(path) == "clip"
    assert sniff(path.read_bytes()[:1024]) == "clip"
    clip = open_clip(path)
    assert clip.frame_count == 12
    assert np.diff(clip.timestamps_s) == pytest.approx(0.04, abs=0.0011)
    greys = [frame.image.mean() for frame in frames(clip)]
    assert greys == pytest.approx([60 + 10 * i for i in range(12)], abs=5)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_a_picture_is_one_whatever_its_name_ends_with(form: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", SIZE, "teal").save(buffer, form)
    path = tmp_path / "picture.mp4"
    path.write_bytes(buffer.getvalue())
    assert kind_of(path) == "picture"
    assert read_picture(path).width == SIZE[0]


def test_pictures_and_clips_of_one_container_are_told_apart() -> None:
    assert sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == "picture"
    assert sniff(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1") == "picture"
    assert sniff(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ") == "clip"
    assert sniff(b"\0\0\0\x08wide\0\0\1\0mdat") == "clip"
    assert sniff(b"RIFF\0\0\0\0WEBPVP8 ") == "picture"
    assert sniff(b"RIFF\0\0\0\0AVI LIST") == "clip"
    assert sniff(b"RIFF\0\0\0\0WAVEfmt ") == "unknown"


# As FFmpeg writes them: the codec.
UNREAD = {"a.mxf": "mpeg2video", "a.rm": "rv10", "a.ivf": "libvpx", "a.h264": "libx264"}
UNREAD |= {"a.y4m": "rawvideo", "a.nut": "mpeg4", "a.m2v": "mpeg2video", "a.dv": "dvvideo"}


@pytest.mark.parametrize("name", UNREAD)
def test_a_clip_of_an_unread_kind_is_not_called_a_bad_picture(name: str, tmp_path: Path) -> None:
    size = (720, 576) if name == "a.dv" else (176, 144)
    with av.open(str(tmp_path / name), "w") as output:
        stream = output.add_stream(UNREAD[name], rate=25)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        output.mux(stream.encode(av.VideoFrame(*size, "yuv420p")))
        output.mux(stream.encode(None))
    path = (tmp_path / name).rename(tmp_path / "no ending")
    assert kind_of(path) == "clip"
    with pytest.raises(InputError, match="is not a clip that can be read") as caught:
        open_clip(path)
    assert "MP4" in caught.value.advice
    assert kind_of(b"", name) == "clip"


def test_broken_files_are_called_what_their_name_says(tmp_path: Path) -> None:
    for name, kind in {"broken.mp4": "clip", "BROKEN.MTS": "clip", "broken.jpg": "unknown"}.items():
        (tmp_path / name).write_bytes(bytes(2000))
        assert kind_of(tmp_path / name) == kind


def test_the_wrong_kind_is_named(tmp_path: Path) -> None:
    clip = made(tmp_path / "lying.jpg")
    with pytest.raises(InputError, match="is a clip, not a picture"):
        read_picture(clip)
    picture = tmp_path / "lying.mp4"
    Image.new("RGB", SIZE).save(picture, "PNG")
    with pytest.raises(InputError, match="is a picture, not a clip"):
        open_clip(picture)


def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    """Opening a pipe waits for ever, and a device never ends."""
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.jpg"))
        for path, what in (
            (tmp_path / "pipe.mp4", "a pipe"),
            (tmp_path / "socket.jpg", "a socket"),
            (Path("/dev/zero"), "a device"),
            (tmp_path, "a folder"),
        ):
            for read in (kind_of, read_picture, open_clip):
                with pytest.raises(InputError, match=f"is {what}, not a file"):
                    read(path)
