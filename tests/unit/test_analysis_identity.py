"""Who is who on a picture: one number a person in all models, as the Image page numbers them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.identity import identify_picture
from estimators.analysis.matching import group_people
from estimators.analysis.scale import above_thresholds
from estimators.analysis.thresholds import Thresholds
from estimators.registry import get
from estimators.skeletons import COCO_17
from estimators.types import Estimate, PoseSet, Timings
from tests.unit.analysis_motion import standing

SINGLE, MULTI, RCNN = "movenet-lightning", "movenet-multipose", "keypointrcnn-fast"
NEAR = standing()
FAR, LARGE = NEAR + np.array((600, 0)), 2 * NEAR + np.array((0, 900))


def answer(model: str, people: list[NDArray[np.float64]], scores: list[float]) -> ClipEstimates:
    joints = np.full((len(people), 17), 0.9, np.float32)
    poses = PoseSet(COCO_17, np.array(people).reshape(-1, 17, 2), joints, scores)
    return ClipEstimates.of_picture(model, "a.jpg", (99, 99), Estimate(poses, Timings(1, 1, 1)))


def test_the_same_person_has_the_same_number_in_all_models() -> None:
    given = {
        SINGLE: answer(SINGLE, [FAR], [0.9]),
        MULTI: answer(MULTI, [NEAR, FAR, LARGE], [0.9, 0.8, 0.7]),
        RCNN: answer(RCNN, [LARGE, FAR], [0.99, 0.98]),
    }
    identify_picture(given)
    # Found by three models, by two, by one.
    assert given[SINGLE].identity.tolist() == [1]
    assert given[MULTI].identity.tolist() == [3, 1, 2]
    assert given[RCNN].identity.tolist() == [2, 1]


def test_numbers_are_those_of_the_groups() -> None:
    given = {
        MULTI: answer(MULTI, [NEAR, FAR, LARGE], [0.9, 0.1, 0.7]),
        RCNN: answer(RCNN, [FAR, NEAR], [0.99, 0.98]),
    }
    identify_picture(given)
    specs = {model: get(model) for model in given}
    groups = group_people(
        {
            m: above_thresholds(
                e.poses(0), specs[m].default_threshold, specs[m].default_pose_threshold
            )
            for m, e in given.items()
        }
    )
    assert [dict(g.members) for g in groups] == [{MULTI: 0, RCNN: 1}, {MULTI: 1}, {RCNN: 0}]
    assert given[MULTI].identity.tolist() == [1, -1, 2]
    assert given[RCNN].identity.tolist() == [3, 1]


def test_thresholds_decide_who_is_somebody() -> None:
    given = {MULTI: answer(MULTI, [NEAR, FAR], [0.9, 0.1])}
    identify_picture(given, {MULTI: Thresholds(0.3, 0.05)})
    assert given[MULTI].identity.tolist() == [1, 2]
    identify_picture(given, {MULTI: Thresholds(0.3, 0.95)})
    assert given[MULTI].identity.tolist() == [-1, -1]


def test_nobody_and_a_failed_picture_are_no_trouble() -> None:
    failed = ClipEstimates(RCNN, COCO_17, "a.jpg", (99, 99))
    failed.append_failed(0, 0.0, "no weights")
    given = {SINGLE: answer(SINGLE, [], []), RCNN: failed}
    identify_picture(given)
    assert [e.identity.tolist() for e in given.values()] == [[], []]
