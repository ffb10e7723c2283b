"""OKS, torso length and matching, on poses with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.analysis import matching, scale
from estimators.skeletons import BLAZEPOSE_33, COCO_17
from estimators.types import PoseSet

# Somebody standing 200 px tall at the origin, (x, y) in COCO-17 order.
STANDING = np.array(
    [
        *((0, 12), (3, 9), (-3, 9), (7, 11), (-7, 11)),
        *((24, 40), (-24, 40), (32, 75), (-32, 75), (34, 108), (-34, 108)),
        *((14, 98), (-14, 98), (15, 145), (-15, 145), (16, 190), (-16, 190)),
    ],
    np.float64,
)


def people(*offsets: tuple[float, float], size: float = 1.0, noise: float = 0.0) -> PoseSet:
    """`STANDING` people at `offsets`, jittered by `noise` pixels."""
    rng = np.random.default_rng(len(offsets))
    xy = np.array([STANDING * size + offset for offset in offsets]).reshape(-1, 17, 2)
    xy += rng.normal(0, noise, xy.shape) if noise else 0.0
    n = len(xy)
    return PoseSet(COCO_17, xy, np.full((n, 17), 0.9), np.linspace(1, 0.5, n))


def matched(a: PoseSet, b: PoseSet, min_oks: float = matching.DEFAULT_MIN_OKS) -> dict:
    """Who of two models is the same person, by index, with their OKS."""
    groups = matching.group_people({"a": a, "b": b}, min_oks)
    both = [group for group in groups if len(group.members) == 2]
    return {(g.members["a"], g.members["b"]): g.oks["a", "b"] for g in both}


def without(poses: PoseSet, *joints: str) -> NDArray[np.float64]:
    xy = scale.coco_xy(poses)
    xy[:, [COCO_17.index(joint) for joint in joints]] = np.nan
    return xy


def test_sigmas_are_pycocotools_own() -> None:
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    np.testing.assert_allclose(matching.COCO_SIGMAS, cocoeval.Params("keypoints").kpt_oks_sigmas)


def test_oks_equals_pycocotools_for_the_same_area() -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    a, b = people((100, 50)), people((104, 47), noise=3)
    area = np.sqrt(scale.person_area(scale.coco_xy(a)) * scale.person_area(scale.coco_xy(b)))[0]

    def keypoints(poses: PoseSet) -> list[float]:
        return [float(v) for x, y in poses.xy[0] for v in (x, y, 2)]

    truth = coco_module.COCO()
    truth.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": 1}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "keypoints": keypoints(a),
                "num_keypoints": 17,
                "area": float(area),
                "bbox": [0, 0, 1, 1],
                "iscrowd": 0,
            }
        ],
    }
    truth.createIndex()
    result = {"image_id": 1, "category_id": 1, "keypoints": keypoints(b), "score": 1.0}
    evaluation = cocoeval.COCOeval(truth, truth.loadRes([result]), "keypoints")
    evaluation.evaluate()
    assert matching.oks_matrix(a, b)[0, 0] == pytest.approx(evaluation.ious[1, 1][0, 0], abs=1e-6)


def test_oks_is_symmetric_and_does_not_change_with_the_size_of_the_picture() -> None:
    a, b = people((0, 0), (90, 5)), people((4, 2), (80, 0), noise=2)
    big_a = PoseSet(COCO_17, a.xy * 7, a.score)
    big_b = PoseSet(COCO_17, b.xy * 7, b.score)
    oks = matching.oks_matrix(a, b)
    np.testing.assert_allclose(oks, matching.oks_matrix(b, a).T)
    np.testing.assert_allclose(oks, matching.oks_matrix(big_a, big_b), rtol=1e-4)
    np.testing.assert_allclose(np.diag(matching.oks_matrix(a, a)), 1.0)


def test_oks_counts_only_joints_that_both_have() -> None:
    a = people((0, 0))
    moved = a.xy.copy()
    moved[0, COCO_17.index("left_wrist")] += 500
    b = PoseSet(COCO_17, moved, a.score)
    hidden = np.where(np.arange(17) == COCO_17.index("left_wrist"), 0.1, 0.9)[None]
    weak = scale.above_thresholds(PoseSet(COCO_17, moved, hidden), joint_threshold=0.5)
    assert matching.oks_matrix(a, b)[0, 0] < 0.95
    assert matching.oks_matrix(a, weak)[0, 0] == pytest.approx(1.0)


def test_two_shared_joints_are_too_few_to_compare() -> None:
    a = people((0, 0))
    xy = np.full((1, 17, 2), np.nan)
    xy[0, :2] = a.xy[0, :2]
    b = PoseSet(COCO_17, xy, a.score)
    assert np.isnan(matching.oks_matrix(a, b)).all()
    assert matched(a, b) == {}


def test_matching_finds_shuffled_people_and_leaves_strangers() -> None:
    a = people((0, 0), (150, 10), (300, 0))
    b = people((298, 3), (2, -2), (600, 0), noise=2)
    found = matched(a, b)
    assert found.keys() == {(0, 1), (2, 0)}
    assert all(0.7 < oks <= 1 for oks in found.values())
    everybody = matching.group_people({"a": a, "b": b})
    assert [group.members for group in everybody if len(group.members) == 1] == [{"a": 1}, {"b": 2}]


def test_matching_prefers_the_best_total_over_the_best_single_pair() -> None:
    similarity = np.array([[0.9, 0.8], [0.85, 0.1]])
    assert sorted(matching.assign(similarity, 0.2)) == [(0, 1), (1, 0)]


def test_pairs_under_the_least_oks_stay_apart() -> None:
    a, b = people((0, 0), (300, 0)), people((9, 0), (300, 0))
    assert len(matched(a, b, 0.2)) == 2
    assert matched(a, b, 0.95).keys() == {(1, 1)}


@pytest.mark.parametrize(("shift", "same"), [(22, True), (23, False)])
def test_two_poses_are_one_person_from_an_oks_of_a_fifth(shift: float, same: bool) -> None:
    a, b = people((0, 0)), people((shift, 0))
    assert matching.oks_matrix(a, b)[0, 0] == pytest.approx(0.2, abs=0.012)
    assert len(matched(a, b)) == same
    assert len(matching.group_people({"a": a, "b": b})) == 2 - same


def test_matching_nobody() -> None:
    a = people((0, 0), (150, 10))
    alone = matching.group_people({"a": a, "b": PoseSet.empty(COCO_17)})
    assert sorted(group.members["a"] for group in alone) == [0, 1]
    assert matched(a, PoseSet.empty(COCO_17)) == {}


def test_one_person_is_matched_without_scipy() -> None:
    similarity = np.array([[0.1, 0.7, np.nan]])
    assert matching.assign(similarity, 0.2) == [(0, 1)]
    assert matching.assign(similarity.T, 0.2) == [(1, 0)]
    assert matching.assign(np.array([[np.nan]]), 0.0) == []


def test_models_with_other_skeletons_share_the_coco_joints() -> None:
    coco = people((50, 60))
    xy = np.full((1, 33, 2), 9999.0)
    for joint in COCO_17.joints:
        xy[0, BLAZEPOSE_33.index(joint)] = coco.xy[0, COCO_17.index(joint)]
    blaze = PoseSet(BLAZEPOSE_33, xy, np.ones((1, 33)))
    assert matching.oks_matrix(coco, blaze)[0, 0] == pytest.approx(1.0)


def test_groups_say_who_is_whom_across_models() -> None:
    groups = matching.group_people(
        {
            "single": people((152, 8), size=1.02),
            "multi": people((0, 0), (150, 10)),
            "crowd": people((151, 12), (1, 2), (500, 0), noise=1),
        }
    )
    assert [dict(g.members) for g in groups] == [
        {"single": 0, "multi": 1, "crowd": 0},
        {"multi": 0, "crowd": 1},
        {"crowd": 2},
    ]
    assert list(groups[0].oks) == [("single", "multi"), ("single", "crowd"), ("multi", "crowd")]
    assert groups[0].mean_oks > 0.7
    assert np.isnan(groups[2].mean_oks)


def test_a_group_never_holds_two_people_of_one_model() -> None:
    # "b" stands between two people of "a"; "c" sees the second of them.
    groups = matching.group_people(
        {"a": people((0, 0), (26, 0)), "b": people((12, 0)), "c": people((27, 0))}, min_oks=0.05
    )
    assert sum(len(g.members) for g in groups) == 4
    a_members = [g.members["a"] for g in groups if "a" in g.members]
    assert sorted(a_members) == [0, 1]


def test_the_most_alike_are_joined_first() -> None:
    """On a line: a's first at 0, b's at 10, c's at 19, a's second at 36; each 17 px at most apart
    from one other, but c's is nearer to b's, and that is nearer to a's first."""
    found = {"a": people((0, 0), (36, 0)), "b": people((10, 0)), "c": people((19, 0))}
    members = [dict(group.members) for group in matching.group_people(found)]
    assert members == [{"a": 0, "b": 0, "c": 0}, {"a": 1}]


