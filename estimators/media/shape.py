"""The shape of a clip's frames: pixels that are not square, and frames of changing size.

A stored pixel may be shown wider than high, or the other way round ("anamorphic", sample aspect
ratio: ITU-T H.264, E.2.1; ISO/IEC 14496-12, pixel aspect ratio box; Matroska, DisplayWidth).
Frames are given out with square pixels, the narrower side enlarged, as players show them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from estimators.media.limits import MAX_FRAME_PIXELS
from estimators.media.listing import Listing

Size = tuple[int, int]

# Ratios beyond are taken for damage: cinema's anamorphic lenses squeeze by two.
_MOST_SQUEEZED = 4
# Encoders write a ratio like 1215:1216 where they rounded a side; nobody can see it.
_ROUNDED = 2
# Frames that are decoded when a clip is opened, to see whether their size changes.
_MOST_SAMPLED, _SAMPLED_PIXELS = 60, 40_000_000


def pixel_ratio(stream: VideoStream, size: Size) -> Fraction:
    """Width over height of a stored pixel, 1 where nothing else is told.

    The container's word counts before the stream's, as for other players; one that says nothing
    else than "square" may just not have asked.

    Args:
        stream: of which a frame was decoded.
        size: of that frame.
    """
    for ratio in (stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio):
        if (
            ratio
            and 1 <= max(ratio, 1 / ratio) <= _MOST_SQUEEZED
            and not _near(square_size(size, ratio), size)
        ):
            return Fraction(ratio)
    return Fraction(1)


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


def sizes_in(
    container: InputContainer, stream: VideoStream, listing: Listing, first: Size
) -> list[Size]:
    """The different (width, height) of stored frames, `first` and more as they come.

    Only frames at which decoding can start are looked at, spread over the clip: all of a short
    clip, and of a long one enough to see a change that lasts.
    """
    keys = np.flatnonzero(listing.key)
    most = max(2, min(_MOST_SAMPLED, _SAMPLED_PIXELS // (first[0] * first[1])))
    if len(keys) > most:
        keys = keys[np.linspace(0, len(keys) - 1, most).round().astype(int)]
    sizes = dict.fromkeys([first])
    if len(keys) > 1:
        sizes.update(dict.fromkeys(_decoded_sizes(container, stream, listing.pts[keys[1:]])))
    return list(sizes)


def roomiest(sizes: Sequence[Size]) -> Size:
    """The size into which all others are fitted: the largest, of equals the first."""
    return max(sizes, key=lambda size: size[0] * size[1])


def _decoded_sizes(
    container: InputContainer, stream: VideoStream, times: Iterable[np.int64]
) -> Iterator[Size]:
    context = stream.codec_context
    for time in times:
        try:
            container.seek(int(time), stream=stream)
            packet = next(container.demux(stream))
            frames = [*context.decode(packet), *context.decode(None)]
            context.flush_buffers()
        except (av.error.FFmpegError, StopIteration):
            continue
        yield from ((frame.width, frame.height) for frame in frames)


def _near(one: Size, other: Size) -> bool:
    return all(abs(a - b) <= _ROUNDED for a, b in zip(one, other, strict=True))
