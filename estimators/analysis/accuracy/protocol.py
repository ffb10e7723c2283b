"""What a model gets to see: the whole picture, or a window around one annotated person."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.scale import joint_box
from estimators.annotated import AnnotatedPerson, Box

# `whole`: each model as it is, on whole pictures.  `crop`: one annotated person at a time, the
# model sees nothing but a window around the person's box.
Protocol = Literal["whole", "crop"]
# Left, top, right and bottom in whole pixels of the upright picture, inside of it.
Window = tuple[int, int, int, int]
# Of the person's box, in width and height: what shows them with some room around; the margin that
# top-down models are given (MMPose `GetBBoxCenterScale`, padding 1.25).
ENLARGED = 1.25


def box_of(person: AnnotatedPerson) -> Box:
    """The person's box, the one around the labelled joints where there is none."""
    if person.box_xyxy is not None:
        return person.box_xyxy
    left, top, right, bottom = joint_box(person.xy).tolist()
    return left, top, right, bottom


def window_around(box: Box, size: tuple[int, int]) -> Window:
    """A box enlarged to `ENLARGED` of its width and height, in whole pixels of the picture.

    Args:
        size: width and height of the picture.
    """
    sides = []
    for low, high, end in ((box[0], box[2], size[0]), (box[1], box[3], size[1])):
        more = (high - low) * (ENLARGED - 1) / 2
        first = min(max(0, math.floor(low - more)), end - 1)
        sides.append((first, min(end, max(first + 1, math.ceil(high + more)))))
    (left, right), (top, bottom) = sides
    return left, top, right, bottom


def depth_in(window: Window, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels from each position [..., 2] to the window's nearest edge, [...].

    Negative outside of it, NaN for NaN.
    """
    low, high = np.array(window[:2]), np.array(window[2:])
    depth: NDArray[np.float64] = np.minimum(xy - low, high - xy).min(axis=-1)
    return depth
