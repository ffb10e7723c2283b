"""Where the pixels of a frame lie in a model's input, and the way back.

All coordinates are continuous pixels (origin at the outer corner of the top-left pixel, see
`estimators.types`), in frames and in model inputs alike.  A rectangle of whole frame pixels is
always resampled onto a rectangle of whole input pixels, so the map between them is exactly affine
and its inverse exact: nothing is lost to rounding a scaled size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
"""(height, width) in pixels."""


@dataclass(frozen=True)
class Rectangle:
    """Whole pixels from `left`/`top` up to, not including, `right`/`bottom`."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True)
class CropRegion:
    """A square of whole frame pixels that a single-person model looks at; may leave the frame."""

    left: int
    top: int
    side: int

    @classmethod
    def whole(cls, frame: Size) -> Self:
        """The smallest centred square that holds the whole frame.

        Raises:
            ValueError: the frame has no pixels.
        """
        height, width = _checked(frame)
        side = max(height, width)
        return cls((width - side) // 2, (height - side) // 2, side)

    def meets(self, frame: Size) -> bool:
        """Whether any pixel of the region lies in the frame."""
        height, width = frame
        return -self.side < self.left < width and -self.side < self.top < height

    def inside(self, frame: Size) -> Rectangle:
        """The part of the region that lies in the frame.

        Raises:
            ValueError: there is none.
        """
        height, width = frame
        if not self.meets(frame):
            raise ValueError(f"{self} lies outside a frame of {width}×{height} pixels")
        return Rectangle(
            max(self.left, 0),
            max(self.top, 0),
            min(self.left + self.side, width),
            min(self.top + self.side, height),
        )


@dataclass(frozen=True)
class Letterbox:
    """`source`, pixels of a frame, shown as `target`, pixels of a canvas that is black elsewhere.

    The aspect ratio is kept as far as whole pixels and halves allow; the two scales are what they
    really are, so mapped coordinates are exact all the same.
    """

    source: Rectangle
    target: Rectangle
    canvas: Size

    @classmethod
    def fit(cls, frame: Size, canvas: Size) -> Self:
        """The whole frame as large as it goes, centred on the canvas.

        Of a frame that shrinks to less than a third up to one row and one column at the end are
        left out, so that it can be halved (`_halvings`; up to three from a sixth on, and so on):
        always less than two thirds of a canvas pixel.

        Raises:
            ValueError: frame or canvas has no pixels.
        """
        (height, width), (canvas_height, canvas_width) = _checked(frame), _checked(canvas)
        scale = min(canvas_height / height, canvas_width / width)
        shown_height = min(max(round(height * scale), 1), canvas_height)
        shown_width = min(max(round(width * scale), 1), canvas_width)
        left, top = (canvas_width - shown_width) // 2, (canvas_height - shown_height) // 2
        target = Rectangle(left, top, left + shown_width, top + shown_height)
        return cls(_divisible(Rectangle(0, 0, width, height), target), target, canvas)

    @classmethod
    def of_region(cls, region: CropRegion, frame: Size, side: int) -> Self:
        """The region, resampled onto a square canvas; what lies outside the frame stays black.

        Rows and columns at its end may be left out as in `fit`.

        Raises:
            ValueError: the region lies outside the frame.
        """
        source = region.inside(frame)
        scale = side / region.side
        left, right = _span(source.left - region.left, source.right - region.left, scale, side)
        top, bottom = _span(source.top - region.top, source.bottom - region.top, scale, side)
        target = Rectangle(left, top, right, bottom)
        return cls(_divisible(source, target), target, (side, side))

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The canvas with the picture on it, uint8 [canvas height, canvas width, 3].

        Shrinking averages pixel areas down to one and a half times the target size and goes on
        bicubically: no pixel of the source is skipped and little is blurred.  Over shifted, scaled
        and mirrored views of 14 annotated COCO people MoveNet finds them better than with bilinear
        sampling (AP +0.007 Lightning, +0.013 MultiPose 512) or plain area averaging (+0.012
        MultiPose).  It averages by halves as long as that goes, two to four times as fast in all;
        the mean OKS of no model changes by more than 0.005 by that (docs/decisions/speed.md).
        Enlarging is bilinear.

        Args:
            image: uint8 [H, W, 3], of the frame this letterbox was made for.
        """
        source, target = self.source, self.target
        part = image[source.top : source.bottom, source.left : source.right]
        shown = _resampled(part, target.width, target.height)
        out = np.zeros((*self.canvas, 3), np.uint8)
        out[target.top : target.bottom, target.left : target.right] = shown
        return out

    def to_frame(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Canvas coordinates [..., 2] (x, y) as frame coordinates, float64."""
        return (np.asarray(xy, np.float64) - self._target_origin) / self.scale + self._source_origin

    @property
    def scale(self) -> NDArray[np.float64]:
        """Canvas pixels in one frame pixel, float64 [2] (x, y)."""
        source, target = self.source, self.target
        return np.array([target.width / source.width, target.height / source.height])

    @property
    def _source_origin(self) -> NDArray[np.float64]:
        return np.array([self.source.left, self.source.top], np.float64)

    @property
    def _target_origin(self) -> NDArray[np.float64]:
        return np.array([self.target.left, self.target.top], np.float64)


def _resampled(part: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """`part` in width × height pixels; every step maps its outer edges onto the new ones."""
    shrinks = width < part.shape[1] or height < part.shape[0]
    for _ in range(_halvings(part.shape[1], part.shape[0], width, height)):
        half = part.shape[1] // 2, part.shape[0] // 2
        part = _cv2_resize(part, half, cv2.INTER_AREA)
    between = _between(width, height)
    if between[0] < part.shape[1] and between[1] < part.shape[0]:
        part = _cv2_resize(part, between, cv2.INTER_AREA)
    return _cv2_resize(part, (width, height), cv2.INTER_CUBIC if shrinks else cv2.INTER_LINEAR)


def _between(width: int, height: int) -> tuple[int, int]:
    """What areas are averaged down to, (width, height), before the bicubic step to that size."""
    return math.ceil(width * 1.5), math.ceil(height * 1.5)


def _halvings(width: int, height: int, to_width: int, to_height: int) -> int:
    """How many times a picture is halved at first: as long as it stays as large as `_between`.

    OpenCV averages squares of two pixels with vector instructions, other areas one by one.
    """
    least_width, least_height = _between(to_width, to_height)
    times = 0
    while width >> (times + 1) >= least_width and height >> (times + 1) >= least_height:
        times += 1
    return times


def _divisible(source: Rectangle, target: Rectangle) -> Rectangle:
    """`source` without the last rows and columns that would be left over when it is halved."""
    times = _halvings(source.width, source.height, target.width, target.height)
    right, bottom = (size >> times << times for size in (source.width, source.height))
    return Rectangle(source.left, source.top, source.left + right, source.top + bottom)


def _cv2_resize(
    image: NDArray[np.uint8], width_height: tuple[int, int], interpolation: int
) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, width_height, interpolation=interpolation), np.uint8)


