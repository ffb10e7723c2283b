"""The outermost layout of a clip's file: is it all there, and can it play while it loads?

MP4 and MOV: boxes of ISO/IEC 14496-12, section 4.2.  MKV and WebM: EBML elements of RFC 8794.
AVI: RIFF chunks.
"""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

_MOST_BOXES = 1000
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


def top_level_boxes(source: Path | bytes) -> list[tuple[str, int, int]]:
    """(kind, offset, size) of each box of an MP4 or MOV file; empty for files of other kinds.

    A box that claims to go beyond the end of the file is listed with the size it claims.
    """
    try:
        with _file(source) as file:
            return _boxes(file, _length(file))
    except OSError:
        return []


def starts_playing_at_once(source: Path | bytes) -> bool:
    """Whether the table of contents (moov) stands before the media data ("fast start")."""
    kinds = [kind for kind, _, _ in top_level_boxes(source)]
    return "moov" in kinds and ("mdat" not in kinds or kinds.index("moov") < kinds.index("mdat"))


def is_webm(source: Path | bytes) -> bool:
    """Whether a Matroska file keeps to the WebM subset (its EBML header says so)."""
    try:
        with _file(source) as file:
            head = file.read(64)
    except OSError:
        return False
    return head[:4] == _EBML and b"webm" in head


def cut_short(source: Path | bytes) -> bool:
    """Whether the file ends before the end that its own outermost layout announces."""
    try:
        with _file(source) as file:
            length = _length(file)
            head = file.read(64)
            if head[:4] == b"RIFF" and len(head) >= 8:
                end = 8 + int(struct.unpack("<I", head[4:8])[0])
            elif head[:4] == _EBML:
                end = _segment_end(head)
            else:
                end = max((at + size for _, at, size in _boxes(file, length)), default=0)
            return end > length
    except OSError:
        return False


def _file(source: Path | bytes) -> BinaryIO:
    return BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _length(file: BinaryIO) -> int:
    length = file.seek(0, 2)
    file.seek(0)
    return length


def _boxes(file: BinaryIO, end: int) -> list[tuple[str, int, int]]:
    boxes: list[tuple[str, int, int]] = []
    offset = 0
    while offset + 8 <= end and len(boxes) < _MOST_BOXES:
        file.seek(offset)
        size, kind = struct.unpack(">I4s", file.read(8))
        if not all(0x20 <= byte < 0x7F for byte in kind):
            break
        if size == 1:
            extended = file.read(8)
            size = struct.unpack(">Q", extended)[0] if len(extended) == 8 else 0
        elif size == 0:
            size = end - offset
        if size < 8:
            break
        boxes.append((kind.decode("ascii"), offset, size))
        offset += size
    return boxes


def _segment_end(head: bytes) -> int:
    """Where the EBML Segment, which holds everything, ends; 0 where a live writer left it open."""
    at = head.find(_SEGMENT)
    if at < 0 or at + 12 > len(head) or head[at + 4] == 0:
        return 0
    width = 9 - head[at + 4].bit_length()
    ones = (1 << 7 * width) - 1
    size = int.from_bytes(head[at + 4 : at + 4 + width], "big") & ones
    return 0 if size == ones else at + 4 + width + size
