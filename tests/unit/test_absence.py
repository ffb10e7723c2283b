"""Why none of a model's people count: the words differ, so the reasons have to."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.scale import found
from estimators.analysis.thresholds import Absence, Thresholds
from estimators.skeletons import COCO_17
from estimators.types import Estimate, PoseSet, Timings
from tests.unit.analysis_motion import standing

MODEL = "movenet-multipose"


def clip(*people: tuple[int, float]) -> ClipEstimates:
    """An answer; people by how many of their joints have 0.9, not 0.1, and by their own score."""
    score = np.array([np.where(np.arange(17) < n, 0.9, 0.1) for n, _ in people]).reshape(-1, 17)
    xy = np.tile(standing(), (len(people), 1, 1))
    poses = PoseSet(COCO_17, xy, score, [trust for _, trust in people])
    return ClipEstimates.of_picture(MODEL, "a.png", (900, 500), Estimate(poses, Timings(1, 2, 3)))


@pytest.mark.parametrize(
    ("people", "why"),
    [
        ([], "nobody"),
        ([(17, 0.4)], "people"),
        ([(17, 0.4), (17, 0.1)], "people"),
        ([(2, 0.9)], "joints"),
        ([(0, 0.9), (17, 0.4)], "joints"),
        ([(3, 0.9)], None),
        ([(17, 0.4), (17, 0.5)], None),
    ],
)
def test_the_reason_is_what_hides_them(people: list[tuple[int, float]], why: str | None) -> None:
    answer = clip(*people)
    absence = Absence.of(answer, Thresholds(0.3, 0.5))
    assert (absence and absence.why) == why
    assert (absence is None) == found(answer.poses(0), 0.3, 0.5).any()
    if why == "people":
        assert absence is not None
        assert absence.strongest == pytest.approx(0.4)


def test_a_model_that_gave_no_answer_did_not_find_nobody() -> None:
    failed = ClipEstimates(MODEL, COCO_17)
    failed.append_failed(0, 0.0, "It crashed.")
    absence = Absence.of(failed, Thresholds())
    assert absence is not None
    assert absence.why == "failed"
    failed.append(Estimate(PoseSet.empty(COCO_17), Timings(1, 2, 3), 1, 0.1))
    absence = Absence.of(failed, Thresholds())
    assert absence is not None
    assert absence.why == "nobody"
