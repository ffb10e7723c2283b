"""A clip's frames as the decoder gives them, each with its place in the packet listing."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from estimators.media.clip_info import ClipInfo
from estimators.media.listing import opened, video_stream


def decode_frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Every frame that can be decoded; damaged packets are passed over, a broken end is the end."""
    packets = container.demux(stream)
    flushed = False
    while not flushed:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            packet = None
        flushed = packet is None or packet.size == 0
        try:
            # The decoder holds frames back (reordering, threads): no packet means give them all.
            yield from stream.codec_context.decode(None if flushed else packet)
        except (av.error.FFmpegError, EOFError):
            continue


def decoded(clip: ClipInfo, first: int = 0) -> Iterator[tuple[int, VideoFrame]]:
    """(index in `clip.listing`, stored frame), ascending, from index `first` on.

    Frames that cannot be decoded are left out, so that an index may be missing.

    Raises:
        InputError: the clip can no longer be opened.
    """
    start = 0 if clip.positional else _key_at_or_before(clip, first)
    if start:
        reached = False
        for index, frame in _from_key(clip, start):
            # A container's own index may lead behind the frame that was asked for.
            if not reached and index > first:
                break
            reached = True
            if index >= first:
                yield index, frame
        if reached:
            return
    for index, frame in _from_key(clip, 0):
        if index >= first:
            yield index, frame


def _key_at_or_before(clip: ClipInfo, index: int) -> int:
    """The last frame at or before `index` at which decoding can start; 0 where none is known."""
    keys = np.flatnonzero(clip.listing.key[: index + 1])
    return int(keys[-1]) if len(keys) else 0


def _from_key(clip: ClipInfo, key: int) -> Iterator[tuple[int, VideoFrame]]:
    """The frames from the keyframe with index `key` on, each with its place in the listing."""
    with opened(clip.source, clip.name) as container:
        stream = video_stream(container, clip.name)
        stream.thread_type = "AUTO"
        if key:
            container.seek(int(clip.listing.pts[key]), stream=stream)
        places = _Places(clip)
        for frame in decode_frames(container, stream):
            index = places.of(frame)
            if index is not None:
                yield index, frame


class _Places:
    """Finds each decoded frame in the packet listing by its time, else by its turn."""

    def __init__(self, clip: ClipInfo) -> None:
        self._pts = clip.listing.pts
        self._by_turn = clip.positional
        self._last = -1

    def of(self, frame: VideoFrame) -> int | None:
        """The frame's index, always above the one before; None behind the end of the listing."""
        index = self._last + 1
        if not self._by_turn and frame.pts is not None:
            found = int(np.searchsorted(self._pts, frame.pts))
            if found < len(self._pts) and self._pts[found] == frame.pts:
                index = max(index, found)
        if index >= len(self._pts):
            return None
        self._last = index
        return index
