"""Poses drawn on a frame with OpenCV: left limbs solid, right limbs dashed, right joints rings.

Fast, because live video and clips draw every frame: the bones and dashes of a person go to OpenCV
in one call, computed as arrays (benchmarks/render.py compares it with a call a dash).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.render.marks import draw_core, draw_joint, fixed_point
from estimators.render.style import RGB, PoseStyle, line_width
from estimators.skeletons import Skeleton
from estimators.types import PoseSet

_SHIFT = 4  # OpenCV takes 1/16 pixels as integers
_HALO: RGB = (255, 255, 255)
_DASH, _PERIOD = 2.5, 5.5  # in line widths; rounded ends lengthen a dash by one width


@dataclass(frozen=True, eq=False)
class Layer:
    """One model's people with their style; joints under `threshold` are not drawn."""

    poses: PoseSet
    style: PoseStyle
    threshold: float = -np.inf


def draw_all(image: NDArray[np.uint8], layers: Iterable[Layer]) -> NDArray[np.uint8]:
    """A copy of `image` (uint8 [H, W, 3], RGB) with all models in it, the first at the bottom.

    Joints without a position or under the threshold (the model's own scale) are left out, and so
    are the bones they end.  Poses are in pixels of `image`; what lies outside is cut off.
    """
    canvas = np.array(image, order="C")
    for layer in layers:
        draw_onto(canvas, layer)
    return canvas


def draw_onto(canvas: NDArray[np.uint8], layer: Layer) -> None:
    """Draws one model's poses into `canvas` (uint8 [H, W, 3], RGB; may be a part of a picture)."""
    poses, style = layer.poses, layer.style
    visible = poses.visible(layer.threshold)
    plan = _plan(poses.skeleton, style.joints)
    visible &= plan.drawn
    height, width = canvas.shape[:2]
    for person in range(len(poses)):
        seen = visible[person]
        if not seen.any():
            continue
        # OpenCV counts from the centre of the top-left pixel, poses from its corner.
        xy = poses.xy[person].astype(np.float64) - 0.5
        side = float(np.ptp(xy[seen], axis=0).max())
        pen = max(1, round(line_width(width, height, side or np.inf) * style.scale))
        if style.boxes and poses.box_xyxy is not None:
            _draw_box(canvas, poses.box_xyxy[person], pen, style)
        if style.bones:
            _draw_bones(canvas, xy, seen, plan, (pen, style))
        if style.points:
            _draw_points(canvas, xy, np.flatnonzero(seen), plan, (pen, style))


@dataclass(frozen=True, eq=False)
class _Plan:
    """What follows from the skeleton and the choice of joints alone."""

    drawn: NDArray[np.bool_]
    solid: NDArray[np.int64]
    dashed: NDArray[np.int64]
    right: NDArray[np.bool_]


@lru_cache(maxsize=64)
def _plan(skeleton: Skeleton, joints: frozenset[str] | None) -> _Plan:
    lefts = {skeleton.index(left) for left, _ in skeleton.mirror}
    rights = {skeleton.index(right) for _, right in skeleton.mirror}
    # A bone that crosses the body (shoulder to shoulder) belongs to neither side: solid.
    dashed = [b for b in skeleton.bone_indices if set(b) & rights and not set(b) & lefts]
    solid = [b for b in skeleton.bone_indices if b not in dashed]
    return _Plan(
        np.array([joints is None or joint in joints for joint in skeleton.joints]),
        np.array(solid, np.int64).reshape(-1, 2),
        np.array(dashed, np.int64).reshape(-1, 2),
        np.array([i in rights for i in range(len(skeleton))]),
    )


_Pen = tuple[int, PoseStyle]


def _draw_bones(
    canvas: NDArray[np.uint8],
    xy: NDArray[np.float64],
    seen: NDArray[np.bool_],
    plan: _Plan,
    pen: _Pen,
) -> None:
    width, style = pen
    height_px, width_px = canvas.shape[:2]

    def segments(bones: NDArray[np.int64]) -> NDArray[np.float64]:
        ends = xy[bones[seen[bones].all(axis=1)]]
        return clip_segments(ends, width_px, height_px, margin=2.0 * width)

    dashes = dash_segments(segments(plan.dashed), _DASH * width, _PERIOD * width)
    parts = np.concatenate([segments(plan.solid), dashes])
    lines = fixed_point(parts)
    if style.halo:
        _polylines(canvas, lines, _HALO, width + 2)
    _polylines(canvas, lines, style.colour, width)
    draw_core(canvas, parts, width, style.variant)