def best_canvas(frame: Size, canvases: Iterable[Size]) -> Size:
    """The canvas on which the frame is shown largest, the smallest of those that tie.

    Raises:
        ValueError: no canvases, or a size without pixels.
    """
    height, width = _checked(frame)

    def rank(canvas: Size) -> tuple[float, int]:
        return (-min(canvas[0] / height, canvas[1] / width), canvas[0] * canvas[1])

    choices = [_checked(canvas) for canvas in canvases]
    if not choices:
        raise ValueError("there is no canvas to choose from")
    return min(choices, key=rank)


def square_around(center: NDArray[np.floating], half_side: float) -> CropRegion:
    """The square of whole pixels nearest to `center` (x, y) ± `half_side` pixels, not empty."""
    side = max(round(2 * half_side), 1)
    left, top = (math.floor(float(value) - side / 2 + 0.5) for value in center)
    return CropRegion(left, top, side)


def _checked(size: Size) -> Size:
    if min(size) < 1:
        raise ValueError(f"expected at least one pixel, got {size[1]}×{size[0]}")
    return size


def _span(start: int, stop: int, scale: float, side: int) -> tuple[int, int]:
    """[start, stop) scaled, in whole pixels of 0…side, at least one of them."""
    first = min(round(start * scale), side - 1)
    return first, max(min(round(stop * scale), side), first + 1)
