"""What a clip holds, read from its packets without decoding them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from estimators.errors import InputError
from estimators.media.boxes import top_level_boxes
from estimators.media.kinds import kind_of, require_file

FORMATS = "MP4, MOV, 3GP, WebM, MKV, AVI, MPEG, WMV, FLV, Ogg or GIF"
# An upload may call itself .mp4 and be a playlist that names other files or addresses: only these
# demuxers are tried, and only local data is read.
_DEMUXERS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,mpeg,asf,flv,ogg",
    "protocol_whitelist": "file",
}


@dataclass(frozen=True, eq=False)
class Listing:
    """The video packets of a clip in the order in which they are shown.

    Attributes:
        pts: int64 [n], ascending presentation times in units of `time_base`; packets that an edit
            list hides are left out.
        key: bool [n], decoding can start there.
        last_duration: how long the last frame is shown, in the same unit; 0 where not known.
        broken: reading ended with an error before the end of the file.
    """

    pts: NDArray[np.int64]
    key: NDArray[np.bool_]
    time_base: Fraction
    last_duration: int
    broken: bool


@contextmanager
def opened(source: Path | bytes, name: str) -> Iterator[InputContainer]:
    """The clip opened for reading.

    Raises:
        InputError: it is absent, of another kind, or cut so that nothing can be read.
    """
    if isinstance(source, Path):
        require_file(source, name)
    try:
        file = str(source) if isinstance(source, Path) else BytesIO(source)
        container = av.open(file, mode="r", options=_DEMUXERS)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}.", "Check the path.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _unreadable(source, name) from error
    try:
        yield container
    finally:
        container.close()


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


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The clip's video track, cover pictures left aside.

    Raises:
        InputError: there is none, or no decoder for it.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        heard = " It has sound only." if container.streams.audio else ""
        raise InputError(f"{name} holds no video.{heard}", "Choose a clip with a video track.")
    if streams[0].codec_context is None:
        raise InputError(
            f"{name} uses a video codec that cannot be decoded here.", "Convert it to H.264."
        )
    return streams[0]


def list_packets(container: InputContainer, stream: VideoStream, most: int) -> Listing:
    """Reads all packets of `stream`; stops as soon as there are more than `most`."""
    packets: list[tuple[int, bool, int]] = []
    broken = False
    try:
        for packet in container.demux(stream):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if packet.size and stamp is not None and not packet.is_discard:
                packets.append((stamp, packet.is_keyframe, packet.duration or 0))
            if len(packets) > most:
                break
    except av.error.FFmpegError:
        broken = True
    packets.sort(key=lambda entry: entry[0])
    table: NDArray[Any] = np.array(packets, np.int64).reshape(-1, 3)
    return Listing(
        pts=table[:, 0],
        key=table[:, 1].astype(bool),
        time_base=stream.time_base or Fraction(1, 1000),
        last_duration=int(table[-1, 2]) if len(table) else 0,
        broken=broken,
    )
