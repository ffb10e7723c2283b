"""Which video track stands for a clip, from the container's own words: no decoder is opened.

A file may hold a preview, a cover or a second camera beside the clip.  How large the frames of
every one of its tracks are is known before any of them is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from estimators.errors import InputError
from estimators.media.clip_info import ClipLimits
from estimators.media.listing import looked_into

_COVER = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
# After so many packets a track with fewer than two of them is taken for a still picture.
_MOST_PACKETS = 10_000


@dataclass(frozen=True)
class Track:
    """A clip's video track.

    Attributes:
        index: its place among all streams of the container.
        only: there is no other that a player could show in its place.
        notes: what a person should know about the others.
    """

    index: int
    only: bool
    notes: tuple[str, ...] = ()


def choose_track(source: Path | bytes, name: str, limits: ClipLimits) -> Track:
    """The default track that can be decoded, else the one with the largest frames.

    Covers and other single pictures are taken only where there is nothing else.

    Raises:
        InputError: there is no video, no decoder for it, or frames in any track are too large.
    """
    with looked_into(source, name) as container:
        everything = container.streams.video
        for stream in everything:
            # Nothing ever decodes a cover; its size is nobody's fault.
            cover = stream.disposition & Disposition.attached_pic
            if stream.codec_context is not None and not cover:
                check_size((stream.width, stream.height), name, limits)
        shown = [stream for stream in everything if not stream.disposition & _COVER]
        if not shown:
            heard = " It has sound only." if container.streams.audio else ""
            raise InputError(f"{name} holds no video.{heard}", "Choose a clip with a video track.")
        moving = _moving(container, shown) if len(shown) > 1 else set()
        best = max(shown, key=lambda stream: _rank(stream, moving))
        if best.codec_context is None:
            raise InputError(
                f"{name} uses a video codec that cannot be decoded here.", "Convert it to H.264."
            )
        return Track(best.index, len(everything) == 1, _notes(shown, best, moving))


def check_size(size: tuple[int, int], name: str, limits: ClipLimits) -> None:
    """Raises InputError where frames of this (width, height) are too large."""
    width, height = size
    if width * height > limits.max_pixels:
        raise InputError(
            f"The frames of {name} are too large ({width}×{height}).",
            f"Scale the clip to at most {limits.max_pixels / 1e6:.1f} million pixels a frame.",
        )


def _rank(stream: VideoStream, moving: set[int]) -> tuple[bool, bool, bool, int, int]:
    context = stream.codec_context
    default = bool(stream.disposition & Disposition.default)
    pixels = 0 if context is None else stream.width * stream.height
    return stream.index in moving, context is not None, default, pixels, -stream.index


def _moving(container: InputContainer, streams: Sequence[VideoStream]) -> set[int]:
    """The streams, by index, that have more than one frame."""
    seen: set[int] = set()
    moving: set[int] = set()
    try:
        for number, packet in enumerate(container.demux(list(streams))):
            if packet.size:
                (moving if packet.stream_index in seen else seen).add(packet.stream_index)
            if len(moving) == len(streams) or number > _MOST_PACKETS:
                break
    except av.error.FFmpegError:
        return moving
    return moving


def _notes(shown: Sequence[VideoStream], best: VideoStream, moving: set[int]) -> tuple[str, ...]:
    if len(shown) == 1:
        return ()
    others = ", ".join(_described(s, n, moving) for n, s in enumerate(shown, 1) if s is not best)
    default = ", the default" if best.disposition & Disposition.default else ""
    taken = f"track {shown.index(best) + 1} ({best.width}×{best.height}{default})"
    return (f"The file has {len(shown)} video tracks. Used: {taken}. Left aside: {others}.",)


def _described(stream: VideoStream, number: int, moving: set[int]) -> str:
    if stream.codec_context is None:
        return f"track {number} (cannot be decoded here)"
    still = "" if stream.index in moving else ", a single picture"
    return f"track {number} ({stream.width}×{stream.height}{still})"
