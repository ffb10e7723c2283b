"""The sound of a clip, taken along into another file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from estimators.media.clip_info import ClipInfo
from estimators.media.listing import opened

# What an MP4 file may hold and Chromium plays; everything else becomes AAC.
COPIED = ("aac", "mp3", "opus", "flac")


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
