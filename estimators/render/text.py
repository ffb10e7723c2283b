"""Text on pictures, in OpenCV's built-in antialiased font (Latin, Greek, Cyrillic)."""

from __future__ import annotations

import threading
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

_BOLD = 600
_local = threading.local()


def _face() -> cv2.FontFace:
    if not hasattr(_local, "face"):  # a font face is not shared: live streams draw in threads
        _local.face = cv2.FontFace("sans")
    face: cv2.FontFace = _local.face
    return face


@lru_cache(maxsize=512)
def text_width(text: str, size: int) -> int:
    """Width of `text` in pixels at a font size in pixels."""
    return int(cv2.getTextSize((0, 0), text, (0, 0), _face(), size, _BOLD)[2])


def fit_text(text: str, size: int, width: int) -> str:
    """`text`, shortened with an ellipsis where it is wider than `width` pixels."""
    if text_width(text, size) <= width:
        return text
    fits = 0
    while fits < len(text) and text_width(f"{text[: fits + 1].rstrip()}…", size) <= width:
        fits += 1
    return f"{text[:fits].rstrip()}…" if fits else ""


def wrap_text(text: str, size: int, width: int) -> list[str]:
    """`text` in lines of at most `width` pixels, broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(fit_text(word, size, width))
    return lines


def put_text(
    image: NDArray[np.uint8],
    text: str,
    origin: tuple[int, int],
    size: int,
    colour: tuple[int, int, int],
) -> None:
    """Writes `text` into `image` in place; `origin` is the left end of the baseline."""
    cv2.putText(image, text, origin, colour, _face(), size, _BOLD)
