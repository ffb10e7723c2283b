"""Clips, decoded elsewhere where that is asked for; the functions of `media.clips`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from estimators.decode.decoder import DecoderLostError, FailedError
from estimators.decode.pool import Pool, in_words, pool
from estimators.media import audio, clips
from estimators.media.audio import AddSound, Kept
from estimators.media.browser import Way, browser_copy, way_to_play
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import DEFAULT_LIMITS, ClipLimits, selected
from estimators.types import Frame

_SOUND = "estimators.media.audio:sound_added"
_OPEN, _FRAMES = "estimators.media.clips:open_clip", "estimators.media.selection:frames_between"
# Opening one reads all of its file, and tries its decoder.
_OPENING = threading.BoundedSemaphore(2)


def open_clip(
    source: str | Path | bytes | BinaryIO, limits: ClipLimits = DEFAULT_LIMITS, name: str = ""
) -> ClipInfo:
    """See `media.clips.open_clip`."""
    decoders = pool()
    if decoders is None or not isinstance(source, str | Path):
        return clips.open_clip(source, limits, name)
    path = Path(source)
    opened: ClipInfo = decoders.call(_OPEN, (path, limits, name), name or path.name, _OPENING)
    return opened


def frames(
    clip: ClipInfo,
    start_s: float | None = None,
    end_s: float | None = None,
    stride: int = 1,
    longest_side: int | None = None,
) -> Iterator[Frame]:
    """See `media.clips.frames`."""
    decoders = pool()
    if decoders is None or not isinstance(clip.source, Path):
        yield from clips.frames(clip, start_s, end_s, stride, longest_side)
        return
    wanted = selected(clip, start_s, end_s, stride)
    yield from _frames(decoders, clip, (int(wanted[0]), int(wanted[-1])), stride, longest_side)


def _frames(
    decoders: Pool,
    clip: ClipInfo,
    limits: tuple[int, int],
    stride: int,
    longest_side: int | None,
) -> Iterator[Frame]:
    """Goes on with the next frame where the process was lost by something from outside."""
    following, last = limits
    lost_at = -1
    while following <= last:
        wanted = (clip, following, last, stride, longest_side)
        try:
            for frame in decoders.stream(_FRAMES, wanted):
                following = frame.index + stride
                yield frame
            return
        except DecoderLostError as lost:
            if not lost.outside or lost_at == following:
                raise in_words(lost, clip.name) from lost
            lost_at = following
        except FailedError as failed:
            raise in_words(failed, clip.name) from failed


def browser_copy_of(
    clip: ClipInfo, target: Path, progress: Callable[[int, int], None], anew: bool
) -> Way:
    """See `media.browser.browser_copy`."""
    decoders = pool()
    if decoders is None or not isinstance(clip.source, Path):
        return browser_copy(clip, target, progress=progress, anew=anew)
    way: Way = "encode" if anew else way_to_play(clip)
    if way == "as it is":
        return way
    try:
        for step in decoders.stream("estimators.decode.copying:copy_steps", (clip, target, anew)):
            if isinstance(step, str):
                way = "rewrap" if step == "rewrap" else "encode"
            else:
                progress(*step)
    except (DecoderLostError, FailedError) as error:
        raise in_words(error, clip.name) from error
    return way


def sound_of(clip: ClipInfo) -> AddSound | None:
    """See `media.audio.sound_of`."""
    decoders = pool()
    if decoders is None or not isinstance(clip.source, Path) or not clip.has_audio:
        return audio.sound_of(clip)

    def add(video: Path, target: Path, until_s: float) -> Kept:
        for again in (True, False):
            try:
                *_, kept = decoders.stream(_SOUND, (clip, video, target, until_s))
            except DecoderLostError as lost:
                if not (again and lost.outside):
                    return "none"
            except FailedError:
                return "none"
            else:
                last: Kept = kept
                return last
        return "none"

    return add
