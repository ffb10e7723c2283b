"""A clip's frames as the decoder gives them, each with its place in the packet listing."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from estimators.media.clip_info import ClipInfo
from estimators.media.decoder_memory import too_much
from estimators.media.listing import Listing, Packets, opened, video_stream
from estimators.media.shape import usable_ratio

# Frames among which the next one mostly is.
_NEAR = 64
# What FFmpeg's converter takes: others end in an error, whatever the picture is.
_MATRICES, _RANGES = (0, 1, 2, 4, 5, 6, 7, 9), (0, 1, 2)
_UNSPECIFIED = 2
# BT.2020 with constant luminance is much like that without.
_LIKE = {10: 9}
# Whose decoders may have several frames in work at once.  In a damaged file that does not look it,
# FFmpeg's threads for HEVC can wait for each other for ever; older codecs were not tried hard.
_AT_ONCE = ("h264", "vp8", "vp9", "av1")
_FROM_KEY = ("h264", "hevc")

# Packets that a decoder has taken and not looked into, one a thread.
_IN_WORK = 4


class Stored(NamedTuple):
    """A frame as the decoder gives it.

    Attributes:
        place: index in the clip's listing.
        frame: the pixels.
        ratio: width over height of a stored pixel.
    """

    place: int
    frame: VideoFrame
    ratio: Fraction


class _DamagedError(Exception):
    """A packet could not be decoded."""


def decode_frames(
    container: InputContainer, stream: VideoStream, name: str, most_waiting: int | None
) -> Iterator[VideoFrame]:
    """Every frame that can be decoded; damaged packets are passed over, a broken end is the end.

    Raises:
        InputError: more frames than `most_waiting` wait in the decoder.
    """
    waiting = _Waiting(name, most_waiting)
    return _decode_frames(container, stream, waiting, passing_over=True)


class _Waiting:
    """Frames that went into the decoder and have not come out."""

    def __init__(self, name: str, most: int | None) -> None:
        self._name, self._most = name, most
        self._times: list[int] = []

    def began(self, packet: Packet[VideoStream]) -> None:
        """Raises InputError where too many wait."""
        if self._most is None or packet.pts is None:
            return
        # Those that come before the first one at which decoding can start never come out.
        if self._times or packet.is_keyframe:
            insort(self._times, packet.pts)
        if len(self._times) > self._most + _IN_WORK:
            raise too_much(self._name)

    def came(self, frame: VideoFrame) -> VideoFrame:
        """The frame, of which it takes note."""
        if frame.pts is not None:
            del self._times[: bisect_right(self._times, frame.pts)]
        return frame


def _decode_frames(
    container: InputContainer, stream: VideoStream, waiting: _Waiting, passing_over: bool
) -> Iterator[VideoFrame]:
    packets = iter(Packets(container, stream))
    flushed = False
    while not flushed:
        packet = next(packets, None)
        flushed = packet is None
        if packet is not None:
            waiting.began(packet)
        try:
            # The decoder holds frames back (reordering, threads): no packet means give them all.
            yield from map(waiting.came, map(_convertible, stream.codec_context.decode(packet)))
        except (av.error.FFmpegError, EOFError) as error:
            if not passing_over:
                raise _DamagedError from error


def converted(matrix: int) -> bool:
    """Whether colours of this kind (matrix coefficients of ITU-T H.273) can be made RGB here."""
    return matrix in _MATRICES


def _convertible(frame: VideoFrame) -> VideoFrame:
    """The frame; marks of its colours that nobody can follow, or damaged ones, are taken away."""
    if not converted(frame.colorspace):
        frame.colorspace = _LIKE.get(frame.colorspace, _UNSPECIFIED)
    if frame.color_range not in _RANGES:
        frame.color_range = 0
    return frame


def decoded(clip: ClipInfo, first: int = 0) -> Iterator[Stored]:
    """The frames in ascending order, from index `first` on.

    Frames that cannot be decoded are left out, so that an index may be missing.

    Raises:
        InputError: the clip can no longer be opened.
    """
    start = _key_at_or_before(clip, first)
    if start:
        reached = False
        for stored in _from_key(clip, start):
            index = stored.place
            # A container's own index may lead behind the frame that was asked for; where a key is
            # not the first picture to come, it only begins to refresh the picture bit by bit.
            if not reached and (index > first or (index > start and not clip.listing.key[index])):
                break
            reached = True
            if index >= first:
                yield stored
        if reached:
            return
    yield from (stored for stored in _from_key(clip, 0) if stored.place >= first)


def _key_at_or_before(clip: ClipInfo, index: int) -> int:
    """The last frame at or before `index` at which decoding can start; 0 where none is known."""
    if not clip.listing.seekable:
        return 0
    keys = np.flatnonzero(clip.listing.key[: index + 1])
    return int(keys[-1]) if len(keys) else 0


def _from_key(clip: ClipInfo, key: int) -> Iterator[Stored]:
    """The frames from the keyframe with index `key` on."""
    last = key - 1
    if _several_at_once(clip):
        with suppress(_DamagedError):
            for stored in _placed(clip, key, at_once=True):
                last = stored.place
                yield stored
    if last + 1 < clip.frame_count:
        # With several frames in work at once, one that fails takes good ones with it, at the end
        # without a word.
        key = _key_at_or_before(clip, max(last, key))
        one_by_one = _placed(clip, key, at_once=False)
        yield from (stored for stored in one_by_one if stored.place > last)


def _several_at_once(clip: ClipInfo) -> bool:
    """Whether a thread may begin a frame while others are still at those before it: it is fast."""
    return clip.codec in _AT_ONCE and clip.steady and not clip.damaged


def _placed(clip: ClipInfo, key: int, at_once: bool) -> Iterator[Stored]:
    """Raises _DamagedError at the first damaged packet where several frames are in work at once."""
    with opened(clip.source, clip.name, clip.track) as container:
        stream = video_stream(container, clip.track)
        stream.thread_type = "AUTO" if at_once else "SLICE"
        if key:
            container.seek(int(clip.listing.pts[key]), stream=stream)
        # Frames before the first clean one are counted, though these decoders give none of them.
        late = clip.listing.by_turn and clip.codec in _FROM_KEY and clip.listing.key.any()
        first = int(clip.listing.key.argmax()) if late else 0
        places, ratios = _Places(clip.listing, first), _Ratios(clip, stream)
        waiting = _Waiting(clip.name, clip.most_waiting)
        for frame in _decode_frames(container, stream, waiting, passing_over=not at_once):
            index = places.of(frame)
            if index is not None:
                yield Stored(index, frame, ratios.of(index, frame))


class _Ratios:
    """The shape of each frame's pixels, where it changes in mid-clip.

    The decoder tells that of the frame it has read last; those that it gives out may be earlier
    ones, held back.  A new shape counts from the next frame on at which decoding can start.
    """

    def __init__(self, clip: ClipInfo, stream: VideoStream) -> None:
        self._clip, self._context = clip, stream.codec_context
        self._ratio: Fraction | None = None
        self._before: Fraction | None = None
        self._since = 0

    def of(self, index: int, frame: VideoFrame) -> Fraction:
        if not self._clip.ratio_changes:
            return self._clip.stored_ratio
        ratio = self._context.sample_aspect_ratio
        if ratio != self._ratio:
            keys = np.flatnonzero(self._clip.listing.key[index:])
            self._since = index + (int(keys[0]) if len(keys) and self._ratio is not None else 0)
            self._before, self._ratio = self._ratio, ratio
        now = self._ratio if index >= self._since else self._before
        return usable_ratio(now, (frame.width, frame.height))


class _Places:
    """Finds each decoded frame in the listing by its time, where times tell nothing by its turn."""

    def __init__(self, listing: Listing, first: int = 0) -> None:
        self._listing = listing
        self._last = first - 1

    def of(self, frame: VideoFrame) -> int | None:
        """The frame's index, always above the one before; None for one that is not listed."""
        after = self._last + 1
        if self._listing.by_turn:
            index = after if after < len(self._listing.pts) else None
        else:
            index = None if frame.pts is None else self._next_with(frame.pts, after)
        self._last = self._last if index is None else index
        return index

    def _next_with(self, stamp: int, after: int) -> int | None:
        for part in (slice(after, after + _NEAR), slice(after + _NEAR, None)):
            found = np.flatnonzero(self._listing.stamps[part] == stamp)
            if len(found):
                return part.start + int(found[0])
        return None
