"""Kinds of mistakes on poses that were made to have them, and what correcting them is worth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from accuracy_sets import (
    AREA,
    K,
    at,
    at_ks,
    coco_dataset,
    images,
    joint,
    person,
    pycocotools_stats,
    random_results,
    random_set,
    result,
)

from estimators.analysis.accuracy.bootstrap import picture_draws
from estimators.analysis.accuracy.corrected import (
    ORDER,
    Corrections,
    corrections,
    distance_at,
    with_optimal_scores,
)
from estimators.analysis.accuracy.kinds import KINDS, JointKinds, joint_kinds, kind_counts
from estimators.analysis.accuracy.tables import Predictions, Truth
from estimators.analysis.matching import COCO_SIGMAS, joint_similarity
from estimators.annotated import AnnotatedImage

LEFT_LEG = ("left_knee", "left_ankle")


def tables(
    pictures: list[AnnotatedImage], results: list[dict[str, Any]]
) -> tuple[Truth, Predictions, JointKinds]:
    truth = Truth.of(pictures)
    predictions = Predictions.of(results, truth)
    return truth, predictions, joint_kinds(truth, predictions)


def named(kinds: JointKinds, who: int = 0) -> dict[str, set[str]]:
    """The joints of one person by their kind, all that are not good."""
    from estimators.skeletons import COCO_17

    found: dict[str, set[str]] = {}
    for k, number in enumerate(kinds.kind[who].tolist()):
        if number > 0:
            found.setdefault(KINDS[number], set()).add(COCO_17.joints[k])
    return found


def moved(name: str, dx: float, dy: float = 0.0) -> np.ndarray:
    xy = at(100)
    xy[joint(name)] += (dx, dy)
    return xy


def test_an_inverted_leg_is_an_inversion() -> None:
    # Legs wide enough apart that the other one's joints are no longer near.
    wide = at(100)
    for name, dx in (*((n, 60) for n in LEFT_LEG), ("right_knee", -60), ("right_ankle", -60)):
        wide[joint(name), 0] += dx
    crossed = wide.copy()
    for part in ("knee", "ankle"):
        one, other = joint(f"left_{part}"), joint(f"right_{part}")
        crossed[[one, other]] = wide[[other, one]]
    legs = {f"{side}_{part}" for side in ("left", "right") for part in ("knee", "ankle")}
    _, _, kinds = tables(images([person(wide)]), [result(1, crossed)])
    assert named(kinds) == {"inversion": legs}
    # One leg alone, drawn onto the other.
    single = wide.copy()
    for part in ("knee", "ankle"):
        single[joint(f"left_{part}")] = wide[joint(f"right_{part}")]
    _, _, kinds = tables(images([person(wide)]), [result(1, single)])
    assert named(kinds) == {"inversion": set(LEFT_LEG)}


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_neighbours_arm_is_a_swap(side: str) -> None:
    """The same arm of the neighbour, or its other one."""
    taken = at(100)
    for part in ("elbow", "wrist"):
        taken[joint(f"left_{part}")] = at(300)[joint(f"{side}_{part}")]
    both = images([person(at(100)), person(at(300))])
    _, _, kinds = tables(both, [result(1, taken, 0.9), result(1, at(300), 0.8)])
    assert named(kinds) == {"swap": {"left_elbow", "left_wrist"}}
    assert named(kinds, 1) == {}
    _, _, kinds = tables(images([person(at(300)), person(at(100))]), [result(1, taken)])
    assert named(kinds, 1) == {"swap": {"left_elbow", "left_wrist"}}
    # Without the neighbour's annotation it is near nothing.
    _, _, alone = tables(images([person(at(100))]), [result(1, taken)])
    assert named(alone) == {"miss": {"left_elbow", "left_wrist"}}


def test_a_swap_is_judged_by_the_size_of_the_other_person() -> None:
    tiny = at(300, scale=0.1)
    taken = at(100)
    wrist = joint("left_wrist")
    taken[wrist] = tiny[wrist] + (10, 0)
    pictures = images([person(at(100)), person(tiny, area=100.0)])
    _, _, kinds = tables(pictures, [result(1, taken)])
    assert named(kinds) == {"miss": {"left_wrist"}}
    assert kinds.found.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("ks", "kind"), [(0.86, {}), (0.84, "jitter"), (0.51, "jitter"), (0.49, "miss")]
)
def test_good_jitter_and_miss_by_their_distance(ks: float, kind: Any) -> None:
    # Upwards, where no other joint is near.
    _, _, kinds = tables(
        images([person(at(100))]), [result(1, moved("left_elbow", 0, -at_ks("left_elbow", ks)))]
    )
    assert named(kinds) == ({kind: {"left_elbow"}} if kind else {})
    assert kinds.similarity[0, joint("left_elbow")] == pytest.approx(ks, abs=1e-4)


def test_what_a_joint_is_nearer_to_decides_between_jitter_and_inversion() -> None:
    # Left and right hip are 30 px apart; KS is 0.5 at 25.2 px and 0.85 at 12.2 px.
    for dx, expected in ((-14, "jitter"), (-16, "inversion"), (-29, "inversion"), (14, "jitter")):
        _, _, kinds = tables(images([person(at(100))]), [result(1, moved("left_hip", dx))])
        assert named(kinds) == {expected: {"left_hip"}}, dx
    # A good joint is good even where the other side is nearer still.
    narrow = at(100)
    narrow[joint("left_hip")] = narrow[joint("right_hip")] + (8, 0)
    off = narrow.copy()
    off[joint("left_hip"), 0] -= 7
    _, _, kinds = tables(images([person(narrow)]), [result(1, off)])
    assert named(kinds) == {}


def test_joints_that_are_not_labelled_or_not_given() -> None:
    xy = at(100)
    xy[joint("nose")] = np.nan
    pictures = images([person(at(100), ("nose", "left_hip", "left_knee"))])
    _, _, kinds = tables(pictures, [result(1, xy)])
    assert named(kinds) == {"miss": {"nose"}}
    assert (kinds.kind >= 0).sum() == 3
    assert kinds.similarity[0, joint("nose")] == 0


def test_people_are_the_same_from_oks_a_tenth_on() -> None:
    step = np.linspace(0, 120, 1201)
    oks = joint_similarity(at(100) + step[:, None, None] * (1, 0), at(100), np.full(1201, AREA))
    limit = float(step[oks.mean(axis=1) >= 0.1][-1])
    for dx, found in ((limit - 0.2, [0]), (limit + 0.2, [-1])):
        truth, _, kinds = tables(images([person(at(100))]), [result(1, at(100 + dx))])
        assert kinds.found.tolist() == found
        counts = kind_counts(truth, kinds, picture_draws(1, 5))
        assert (counts.missed_people, counts.background_people) == (found.count(-1),) * 2


def test_kinds_are_counted_with_intervals() -> None:
    pictures = random_set(1)
    truth, _, kinds = tables(pictures, random_results(pictures, 2, 0.15))
    counts = kind_counts(truth, kinds, picture_draws(len(pictures), 200))
    assert sum(s.count for s in counts.shares.values()) == counts.joints
    assert sum(s.value for s in counts.shares.values()) == pytest.approx(1)
    assert sum(map(sum, counts.by_joint.values())) == counts.joints
    jitter = counts.shares["jitter"]
    assert jitter.low < jitter.value < jitter.high
    assert counts.people == len(truth) > counts.missed_people > 0
    nobody = kind_counts(*tables(images([]), [])[::2], picture_draws(1, 5))
    assert (nobody.joints, nobody.people) == (0, 0)
    assert math.isnan(nobody.shares["good"].value)


def test_a_distance_gives_back_its_ks() -> None:
    """With 2σ; the published tool's σ would give 0.84 where 0.5 is meant."""
    for ks in (0.5, 0.85):
        d = distance_at(np.full((1, K), ks), np.array([AREA]))
        off = at(0)
        off[:, 0] += d[0]
        near = joint_similarity(off, at(0), np.asarray(AREA))
        np.testing.assert_allclose(near, ks, atol=1e-9)
    assert d[0, joint("left_wrist")] == pytest.approx(at_ks("left_wrist", 0.85))


