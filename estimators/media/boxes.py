"""The top-level boxes of an MP4 or MOV file (ISO/IEC 14496-12, section 4.2)."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

_MOST_BOXES = 1000


def top_level_boxes(source: Path | bytes) -> list[tuple[str, int, int]]:
    """(kind, offset, size) of each box; empty where the file is no such file.

    A box that claims to go beyond the end of the file is listed with the size it claims.
    """
    try:
        with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            return _walk(file)
    except OSError:
        return []


def _walk(file: BinaryIO) -> list[tuple[str, int, int]]:
    end = file.seek(0, 2)
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


def starts_playing_at_once(source: Path | bytes) -> bool:
    """Whether the table of contents (moov) stands before the media data ("fast start")."""
    kinds = [kind for kind, _, _ in top_level_boxes(source)]
    return "moov" in kinds and ("mdat" not in kinds or kinds.index("moov") < kinds.index("mdat"))
