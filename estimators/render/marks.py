"""What tells the models of one picture apart beside colour: forms of joints, cores of limbs.

A left or middle limb is solid and its joints are filled; a right limb is dashed and its joints are
rings.  The browser draws the same: `pages/ui/viewer/forms.js`.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.render.style import CORES, JOINT_FORMS, RGB, PoseStyle

_SHIFT = 4  # OpenCV takes 1/16 pixels as integers
_LIGHT: RGB = (255, 255, 255)
_DARK: RGB = (16, 20, 27)
# Thinner limbs have no room for a core.
_CORE_FROM = 3
# Corners of the forms around (0, 0), of about the circle's area.
CORNERS = {
    "square": np.array([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
    "diamond": np.array([(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)]),
    "triangle": np.array([(0, -1.35), (1.25, 0.85), (-1.25, 0.85)]),
}


def draw_core(
    canvas: NDArray[np.uint8], lines: NDArray[np.float64], width: int, variant: int
) -> None:
    """What runs along the middle of the limbs `lines` [S, 2, 2], `width` pixels wide, in place."""
    core = CORES[variant % len(CORES)]
    if not core or width < _CORE_FROM or not len(lines):
        return
    colour, thin = _DARK if core == "dark" else _LIGHT, max(1, round(width / 3))
    if core == "light dots":
        dots = _points_along(lines, 2.0 * width)
        for x, y in fixed_point(dots).tolist():
            cv2.circle(canvas, (x, y), thin << (_SHIFT - 1), colour, -1, cv2.LINE_AA, _SHIFT)
        return
    cv2.polylines(canvas, list(fixed_point(lines)), False, colour, thin, cv2.LINE_AA, _SHIFT)


def _points_along(lines: NDArray[np.float64], every: float) -> NDArray[np.float64]:
    """Points [P, 2] on `lines` [S, 2, 2], about `every` pixels apart, none at their ends."""
    length = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1)
    count = np.maximum(np.round(length / every).astype(np.int64), 1)
    owner = np.repeat(np.arange(len(lines)), count)
    order = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    share = ((order + 0.5) / count[owner])[:, None]
    points: NDArray[np.float64] = lines[owner, 0] * (1 - share) + lines[owner, 1] * share
    return points


def draw_joint(
    canvas: NDArray[np.uint8],
    centre: tuple[float, float],
    radius: float,
    style: PoseStyle,
    ringed: bool,
) -> None:
    """One joint at `centre` (pixels, from the centre of the top-left one), in place."""
    form = JOINT_FORMS[style.variant % len(JOINT_FORMS)]
    if style.halo:
        _filled(canvas, centre, radius + 1, _LIGHT, form)
    _filled(canvas, centre, radius, style.colour, form)
    if ringed and radius > 2:
        _filled(canvas, centre, radius * 0.75 - 1.0, _LIGHT, form)


def _filled(
    canvas: NDArray[np.uint8], centre: tuple[float, float], radius: float, colour: RGB, form: str
) -> None:
    if form == "circle":
        x, y = fixed_point(np.array(centre)).tolist()
        cv2.circle(canvas, (x, y), round(radius * (1 << _SHIFT)), colour, -1, cv2.LINE_AA, _SHIFT)
        return
    corners = fixed_point(np.array(centre) + CORNERS[form] * radius)
    cv2.fillConvexPoly(canvas, corners, colour, cv2.LINE_AA, _SHIFT)


def fixed_point(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Pixels as OpenCV's integers of 1/16 pixel."""
    return np.round(points * (1 << _SHIFT)).astype(np.int32)
