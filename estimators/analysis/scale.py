"""How large a person is: the lengths and areas that pixel distances are divided by.

Everything here takes joints on COCO-17 as an array [..., 17, 2] in pixels with NaN where a joint is
absent or hidden, so that the same code measures one picture and a whole clip.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.skeletons import COCO_17, Skeleton
from estimators.types import PoseSet

# Fewer joints make nobody: one or two coincide by chance, and have no size to measure by.
FEWEST_JOINTS = 3

# COCO's areas come from segment masks, which poses lack.  Over the annotated people of COCO val2017
# that we measured, the mask covers a median 0.6 of the box around the joints.
MASK_SHARE_OF_JOINT_BOX = 0.6

# Shoulder to hip is 0.288 of the body height and the shoulders are 0.259 apart (Winter,
# "Biomechanics and Motor Control of Human Movement", anthropometric data after Drillis & Contini).
TORSO_PER_SHOULDER_WIDTH = 0.288 / 0.259
# The ears are 0.083 of the body height apart (bitragion breadth, ANSUR II: 145 mm of 1,755 mm).
TORSO_PER_EAR_DISTANCE = 0.288 / 0.083
# The 17 joints of somebody standing span 0.92 of the body height (eyes to ankles).
TORSO_PER_JOINT_BOX_SIDE = 0.288 / 0.92
# A torso seen end-on has no usable length: under this share of the joint box it counts as absent.
SHORTEST_TORSO_SHARE = 0.1

_EARS = [COCO_17.index("left_ear"), COCO_17.index("right_ear")]
_SHOULDERS = [COCO_17.index("left_shoulder"), COCO_17.index("right_shoulder")]
_HIPS = [COCO_17.index("left_hip"), COCO_17.index("right_hip")]


def enough_joints(xy: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Bool [...]: at least three joints of [..., 17, 2] are there, else nobody counts as found."""
    enough: NDArray[np.bool_] = np.isfinite(xy).all(axis=-1).sum(axis=-1) >= FEWEST_JOINTS
    return enough


def found(
    poses: PoseSet, joint_threshold: float, pose_threshold: float = -np.inf
) -> NDArray[np.bool_]:
    """Bool [N]: who counts as found, in pictures, clips, live and files alike.

    Whoever is at or over `pose_threshold` and of whom at least three joints of COCO-17 are at or
    over `joint_threshold`, both on the model's own scale.
    """
    enough = enough_joints(coco_xy(_without_hidden(poses, joint_threshold)))
    return poses.over(pose_threshold) & enough


def above_thresholds(
    poses: PoseSet, joint_threshold: float, pose_threshold: float = -np.inf
) -> PoseSet:
    """The people who are `found`, with joints under `joint_threshold` set to NaN.

    Analysis counts every joint that has a position, so this is how a threshold enters it.  Person
    indices are those of the returned set.
    """
    people = poses.select(found(poses, joint_threshold, pose_threshold))
    return _without_hidden(people, joint_threshold)


def _without_hidden(poses: PoseSet, joint_threshold: float) -> PoseSet:
    hidden = ~poses.visible(joint_threshold)
    return replace(poses, xy=np.where(hidden[..., None], np.float32(np.nan), poses.xy))


def coco_xy(poses: PoseSet) -> NDArray[np.float64]:
    """Float64 [N, 17, 2]: the joints mapped to COCO-17 by name; NaN where absent."""
    return on_coco(poses.xy, poses.skeleton)


def on_coco(xy: NDArray[Any], skeleton: Skeleton) -> NDArray[np.float64]:
    """Joints [..., K, 2] of `skeleton` as float64 [..., 17, 2] on COCO-17; NaN where absent.

    Half a position (one coordinate NaN or infinite) counts as absent.
    """
    out = np.full((*xy.shape[:-2], len(COCO_17), 2), np.nan)
    for target, joint in enumerate(COCO_17.joints):
        if joint in skeleton.joints:
            out[..., target, :] = xy[..., skeleton.index(joint), :]
    out[~np.isfinite(out).all(axis=-1)] = np.nan
    return out


def joint_box(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Float64 [..., 4]: (left, top, right, bottom) around the joints present; NaN without any."""
    absent = np.isnan(xy)
    low = np.where(absent, np.inf, xy).min(axis=-2)
    high = np.where(absent, -np.inf, xy).max(axis=-2)
    box = np.concatenate([low, high], axis=-1)
    return np.where(np.isfinite(box), box, np.nan)


def torso_length(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length of the torso in pixels, float64 [...]; NaN where no two joints lie apart.

    The distance from the middle of the shoulders to the middle of the hips (one shoulder or hip
    stands for its middle where the other is absent).  Where either end is absent, as in a portrait,
    or the torso is seen end-on (under a tenth of the longer side of the box around the joints):
    1.11 × the distance of the shoulders; without them 3.5 × the distance of the ears; without those
    0.31 × that longer side.  The factors are body proportions, see the constants for their sources.
    """
    box = joint_box(xy)
    side = np.maximum(box[..., 2] - box[..., 0], box[..., 3] - box[..., 1])
    side = np.where(side > 0, side, np.nan)
    torso = _distance(_middle(xy, _SHOULDERS), _middle(xy, _HIPS))
    shoulders = _distance(*_ends(xy, _SHOULDERS)) * TORSO_PER_SHOULDER_WIDTH
    ears = _distance(*_ends(xy, _EARS)) * TORSO_PER_EAR_DISTANCE
    length = side * TORSO_PER_JOINT_BOX_SIDE
    for better in (ears, shoulders, torso):
        length = np.where(better >= SHORTEST_TORSO_SHARE * side, better, length)
    return length


def person_area(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area of a person in square pixels, float64 [...]; stands for COCO's mask area in OKS.

    0.6 × the box around the joints, at least the square of the torso length, which keeps somebody
    seen from the side, whose box is a thin line, from having no area.
    """
    box = joint_box(xy)
    area = (box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1]) * MASK_SHARE_OF_JOINT_BOX
    return np.fmax(np.where(area > 0, area, np.nan), torso_length(xy) ** 2)


def _ends(
    xy: NDArray[np.float64], pair: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return xy[..., pair[0], :], xy[..., pair[1], :]


def _middle(xy: NDArray[np.float64], pair: list[int]) -> NDArray[np.float64]:
    left, right = _ends(xy, pair)
    middle = (left + right) / 2
    return np.where(np.isnan(middle), np.where(np.isnan(left), right, left), middle)


def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    distance: NDArray[np.float64] = np.linalg.norm(a - b, axis=-1)
    return distance
