"""What can be had from picture files whose pixels are good and whose rest is not."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from itertools import product

from PIL import Image

from estimators.media import limits
from estimators.media.decode_cost import scans_of

_END_OF_JPEG = b"\xff\xd9"
# No 0xFF, and no regular pattern: it decodes to something unlike what libjpeg puts for absent data.
_FILLER = bytes((37 * i * i + 11 * i) % 251 for i in range(1, 400))

_ADOBE = 0xEE  # says how the colours are stored
# TIFF 6.0 and its supplements: what is needed to decode the first picture, and how it is turned.
_TIFF_PIXELS = {254, *range(256, 260), 262, 266, 273, 274, *range(277, 280), 284, 292, 293, 317}
_TIFF_PIXELS |= {320, *range(322, 326), 332, 338, 339, 347, *range(512, 522), *range(529, 533)}
_TIFF_PROFILE = 34675


def without_metadata(data: bytes) -> Iterator[bytes]:
    """The file without what describes it: first with profile and EXIF kept, then without any.

    A picture's pixels stay as they are; nothing comes for kinds whose metadata spoil nothing.
    """
    strips = [strip for start, strip in _STRIPS.items() if data.startswith(start)]
    for strip, keep_colour in product(strips, (True, False)):
        bare = strip(data, keep_colour)
        if bare != data:
            yield bare


def with_end(data: bytes) -> bytes | None:
    """A JPEG that lacks only its end marker, with it; None where more than that is missing.

    Absent picture data is told by decoding twice, at half the size, with different bytes put after
    the last one: they change the picture only where it was not complete.
    """
    if not data.startswith(b"\xff\xd8"):
        return None
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
        pixels = picture.width * picture.height
    if scans_of(data).scans * pixels > limits.MAX_REPAIRED_PIXELS:
        return None
    cut = data.rstrip(b"\xff")  # half of the marker may be there
    complete = cut + _END_OF_JPEG
    return complete if _seen(complete) == _seen(cut + _FILLER + _END_OF_JPEG) else None


def _seen(jpeg: bytes) -> bytes:
    picture = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
    picture.draft(None, (picture.width // 2, picture.height // 2))
    return hashlib.sha256(picture.tobytes()).digest()


def _bare_jpeg(data: bytes, keep_colour: bool) -> bytes:
    """Without the segments of applications and comments before the first scan (ITU-T T.81, B)."""
    parts, at = [data[:2]], 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker == 0xDA:
            break
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        named = data[at + 4 : end].startswith((b"Exif\0", b"ICC_PROFILE\0"))
        described = (0xE1 <= marker <= 0xEF and marker != _ADOBE) or marker == 0xFE
        if not described or (keep_colour and named):
            parts.append(data[at:end])
        at = end
    return b"".join([*parts, data[at:]])


def _bare_png(data: bytes, keep_colour: bool) -> bytes:
    """Without ancillary chunks (their names begin in lower case) but transparency."""
    kept = (b"tRNS", b"iCCP", b"eXIf") if keep_colour else (b"tRNS",)
    parts, at = [data[:8]], 8
    while at + 8 <= len(data):
        name = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if not name[0] & 0x20 or name in kept:
            parts.append(data[at:end])
        at = end
    return b"".join(parts)


def _bare_tiff(data: bytes, keep_colour: bool) -> bytes:
    """With a directory of the tags that the pixels need; the first picture only."""
    order = "<" if data.startswith(b"II") else ">"
    kept = _TIFF_PIXELS | {_TIFF_PROFILE} if keep_colour else _TIFF_PIXELS
    try:
        (first,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, first)
    except struct.error:
        return data
    entries = [data[at : at + 12] for at in range(first + 2, first + 2 + 12 * count, 12)]
    entries = [e for e in entries if len(e) == 12 and struct.unpack(order + "H", e[:2])[0] in kept]
    table = struct.pack(order + "H", len(entries)) + b"".join(entries) + b"\0" * 4
    return data[:first] + table + data[first + len(table) :]


_STRIPS = {
    b"\xff\xd8": _bare_jpeg,
    b"\x89PNG": _bare_png,
    b"II*\0": _bare_tiff,
    b"MM\0*": _bare_tiff,
}