def corrected(pictures: list[AnnotatedImage], results: list[dict[str, Any]]) -> Corrections:
    truth, predictions, kinds = tables(pictures, results)
    return corrections(truth, predictions, kinds, picture_draws(len(pictures), 20))


def gains_of(found: Corrections) -> dict[str, float]:
    return {g.kind: g.alone for g in found.gains}


def test_only_the_mistake_that_was_made_is_worth_correcting() -> None:
    """All seventeen joints jittered to KS 0.6: OKS 0.6, which passes 0.5, 0.55 and just 0.6."""
    off = at(100)
    off[:, 1] -= 2 * COCO_SIGMAS * math.sqrt(-2 * AREA * math.log(0.61))
    found = corrected(images([person(at(100))]), [result(1, off)])
    assert found.ap == pytest.approx(0.3)
    gains = gains_of(found)
    # Corrected to KS 0.85 it passes all thresholds up to 0.85, eight of ten.
    assert gains["jitter"] == pytest.approx(0.5, abs=1e-6)
    assert sum(map(abs, gains.values())) == pytest.approx(0.5, abs=1e-6)


def test_misses_are_corrected_to_half() -> None:
    """Eight joints far away, nine in place: OKS 9/17; corrected to (9 + 8/2)/17 = 0.76."""
    off = at(100)
    off[9:] += (0, 300)
    found = corrected(images([person(at(100))]), [result(1, off)])
    assert found.ap == pytest.approx(0.1)
    assert gains_of(found)["miss"] == pytest.approx(0.5, abs=1e-6)
    ranks = [g.kind for g in found.gains]
    assert ranks == list(ORDER)


