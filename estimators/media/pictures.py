"""Picture files into frames: upright, 8-bit sRGB, nothing clipped or inverted on the way.

A large picture becomes smaller while it is decoded, some of its rows at a time, so that no copy of
it in full size lies beside the decoder's own.  One is decoded at a time in a process.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from estimators.errors import InputError
from estimators.media import limits
from estimators.media.kinds import HEAD_BYTES, require_file, sniff
from estimators.media.picture_size import Size, kept_size, prepare, resized, whole
from estimators.types import Frame

_T = TypeVar("_T")
_ONE_AT_A_TIME = threading.RLock()
_ORIENTATION = 0x0112

# Our own limit is lower and says so in a clear message; Pillow's error above it stays.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
READABLE = "JPEG, PNG, WebP, BMP, GIF or TIFF"

# What Pillow's decoders raise on damaged files, found by feeding them damaged files.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def read_picture(source: bytes | Path, name: str = "") -> Frame:
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
    image, full_size = _read(source, name, kept_size)
    return Frame(image, full_size=full_size)


def read_whole(source: bytes | Path, name: str = "") -> NDArray[np.uint8]:
    """A picture in its own size, RGB uint8 [H, W, 3]; else as `read_picture`.

    Where that would take too much memory, a JPEG is decoded smaller and enlarged again.
    """
    return _read(source, name, whole)[0]


def _read(
    source: bytes | Path, name: str, wanted: Callable[[Size], Size]
) -> tuple[NDArray[np.uint8], Size]:
    """The upright picture in the size that `wanted` makes of its own, and its own."""
    if isinstance(source, Path):
        name = name or source.name
        source = _read_bytes(source, name)
    name = name or "The picture"
    if not source:
        raise InputError(f"{name}: the file is empty.", "Choose the file again.")
    if len(source) > limits.MAX_PICTURE_BYTES:
        raise _too_large(name, f"{len(source) / 1e6:.0f} MB")
    with _ONE_AT_A_TIME:
        picture, own = _decode(source, name, wanted)
        orientation = _orientation(picture)
        profile = picture.info.get("icc_profile")
        image = _upright(
            resized(picture, own, wanted(own), lambda p: _to_srgb(_flatten(p, name), profile)),
            orientation,
        )
        del picture  # before a turned one is copied
        return np.ascontiguousarray(image), own if orientation < 5 else (own[1], own[0])


def _read_bytes(path: Path, name: str) -> bytes:
    require_file(path)
    try:
        if path.stat().st_size > limits.MAX_PICTURE_BYTES:
            raise _too_large(name, f"{path.stat().st_size / 1e6:.0f} MB")
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", "Check the path and its permissions."
        ) from error


def _decode(data: bytes, name: str, wanted: Callable[[Size], Size]) -> tuple[Image.Image, Size]:
    """The first frame, loaded, in the file's own mode, maybe made smaller; and its own size."""
    picture = _guarded(name, lambda: _open(data, name))
    own = picture.size
    if own[0] * own[1] > limits.MAX_PICTURE_PIXELS:
        raise _too_large(name, f"{own[0]}×{own[1]} pixels")
    drafted = prepare(picture, data, wanted, name)
    _guarded(name, picture.load)
    # Pillow turns a TIFF upright by itself.
    return picture, own if drafted else picture.size


def _orientation(picture: Image.Image) -> int:
    """EXIF's, 1 to 8; 1 where there is none, or none that can be read."""
    try:
        found = picture.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        return 1
    return found if found in range(1, 9) else 1


def _upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """A view of `image` as EXIF's `orientation` means it (CIPA DC-008, tag 0x0112)."""
    if orientation >= 5:
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return image


def _open(data: bytes, name: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _unreadable(data, name) from error
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise _too_large(name, f"over {most:.0f} megapixels") from error


def _guarded(name: str, decode: Callable[[], _T]) -> _T:
    try:
        return decode()
    except _DAMAGE as error:
        raise InputError(
            f"{name}: the picture is damaged or incomplete ({error}).",
            "Open it in a picture viewer and save it again, or copy the file once more.",
        ) from error


def _flatten(picture: Image.Image, name: str) -> Image.Image:
    """`picture` as 8-bit "L", "RGB" or "CMYK", transparency laid over white."""
    if picture.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255 instead of scaling.
        wide = np.asarray(picture).astype(np.uint32)
        return Image.fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise InputError(
            f"{name}: its pixels are 32-bit numbers without a defined white.",
            "Save it with 8 or 16 bits a channel.",
        )
    if picture.has_transparency_data:
        colours = picture.convert("RGBA")
        white = Image.new("RGBA", colours.size, "white")
        return Image.alpha_composite(white, colours).convert("RGB")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return _guarded(name, lambda: picture.convert("L" if picture.mode == "1" else "RGB"))


def _to_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """`picture` in sRGB; a profile that does not fit or cannot be read is passed over."""
    if isinstance(profile, bytes):  # a TIFF may hold a number there
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in (source.profile.profile_description or ""):
                converted = ImageCms.profileToProfile(
                    picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
                )
                return converted or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError):
            pass
    return picture.convert("RGB")


def _too_large(name: str, size: str) -> InputError:
    return InputError(
        f"{name} is too large: {size} (limit {limits.MAX_PICTURE_PIXELS / 1e6:.0f} megapixels, "
        f"{limits.MAX_PICTURE_BYTES / 1e6:.0f} MB).",
        "Make it smaller and try again.",
    )


def _unreadable(data: bytes, name: str) -> InputError:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return InputError(
            f"{name} is a HEIC picture, which is not supported.",
            "Save it as JPEG (iPhone: Settings, Camera, Formats, Most Compatible).",
        )
    if sniff(data[:HEAD_BYTES]) == "clip":
        return InputError(f"{name} is a clip, not a picture.", "Compare it as a clip.")
    return InputError(f"{name} is not a {READABLE} picture.", "Save it as one of these.")
