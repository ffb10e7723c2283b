"""Clips in: what a clip holds, and its frames one after another.

Timestamps are the clip's own (presentation time × time base, not rounded to a frame rate), counted
from its first frame: a container's clock may start anywhere.  Frames stream: memory does not grow
with the length of the clip.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from estimators.errors import InputError
from estimators.media.boxes import cut_short
from estimators.media.clip_info import ClipInfo, ClipLimits
from estimators.media.decoder_memory import check_format, most_waiting
from estimators.media.decoding import converted, decode_frames
from estimators.media.h264 import starts_clean, turned_by_stream
from estimators.media.listing import Listing, list_packets, looked_into, opened, video_stream
from estimators.media.names import printable
from estimators.media.orientation import Orientation
from estimators.media.selection import frames, in_clip_pixels, processed_size, selected
from estimators.media.shape import Shape, pixel_ratio, roomiest, shapes_in, usable_ratio
from estimators.media.tracks import Track, check_size, choose_track

__all__ = [
    "ClipInfo",
    "ClipLimits",
    "frames",
    "in_clip_pixels",
    "open_clip",
    "processed_size",
    "selected",
]

DEFAULT_LIMITS = ClipLimits()
# A month; times further apart come from damage, and charts and players cannot take them.
_LONGEST_S = 31 * 86_400
# Transfer characteristics of HDR video (ITU-T H.273): perceptual quantiser and hybrid log-gamma.
_HDR_TRANSFERS = (16, 18)


def open_clip(
    source: str | Path | bytes | BinaryIO, limits: ClipLimits = DEFAULT_LIMITS, name: str = ""
) -> ClipInfo:
    """Reads a clip's packets and decodes its first frame.

    Args:
        source: a path, the content of a file, or an open binary file (read whole).
        limits: what to accept.
        name: the file's name for messages, where `source` does not tell it.

    Raises:
        InputError: no clip, no video, no frames, an unknown codec, or more than `limits` allow.
    """
    data, name = _identified(source, name)
    track = choose_track(data, name, limits)
    waiting = most_waiting(data, name, track.index)
    listing = _listing(data, name, track, limits)
    reported = shapes_in(partial(opened, data, name, track.index), track.index, listing)
    with opened(data, name, track.index) as container:
        stream = video_stream(container, track.index)
        first = next(decode_frames(container, stream, name, waiting), None)
        if first is None or len(listing.pts) == 0:
            raise _nothing_to_see(listing, name)
        shapes = _shapes(data, name, stream, (first.width, first.height), reported)
        codec, largest = stream.codec_context.codec.canonical_name, roomiest(shapes)
        _check_shapes(shapes, codec, first.format.name, name, limits)
        _check_times(listing, name, limits.max_s)
        clip = ClipInfo(
            source=data,
            name=name,
            track=track.index,
            stored_size=largest.size,
            stored_ratio=largest.ratio,
            ratio_changes=len({shape.ratio for shape in shapes}) > 1,
            orientation=_orientation(first),
            listing=listing,
            codec=codec,
            most_waiting=waiting,
            pixel_format=first.format.name,
            container=container.format.name,
            damaged=listing.broken or cut_short(data),
            has_audio=bool(container.streams.audio),
            steady=len(shapes) == 1,
            shown_alike=len(shapes) == 1 and _shown_alike(data, name, track, listing),
            alone=track.only,
        )
        notes = [*track.notes, *_notes(first, stream, clip), *_shape_notes(clip, shapes)]
    return replace(clip, notes=tuple(notes))


def _identified(source: str | Path | bytes | BinaryIO, name: str) -> tuple[Path | bytes, str]:
    if isinstance(source, str | Path):
        return Path(source), printable(name or Path(source).name)
    data = source if isinstance(source, bytes) else source.read()
    return data, printable(name or str(getattr(source, "name", "")) or "The clip")


def _listing(source: Path | bytes, name: str, track: Track, limits: ClipLimits) -> Listing:
    with opened(source, name, track.index) as container:
        listing = list_packets(container, video_stream(container, track.index), limits.max_frames)
    if len(listing.pts) > limits.max_frames:
        raise InputError(
            f"{name} has more than {limits.max_frames:,} frames.", "Cut it into shorter clips."
        )
    return listing


def _shapes(
    source: Path | bytes,
    name: str,
    stream: VideoStream,
    size: tuple[int, int],
    reported: Sequence[Shape],
) -> list[Shape]:
    """The shapes of all frames, first that of the first one, of `size`.

    What the container says of the pixels holds for all; else what the stream has told.
    """
    first = Shape(size, usable_ratio(stream.codec_context.sample_aspect_ratio, size))
    ratio = pixel_ratio(stream, size)
    shapes = dict.fromkeys([first, *reported])
    if len({shape.ratio for shape in shapes}) > 1:
        with looked_into(source, name) as container:
            known = next(s for s in container.streams.video if s.index == stream.index)
            ratio = usable_ratio(known.sample_aspect_ratio, size)
        if ratio == 1:
            return list(shapes)
    return [Shape(size, ratio) for size in dict.fromkeys(shape.size for shape in shapes)]


def _check_shapes(
    shapes: Sequence[Shape], codec: str, pixel_format: str, name: str, limits: ClipLimits
) -> None:
    for shape in shapes:
        check_size(shape.size, name, limits)
        check_format(codec, math.prod(shape.size), pixel_format, name)


def _orientation(frame: VideoFrame) -> Orientation:
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return Orientation() if matrix is None else Orientation.from_matrix(matrix)


def _shown_alike(source: Path | bytes, name: str, track: Track, listing: Listing) -> bool:
    """Browsers show frames from time 0 on, start at a clean one, and turn as the container says."""
    if listing.pts[0] < 0 or not listing.key[0]:
        return False
    with looked_into(source, name) as container:
        stream = container.streams[track.index]
        packet = next(container.demux(stream))
        if not isinstance(stream, VideoStream) or packet.pts is None:
            return False
        if stream.codec_context.name != "h264":
            return True
        begin, extradata = bytes(packet), stream.codec_context.extradata or b""
        return starts_clean(begin, extradata) and not turned_by_stream(begin, extradata)


def _check_times(listing: Listing, name: str, most_s: int) -> None:
    lasts_s = int(listing.pts[-1] - listing.pts[0]) * listing.time_base
    if not 0 <= lasts_s <= _LONGEST_S:
        days = float(lasts_s / 86_400)
        raise InputError(
            f"The times in {name} are damaged: its frames would last {days:,.0f} days.",
            "Convert it to H.264, or record it again.",
        )
    if lasts_s > most_s:
        raise InputError(
            f"{name} lasts {float(lasts_s):,.0f} s; {most_s:,} s is the most here.",
            "Cut it into shorter clips.",
        )


def _nothing_to_see(listing: Listing, name: str) -> InputError:
    packets = len(listing.pts)
    if packets == 0 and listing.timeless:
        return InputError(
            f"{name} tells of none of its {listing.timeless:,} frames when to show it, as where a "
            "cut without encoding leaves frames before the clip's start.",
            "Convert it to H.264, or cut it again with encoding.",
        )
    if packets == 0:
        return InputError(f"{name} holds no frames.", "Record or export it again.")
    return InputError(
        f"None of the {packets:,} frames of {name} can be decoded.",
        "It is damaged, cut so that its first whole frame is missing, or larger than it says: "
        "convert it to H.264.",
    )


def _notes(first: VideoFrame, stream: VideoStream, clip: ClipInfo) -> Iterator[str]:
    count, listing = clip.frame_count, clip.listing
    if clip.damaged:
        reported = listing.one_each and stream.frames > count
        promised = f" of {stream.frames:,}" if reported else ""
        yield f"The file is cut short or damaged: {count:,}{promised} frames are there."
    if listing.joins:
        yield (
            "The times in the file jump back in mid-clip, as where recordings were joined: the "
            "parts follow each other here."
        )
    if listing.timeless:
        yield (
            f"{listing.timeless:,} frames are left out: the file tells no time to show them at, as "
            "where a cut without encoding leaves frames before the clip's start."
        )
    if not converted(stream.codec_context.colorspace):
        yield "Its colours are stored in a way that cannot be followed here: they may look wrong."
    if first.color_trc in _HDR_TRANSFERS:
        yield "HDR video: colours are taken as they are stored and look flat."


def _shape_notes(clip: ClipInfo, shapes: Sequence[Shape]) -> Iterator[str]:
    ratio, shown = clip.pixel_ratio, f"{clip.width}×{clip.height}"
    if ratio != 1 and not clip.ratio_changes:
        yield (
            f"Pixels are not square ({ratio.numerator}:{ratio.denominator}): frames are stretched "
            f"to {shown}, as players show them, and coordinates are those of square pixels."
        )
    if not clip.steady:
        squares = dict.fromkeys(shape.square for shape in shapes)
        reported = ", ".join("{}×{}".format(*clip.orientation.size(*square)) for square in squares)
        what = "size" if not clip.ratio_changes else "shape"
        yield (
            f"The frames change their {what} ({reported}): each is fitted into {shown} in its own "
            "shape, and coordinates are those of the whole picture."
        )
