"""The shape of a clip's frames: pixels that are not square, and frames of changing size.

A stored pixel may be shown wider than high, or the other way round ("anamorphic", sample aspect
ratio: ITU-T H.264, E.2.1; ISO/IEC 14496-12, pixel aspect ratio box; Matroska, DisplayWidth).
Frames are given out with square pixels, the narrower side enlarged, as players show them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from estimators.media.limits import MAX_FRAME_PIXELS
from estimators.media.listing import Listing, Packets, video_stream

Size = tuple[int, int]

# Ratios beyond are taken for damage: cinema's anamorphic lenses squeeze by two.
_MOST_SQUEEZED = 4
# Encoders write a ratio like 1215:1216 where they rounded a side; nobody can see it.
_ROUNDED = 2
# Frames that are decoded when a clip is opened, to see whether their size changes.
_MOST_SAMPLED, _SAMPLED_PIXELS = 60, 40_000_000
# Of these a time leads to its packet; in others it may lead anywhere near.
_INDEXED = ("mov", "matroska")


class Shape(NamedTuple):
    """Of a stored frame: its (width, height), and width over height of its pixels."""

    size: Size
    ratio: Fraction

    @property
    def square(self) -> Size:
        """(width, height) with square pixels."""
        return square_size(self.size, self.ratio)


def pixel_ratio(stream: VideoStream, size: Size) -> Fraction:
    """Width over height of a stored pixel, 1 where nothing else is told.

    The container's word counts before the stream's, as for other players; one that says nothing
    else than "square" may just not have asked.

    Args:
        stream: of which a frame was decoded.
        size: of that frame.
    """
    ratio = usable_ratio(stream.sample_aspect_ratio, size)
    return ratio if ratio != 1 else usable_ratio(stream.codec_context.sample_aspect_ratio, size)


def usable_ratio(ratio: Fraction | None, size: Size) -> Fraction:
    """The ratio; 1 where it is absent, absurd, or makes no difference to a frame of this size."""
    usable = (
        ratio
        and 1 <= max(ratio, 1 / ratio) <= _MOST_SQUEEZED
        and not _near(square_size(size, ratio), size)
    )
    return Fraction(ratio) if ratio and usable else Fraction(1)


def square_size(size: Size, ratio: Fraction) -> Size:
    """The (width, height) of a stored frame with square pixels; no pixels are given away."""
    width, height = size
    wide, high = (round(width * ratio), height), (width, round(height / ratio))
    shown = wide if ratio >= 1 else high
    if shown[0] * shown[1] > MAX_FRAME_PIXELS:
        shown = high if ratio >= 1 else wide
    return max(1, shown[0]), max(1, shown[1])


def as_rgb(
    stored: VideoFrame, size: Size, ratio: Fraction, reformatter: VideoReformatter | None = None
) -> NDArray[np.uint8]:
    """Uint8 [H, W, 3] of the given (width, height) with square pixels, not turned.

    A frame of another shape keeps it: it is fitted in whole, in the middle, on black.

    Args:
        stored: as the decoder gives it.
        size: of the picture.
        ratio: of the stored pixels.
        reformatter: one for all frames of a clip saves its setting up for each.
    """
    inner = fitted(square_size((stored.width, stored.height), ratio), size)
    how = _interpolation((stored.width, stored.height), inner)
    convert = reformatter or VideoReformatter()
    frame = convert.reformat(stored, *inner, format="rgb24", interpolation=how)
    image = frame.to_ndarray().astype(np.uint8, copy=False)
    if inner == size:
        return image
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = image
    return canvas


def _interpolation(size: Size, wanted: Size) -> Interpolation:
    if size == wanted:
        return Interpolation.BILINEAR
    # Joints found in frames enlarged linearly lie farther off.
    grows = wanted[0] > size[0] or wanted[1] > size[1]
    return Interpolation.BICUBIC if grows else Interpolation.AREA


def fitted(shape: Size, into: Size) -> Size:
    """The largest (width, height) of this shape that lies in `into`."""
    scale = min(into[0] / shape[0], into[1] / shape[1])
    inner = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    return into if _near(inner, into) else inner


def shapes_in(
    again: Callable[[], AbstractContextManager[InputContainer]],
    track: int,
    listing: Listing,
) -> list[Shape]:
    """Which shapes stored frames have as the stream tells them; none where it cannot change.

    Only frames at which decoding can start are looked at, spread over the clip: all of a short
    clip, and of a long one enough to see a change that lasts.

    Args:
        again: opens the clip.
        track: index of the stream.
        listing: of the clip.
    """
    keys = np.flatnonzero(listing.key)
    if len(keys) < 2:
        return []
    with again() as container:
        stream = video_stream(container, track)
        most = max(2, min(_MOST_SAMPLED, _SAMPLED_PIXELS // max(1, stream.width * stream.height)))
        turns = np.linspace(0, len(keys) - 1, min(most, len(keys))).round().astype(int)
        if listing.seekable and container.format.name.startswith(_INDEXED):
            packets = _sought(container, stream, listing.pts[keys[turns]])
        else:
            packets = _passed_by(container, stream, set(turns.tolist()))
        return list(dict.fromkeys(_decoded_shapes(stream, packets)))


def roomiest(shapes: Sequence[Shape]) -> Shape:
    """The shape into which all others are fitted: the largest, of equals the first."""
    return max(shapes, key=lambda shape: shape.square[0] * shape.square[1])


def _sought(
    container: InputContainer, stream: VideoStream, times: Iterable[np.int64]
) -> Iterator[Packet[VideoStream]]:
    for time in times:
        try:
            container.seek(int(time), stream=stream)
            packet = next(container.demux(stream))
        except (av.error.FFmpegError, StopIteration):
            continue
        yield packet


def _passed_by(
    container: InputContainer, stream: VideoStream, turns: set[int]
) -> Iterator[Packet[VideoStream]]:
    """The packets at which decoding can start whose turn among all such ones is wanted."""
    keys = (p for p in Packets(container, stream) if p.is_keyframe and not p.is_discard)
    return (packet for turn, packet in enumerate(keys) if turn in turns)


def _decoded_shapes(stream: VideoStream, packets: Iterable[Packet[VideoStream]]) -> Iterator[Shape]:
    context = stream.codec_context
    for packet in packets:
        try:
            frames = [*context.decode(packet), *context.decode(None)]
            context.flush_buffers()
        except av.error.FFmpegError:
            continue
        for frame in frames:
            size = frame.width, frame.height
            yield Shape(size, usable_ratio(context.sample_aspect_ratio, size))


def _near(one: Size, other: Size) -> bool:
    return all(abs(a - b) <= _ROUNDED for a, b in zip(one, other, strict=True))
