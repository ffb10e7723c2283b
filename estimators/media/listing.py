"""What a clip holds, read from its packets without decoding them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from estimators.errors import InputError
from estimators.media.boxes import top_level_boxes
from estimators.media.fields import FieldPairs
from estimators.media.kinds import kind_of, require_file
from estimators.media.limits import MAX_FRAME_PIXELS
from estimators.media.times import NO_TIME, Announced, shown_times

FORMATS = "MP4, MOV, 3GP, WebM, MKV, AVI, MPEG, WMV, FLV, Ogg or GIF"
# An upload may call itself .mp4 and be a playlist that names other files or addresses: only these
# demuxers are tried, and only local data is read.
_DEMUXERS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,mpeg,asf,flv,ogg",
    "protocol_whitelist": "file",
}
_Options = dict[str, str]
_NO_DECODER = {"codec_whitelist": "none"}
# Coded frames are a little larger than shown ones: whole blocks of up to 128 pixels.
_MOST_CODED = str(MAX_FRAME_PIXELS + MAX_FRAME_PIXELS // 8)
_MOST_THREADS = 4
# Pixels of the frames that all threads together may have in work.
_THREADED = 2 * 1920 * 1088

# After so many packets that cannot be read no more are looked for.
_MOST_UNREADABLE = 1000
# At a constant rate the longest frame lasts less than so many times the shortest, by rounding.
_EVEN = 1.5


@dataclass(frozen=True, eq=False)
class Listing:
    """The frames of a clip in the order in which they are shown, as its packets announce them.

    A frame is mostly a packet, but two fields may be one each, and packets may have no time.

    Attributes:
        pts: int64 [n], ascending times to show in units of `time_base`, on the container's own
            clock; frames that an edit list hides are left out.
        stamps: int64 [n], the times that the decoder's frames carry; other ones than `pts` where
            the container's clock jumps back.
        key: bool [n], decoding can start there.
        last_duration: how long the last frame is shown, in the same unit; 0 where not known.
        broken: some of the file could not be read.
        by_turn: frames from the decoder are known by their turn, not by their time.
        joins: how often the container's clock jumps back.
        timeless: frames left out because the container tells no time to show them at, as of those
            that a cut without encoding leaves before the clip's start.
        packets: how many the track has, those that an edit list hides left aside.
        reordered: they do not lie in the order in which they are shown (B-frames).
    """

    pts: NDArray[np.int64]
    stamps: NDArray[np.int64]
    key: NDArray[np.bool_]
    time_base: Fraction
    last_duration: int
    broken: bool
    by_turn: bool = False
    joins: int = 0
    timeless: int = 0
    packets: int = 0
    reordered: bool = False

    @property
    def one_each(self) -> bool:
        """Whether every packet is a frame with a time of its own."""
        return self.packets == len(self.pts) and not self.joins

    @property
    def outlasted(self) -> bool:
        """Whether an MP4 would say of a frame that it lasts longer than until the next one.

        It stores how long frames last in the order of decoding: with B-frames and a variable rate
        one gets what belongs to another.  Chromium (150) never shows who is outlasted when it is
        sought.
        """
        lasts = np.diff(self.pts)
        return bool(self.reordered and len(lasts) and lasts.max() >= _EVEN * lasts.min())

    @property
    def seekable(self) -> bool:
        """Whether a time leads to its frame."""
        return not (self.by_turn or self.joins)


def looked_into(source: Path | bytes, name: str) -> AbstractContextManager[InputContainer]:
    """What the container itself says of its tracks; no decoder is opened to learn more.

    Packets have the times that the container stores, and no others.

    Raises:
        InputError: as `opened` does.
    """
    return _opened(source, name, _NO_DECODER | {"fflags": "+nofillin"})


def opened(source: Path | bytes, name: str, track: int) -> AbstractContextManager[InputContainer]:
    """The clip opened for reading `track`, a stream's index, and its sound.

    FFmpeg decodes a little of every track when it opens a file.  Of the other video tracks nothing
    is decoded, and of this one no frame that is larger than any clip may be.

    Raises:
        InputError: it is absent, of another kind, or cut so that nothing can be read.
    """
    return _opened(
        source, name, {"max_pixels": "1"}, [*([{}] * track), {"max_pixels": _MOST_CODED}]
    )


@contextmanager
def _opened(
    source: Path | bytes, name: str, options: _Options, of_streams: Sequence[_Options] = ()
) -> Iterator[InputContainer]:
    if isinstance(source, Path):
        require_file(source, name)
    try:
        container = _open(source, options, of_streams)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}.", "Check the path.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _unreadable(source, name) from error
    try:
        yield container
    finally:
        container.close()


def _open(
    source: Path | bytes, options: _Options, of_streams: Sequence[_Options]
) -> InputContainer:
    file = str(source) if isinstance(source, Path) else BytesIO(source)
    settings = {**_DEMUXERS, **options}
    try:
        # PyAV's stub calls the options of a stream a string.
        each: Any = list(of_streams)
        return av.open(file, mode="r", options=settings, stream_options=each)
    except ValueError as error:
        if not of_streams or isinstance(error, av.error.FFmpegError):
            raise
        # MPEG program streams and FLV: tracks are not known before FFmpeg would decode of them.
        # Without any frame it takes the wrong times for MPEG-1, so that it may decode small ones.
        return _open(source, {**options, "max_pixels": str(_THREADED)}, ())


def _unreadable(source: Path | bytes, name: str) -> InputError:
    if kind_of(source, name) == "picture":
        return InputError(f"{name} is a picture, not a clip.", "Compare it as a picture.")
    boxes = [kind for kind, _, _ in top_level_boxes(source)]
    if "ftyp" in boxes and "moov" not in boxes:
        return InputError(
            f"{name} was cut short: its table of contents, at the end of the file, is missing.",
            "Copy or record it again, or repair it.",
        )
    return InputError(f"{name} is not a clip that can be read.", f"Clips may be {FORMATS}.")


def video_stream(container: InputContainer, track: int) -> VideoStream:
    """The stream with index `track`, ready to be decoded within bounds of memory.

    Each thread holds frames of its own, so that large ones are decoded by few.
    """
    stream = container.streams[track]
    if not isinstance(stream, VideoStream):
        raise TypeError(f"stream {track} is no video")
    context = stream.codec_context
    context.options = {**context.options, "max_pixels": _MOST_CODED}
    pixels = max(1, stream.width * stream.height)
    context.thread_count = max(1, min(_MOST_THREADS, os.cpu_count() or 1, _THREADED // pixels))
    return stream


class Packets:
    """The packets of a track, those that cannot be read left out.

    Attributes:
        broken: some could not be read.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container, self._stream = container, stream
        self.broken = False

    def __iter__(self) -> Iterator[Packet[VideoStream]]:
        # A packet that is said to lie beyond the end of the file reads like the end: MP4 counts
        # its packets, so that those behind it are asked for.
        exact = self._container.format.name.startswith("mov")
        promised, seen, ended = self._stream.frames if exact else 0, 0, False
        for _ in range(_MOST_UNREADABLE):
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size:
                        seen, self.broken = seen + 1, self.broken or ended
                        yield packet
            except av.error.FFmpegError:
                self.broken = True
            else:
                ended = True
                if seen >= promised:
                    return


