"""Pixels of any kind into 8-bit sRGB: nothing clipped, inverted or left transparent on the way."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, TiffImagePlugin

from estimators.errors import InputError

_ROWS = 64  # at a time: numpy makes eight bytes of each value that it looks up
# TIFF 6.0, section 8
_BITS, _PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1

# Pillow opens only some 16-bit greys whose white is 0, and turns none of them over: `_grey` does.
for _pixels, _modes in list(TiffImagePlugin.OPEN_INFO.items()):
    if _pixels[1] == _BLACK_IS_ZERO and _modes[0].startswith("I;16"):
        _negative = (_pixels[0], _WHITE_IS_ZERO, *_pixels[2:])
        TiffImagePlugin.OPEN_INFO.setdefault(_negative, _modes)


Conversion = Callable[[Image.Image], Image.Image]


def conversion_to_srgb(picture: Image.Image, name: str) -> Conversion:
    """What makes "RGB" of `picture`, which is loaded, or of a part that is cut from it.

    Transparency is laid over white; an embedded colour profile is applied.

    Raises:
        InputError: its pixels have no defined white.
    """
    if picture.mode in ("I", "F"):
        raise InputError(
            f"{name}: its pixels are 32-bit or signed numbers without a defined white.",
            "Save it with 8 or 16 bits a channel.",
        )
    flatten: Conversion = _flatten
    if picture.mode.startswith("I;16"):
        flatten = partial(_grey, shades=_shades(picture))
    one_pixel = flatten(picture.crop((0, 0, 1, 1)))
    transform = _profile_transform(picture.info.get("icc_profile"), one_pixel)

    def convert(part: Image.Image) -> Image.Image:
        flat = flatten(part)
        converted = transform and ImageCms.applyTransform(flat, transform)
        return converted or flat.convert("RGB")

    return convert


def _profile_transform(
    profile: object, one_pixel: Image.Image
) -> ImageCms.ImageCmsTransform | None:
    """From an embedded profile to sRGB; None where it does not fit `one_pixel`, or is broken."""
    if not isinstance(profile, bytes):  # a TIFF may hold a number there
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _is_srgb(source):
            return None
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, srgb, one_pixel.mode, "RGB")
        ImageCms.applyTransform(one_pixel, transform)
    except Exception:  # noqa: BLE001 - no profile, however broken, spoils a picture
        return None
    return transform


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    try:
        return "sRGB" in (profile.profile.profile_description or "")
    except UnicodeError:  # its name is broken, which says nothing about its colours
        return False


def _flatten(picture: Image.Image) -> Image.Image:
    """`picture` as 8-bit "L", "RGB" or "CMYK", transparency laid over white."""
    if picture.mode == "La":  # Pillow knows one way out of alpha that is multiplied in already
        picture = picture.convert("LA")
    if picture.has_transparency_data:
        colours = picture.convert("RGBA")
        white = Image.new("RGBA", colours.size, "white")
        return Image.alpha_composite(white, colours).convert("RGB")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _shades(picture: Image.Image) -> NDArray[np.uint8]:
    """The 8-bit grey [65536] of each value of 9 to 16 bits.

    Pillow's own conversion clips at 255 instead of scaling.
    """
    white, inverted = 65535, False
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        white = 2 ** int(picture.tag_v2.get(_BITS, (16,))[0]) - 1
        inverted = picture.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    scaled = (np.arange(65536) * 255 + white // 2) // white
    shades: NDArray[np.uint8] = scaled.clip(0, 255).astype(np.uint8)
    if inverted:
        shades = 255 - shades
    clear = picture.info.get("transparency")
    if isinstance(clear, int):  # a PNG may name one value that is transparent
        shades[clear] = 255
    return shades


def _grey(part: Image.Image, shades: NDArray[np.uint8]) -> Image.Image:
    wide = np.asarray(part)
    grey = np.empty(wide.shape, np.uint8)
    for top in range(0, len(wide), _ROWS):
        grey[top : top + _ROWS] = shades[wide[top : top + _ROWS]]
    return Image.fromarray(grey)
