"""The size in which a picture is decoded and kept, and how it comes to that with little memory."""

from __future__ import annotations

import math
import mmap
import tempfile
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from estimators.errors import InputError
from estimators.media import limits
from estimators.media.decode_cost import SHRINKS, most_megapixels, scans_of, shrinking

Size = tuple[int, int]  # width, height
_ROWS = 64  # of the result that are made at a time


def kept_size(size: Size) -> Size:
    """Width and height in which the models are given a picture of `size`."""
    width, height = size
    scale = min(
        1.0,
        limits.MAX_KEPT_SIDE / max(size),
        math.sqrt(limits.MAX_KEPT_PIXELS / (width * height)),
    )
    return max(1, int(width * scale)), max(1, int(height * scale))


def whole(size: Size) -> Size:
    """The size itself."""
    return size


def prepare(picture: Image.Image, data: bytes, wanted: Callable[[Size], Size], name: str) -> bool:
    """Before `picture`, opened from `data`, is loaded: refuses what costs too much.

    Returns:
        Whether the decoder may give a picture that is smaller than the file's own size.

    Raises:
        InputError: decoding would take too long, or too much memory.
    """
    own = picture.size
    scans = scans_of(data) if picture.format in ("JPEG", "MPO") else None
    if scans and scans.scans * own[0] * own[1] > limits.MAX_SCANNED_PIXELS:
        raise InputError(
            f"{name} would take too long to decode: {own[0]}×{own[1]} pixels in "
            f"{scans.scans} scans.",
            "Save it anew as a JPEG.",
        )
    # Not accepted unless it can be had whole, too: a download is made in its own size.
    shrinks = [shrinking(picture, size(own), scans) for size in (wanted, kept_size, whole)]
    if None in shrinks:
        kind = "progressive JPEG" if scans else picture.format
        raise InputError(
            f"{name} is too large: {own[0]}×{own[1]} pixels. Of a {kind} like this at most "
            f"{most_megapixels(picture, scans)} megapixels can be decoded.",
            "Make it smaller, or save it as a JPEG that is not progressive.",
        )
    if scans:
        shrink = shrinks[0] or 1
        picture.draft(None, (own[0] // shrink, own[1] // shrink))
    return scans is not None


def resized(
    picture: Image.Image,
    own: Size,
    size: Size,
    orientation: int,
    to_rgb: Callable[[Image.Image], Image.Image],
) -> NDArray[np.uint8]:
    """`picture` in `size` and then turned upright: RGB uint8 [H, W, 3].

    Some rows are made at a time.  What is larger than is kept lies in an unnamed file, of which
    only that part is in memory that is looked at.

    Args:
        picture: loaded, maybe made smaller by its decoder, which rounds up to whole pixels.
        own: the size of the file's picture.
        orientation: how it is stored, 1 (upright) to 8 (CIPA DC-008, tag 0x0112).
        to_rgb: converts a part of `picture`.
    """
    shrunk = next(s for s in SHRINKS if (-(-own[0] // s), -(-own[1] // s)) == picture.size)
    width, height = own[0] / shrunk, own[1] / shrunk
    step = height / size[1]
    same = picture.size == size
    margin = 0 if same else math.ceil(2 * max(1.0, step))  # what the filter looks at besides
    upright, on_disk = _canvas(size if orientation < 5 else (size[1], size[0]))
    image = _as_stored(upright, orientation)
    for top in range(0, size[1], _ROWS):
        bottom = min(size[1], top + _ROWS)
        first = max(0, math.floor(top * step) - margin)
        last = min(picture.height, math.ceil(bottom * step) + margin)
        part = to_rgb(picture.crop((0, first, picture.width, last)))
        box = (0.0, top * step - first, width, min(bottom * step - first, part.height))
        rows = part.resize((size[0], bottom - top), Image.Resampling.HAMMING, box)
        image[top:bottom] = np.asarray(rows)
        if on_disk is not None and hasattr(mmap, "MADV_DONTNEED"):
            on_disk.madvise(mmap.MADV_DONTNEED)
    return upright


def _canvas(size: Size) -> tuple[NDArray[np.uint8], mmap.mmap | None]:
    """Uint8 [H, W, 3], and the file that it lies in, which goes with it."""
    shape = (size[1], size[0], 3)
    if size[0] * size[1] <= limits.MAX_KEPT_PIXELS:
        return np.empty(shape, np.uint8), None
    with tempfile.TemporaryFile(prefix="pose-picture-") as file:
        file.truncate(math.prod(shape))
        mapped = mmap.mmap(file.fileno(), math.prod(shape))
    return np.frombuffer(mapped, np.uint8).reshape(shape), mapped


def _as_stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """A view of `upright` whose rows are those of the file."""
    if orientation in (2, 3, 6, 7):
        upright = upright[:, ::-1]
    if orientation in (3, 4, 7, 8):
        upright = upright[::-1]
    return upright.swapaxes(0, 1) if orientation >= 5 else upright
