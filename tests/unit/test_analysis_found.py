"""Who counts as found: one rule for a picture, a clip, their summaries and their files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from estimators.analysis.agreement import agreement_matrix
from estimators.analysis.clip import NOBODY, ClipEstimates
from estimators.analysis.clip_report import report_clip
from estimators.analysis.facts import picture_facts
from estimators.analysis.identity import identify_picture
from estimators.analysis.matching import group_people
from estimators.analysis.scale import above_thresholds, found
from estimators.analysis.thresholds import ShownClip, Thresholds
from estimators.export.tables import frame_table
from estimators.registry import get
from estimators.skeletons import COCO_17
from estimators.types import Estimate, PoseSet, Timings
from tests.unit.analysis_motion import standing

MODEL, OTHER = "movenet-multipose", "keypointrcnn-fast"
JOINT, PERSON = 0.3, 0.2


def answer(visible: list[int], pose_score: float | None = 0.9) -> PoseSet:
    """People side by side, each with that many joints over the threshold."""
    xy = np.stack([standing() + np.array([300.0 * i, 0]) for i in range(len(visible))])
    score = np.array([np.where(np.arange(17) < n, 0.9, 0.1) for n in visible])
    trust = None if pose_score is None else np.full(len(visible), pose_score)
    return PoseSet(COCO_17, xy, score, trust)


def picture(model: str, poses: PoseSet) -> ClipEstimates:
    return ClipEstimates.of_picture(model, "a.png", (900, 500), Estimate(poses, Timings(1, 2, 3)))


@pytest.mark.parametrize(
    ("visible", "counts"), [(0, False), (1, False), (2, False), (3, True), (17, True)]
)
def test_a_picture_and_a_clip_count_the_same_people(visible: int, counts: bool) -> None:
    poses = answer([visible, 17])
    people = {MODEL: above_thresholds(poses, JOINT, PERSON)}
    expected = 1 + counts
    assert found(poses, JOINT, PERSON).tolist() == [counts, True]
    assert picture_facts(people, group_people(people), {})[0].found == expected
    assert agreement_matrix(people).matched[0, 0] == expected
    clip = picture(MODEL, poses)
    assert len(ShownClip.of(clip, Thresholds(JOINT, PERSON))) == expected
    assert report_clip({MODEL: clip}).facts({})[0].found == expected
    identify_picture({MODEL: clip}, {MODEL: Thresholds(JOINT, PERSON)})
    assert (clip.identity != NOBODY).tolist() == [counts, True]
    (row,) = frame_table([clip]).to_dict("records")
    assert (row["people"], row["returned"]) == (expected, 2)


def test_nobody_is_counted_in_a_file_before_somebody_decided_who_counts() -> None:
    clip = picture(MODEL, answer([17, 17]))
    clip.append_failed(1, 0.1, "It failed.")
    assert frame_table([clip])["people"].isna().all()
    clip.identify(np.array([NOBODY, 1]))
    assert frame_table([clip])["people"].tolist() == [1, pd.NA]
    assert frame_table([clip])["returned"].tolist() == [2, 0]


def test_the_joints_that_the_models_share_decide() -> None:
    """Fingers alone are nobody whom another model could have found."""
    skeleton = get("blazepose-full").skeleton
    score = np.full((1, len(skeleton)), 0.1)
    score[0, [skeleton.index(f"left_{name}") for name in ("pinky", "index", "thumb", "heel")]] = 1
    poses = PoseSet(skeleton, np.ones((1, len(skeleton), 2)), score)
    assert not found(poses, 0.5).any()


def test_the_numbers_of_those_found_stay_in_order_beside_somebody_hidden() -> None:
    one, other = picture(MODEL, answer([0, 17])), picture(OTHER, answer([17, 17]))
    identify_picture({MODEL: one, OTHER: other}, {m: Thresholds(JOINT, 0) for m in (MODEL, OTHER)})
    assert one.identity.tolist()[0] == NOBODY
    assert one.identity[1] == other.identity[1]
    assert other.identity[0] != other.identity[1]


def test_people_without_a_score_of_their_own_are_not_lost() -> None:
    """The model cannot doubt them, so no threshold hides them, in a picture or in a clip."""
    poses = answer([17, 17], pose_score=None)
    clip = picture(MODEL, poses)
    assert np.isnan(clip.pose_score).all()
    assert len(clip.poses(0).strong(0.5)) == len(poses.strong(0.5)) == 2
    assert len(above_thresholds(clip.poses(0), JOINT, 0.5)) == 2
    assert len(ShownClip.of(clip, Thresholds(JOINT, 0.5))) == 2
    identify_picture({MODEL: clip}, {MODEL: Thresholds(JOINT, 0.5)})
    assert sorted(clip.identity.tolist()) == [1, 2]


def test_a_weak_person_is_hidden_at_its_threshold_and_shown_on_it() -> None:
    poses = answer([17], pose_score=0.5)
    for least, count in ((0.5, 1), (0.51, 0)):
        assert len(above_thresholds(poses, JOINT, least)) == count
        assert len(ShownClip.of(picture(MODEL, poses), Thresholds(JOINT, least))) == count


def test_a_weak_joint_is_hidden_under_its_threshold_and_shown_on_it() -> None:
    poses = PoseSet(COCO_17, standing()[None], np.where(np.arange(17) < 5, 0.5, 0.9)[None])
    for least, joints in ((0.5, 17), (0.51, 12)):
        shown = ShownClip.of(picture(MODEL, poses), Thresholds(least))
        for xy in (shown.xy, shown.own_xy(np.array([0])), above_thresholds(poses, least).xy):
            assert np.isfinite(xy[0]).all(axis=-1).sum() == joints
