"""What it takes to decode a picture, told from its header: before anything is decoded."""

from __future__ import annotations

import re
from typing import NamedTuple

from PIL import Image

from estimators.media import limits

# Bytes a pixel at the peak of Pillow's decoders, measured with Pillow 13 (resident memory of a
# process that opens and loads one file).  Pillow itself keeps colours in four bytes a pixel.
_RGB, _ANIMATED, _COEFFICIENT = 4, 12, 2
_LIKE_RAW = {"L": 1, "P": 1, "1": 1, "I;16": 2, "I;16B": 2}
_DECODERS = {"WEBP": 16}
# By how much a JPEG's decoder can make the picture smaller.
SHRINKS = (1, 2, 4, 8)
# Inside the data of a scan a 0xFF is followed by 0 or a restart marker; all else ends it.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SCAN, _END = 0xDA, 0xD9
# TIFF 6.0
_BITS, _COMPRESSION, _ORIENTATION = 258, 259, 274


class JpegScans(NamedTuple):
    """How a JPEG is coded.

    Attributes:
        scans: passes over the picture.
        samples: stored values a pixel: 3 without subsampled colours, 1.5 with the usual one.
        buffered: all coefficients are kept in memory until the last scan.
    """

    scans: int
    samples: float
    buffered: bool


def scans_of(data: bytes) -> JpegScans:
    """Counts the scans without decoding any; a file that breaks off is counted as far as it goes.

    ITU-T T.81, annex B: markers, each with a length, and after a scan's header its coded data.
    """
    at, scans, samples, progressive = 2, 0, 3.0, False
    while (found := _NEXT_MARKER.search(data, at)) is not None:
        marker, at = data[found.end() - 1], found.end()
        if marker == _END:
            break
        if marker in _ALONE:
            continue
        if marker in _FRAMES:
            progressive = progressive or marker not in (0xC0, 0xC1)
            samples = _samples(data[at + 2 : at + 2 + 6 + 3 * 4])
        scans += marker == _SCAN
        at += int.from_bytes(data[at : at + 2], "big")
    return JpegScans(scans, samples, progressive or scans > 1)


def _samples(header: bytes) -> float:
    """Stored values a pixel, of a frame header behind its length."""
    factors = [(byte >> 4) * (byte & 15) for byte in header[7::3]][
        : header[5] if len(header) > 5 else 0
    ]
    largest = max(factors, default=1) or 1
    return sum(factors) / largest if factors else 3.0


def shrinking(picture: Image.Image, wanted: tuple[int, int], scans: JpegScans | None) -> int | None:
    """By how much the decoder shall make `picture`, opened but not loaded, smaller.

    Args:
        wanted: the size that is made of it; while it can be afforded, no fewer pixels are decoded.
        scans: of a JPEG, the only kind whose decoder can do this; None for other kinds.

    Returns:
        1, 2, 4 or 8; None where decoding takes too much memory in any case.
    """
    share = min(picture.width / wanted[0], picture.height / wanted[1])
    for shrink in SHRINKS[: None if scans else 1]:
        enough = shrink == SHRINKS[-1] or 2 * shrink > share or scans is None
        pixels = picture.width * picture.height
        needed = pixels * _per_pixel(picture, scans, shrink) + _result_bytes()
        if enough and needed <= limits.MAX_DECODE_BYTES:
            return shrink
    return None


def most_megapixels(picture: Image.Image, scans: JpegScans | None) -> int:
    """How many a picture may have that is coded like this one."""
    least = _per_pixel(picture, scans, SHRINKS[-1] if scans else 1)
    left = limits.MAX_DECODE_BYTES - _result_bytes()
    return int(min(left / least, limits.allowed().picture_pixels) / 1e6)


def _result_bytes() -> int:
    """RGB of the picture that is made; a larger one than is kept lies on the disk."""
    return 3 * limits.MAX_KEPT_PIXELS


def _per_pixel(picture: Image.Image, scans: JpegScans | None, shrink: int) -> float:
    """Bytes a pixel of the file that its decoder takes."""
    if scans is not None:
        return _RGB / shrink**2 + scans.buffered * _COEFFICIENT * scans.samples
    if picture.format in _DECODERS:
        return _DECODERS[picture.format]
    if picture.format == "PNG" and getattr(picture, "is_animated", False):
        return _ANIMATED
    kept = _LIKE_RAW.get(picture.mode, _RGB)
    return kept + _more_of_tiff(picture) if picture.format == "TIFF" else kept


def _more_of_tiff(picture: Image.Image) -> float:
    """A compressed one may lie in a single strip, decoded in a piece; a turned one is copied."""
    tags = getattr(picture, "tag_v2", {})
    bits = tags.get(_BITS, (8,))
    strip = sum(bits if isinstance(bits, tuple) else (bits,)) / 8
    turned = _LIKE_RAW.get(picture.mode, _RGB) if tags.get(_ORIENTATION, 1) != 1 else 0
    return turned + (0 if tags.get(_COMPRESSION, 1) == 1 else strip)