def test_of_groups_of_as_many_models_the_larger_person_comes_first() -> None:
    xy = np.array([STANDING, 2 * STANDING + (500, 0), 1.5 * STANDING + (900, 0)])
    (first, second, third) = matching.group_people({"a": PoseSet(COCO_17, xy, np.ones((3, 17)))})
    assert [group.members["a"] for group in (first, second, third)] == [1, 2, 0]


def test_nobody_anywhere_makes_no_groups() -> None:
    assert matching.group_people({"a": PoseSet.empty(COCO_17), "b": PoseSet.empty(COCO_17)}) == ()
    assert matching.group_people({}) == ()


def test_torso_runs_from_the_shoulders_to_the_hips() -> None:
    assert scale.torso_length(scale.coco_xy(people((7, 9))))[0] == pytest.approx(58)


def test_one_shoulder_stands_for_both() -> None:
    xy = without(people((0, 0)), "left_shoulder", "right_hip")
    assert scale.torso_length(xy)[0] == pytest.approx(np.hypot(24 + 14, 58))


def test_a_portrait_measures_by_its_shoulders() -> None:
    portrait = without(
        people((0, 0)),
        *(f"{side}_{j}" for side in ("left", "right") for j in ("hip", "knee", "ankle", "wrist")),
    )
    assert scale.torso_length(portrait)[0] == pytest.approx(48 * 0.288 / 0.259)


