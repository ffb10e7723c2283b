"""Makes the clips of the tests: every frame shows its own number in bars that survive coding."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.stream import Disposition

BITS = 8


@dataclass(frozen=True)
class Recipe:
    """How a clip is made; `pts` are in units of `time_base`."""

    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    width: int = 128
    height: int = 96
    pts: Sequence[int] = tuple(range(40))
    time_base: Fraction = Fraction(1, 30)
    options: dict[str, str] = field(default_factory=dict)
    container: dict[str, str] = field(default_factory=dict)
    rotation: int = 0
    hflip: bool = False
    quarter_turns: int = 0
    audio: str | None = None
    ratio: Fraction | None = None


def with_pts(recipe: Recipe, pts: Sequence[int], time_base: Fraction) -> Recipe:
    return replace(recipe, pts=tuple(pts), time_base=time_base)


def numbered(number: int, width: int, height: int) -> np.ndarray:
    """A picture [height, width, 3] that says `number` in eight bars, most significant bit left.

    The lower third is dark and the lower left corner red, so that every turn and mirroring shows.
    """
    image = np.full((height, width, 3), 30, np.uint8)
    edges = np.linspace(0, width, BITS + 1).astype(int)
    for bit in range(BITS):
        if number >> (BITS - 1 - bit) & 1:
            image[: height * 2 // 3, edges[bit] : edges[bit + 1]] = 225
    image[height * 2 // 3 :, : width // 2] = (200, 30, 30)
    return image


def number_of(image: np.ndarray) -> int:
    """The number that a decoded frame says; -1 where it is not upright."""
    height, width = image.shape[:2]
    corner = image[height * 5 // 6, width // 4].astype(int)
    if corner[0] - corner[2] < 90:
        return -1
    edges = np.linspace(0, width, BITS + 1)
    number = 0
    for left, right in pairwise(edges):
        bar = image[height // 6 : height // 2, int(left + 1) : max(int(right - 1), int(left) + 2)]
        number = number << 1 | int(bar.mean() > 127)
    return number


def bars_of(image: np.ndarray) -> int:
    """The number in the eight bars of a picture's sixteen top rows."""
    edges = np.linspace(0, image.shape[1], BITS + 1)
    number = 0
    for left, right in pairwise(edges):
        number = number << 1 | int(image[3:13, int(left + 3) : int(right - 3)].mean() > 127)
    return number


def make_clip(path: Path, recipe: Recipe | None = None) -> Path:
    recipe = recipe or Recipe()
    with av.open(str(path), "w", options=recipe.container) as output:
        rate = Fraction(1) / recipe.time_base
        rate = rate if rate.denominator == 1 and rate <= 120 else Fraction(30)
        video = output.add_stream(recipe.codec, rate=rate, options=recipe.options)
        video.width, video.height = recipe.width, recipe.height
        video.pix_fmt = recipe.pixel_format
        video.codec_context.time_base = recipe.time_base
        if recipe.ratio is not None:
            video.codec_context.sample_aspect_ratio = recipe.ratio
        if recipe.rotation or recipe.hflip:
            video.set_display_rotation(recipe.rotation, hflip=recipe.hflip)
        audio = output.add_stream(recipe.audio, rate=48_000) if recipe.audio else None
        for number, pts in enumerate(recipe.pts):
            frame = _frame(number % 2**BITS, recipe)
            frame.pts, frame.time_base = pts, recipe.time_base
            output.mux(video.encode(frame))
        output.mux(video.encode())
        if audio is not None:
            _write_tone(output, audio, float((recipe.pts[-1] + 1) * recipe.time_base))
    return path


