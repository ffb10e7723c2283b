"""The crop-region rules of MoveNet on clips, on hand-made poses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.geometry import CropRegion
from estimators.models.movenet_crop import next_region
from estimators.skeletons import COCO_17

FRAME = (480, 640)
WHOLE = CropRegion(0, -80, 640)


def person(
    hips: tuple[float, float] = (200.0, 300.0), size: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A standing person: shoulders 40 px above the hips, nose 60, ankles 60 below."""
    xy = np.tile(np.array(hips), (17, 1))
    for joint, dx, dy in [
        *(("left_shoulder", 10, -40), ("right_shoulder", -10, -40)),
        *(("left_hip", 6, 0), ("right_hip", -6, 0), ("nose", 0, -60)),
        *(("left_ankle", 6, 60), ("right_ankle", -6, 60)),
    ]:
        xy[COCO_17.index(joint)] += np.array([dx, dy]) * size
    return xy, np.full(17, 0.9)


def without(score: NDArray[np.float64], *joints: str) -> NDArray[np.float64]:
    score = score.copy()
    score[[COCO_17.index(joint) for joint in joints]] = 0.1
    return score


def test_the_torso_decides_when_it_reaches_farther() -> None:
    xy, score = person()
    # 1.9 × 40 px of torso is more than 1.2 × 60 px of body: 76 px around the hips.
    assert next_region(xy, score, FRAME) == CropRegion(124, 224, 152)


def test_joints_that_are_seen_widen_the_region_and_others_do_not() -> None:
    xy, score = person()
    xy[COCO_17.index("left_wrist")] = (300, 300)
    assert next_region(xy, score, FRAME).side == 240  # 2 × 1.2 × 100 px
    assert next_region(xy, without(score, "left_wrist"), FRAME).side == 152


def test_hidden_torso_joints_still_count_once_a_torso_is_seen() -> None:
    """As in the tutorial: one shoulder and one hip make a torso, all four joints its reach."""
    xy, score = person()
    xy[COCO_17.index("left_shoulder")] = (200, 240)
    score = without(score, "left_shoulder", "left_hip")
    assert next_region(xy, score, FRAME).side == 228  # 2 × 1.9 × 60 px


@pytest.mark.parametrize(
    "hidden", [("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"), COCO_17.joints]
)
def test_without_a_torso_it_looks_at_the_whole_frame(hidden: tuple[str, ...]) -> None:
    xy, score = person()
    assert next_region(xy, without(score, *hidden), FRAME) == WHOLE


def test_one_side_of_the_torso_is_enough() -> None:
    xy, score = person()
    assert next_region(xy, without(score, "right_shoulder", "right_hip"), FRAME) != WHOLE


def test_a_person_who_fills_the_frame_gets_the_whole_frame() -> None:
    assert next_region(*person((320.0, 240.0), size=4.3), FRAME) == WHOLE


def test_the_region_reaches_no_farther_than_the_farthest_edge() -> None:
    xy, score = person((100.0, 240.0))
    xy[COCO_17.index("left_wrist")] = (310, 240)
    # 1.2 × 210 px would be enough, but no edge is farther from the hips than 240 px.
    assert next_region(xy, score, (480, 300)) == CropRegion(-140, 0, 480)


def test_a_pose_far_outside_the_frame_gives_the_whole_frame() -> None:
    assert next_region(*person((-500.0, -500.0), size=0.1), FRAME) == WHOLE


def test_a_pose_in_one_point_gives_a_region_with_pixels() -> None:
    xy, score = person(size=0.0)
    assert next_region(xy, score, FRAME).side >= 1


def test_it_follows_a_person_who_walks() -> None:
    first = next_region(*person((200.0, 300.0)), FRAME)
    then = next_region(*person((260.0, 310.0)), FRAME)
    assert (then.left - first.left, then.top - first.top, then.side) == (60, 10, first.side)
