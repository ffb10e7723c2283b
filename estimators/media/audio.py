"""The sound of a clip, taken along into another file."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from estimators.errors import InputError
from estimators.media.clip_info import ClipInfo
from estimators.media.listing import opened

# What an MP4 file may hold and Chromium plays; everything else becomes AAC.
COPIED = ("aac", "mp3", "opus", "flac")
# How often somebody is told that it goes on.
_EVERY_S = 0.5

# How much of the sound came; with none there is no file.
Kept = Literal["all", "some", "none"]
# Given a silent MP4, where one with the sound goes, and the second at which the sound ends.
AddSound = Callable[[Path, Path, float], Kept]
# What a damaged track, a file that is gone or a full disk ends with.
_FAILED = (av.error.FFmpegError, OSError, ValueError, InputError)


def mp4_options(time_base: Fraction) -> dict[str, str]:
    """The muxer's settings for a fast start and exact times.

    A first frame later than zero is written as a delay in units of the movie's own scale, a
    thousandth of a second unless told otherwise; the video track's scale (FFmpeg doubles it up to
    10,000 at least) keeps it exact.
    """
    scale = time_base.denominator
    while scale < 10_000:
        scale *= 2
    return {"movflags": "faststart", "movie_timescale": str(scale)}


def sound_of(clip: ClipInfo) -> AddSound | None:
    """What takes the sound of `clip` along in this process; None where it has none."""

    def add(video: Path, target: Path, until_s: float) -> Kept:
        *_, kept = sound_added(clip, video, target, until_s)
        assert not isinstance(kept, float)  # the last step
        return kept

    return add if clip.has_audio else None


def sound_added(
    clip: ClipInfo, video: Path, target: Path, until_s: float = math.inf
) -> Iterator[float | Kept]:
    """Writes `target`, the silent MP4 `video` with the sound of `clip` up to `until_s`.

    Damaged sound costs itself alone.

    Returns:
        The second that it is at, now and then; at last how much of the sound came.
    """
    try:
        with (
            av.open(str(video)) as pictures,
            av.open(
                str(target),
                "w",
                format="mp4",
                options=mp4_options(pictures.streams.video[0].time_base or Fraction(1, 90_000)),
            ) as output,
        ):
            template = pictures.streams.video[0]
            stream = output.add_stream_from_template(template)
            track: AudioTrack | None = AudioTrack(clip, output)
            # Some tracks are only refused when the head is written.
            output.start_encoding()
            told_s = time.monotonic()
            for packet in pictures.demux(template):
                at_s = until_s
                if packet.size and packet.pts is not None:
                    at_s = float(packet.pts * packet.time_base)
                track = _taken(track, output, at_s)
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
                if time.monotonic() - told_s >= _EVERY_S:
                    told_s = time.monotonic()
                    yield at_s
            if track is not None:
                track.close()
    except _FAILED:
        yield "none"
        return
    yield "all" if track is not None else "some"


def _taken(track: AudioTrack | None, output: OutputContainer, until_s: float) -> AudioTrack | None:
    """Takes the sound along up to `until_s`; None where it cannot be read on."""
    if track is None:
        return None
    try:
        for packet in track.until(until_s):
            output.mux(packet)
    except ValueError:
        # Damaged sound must not cost the pictures.  A full disk is another error of FFmpeg's.
        track.close()
        return None
    return track


def copyable(track: AudioStream) -> bool:
    """Whether the track may go into an MP4 as it is; not where its codec is unknown here."""
    context = track.codec_context
    return context is not None and context.codec.canonical_name in COPIED


class AudioTrack:
    """The first sound track of `clip` as packets for `output`: copied as it is, else made AAC.

    Its times count from the clip's first frame, as the pictures' do; what was heard before it is
    left out.

    Raises:
        FFmpegError: the track cannot be made AAC.
        ValueError: there is no decoder for it.
    """

    def __init__(self, clip: ClipInfo, output: OutputContainer) -> None:
        self._first_frame_s = int(clip.listing.pts[0]) * clip.time_base
        self._opening = opened(clip.source, clip.name, clip.track)
        self._container = self._opening.__enter__()
        self._source = self._container.streams.audio[0]
        if self._source.codec_context is None:
            raise ValueError(f"no decoder for the sound of {clip.name}")
        self.copied = copyable(self._source)
        self._target: AudioStream = (
            output.add_stream_from_template(self._source)
            if self.copied
            else output.add_stream("aac", rate=self._source.codec_context.sample_rate)
        )
        if not self.copied:
            self._target.codec_context.layout = self._source.codec_context.layout
        self._packets = self._copies() if self.copied else self._encoded()
        self._next: Packet[Any] | None = None

    def until(self, time_s: float) -> Iterator[Packet[Any]]:
        """The packets that start before `time_s` and were not given yet.

        Raises:
            ValueError: the track cannot be read on.
        """
        while True:
            try:
                packet = self._next or next(self._packets, None)
            except av.error.FFmpegError as error:
                raise ValueError(str(error)) from error
            self._next = None
            if packet is None:
                return
            if packet.pts is not None and float(packet.pts * packet.time_base) > time_s:
                self._next = packet
                return
            yield packet

    def _copies(self) -> Iterator[Packet[Any]]:
        for packet in self._container.demux(self._source):
            if packet.size and packet.dts is not None and packet.pts is not None:
                earlier = round(self._first_frame_s / packet.time_base)
                packet.pts, packet.dts = packet.pts - earlier, packet.dts - earlier
                if packet.pts + (packet.duration or 1) > 0:
                    packet.stream = self._target
                    yield packet

    def _encoded(self) -> Iterator[Packet[Any]]:
        for frame in self._container.decode(self._source):
            if frame.pts is not None and frame.time_base is not None:
                frame.pts -= round(self._first_frame_s / frame.time_base)
                if frame.pts + frame.samples / frame.sample_rate / frame.time_base <= 0:
                    continue
            yield from self._target.encode(frame)
        yield from self._target.encode(None)

    def close(self) -> None:
        self._opening.__exit__(None, None, None)