def _polylines(canvas: NDArray[np.uint8], lines: NDArray[Any], colour: RGB, width: int) -> None:
    if len(lines):
        cv2.polylines(canvas, list(lines), False, colour, width, cv2.LINE_AA, _SHIFT)


def clip_segments(
    segments: NDArray[np.float64], width: int, height: int, margin: float
) -> NDArray[np.float64]:
    """The parts of `segments` [S, 2, 2] inside the frame with a margin; [R, 2, 2], R ≤ S.

    Liang and Barsky's method (1984).  A joint may lie far outside, where OpenCV's integers would
    overflow and dashes would be counted in millions.
    """
    start, way = segments[:, 0], segments[:, 1] - segments[:, 0]
    low = np.full(2, -margin)
    high = np.array([width, height]) + margin
    with np.errstate(divide="ignore", invalid="ignore"):
        enter, leave = (low - start) / way, (high - start) / way
    inside = (start >= low) & (start <= high)
    parallel = way == 0
    first = np.where(parallel, np.where(inside, 0.0, np.inf), np.minimum(enter, leave))
    last = np.where(parallel, 1.0, np.maximum(enter, leave))
    begin = np.maximum(first.max(axis=1, initial=0.0), 0.0)
    end = np.minimum(last.min(axis=1, initial=1.0), 1.0)
    kept = begin <= end
    share = np.stack([begin, end], axis=1)[kept][:, :, None]
    clipped: NDArray[np.float64] = start[kept][:, None] + share * way[kept][:, None]
    return clipped


def dash_segments(segments: NDArray[np.float64], dash: float, period: float) -> NDArray[np.float64]:
    """`segments` [S, 2, 2] cut into dashes of `dash` pixels every `period` pixels, [D, 2, 2].

    A segment starts and ends with a dash, so that a dashed limb still reaches its joints.
    """
    if not len(segments):
        return segments
    way = segments[:, 1] - segments[:, 0]
    length = np.maximum(np.linalg.norm(way, axis=1), 1e-9)
    count = np.maximum(np.round((length - dash) / period).astype(np.int64), 0) + 1
    owner = np.repeat(np.arange(len(segments)), count)
    order = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    share = np.minimum(dash / length, 1.0)[owner]
    begin = (1 - share) * order / np.maximum(count[owner] - 1, 1)
    along = np.stack([begin, begin + share], axis=1)[:, :, None]
    return segments[owner, :1] + along * way[owner, None]


def _draw_points(
    canvas: NDArray[np.uint8],
    xy: NDArray[np.float64],
    seen: NDArray[np.int64],
    plan: _Plan,
    pen: _Pen,
) -> None:
    width, style = pen
    radius = 1.2 * width + 0.5
    height_px, width_px = canvas.shape[:2]
    low, high = -2 * radius, np.array([width_px, height_px]) + 2 * radius
    near = seen[((xy[seen] > low) & (xy[seen] < high)).all(axis=1)]
    for joint in near:
        x, y = xy[joint]
        draw_joint(canvas, (x, y), radius, style, ringed=bool(plan.right[joint]))


def _draw_box(
    canvas: NDArray[np.uint8], box: NDArray[np.float32], pen: int, style: PoseStyle
) -> None:
    if not np.isfinite(box).all():
        return
    height, width = canvas.shape[:2]
    corners = np.clip(
        box.astype(np.float64) - 0.5, -10 * pen, np.array([width, height] * 2) + 10 * pen
    )
    x0, y0, x1, y1 = fixed_point(corners).tolist()
    thin = max(1, pen // 2)
    if style.halo:
        cv2.rectangle(canvas, (x0, y0), (x1, y1), _HALO, thin + 2, cv2.LINE_AA, _SHIFT)
    cv2.rectangle(canvas, (x0, y0), (x1, y1), style.colour, thin, cv2.LINE_AA, _SHIFT)
