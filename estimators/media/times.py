"""When a clip's frames are shown, worked out from what the container says of their packets.

A container may tell each packet's time to show (pts), or only its time to decode (dts), or, where a
clip was cut without encoding it, neither for some frames.  What is exact stays; nothing is
numbered over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

NO_TIME = int(np.iinfo(np.int64).min)
# Browsers show a picture of an animated GIF that asks for a hundredth of a second or nothing for a
# tenth.
_GIF_SHORTEST_S, _GIF_INSTEAD_S = Fraction(1, 100), Fraction(1, 10)

# Of these FFmpeg tells a frame's time to show by the one time that is stored.
_ONE_TIME = ("avi", "asf", "matroska,webm")
_MPEG = ("mpeg", "mpegts")
_SURELY_REORDERED = ("h264", "hevc", "vc1", "wmv3")

# Decoding times never go back; by less than this share of a frame rounding may let them.
_ROUNDING = 0.5


class Announced(NamedTuple):
    """The frames in the file's order; times are `NO_TIME` where the container tells none.

    Attributes:
        pts, dts, duration: int64 [n], in units of the track's time base.
        key: bool [n], decoding can start there.
    """

    pts: NDArray[np.int64]
    dts: NDArray[np.int64]
    duration: NDArray[np.int64]
    key: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Shown:
    """The same frames' times.

    Attributes:
        pts: int64 [n] in the file's order, on one clock; `NO_TIME` for frames that have none.
        duration: int64 [n].
        joins: how often the container's clock jumps back, as where recordings were joined.
        by_turn: the decoder's frames must be told by their turn, not by a time of theirs.
    """

    pts: NDArray[np.int64]
    duration: NDArray[np.int64]
    joins: int = 0
    by_turn: bool = False


def shown_times(frames: Announced, container: InputContainer, stream: VideoStream) -> Shown:
    """When each frame is shown."""
    if container.format.name == "gif":
        base = stream.time_base or Fraction(1, 100)
        least, instead = int(_GIF_SHORTEST_S / base), int(_GIF_INSTEAD_S / base)
        lasts = np.where(frames.duration <= least, instead, frames.duration)
        return Shown(np.cumsum(lasts) - lasts, lasts, by_turn=True)
    if _in_decoding_order(frames, container, stream):
        times = np.where(frames.pts == NO_TIME, frames.dts, frames.pts)
        return Shown(times, frames.duration, by_turn=True)
    filled = _filled_in(frames, container)
    if filled is not None:
        return filled
    shift = _onto_one_clock(frames)
    pts = np.where(frames.pts == NO_TIME, NO_TIME, frames.pts + shift)
    return Shown(pts, frames.duration, joins=int(np.count_nonzero(np.diff(shift))))


def _in_decoding_order(frames: Announced, container: InputContainer, stream: VideoStream) -> bool:
    """Whether the container tells only when to decode, as AVI does, and others' older codecs."""
    known, told = np.not_equal(frames.pts, NO_TIME), np.not_equal(frames.dts, NO_TIME)
    if not known.all():
        return bool(told.all() and (frames.pts[known] == frames.dts[known]).all())
    # Where frames are reordered, times that ascend in the file's order are those to decode at.
    # Of the times to show that FFmpeg gives for some containers nothing else can be seen.
    ascending = bool((np.diff(frames.pts) > 0).all())
    same = container.format.name in _ONE_TIME or (frames.pts[told] == frames.dts[told]).all()
    # Of other codecs FFmpeg takes frames for reordered that may not be.
    sure = container.format.name == "avi" or stream.codec_context.name in _SURELY_REORDERED
    return stream.codec_context.has_b_frames and ascending and bool(same) and sure


def _filled_in(frames: Announced, container: InputContainer) -> Shown | None:
    """MPEG's streams may tell one time for several frames in a row, that of the first one.

    The others follow at the pace of those whose times are known.  None where there are none.
    """
    told = np.flatnonzero((frames.pts != NO_TIME) & (frames.dts != NO_TIME))
    if container.format.name not in _MPEG or not len(told) or told[0] > 0:
        return None
    if (frames.dts != NO_TIME).all() and (frames.pts != NO_TIME).all():
        return None
    lasts = int(np.median(frames.duration))
    ends = (*told.tolist(), len(frames.dts))
    decoded_at = frames.dts.copy()
    for begin, end in pairwise(ends):
        known = end < len(frames.dts)
        step = (frames.dts[end] - frames.dts[begin]) / (end - begin) if known else lasts
        decoded_at[begin:end] = frames.dts[begin] + np.round(np.arange(end - begin) * step)
    waits = int(frames.pts[0] - frames.dts[0])
    if lasts <= 0 or (np.diff(decoded_at) <= 0).any():
        return None
    return Shown(decoded_at + waits, frames.duration, by_turn=True)


def _onto_one_clock(frames: Announced) -> NDArray[np.int64]:
    """Int64 [n], what to add to each frame's times so that none comes before those in front of it.

    Where the clock jumps back (recordings joined into one file, a damaged stretch), what follows is
    put behind what was; where it is ahead of that again, it counts on its own.
    """
    shifts = np.zeros(len(frames.dts), np.int64)
    known = frames.dts[frames.dts != NO_TIME]
    if len(known) < 2:
        return shifts
    step = int(np.median(np.abs(np.diff(known))))
    least = int(step * _ROUNDING)
    shift, end, shown = 0, int(known[0]), NO_TIME
    for place, (time, pts, key) in enumerate(
        zip(frames.dts.tolist(), frames.pts.tolist(), frames.key.tolist(), strict=True)
    ):
        starts = key and pts != NO_TIME  # and all that was decoded before it is shown before it
        if time != NO_TIME:
            if time + shift < end - least or (starts and pts + shift <= shown):
                shift = end + step - time
                shift = max(shift, shown + step - pts) if starts and shown != NO_TIME else shift
            elif shift and time > end:
                shift = 0
            end = max(end, time + shift)
        if pts != NO_TIME:
            shown = max(shown, pts + shift)
        shifts[place] = shift
    return shifts
