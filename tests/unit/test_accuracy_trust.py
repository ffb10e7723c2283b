"""Joint scores against truth: reliability, precision and coverage, the threshold recommended."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from accuracy_sets import K, at, at_ks, images, joint, person, random_results, random_set, result

from estimators.analysis.accuracy.bootstrap import picture_draws
from estimators.analysis.accuracy.kinds import joint_kinds
from estimators.analysis.accuracy.tables import Predictions, Truth
from estimators.analysis.accuracy.trust import ScoreTrust, score_trust
from estimators.annotated import AnnotatedImage
from estimators.types import ScoreKind


def trusted(
    pictures: list[AnnotatedImage],
    results: list[dict[str, Any]],
    kind: ScoreKind | None = "confidence",
) -> ScoreTrust:
    truth = Truth.of(pictures)
    predictions = Predictions.of(results, truth)
    kinds = joint_kinds(truth, predictions)
    return score_trust(truth, predictions, kinds, picture_draws(len(pictures), 200), kind)


def scored(wrong: int, right_score: float, wrong_score: float) -> dict[str, Any]:
    """A person of whom the last `wrong` joints are far away."""
    xy, scores = at(100), np.full(K, right_score)
    xy[K - wrong :] += (0, 400)
    scores[K - wrong :] = wrong_score
    return result(1, xy, 1.0, scores)


def test_reliability_and_calibration_by_hand() -> None:
    """Twelve right at 0.95, five wrong at 0.35: ECE = 12/17 · 0.05 + 5/17 · 0.35."""
    found = trusted(images([person(at(100))]), [scored(5, 0.95, 0.35)])
    assert [(b.joints, b.right, b.score) for b in found.reliability] == [
        (5, 0.0, pytest.approx(0.35)),
        (12, 1.0, pytest.approx(0.95)),
    ]
    assert [(round(b.low, 6), round(b.high, 6)) for b in found.reliability] == [
        (0.3, 0.4),
        (0.9, 1.0),
    ]
    assert found.ece == pytest.approx(12 / 17 * 0.05 + 5 / 17 * 0.35)
    assert found.joints == 17
    assert found.curve == ((0.35, 0.0), (0.95, 1.0))


def test_logits_have_a_curve_but_no_calibration_error() -> None:
    found = trusted(images([person(at(100))]), [scored(5, 7.5, -2.0)], "logit")
    assert math.isnan(found.ece)
    assert found.curve == ((-2.0, 0.0), (7.5, 1.0))
    assert sum(b.joints for b in found.reliability) == 17


def test_the_curve_never_falls() -> None:
    """Pooled where a higher score is right less often: 3/4 at 1, 1/4 at 2 gives 1/2 for both."""
    xy, scores = at(100), np.full(K, 3.0)
    scores[:8] = [1, 1, 1, 1, 2, 2, 2, 2]
    xy[[0, 4, 5, 6]] += (0, 400)
    found = trusted(images([person(at(100))]), [result(1, xy, 1.0, scores)], "logit")
    assert found.curve == ((1.0, 0.5), (2.0, 0.5), (3.0, 1.0))
    # Of more than two at one height only the ends: 1, 3/4 and 1/4 give 2/3 for all.
    scores[:12] = [1] * 4 + [2] * 4 + [3] * 4
    xy = at(100)
    xy[[4, 8, 9, 10]] += (0, 400)
    scores[12:] = 4.0
    found = trusted(images([person(at(100))]), [result(1, xy, 1.0, scores)], "logit")
    assert [c[0] for c in found.curve] == [1, 3, 4]
    assert [c[1] for c in found.curve] == pytest.approx([2 / 3, 2 / 3, 1])


def test_precision_against_coverage_and_the_best_threshold() -> None:
    found = trusted(images([person(at(100))]), [scored(5, 0.9, 0.4)])
    low, high = found.thresholds
    assert (low.threshold, low.precision, low.coverage) == (0.4, pytest.approx(12 / 17), 1.0)
    assert low.f1 == pytest.approx(2 * 12 / 34)
    assert (high.threshold, high.precision, high.coverage) == (0.9, 1.0, pytest.approx(12 / 17))
    assert high.f1 == pytest.approx(2 * 12 / 29)
    assert high.recall == pytest.approx(12 / 17)
    assert found.recommended.value == 0.9
    assert found.recommended.count == 17
    assert found.best == high


def test_joints_of_nobody_are_wrong_and_missed_people_cost_recall() -> None:
    pictures = images([person(at(100)), person(at(400))])
    invented = result(1, at(100, 350), 0.1, 0.9)
    found = trusted(pictures, [result(1, at(100), 1.0, 0.9), invented])
    assert found.best is not None
    assert found.best.precision == pytest.approx(0.5)
    assert found.best.recall == pytest.approx(0.5)
    assert found.joints == 17
    assert found.recommended.count == 34


def test_joints_without_truth_position_or_score_do_not_count() -> None:
    xy = at(100)
    xy[joint("nose")] = np.nan
    labels = ("nose", "left_hip", "right_hip")
    found = trusted(images([person(at(100), labels)]), [result(1, xy, 1.0, 0.7)])
    assert (found.joints, found.recommended.count) == (2, 2)
    assert found.best is not None
    assert found.best.recall == pytest.approx(2 / 3)
    without = [{k: v for k, v in result(1, xy).items() if k != "keypoint_scores"}]
    nothing = trusted(images([person(at(100))]), without)
    assert (nothing.joints, nothing.best, nothing.thresholds) == (0, None, ())
    assert nothing.recommended.count == 0
    assert trusted(images([]), []).best is None


def test_scores_of_nobody_alone() -> None:
    """Nothing is known of right ones; every joint shown is wrong."""
    for pictures in (images([person(at(100))]), images([])):
        found = trusted(pictures, [result(1, at(100, 350), 0.9, 0.7)])
        assert (found.joints, found.reliability, found.curve) == (0, (), ())
        assert math.isnan(found.ece)
        assert found.best is not None
        assert (found.best.precision, found.best.recall, found.best.f1) == (0, 0, 0)
        assert (found.best.coverage, found.recommended.count) == (1, K)


def test_one_labelled_joint_is_enough() -> None:
    found = trusted(images([person(at(100), ("nose",))]), [result(1, at(100), 1.0, 0.7)])
    assert found.best is not None
    assert (found.best.precision, found.best.recall, found.best.f1) == (1, 1, 1)


def test_scores_at_the_ends_are_in_the_outermost_bins() -> None:
    xy, scores = at(100), np.linspace(0, 1, K)
    scores[0] = -0.25  # what claims to be a probability may be none
    found = trusted(images([person(at(100))]), [result(1, xy, 1.0, scores)])
    assert len(found.reliability) == 10
    first, last = found.reliability[0], found.reliability[-1]
    assert (first.low, first.high, first.joints) == (0.0, pytest.approx(0.1), 2)  # -1/4 and 1/16
    assert (last.low, last.high, last.joints) == (pytest.approx(0.9), 1.0, 2)  # 15/16 and 1
    # Scores that are no probabilities: as many joints in each bin as there may be.
    logits = trusted(images([person(at(100))]), [result(1, xy, 1.0, scores * 40)], "logit")
    assert (logits.reliability[0].low, logits.reliability[-1].high) == (-10, 40)
    assert {b.joints for b in logits.reliability} == {1, 2}


def test_right_begins_at_ks_one_half() -> None:
    for ks, right in ((0.51, 1.0), (0.49, 0.0)):
        xy = at(100)
        xy[joint("left_elbow"), 1] -= at_ks("left_elbow", ks)
        found = trusted(images([person(at(100), ("left_elbow",))]), [result(1, xy, 1.0, 0.7)])
        assert found.reliability[0].right == right


def test_the_threshold_has_an_interval_and_finds_where_scores_turn() -> None:
    rng = np.random.default_rng(0)
    results = []
    for i in range(1, 21):
        xy, scores = at(100), rng.random(K)
        xy[scores < rng.normal(0.4, 0.05, K)] += (0, 400)
        results.append(result(i, xy, 1.0, scores))
    found = trusted(images(*[[person(at(100))]] * 20), results)
    low, value, high = found.recommended.low, found.recommended.value, found.recommended.high
    assert 0.3 < low <= value <= high < 0.5
    assert low < high
    assert len(found.thresholds) == 256  # of 340 scores
    best = max(found.thresholds, key=lambda row: row.f1)
    assert found.best == best
    # Precision is against coverage: the higher the threshold, the less is shown.
    assert np.all(np.diff([row.coverage for row in found.thresholds]) < 0)


def test_f1_is_that_of_precision_and_recall() -> None:
    pictures = random_set(6)
    found = trusted(pictures, random_results(pictures, 6))
    for row in found.thresholds:
        if row.precision + row.recall:
            harmonic = 2 * row.precision * row.recall / (row.precision + row.recall)
            assert row.f1 == pytest.approx(harmonic)