def make_tracks(
    path: Path,
    tracks: Sequence[tuple[Recipe, Disposition]],
    options: dict[str, str] | None = None,
) -> Path:
    """A file of several video tracks."""
    parts = [
        make_clip(path.with_name(f"part {n}.mkv"), track) for n, (track, _) in enumerate(tracks)
    ]
    with ExitStack() as stack:
        output = stack.enter_context(av.open(str(path), "w", options=options or {}))
        sources = [stack.enter_context(av.open(str(part))).streams.video[0] for part in parts]
        streams = [output.add_stream_from_template(source) for source in sources]
        for stream, (_, disposition) in zip(streams, tracks, strict=True):
            stream.disposition = disposition
        for source, stream in zip(sources, streams, strict=True):
            for packet in source.container.demux(source):
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
    for part in parts:
        part.unlink()
    return path


def retold(
    source: Path, target: Path, bitstream_filter: str, options: dict[str, str] | None = None
) -> Path:
    """The packets of a clip with what their stream says of itself rewritten by FFmpeg's filter."""
    with av.open(str(source)) as clip, av.open(str(target), "w", options=options or {}) as output:
        stream = clip.streams.video[0]
        kept = output.add_stream_from_template(stream)
        rewrite = BitStreamFilterContext(bitstream_filter, stream, kept)
        for packet in (*clip.demux(stream), None):
            if packet is None or packet.size:
                for rewritten in rewrite.filter(packet):
                    rewritten.stream = kept
                    output.mux(rewritten)
    return target


def shown_at(matroska: Path, width: int) -> Path:
    """The file, told to be shown at this width, up to 255 pixels."""
    data = matroska.read_bytes()
    unknown, display_width = bytes.fromhex("54b28104"), bytes.fromhex("54b081")
    assert data.count(unknown) == 1
    matroska.write_bytes(data.replace(unknown, display_width + bytes([width])))
    return matroska


def make_resized(
    path: Path,
    codec: str,
    sizes: Sequence[tuple[int, int]],
    each: int = 5,
    ratios: Sequence[Fraction] = (),
) -> Path:
    """A clip of `each` numbered frames of every (width, height), at 25 a second.

    The stream, and it alone, tells the ratios of their pixels.
    """
    with av.open(str(path), "w") as output:
        video = output.add_stream(codec, rate=25)
        (video.width, video.height), video.pix_fmt = sizes[0], "yuv420p"
        output.start_encoding()
        for part, size in enumerate(sizes):
            encoder = av.CodecContext.create(codec, "w")
            (encoder.width, encoder.height), encoder.pix_fmt = size, "yuv420p"
            encoder.time_base = Fraction(1, 25)
            if ratios:
                encoder.sample_aspect_ratio = ratios[part]
            # No frame may wait behind the next encoder's first one.
            quick = {"tune": "zerolatency"} if codec == "libx264" else {"lag-in-frames": "0"}
            encoder.options = quick
            packets = []
            for number in range(part * each, (part + 1) * each):
                frame = av.VideoFrame.from_ndarray(numbered(number, *size), format="rgb24")
                frame = frame.reformat(format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                packets += encoder.encode(frame)
            for packet in (*packets, *encoder.encode(None)):
                packet.stream = video
                output.mux(packet)
    return path


def _frame(number: int, recipe: Recipe) -> av.VideoFrame:
    width, height = recipe.width, recipe.height
    if recipe.quarter_turns % 2:
        width, height = height, width
    image = np.rot90(numbered(number, width, height), recipe.quarter_turns)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    return frame.reformat(format=recipe.pixel_format)


def _write_tone(
    output: av.container.OutputContainer, stream: av.AudioStream, seconds: float
) -> None:
    size = stream.codec_context.frame_size or 1024
    layout, kind = "mono", stream.codec_context.format.name
    for start in range(0, int(seconds * 48_000), size):
        wave = 0.2 * np.sin(np.arange(start, start + size) * 2 * np.pi * 440 / 48_000)
        data = (wave * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        for ready in av.AudioResampler(format=kind, layout=layout, rate=48_000).resample(frame):
            output.mux(stream.encode(ready))
    output.mux(stream.encode())


def packet_listing(path: Path) -> list[Fraction]:
    """The times of all video packets that are shown, ascending: the truth about a clip."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [p for p in container.demux(stream) if p.size and not p.is_discard]
        return sorted(p.pts * stream.time_base for p in packets)
