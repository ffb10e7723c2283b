"""A copy of a clip that a browser can play, where the clip itself is none.

The copy has the same frames at the same times, so that a player finds the estimates of the frame it
shows by its time alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from estimators.errors import InputError
from estimators.media.audio import copyable, mp4_options, sound_of
from estimators.media.boxes import is_webm, starts_playing_at_once
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import open_clip, processed_size
from estimators.media.decoding import decoded
from estimators.media.encode import ClipWriter, EncodeOptions
from estimators.media.listing import opened, video_stream
from estimators.media.shape import as_rgb
from estimators.parts import new_part

Way = Literal["as it is", "rewrap", "encode"]

# The clip's own file plays on its own clock, which a player keeps to the microsecond: one that
# starts earlier or later than a browser takes it is copied onto a clock that starts at zero.
_LATEST_START_S = 86_400
# What every Chromium decodes, Debian's included: eight bits, no HEVC.
_PIXELS = ("yuv420p", "yuvj420p")
_WEBM_CODECS = ("vp8", "vp9", "av1")
_MP4 = "mov,mp4"


def way_to_play(clip: ClipInfo) -> Way:
    """Whether a browser plays the clip's own file, or its packets in an MP4, or neither."""
    if clip.damaged or clip.pixel_format not in _PIXELS or not clip.shown_alike:
        return "encode"
    in_time = 0 <= clip.first_frame_s <= _LATEST_START_S
    if clip.codec in _WEBM_CODECS and is_webm(clip.source) and in_time:
        return "as it is" if clip.alone else "encode"
    if clip.codec != "h264" or clip.positional or not clip.listing.one_each:
        return "encode"
    if clip.listing.outlasted:
        return "encode"
    playable = clip.container.startswith(_MP4) and starts_playing_at_once(clip.source)
    # Of several tracks a browser may show another one.
    ready = playable and in_time and clip.alone
    return "as it is" if ready else "rewrap"


def has_sound(played: Path, clip: ClipInfo) -> bool:
    """Whether a browser that is given `played` has sound to play.

    A copy may have none although the clip has: packets of some codecs cannot go into an MP4.

    Args:
        played: the clip's own file, or what `browser_copy` made of it.
    """
    if played == clip.source or not clip.has_audio:
        return clip.has_audio
    try:
        with av.open(str(played)) as copy:
            return bool(copy.streams.audio)
    except (av.error.FFmpegError, OSError):
        return False


def browser_copy(
    clip: ClipInfo,
    target: Path,
    longest_side: int | None = 1280,
    progress: Callable[[int, int], None] | None = None,
    anew: bool = False,
) -> Way:
    """Writes a playable copy (H.264, fast start, a keyframe every 15 frames) where one is needed.

    Args:
        clip: the clip.
        target: where the copy goes; nothing is written there for "as it is".
        longest_side: larger frames are made smaller for the copy; only their size changes.
        progress: called with frames done and in all; an exception raised in it ends the work and
            leaves nothing behind.
        anew: encode in any case: a browser could not play the clip in the way foreseen for it.

    Returns:
        What was done; after "as it is" the clip's own file is the one to play.

    Raises:
        InputError: the clip cannot be read or the copy not be written.
    """
    way = "encode" if anew else way_to_play(clip)
    if way == "as it is":
        return way
    if way == "rewrap" and _rewrapped(clip, target):
        return way
    _encoded(clip, target, longest_side, progress)
    return "encode"


def _encoded(
    clip: ClipInfo,
    target: Path,
    longest_side: int | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    size = processed_size(clip, longest_side)
    stored_size = clip.orientation.size(*size)
    options = EncodeOptions(time_base=clip.time_base, last_frame_s=clip.last_frame_s)
    with ClipWriter(target, size, options, sound=sound_of(clip)) as writer:
        shape = (clip.stored_size, clip.stored_ratio)
        for index, frame, ratio in decoded(clip):
            same = ((frame.width, frame.height), ratio) == shape
            as_it_is = clip.orientation.identity and same
            if as_it_is and not any(side % 2 for side in size):
                writer.write_frame(frame, int(clip.listing.pts[index] - clip.listing.pts[0]))
            else:
                image = clip.orientation.apply(as_rgb(frame, stored_size, ratio))
                writer.write(image, float(clip.timestamps_s[index]))
            if progress is not None:
                progress(index + 1, clip.frame_count)


def _rewrapped(clip: ClipInfo, target: Path) -> bool:
    """Copies the packets into an MP4; False, and no file, where that would change the clip."""
    part: Path | None = None
    try:
        part = new_part(target)
        _copy_packets(clip, part)
        copy = open_clip(part)
        shape = (copy.frame_count, copy.orientation, copy.width, copy.height)
        same = shape == (clip.frame_count, clip.orientation, clip.width, clip.height)
        if same and np.allclose(copy.timestamps_s, clip.timestamps_s, rtol=0, atol=1e-6):
            part.replace(target)
            return True
    except (av.error.FFmpegError, OSError, ValueError, StopIteration, InputError):
        # Whatever an MP4 will not take (odd times, odd sound) is encoded anew.
        return False
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return False


def _copy_packets(clip: ClipInfo, target: Path) -> None:
    decode_times = _decode_times(clip)
    first_frame_s = int(clip.listing.pts[0]) * clip.time_base
    with (
        opened(clip.source, clip.name, clip.track) as source,
        av.open(str(target), "w", format="mp4", options=mp4_options(clip.time_base)) as output,
    ):
        video = video_stream(source, clip.track)
        kept: dict[int, VideoStream | AudioStream] = {
            video.index: output.add_stream_from_template(video)
        }
        for audio in source.streams.audio[:1]:
            if copyable(audio):
                kept[audio.index] = output.add_stream_from_template(audio)
        for packet in source.demux([source.streams[index] for index in kept]):
            if packet.size:
                earlier = round(first_frame_s / packet.time_base)
                if packet.stream_index == video.index:
                    packet.dts = next(decode_times)
                for name in ("pts", "dts"):
                    time = getattr(packet, name)
                    setattr(packet, name, None if time is None else time - earlier)
                packet.stream = kept[packet.stream_index]
                output.mux(packet)


def _decode_times(clip: ClipInfo) -> Iterator[int]:
    """When each video packet has to be decoded, in the file's order: Matroska does not tell.

    The frames' times in ascending order, all of them early enough that none is decoded after it is
    shown.
    """
    with opened(clip.source, clip.name, clip.track) as source:
        packets = source.demux(video_stream(source, clip.track))
        shown = [packet.pts for packet in packets if packet.size and packet.pts is not None]
    ascending = sorted(shown)
    early = max((a - b for a, b in zip(ascending, shown, strict=True)), default=0)
    return iter([time - early for time in ascending])
