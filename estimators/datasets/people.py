"""One annotated person from what any format says of them; what is odd is counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.scale import joint_box, person_area
from estimators.annotated import NOT_LABELLED, VISIBLE, AnnotatedPerson, Box
from estimators.datasets.health import Findings
from estimators.datasets.joint_names import JointMap
from estimators.skeletons import COCO_17

# Keypoints are pixel indices in COCO (the centre of pixel 0 is 0) and in what is made of it; ours
# are continuous.  Boxes have our origin.
SHIFT_PX = 0.5
# What YOLO-pose's own tools, and MMPose where a file has no areas, take for COCO's mask area.
BOX_SHARE = 0.53

# Farther away is no picture: such numbers are wrong, and overflow.
_FARTHEST_PX = 1e6

_NOBODY = np.full((len(COCO_17), 2), np.nan), np.zeros(len(COCO_17), np.int8)


@dataclass(frozen=True)
class Described:
    """What a file says of a person besides the keypoints."""

    box_xyxy: Box | None = None
    area: float = math.nan
    iscrowd: bool = False
    source_id: int | str | None = None
    head_px: float = math.nan


def unlabelled(said: Described) -> AnnotatedPerson:
    """Somebody who is there, but of whom nothing can be judged."""
    return _with(said, *_NOBODY, {})


def person_of(
    values: NDArray[np.float64], joints: JointMap, said: Described, place: str, findings: Findings
) -> AnnotatedPerson:
    """A person from keypoints of a foreign skeleton.

    Args:
        values: float64 [K, 3]: x, y in continuous pixels, and a visibility flag as it is written.
        place: where they stand, for the findings.
    """
    raw = values[:, 2]
    plain = np.where(raw > 0, np.minimum(np.ceil(raw), VISIBLE), NOT_LABELLED)
    flags = plain.astype(np.int8)
    if (plain != raw).any():
        findings.add("flag_out_of_range", place)
    nowhere = (flags != NOT_LABELLED) & ~(np.abs(values[:, :2]) < _FARTHEST_PX).all(axis=1)
    if nowhere.any():
        findings.add("position_no_number", place)
        flags[nowhere] = NOT_LABELLED
    xy, mine = _NOBODY[0].copy(), _NOBODY[1].copy()
    have = joints.source >= 0
    xy[have], mine[have] = values[joints.source[have], :2], flags[joints.source[have]]
    beyond = {
        name: (float(values[at, 0]), float(values[at, 1]))
        for at, name in enumerate(joints.names)
        if name not in COCO_17.joints and flags[at] != NOT_LABELLED
    }
    return _with(said, xy, mine, beyond)


def _with(
    said: Described,
    xy: NDArray[np.float64],
    flags: NDArray[np.int8],
    beyond: dict[str, tuple[float, float]],
) -> AnnotatedPerson:
    given = 0 < said.area < _FARTHEST_PX**2
    return AnnotatedPerson(
        xy,
        flags,
        said.box_xyxy,
        said.area if given else math.nan,
        "file" if given else "unknown",
        said.iscrowd,
        source_id=said.source_id,
        head_px=said.head_px,
        beyond=beyond,
    )


def completed(
    person: AnnotatedPerson, number: int, place: str, findings: Findings
) -> AnnotatedPerson:
    """Numbered, with box and area as far as they can be had; counted where not the file's own."""
    box, area, area_from = person.box_xyxy, person.area, person.area_from
    if area_from == "unknown" and box is not None:
        area, area_from = BOX_SHARE * (box[2] - box[0]) * (box[3] - box[1]), "box"
    elif area_from == "unknown" and person.labelled.any():
        area, area_from = float(person_area(person.xy)), "joints"
    if person.judged and area_from != "file":
        findings.add("area_missing" if area_from == "box" else "area_from_joints", place)
    if box is None and person.labelled.any():
        findings.add("box_missing", place)
        left, top, right, bottom = (float(side) for side in joint_box(person.xy))
        box = (left, top, right, bottom)
    return replace(person, box_xyxy=box, area=area, area_from=area_from, annotation_id=number)


def moved(person: AnnotatedPerson, matrix: NDArray[np.float64]) -> AnnotatedPerson:
    """The person in other continuous pixels; `matrix` float64 [2, 3] leads there."""

    def move(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        there: NDArray[np.float64] = xy @ matrix[:, :2].T + matrix[:, 2]
        return there

    box = person.box_xyxy
    if box is not None:
        (x0, y0), (x1, y1) = move(np.reshape(box, (2, 2)))
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    scale = abs(float(np.linalg.det(matrix[:, :2])))
    return replace(
        person,
        xy=move(person.xy),
        box_xyxy=box,
        area=person.area * scale,
        head_px=person.head_px * math.sqrt(scale),
        beyond={name: tuple(move(np.array(at))) for name, at in person.beyond.items()},
    )


def inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The way back of a matrix [2, 3]."""
    back = np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))
    there: NDArray[np.float64] = back[:2]
    return there


def numbers(values: Any, *shape: int) -> NDArray[np.float64] | None:
    """What a file holds as numbers of this shape; None where it is something else."""
    if values is None:
        return None
    try:
        found = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return found.reshape(shape) if found.size == math.prod(shape) else None


def box_of(corner_and_size: Sequence[float] | NDArray[np.float64] | None) -> Box | None:
    """A box from left, top, width, height; None where it is empty or no box."""
    if corner_and_size is None:
        return None
    left, top, width, height = (float(value) for value in corner_and_size)
    near = all(abs(value) < _FARTHEST_PX for value in (left, top, width, height))
    if not near or width <= 0 or height <= 0:
        return None
    return left, top, left + width, top + height
