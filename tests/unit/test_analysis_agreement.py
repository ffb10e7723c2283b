"""Agreement between models, with known distances."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.analysis.agreement import (
    PairAgreement,
    agreement_matrix,
    joint_agreement,
    median_over,
    picture_agreement,
)
from estimators.analysis.matching import PersonGroup, group_people
from estimators.analysis.scale import torso_length
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

TORSO = 100.0
LIGHTNING, THUNDER, MULTI = "movenet-lightning", "movenet-thunder", "movenet-multipose"
FULL, POSENET = "blazepose-full", "posenet"


def person(dx: float = 0.0, dy: float = 0.0) -> np.ndarray:
    """A person [17, 2] whose torso is exactly 100 px long, moved by (dx, dy)."""
    joints = {
        "shoulder": (40, 100),
        "elbow": (55, 160),
        "wrist": (60, 215),
        "hip": (25, 200),
        "knee": (26, 290),
        "ankle": (27, 370),
        "eye": (5, 45),
        "ear": (12, 50),
    }
    xy = np.zeros((17, 2))
    xy[0] = (0, 52)
    for name, (x, y) in joints.items():
        xy[COCO_17.index(f"left_{name}")] = (x, y)
        xy[COCO_17.index(f"right_{name}")] = (-x, y)
    return xy + np.array([dx, dy])


def poses(*people: np.ndarray) -> PoseSet:
    xy = np.array(people).reshape(-1, 17, 2)
    return PoseSet(COCO_17, xy, np.ones((len(xy), 17)), np.ones(len(xy)))


def pair_agreement(a: PoseSet, b: PoseSet) -> PairAgreement:
    return agreement_matrix({"a": a, "b": b}).pairs["a", "b"]


def test_the_torso_of_the_test_person() -> None:
    assert torso_length(person()) == pytest.approx(TORSO)


def test_a_shifted_answer_lies_that_many_torsos_away() -> None:
    pair = pair_agreement(poses(person()), poses(person(6, 8)))
    assert pair.matched == 1
    assert pair.median_distance == pytest.approx(0.10)
    np.testing.assert_allclose(pair.joint_distance, 0.10, rtol=1e-5)
    assert 0 < pair.mean_oks < 1


def test_one_wrong_joint_shows_in_that_joint_alone() -> None:
    wrong = person()
    wrong[COCO_17.index("left_wrist")] += (0, 50)
    pair = pair_agreement(poses(person()), poses(wrong))
    expected = np.zeros(17)
    expected[COCO_17.index("left_wrist")] = 0.5
    np.testing.assert_allclose(pair.joint_distance, expected, atol=1e-6)
    assert pair.median_distance == pytest.approx(0.0)


def test_people_only_one_model_found_are_counted_apart() -> None:
    pair = pair_agreement(poses(person(), person(400)), poses(person(401)))
    assert (pair.matched, pair.only_a, pair.only_b) == (1, 1, 0)
    assert pair.median_distance == pytest.approx(0.01)


def test_nothing_in_common_is_nan_not_zero() -> None:
    pair = pair_agreement(poses(person()), poses(person(2000)))
    assert (pair.matched, pair.only_a, pair.only_b) == (0, 1, 1)
    assert np.isnan([pair.mean_oks, pair.median_distance, *pair.joint_distance]).all()


def test_matrix_is_symmetric_and_marks_models_that_found_nobody() -> None:
    matrix = agreement_matrix(
        {"a": poses(person(), person(400)), "b": poses(person(10)), "none": poses()}
    )
    assert matrix.models == ("a", "b", "none")
    np.testing.assert_array_equal(matrix.matched, [[2, 1, 0], [1, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(matrix.distance, matrix.distance.T)
    assert matrix.distance[0, 1] == pytest.approx(0.1)
    np.testing.assert_array_equal(np.diag(matrix.oks), [1, 1, np.nan])
    np.testing.assert_array_equal(np.diag(matrix.distance), [0, 0, np.nan])
    assert np.isnan(matrix.oks[2]).all()
    assert np.isnan(matrix.oks[:, 2]).all()
    assert matrix.pairs["a", "b"].only_a == 1


def test_the_joint_that_lies_apart_stands_out_among_three() -> None:
    wrist = COCO_17.index("left_wrist")
    apart = person()
    apart[wrist] += (30, 40)
    people = {LIGHTNING: poses(person()), FULL: poses(person()), POSENET: poses(apart)}
    distances = joint_agreement(people, group_people(people))
    assert distances[POSENET][0, wrist] == pytest.approx(0.5)
    assert distances[LIGHTNING][0, wrist] == pytest.approx(
        0.25
    )  # half way to the median of the others
    assert distances[LIGHTNING][0, COCO_17.index("nose")] == pytest.approx(0.0)


def test_joint_agreement_is_nan_for_people_one_model_alone_found() -> None:
    people = {LIGHTNING: poses(person(), person(500)), FULL: poses(person(2))}
    groups = group_people(people)
    distances = joint_agreement(people, groups)
    alone = next(i for i, g in enumerate(groups) if len(g.members) == 1)
    both = 1 - alone
    assert np.isnan(distances[LIGHTNING][alone]).all()
    assert np.isnan(distances[FULL][alone]).all()
    np.testing.assert_allclose(distances[LIGHTNING][both], 0.02, rtol=1e-5)
    np.testing.assert_allclose(distances[LIGHTNING][both], distances[FULL][both])


def test_the_distance_is_told_in_the_torso_that_most_models_see() -> None:
    smaller = 0.8 * (person() - (0, 200)) + (0, 200)
    people = {LIGHTNING: poses(person()), FULL: poses(person()), POSENET: poses(smaller)}
    distances = joint_agreement(people, group_people(people))
    shoulder = COCO_17.index("left_shoulder")
    assert distances[POSENET][0, shoulder] == pytest.approx(np.hypot(8, 20) / TORSO)
    assert distances[LIGHTNING][0, shoulder] == pytest.approx(np.hypot(4, 10) / TORSO)


def test_joint_agreement_of_a_single_model_is_unknown() -> None:
    people = {LIGHTNING: poses(person())}
    assert np.isnan(joint_agreement(people, group_people(people))[LIGHTNING]).all()


def test_a_family_is_one_voice_about_where_a_joint_is() -> None:
    """Two variants that err alike do not make the right family an outlier, nor pull another."""
    wrist = COCO_17.index("left_wrist")
    apart = person()
    apart[wrist] += (30, 40)
    families = {FULL: poses(person()), LIGHTNING: poses(apart), POSENET: poses(person())}
    for more in ({}, {THUNDER: poses(apart)}, {THUNDER: poses(apart), MULTI: poses(apart)}):
        people = families | more
        distances = joint_agreement(people, group_people(people))
        assert {m: float(d[0, wrist]) for m, d in distances.items()} == pytest.approx(
            {FULL: 0.25, POSENET: 0.25} | dict.fromkeys((LIGHTNING, *more), 0.5)
        )


def test_variants_of_one_family_are_compared_where_there_is_no_other() -> None:
    people = {LIGHTNING: poses(person()), THUNDER: poses(person(6, 8))}
    distances = joint_agreement(people, group_people(people))
    np.testing.assert_allclose(distances[LIGHTNING][0], 0.1, rtol=1e-5)
    alone = people | {FULL: poses(person(2000))}  # sees somebody else
    distances = joint_agreement(alone, group_people(alone))
    assert all(np.isnan(each).all() for each in distances.values())


def test_two_torso_lengths_share_the_blame_for_a_distance() -> None:
    """A smaller person: distances are told in the mean of 100 and 80 pixels of torso."""
    smaller = 0.8 * (person() - (0, 200)) + (0, 200)
    pair = pair_agreement(poses(person()), poses(smaller))
    assert pair.joint_distance[COCO_17.index("left_shoulder")] == pytest.approx(
        np.hypot(0.2 * 40, 0.2 * 100) / 90
    )
    swapped = pair_agreement(poses(smaller), poses(person()))
    np.testing.assert_allclose(swapped.joint_distance, pair.joint_distance)


def test_median_over_matches_numpy_and_skips_nan() -> None:
    values = np.random.default_rng(1).normal(size=(5, 40))
    values[np.random.default_rng(2).random(values.shape) < 0.4] = np.nan
    values[:, 0] = np.nan
    expected = [np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else np.nan for c in values.T]
    np.testing.assert_allclose(median_over(values), expected)


def test_agreement_of_a_picture_counts_whom_one_model_lacks_as_nothing() -> None:
    both = PersonGroup({"a": 0, "b": 0}, {("a", "b"): 0.8})
    alone = PersonGroup({"a": 1}, {})
    unjudged = PersonGroup({"a": 2, "b": 1}, {("a", "b"): float("nan")})
    assert picture_agreement([both, alone], ["a", "b"]) == pytest.approx(0.4)
    assert picture_agreement([both, unjudged], ["b", "a"]) == pytest.approx(0.8)
    # Nobody of a third model: two more pairs of nothing for him whom the others see.
    assert picture_agreement([both], ["a", "b", "c"]) == pytest.approx(0.8 / 3)
    assert np.isnan(picture_agreement([], ["a", "b"]))