def list_packets(container: InputContainer, stream: VideoStream, most: int) -> Listing:
    """Reads all packets of `stream`; stops as soon as there are more frames than `most`."""
    begun: list[list[int]] = []
    count = 0
    pairs = FieldPairs(stream)
    packets = Packets(container, stream)
    for packet in packets:
        if packet.is_discard:
            continue
        lasts, count = packet.duration or 0, count + 1
        if pairs.completes(packet) and begun:
            begun[-1][2] += lasts
            continue
        times = (NO_TIME if time is None else time for time in (packet.pts, packet.dts))
        begun.append([*times, lasts, packet.is_keyframe])
        if len(begun) > most:
            break
    table: NDArray[Any] = np.array(begun, np.int64).reshape(-1, 4)
    pts, dts, lasts_all, key = table.T
    announced = Announced(pts, dts, lasts_all, key.astype(bool))
    shown = shown_times(announced, container, stream)
    order = np.argsort(shown.pts, kind="stable")
    order = order[shown.pts[order] != NO_TIME]
    return Listing(
        pts=shown.pts[order],
        stamps=announced.pts[order],
        key=announced.key[order],
        time_base=stream.time_base or Fraction(1, 1000),
        last_duration=int(shown.duration[order[-1]]) if len(order) else 0,
        broken=packets.broken,
        by_turn=shown.by_turn,
        joins=shown.joins,
        timeless=len(table) - len(order),
        packets=count,
        reordered=bool((np.diff(announced.pts[announced.pts != NO_TIME]) < 0).any()),
    )