def test_inversions_are_corrected_to_where_they_would_have_been() -> None:
    wide = at(100) + (at(100) - at(100).mean(axis=0)) * (3, 0)
    turned = wide[[0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]]
    turned[:5] = wide[:5]
    found = corrected(images([person(wide)]), [result(1, turned)])
    assert found.ap == 0.0
    assert gains_of(found)["inversion"] == pytest.approx(1.0, abs=1e-6)


def test_swaps_are_corrected_to_where_they_would_have_been() -> None:
    """Eight joints of the neighbour: OKS 9/17, found at the first of ten thresholds alone."""
    taken = at(100)
    taken[9:] = at(400)[9:]
    pictures = images(*[[person(at(100)), person(at(400))]] * 7)
    results = [r for i in range(1, 8) for r in (result(i, taken, 0.9), result(i, at(400), 0.8))]
    found, recalls = corrected(pictures, results), 51 / 101
    # At the other nine the right ones come second: precision 1/2 up to recall 1/2.
    assert found.ap == pytest.approx(0.1 + 0.9 * recalls / 2)
    gains = gains_of(found)
    assert gains["swap"] == pytest.approx(0.9 * (1 - recalls / 2))
    assert gains["score"] == pytest.approx(0.9 * recalls / 2)
    assert gains["miss"] == gains["inversion"] == gains["jitter"] == 0
    best = found.optimal_scores
    assert (best.low, best.high, best.count) == (best.value, best.value, 14)


def test_the_interval_of_the_best_ranking_is_of_the_draws_alone() -> None:
    pictures = random_set(1)
    truth, predictions, kinds = tables(pictures, random_results(pictures, 2, 0.15))
    one = np.array([[12, *[0] * 11]])  # a draw of the first picture alone
    found = corrections(truth, predictions, kinds, one).optimal_scores
    assert found.low == found.high != found.value


def test_people_missed_and_invented_and_ranking() -> None:
    pictures = images([person(at(100)), person(at(400))])
    found = gains_of(corrected(pictures, [result(1, at(100))]))
    # One of two found: precision 1 up to recall 0.5, at 51 of 101 recalls.
    assert found["missed_people"] == pytest.approx(50 / 101, abs=1e-6)
    assert found["score"] == pytest.approx(0)
    invented = [result(1, at(100), 0.5), result(1, at(250, 350), 0.9)]
    found = gains_of(corrected(images([person(at(100))]), invented))
    assert found["background"] == pytest.approx(0.5, abs=1e-6)
    # With the best ranking whoever is nobody comes last and costs nothing.
    assert found["score"] == pytest.approx(0.5, abs=1e-6)


def test_optimal_scores_are_the_oks_of_the_best_matching() -> None:
    pictures = images([person(at(100)), person(at(130))])
    # The best scored lies between both; both are matched only if it takes the right one.
    results = [result(1, at(118), 0.9), result(1, at(101), 0.1), result(1, at(500), 0.95)]
    truth = Truth.of(pictures)
    scored = with_optimal_scores(truth, Predictions.of(results, truth))
    expected = [
        joint_similarity(at(x), at(y), np.asarray(AREA)).mean() for x, y in ((118, 130), (101, 100))
    ]
    np.testing.assert_allclose(scored.score, [*expected, 0], atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_corrections_add_up_and_never_take_away(seed: int) -> None:
    pictures = random_set(seed)
    results = random_results(pictures, seed + 20, 0.15)
    found = corrected(pictures, results)
    assert found.ap == pytest.approx(
        pycocotools_stats(coco_dataset(pictures), results)[0], abs=1e-9
    )
    assert found.ap + sum(g.in_order for g in found.gains) == pytest.approx(found.gains[-1].after)
    assert all(g.alone > -1e-9 for g in found.gains)
    assert all(g.in_order > -1e-9 for g in found.gains)
    assert found.gains[0].alone == found.gains[0].in_order
    score = next(g for g in found.gains if g.kind == "score")
    assert found.optimal_scores.value == pytest.approx(found.ap + score.alone)


def test_nothing_to_correct() -> None:
    assert math.isnan(corrected(images([]), []).ap)
    found = corrected(images([person(at(100))]), [])
    assert (found.ap, found.optimal_scores.value) == (0, 0)
    assert [g.alone for g in found.gains[:-1]] == [0] * 6
    assert math.isnan(found.gains[-1].alone)
