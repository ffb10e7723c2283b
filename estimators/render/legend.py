"""The strip under a picture that says who is who, and what solid and dashed limbs are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.render.marks import draw_core, draw_joint, fixed_point
from estimators.render.style import PoseStyle
from estimators.render.text import fit_text, put_text, text_width

_GROUND = (24, 26, 32)
_INK = (255, 255, 255)
_RIM = (255, 255, 255)
_GREY = (150, 158, 172)
# The browser's words are the same: pages/ui/viewer/forms.js.
LEFT, RIGHT = "left and middle: solid, filled", "right: dashed, ringed"
_SWATCH = 2.8  # in heights of the letters


@dataclass(frozen=True)
class Entry:
    """One model of the legend: its name with what else is told of it, and how it is drawn."""

    text: str
    style: PoseStyle


@dataclass(frozen=True)
class LegendLayout:
    """Where the entries go; pixels, even in height as video needs it.

    The last two places are for what solid and dashed mean.
    """

    columns: int
    rows: int
    size: int
    width: int

    @property
    def height(self) -> int:
        return 2 * math.ceil(self.rows * _step(self.size) / 2 + self.size / 4)


def plan_legend(texts: Sequence[str], width: int, size: int | None = None) -> LegendLayout:
    """The layout of a legend of `texts` as wide as its picture; `size` of letters in pixels.

    Args:
        texts: the longest ones there will be, where they change from frame to frame.
        size: None for one that follows from the width.
    """
    size = size or max(11, min(width // 60, 64))
    items = [*texts, LEFT, RIGHT]
    widest = max(text_width(text, size) for text in items) + int((_SWATCH + 1.8) * size)
    columns = max(1, min(len(items), width // widest))
    # No more columns than rows need: the entries stand under each other.
    rows = math.ceil(len(items) / columns)
    return LegendLayout(math.ceil(len(items) / rows), rows, size, width)


def legend(entries: Sequence[Entry], layout: LegendLayout) -> NDArray[np.uint8]:
    """The strip, uint8 [height, width, 3] RGB."""
    strip = np.full((layout.height, layout.width, 3), _GROUND, np.uint8)
    sides = [Entry(text, PoseStyle(_GREY)) for text in (LEFT, RIGHT)]
    for number, entry in enumerate([*entries, *sides]):
        row, column = divmod(number, layout.columns)
        left = column * layout.width // layout.columns + layout.size // 2
        top = layout.size // 4 + row * _step(layout.size)
        _item(strip, (left, top), layout, entry)
    return strip


def _step(size: int) -> int:
    return round(size * 1.7)


def _item(
    strip: NDArray[np.uint8], corner: tuple[int, int], layout: LegendLayout, entry: Entry
) -> None:
    (left, top), size = corner, layout.size
    middle = top + _step(size) / 2
    _swatch(strip, (left, middle), size, entry)
    start = left + int((_SWATCH + 0.8) * size)
    room = layout.width // layout.columns - (start - left) - size // 2
    baseline = int(middle + size * 0.36)
    put_text(strip, fit_text(entry.text, size, room), (start, baseline), size, _INK)


def _swatch(strip: NDArray[np.uint8], start: tuple[float, float], size: int, entry: Entry) -> None:
    """A piece of a limb with a joint in its middle."""
    (x, y), dashed = start, entry.text == RIGHT
    width, long = max(3, round(size / 3.5)), _SWATCH * size
    ends = [(x, x + long)]
    if dashed:
        ends = [(x + long * a, x + long * b) for a, b in ((0, 0.22), (0.39, 0.61), (0.78, 1))]
    lines = np.array([[(a, y), (b, y)] for a, b in ends])
    style = entry.style
    for colour, pen in ((_RIM, width + 2), (style.colour, width)):
        cv2.polylines(strip, list(fixed_point(lines)), False, colour, pen, cv2.LINE_AA, 4)
    draw_core(strip, lines, width, style.variant)
    draw_joint(strip, (x + long / 2, y), 1.2 * width + 0.5, style, ringed=dashed)