def test_a_face_alone_measures_by_its_ears_legs_by_their_box_and_one_joint_by_nothing() -> None:
    xy = np.full((3, 17, 2), np.nan)
    xy[0, :5] = STANDING[:5]
    xy[1, 13:] = STANDING[13:]
    xy[2, 0] = (3, 4)
    lengths = scale.torso_length(xy)
    assert lengths[0] == pytest.approx(14 * 0.288 / 0.083)
    assert lengths[1] == pytest.approx(45 * 0.288 / 0.92)
    assert np.isnan(lengths[2])
    assert np.isnan(scale.person_area(xy)[2])


def test_somebody_lying_measures_as_one_who_stands() -> None:
    """By the torso, by the shoulders, by the ears, by the longer side of the box around legs."""
    xy = np.stack([STANDING] * 4)
    xy[1, 11:], xy[2, 5:], xy[3, :13] = np.nan, np.nan, np.nan
    lying = xy[..., ::-1] + (500, -30)
    np.testing.assert_allclose(scale.torso_length(lying), scale.torso_length(xy))
    np.testing.assert_allclose(scale.person_area(lying), scale.person_area(xy))


def test_a_torso_seen_end_on_does_not_make_distances_endless() -> None:
    xy = scale.coco_xy(people((0, 0)))
    hips = [COCO_17.index("left_hip"), COCO_17.index("right_hip")]
    xy[:, hips] = xy[:, [COCO_17.index("left_shoulder"), COCO_17.index("right_shoulder")]]
    assert scale.torso_length(xy)[0] == pytest.approx(48 * 0.288 / 0.259)


@pytest.mark.parametrize(("length", "usable"), [(17, False), (18.1, True), (19, True)])
def test_a_torso_is_a_tenth_of_the_box_at_least(length: float, usable: bool) -> None:
    """The box is 181 px high; shorter, it is seen end-on, and the shoulders are measured."""
    xy = STANDING.copy()
    for side in ("left", "right"):
        xy[COCO_17.index(f"{side}_hip"), 1] = xy[COCO_17.index(f"{side}_shoulder"), 1] + length
    expected = length if usable else 48 * 0.288 / 0.259
    assert scale.torso_length(xy) == pytest.approx(expected)


def test_the_area_of_a_person_is_the_usual_share_of_the_box_around_the_joints() -> None:
    """From the eyes to the ankles and from hand to hand, of which the body covers 0.6."""
    assert scale.person_area(STANDING) == pytest.approx(0.6 * 68 * 181)


def test_somebody_seen_from_the_side_still_has_an_area() -> None:
    xy = scale.coco_xy(people((0, 0)))
    xy[..., 0] = 5
    assert scale.person_area(xy)[0] == pytest.approx(58**2)


def test_half_a_position_counts_as_absent() -> None:
    poses = people((0, 0))
    xy = poses.xy.copy()
    xy[0, 0, 1], xy[0, 1, 0] = np.nan, np.inf
    mapped = scale.coco_xy(PoseSet(COCO_17, xy, poses.score))
    assert np.isnan(mapped[0, :2]).all()
    assert np.isfinite(mapped[0, 2:]).all()


def test_shown_applies_both_thresholds() -> None:
    poses = people((0, 0), (100, 0))  # pose scores 1.0 and 0.5
    assert len(scale.above_thresholds(poses, 0.5, 0.6)) == 1
    assert np.isnan(scale.above_thresholds(poses, 0.95).xy).all()
    assert np.isfinite(scale.above_thresholds(poses, 0.9 - 1e-6).xy).all()
