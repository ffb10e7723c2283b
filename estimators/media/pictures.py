"""Picture files into frames: upright, 8-bit sRGB; metadata never spoils good pixels.

A large picture becomes smaller while it is decoded, some of its rows at a time, so that no copy of
it in full size lies beside the decoder's own.  One is decoded at a time in a process.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from estimators.errors import InputError
from estimators.media import limits
from estimators.media.kinds import HEAD_BYTES, require_file, sniff
from estimators.media.picture_colours import conversion_to_srgb
from estimators.media.picture_repair import with_end, without_metadata
from estimators.media.picture_size import Size, kept_size, prepare, resized, whole
from estimators.types import Frame

_T = TypeVar("_T")
_ONE_AT_A_TIME = threading.RLock()
_ORIENTATION = 0x0112

# Our own limit is lower and says so in a clear message; Pillow's error above it stays.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
READABLE = "JPEG, PNG, WebP, BMP, GIF or TIFF"

# Brands of the container that pictures share with clips (ISO/IEC 23008-12, AV1 Image File Format).
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis"}
_EITHER = {b"mif1", b"mif2", b"msf1", b"miaf"}

NO_END = "The file lacks its end marker; nothing of the picture is missing."
NO_METADATA = "Damaged metadata was passed over, perhaps with it how the picture is turned."


class _DamagedError(InputError):
    """The bytes cannot be decoded as they are."""


@dataclass(frozen=True, eq=False)
class PictureFile:
    """What a picture file holds.

    Attributes:
        frame: the picture, upright, made smaller where it is larger than `kept_size`.
        orientation: how it is stored, 1 (upright) to 8 (CIPA DC-008, tag 0x0112).
        notes: what is odd about the file and worth telling; whole sentences.
    """

    frame: Frame
    orientation: int = 1
    notes: tuple[str, ...] = ()


class _Decoded(NamedTuple):
    image: NDArray[np.uint8]
    full_size: Size
    orientation: int
    note: str = ""


def read_picture(source: bytes | Path, name: str = "") -> Frame:
    """The frame of `open_picture`."""
    return open_picture(source, name).frame


def open_picture(source: bytes | Path, name: str = "") -> PictureFile:
    """Reads a picture into a frame: RGB uint8 [H, W, 3], turned upright by its EXIF orientation.

    Transparency is laid over white; of an animation the first frame counts; 16-bit grey is scaled
    to 8 bits; an embedded colour profile is converted to sRGB, CMYK without one by Pillow's
    formula.  What is larger than `kept_size` is made smaller, and `full_size` tells its own size.

    Args:
        source: the file's content, or where it lies.
        name: what to call it in messages; the file's name by default.

    Raises:
        InputError: not there, empty, too large, damaged, or of a kind that cannot be read.
    """
    found = _read(source, name, kept_size)
    frame = Frame(found.image, full_size=found.full_size)
    return PictureFile(frame, found.orientation, (found.note,) if found.note else ())


def read_whole(source: bytes | Path, name: str = "") -> NDArray[np.uint8]:
    """A picture in its own size, RGB uint8 [H, W, 3]; else as `read_picture`.

    Where that would take too much memory, a JPEG is decoded smaller and enlarged again.
    """
    return _read(source, name, whole).image


def size_of(file: BinaryIO, name: str) -> tuple[Size, int]:
    """Width and height of the upright picture and how it is stored (1 to 8), without decoding it.

    Raises:
        InputError: it is no picture that can be read, or too large.
    """
    head = file.read(HEAD_BYTES)
    file.seek(0)
    try:
        picture = Image.open(file, formats=FORMATS)
    except Exception as error:  # Pillow raises whatever it meets in damaged files
        raise _unreadable(head, name) from error
    (width, height), orientation = picture.size, _orientation(picture)
    if width * height > limits.allowed().picture_pixels:
        raise _too_large(name, f"{width}×{height} pixels")
    turned = orientation >= 5 and picture.format != "TIFF"  # those Pillow turns by itself
    return (height, width) if turned else (width, height), orientation


def _read(source: bytes | Path, name: str, wanted: Callable[[Size], Size]) -> _Decoded:
    """The upright picture in the size that `wanted` makes of its own."""
    if isinstance(source, Path):
        name = name or source.name
        source = _read_bytes(source, name)
    name = name or "The picture"
    if not source:
        raise InputError(f"{name}: the file is empty.", "Choose the file again.")
    if len(source) > limits.MAX_PICTURE_BYTES:
        raise _too_large(name, f"{len(source) / 1e6:.0f} MB")
    with _ONE_AT_A_TIME:
        try:
            return _decode(source, name, wanted)
        except _DamagedError:
            for data, note in _repaired(source):
                with suppress(_DamagedError):
                    return _decode(data, name, wanted)._replace(note=note)
            raise


def _read_bytes(path: Path, name: str) -> bytes:
    require_file(path, name)
    try:
        size = path.stat().st_size
        if size > limits.MAX_PICTURE_BYTES:
            raise _too_large(name, f"{size / 1e6:.0f} MB")
        return path.read_bytes() if size else b""  # a system's own files may never end
    except OSError as error:
        raise InputError(
            f"{name} cannot be read: {error.strerror}.", "Check the path and its permissions."
        ) from error


def _repaired(data: bytes) -> Iterator[tuple[bytes, str]]:
    try:
        complete = with_end(data)
    except Exception:  # noqa: BLE001 - Pillow raises whatever it meets in damaged files
        complete = None
    if complete is not None:
        yield complete, NO_END
    for bare in without_metadata(data):
        yield bare, NO_METADATA


def _decode(data: bytes, name: str, wanted: Callable[[Size], Size]) -> _Decoded:
    """The first frame, upright and in sRGB."""
    picture = _guarded(name, lambda: _open(data, name))
    own = picture.size
    if own[0] * own[1] > limits.allowed().picture_pixels:
        raise _too_large(name, f"{own[0]}×{own[1]} pixels")
    drafted = _guarded(name, lambda: prepare(picture, data, wanted, name))
    orientation = _orientation(picture)
    _guarded(name, picture.load)
    own = own if drafted else picture.size
    left = 1 if picture.format == "TIFF" else orientation  # those Pillow turns by itself
    convert = _guarded(name, lambda: conversion_to_srgb(picture, name))
    image = _guarded(name, lambda: resized(picture, own, wanted(own), left, convert))
    return _Decoded(image, own if left < 5 else (own[1], own[0]), orientation)


def _orientation(picture: Image.Image) -> int:
    """As EXIF or XMP say, 1 to 8; 1 where they are absent or unreadable."""
    try:
        found = picture.getexif().get(_ORIENTATION, 1)
        return int(found) if found in range(1, 9) else 1
    except Exception:  # noqa: BLE001 - the pixels are good, whatever is wrong with the EXIF
        return 1


def _open(data: bytes, name: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _unreadable(data, name) from error


def _guarded(name: str, decode: Callable[[], _T]) -> _T:
    try:
        return decode()
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise _too_large(name, f"over {most:.0f} megapixels") from error
    except Exception as error:  # Pillow raises whatever it meets in damaged files
        raise _DamagedError(
            f"{name}: the picture is damaged or incomplete ({error}).",
            "Open it in a picture viewer and save it again, or copy the file once more.",
        ) from error


def _too_large(name: str, size: str) -> InputError:
    return InputError(
        f"{name} is too large: {size} (limit {limits.allowed().megapixels} megapixels, "
        f"{limits.MAX_PICTURE_BYTES / 1e6:.0f} MB).",
        "Make it smaller and try again.",
    )


def _unreadable(data: bytes, name: str) -> InputError:
    kind = _container_kind(data)
    if kind == "HEIC":
        return InputError(
            f"{name} is a HEIC picture, which is not supported.",
            "Save it as JPEG (iPhone: Settings, Camera, Formats, Most Compatible).",
        )
    if kind == "AVIF":
        return InputError(
            f"{name} is an AVIF picture, which is not supported.", "Save it as JPEG or PNG."
        )
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _DamagedError(
            f"{name} is a TIFF that cannot be read: damaged, or with pixels of an unusual kind.",
            "Save it with 8 or 16 bits a channel, or as PNG.",
        )
    if sniff(data[:HEAD_BYTES]) == "clip":
        return InputError(f"{name} is a clip, not a picture.", "Compare it as a clip.")
    return _DamagedError(f"{name} is not a {READABLE} picture.", "Save it as one of these.")


def _container_kind(data: bytes) -> str:
    """What the brands in the first box say: HEIC, AVIF, or neither ("")."""
    if data[4:8] != b"ftyp":
        return ""
    end = min(int.from_bytes(data[:4], "big"), 256)
    major = data[8:12]
    brands = {data[at : at + 4] for at in range(16, end, 4)} if major in _EITHER else {major}
    if brands & _AVIF and not brands & _HEIC:
        return "AVIF"
    return "HEIC" if brands & (_HEIC | _EITHER) or major in _EITHER else ""
