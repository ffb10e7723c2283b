"""What was marked or annotated decides, and nothing else overrules it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from estimators.analysis import guess as rule
from estimators.analysis.by_truth import by_truth, marked_against
from estimators.analysis.facts import Cost
from estimators.analysis.recommend import Evidence, Recommendation, recommend
from estimators.analysis.seen import Seen
from estimators.analysis.truth import TruthErrors, lead, truth_errors
from estimators.analysis.votes import Vote
from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

FAST, SLOW, THIRD = "movenet-lightning", "blazepose-full", "posenet"
COSTS = {FAST: Cost(2.0), SLOW: Cost(12.0), THIRD: Cost(20.0)}
_HALF = [(4, -4), (8, -2), (20, 40), (28, 75), (30, 110), (12, 120), (14, 180), (14, 240)]
UPRIGHT = np.array(
    [(300, 100), *(p for x, y in _HALF for p in ((300 + x, 100 + y), (300 - x, 100 + y)))]
)


def poses(xy: np.ndarray) -> PoseSet:
    return PoseSet(COCO_17, xy[None].astype(np.float32), np.full((1, 17), 0.8, np.float32))


def moved(by_px: float) -> np.ndarray:
    return np.add(UPRIGHT, (by_px, 0.0))


def ask(
    off_px: dict[str, Sequence[float]],
    joints: int = 17,
    votes: Sequence[Vote] = (),
) -> Recommendation:
    """A model's poses lie so far from the truth, one number a picture of one person."""
    pairs = []
    for offs in zip(*off_px.values(), strict=True):
        flags = np.where(np.arange(17) < joints, 2, 0)
        image = AnnotatedImage("x", 640, 480, (AnnotatedPerson(UPRIGHT, flags),))
        shown = {m: poses(moved(off)) for m, off in zip(off_px, offs, strict=True)}
        pairs.append((image, shown))
    seen = [Seen(shown, 640, f"{n}.jpg") for n, (_, shown) in enumerate(pairs)]
    return recommend(Evidence(seen, COSTS, truth=truth_errors(pairs), votes=votes))


def words(answer: Recommendation) -> str:
    return "\n".join(map(str, answer.reasons))


@pytest.fixture
def guess_says_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    guessed = {FAST: 0.5, SLOW: 0.9, THIRD: 0.4}
    monkeypatch.setattr(rule, "expected_quality", lambda signals, fit: guessed)
    monkeypatch.setattr(rule, "chances", lambda s, q, models, fit: {m: guessed[m] for m in models})


@pytest.mark.usefixtures("guess_says_slow")
def test_an_annotated_set_that_separates_nobody_gets_the_cheapest_and_says_so() -> None:
    """Consensus, sure of another model, does not overrule it."""
    off = {FAST: [4, 6, 4, 6, 4, 6], SLOW: [6, 4, 6, 4, 6, 3], THIRD: [5, 5, 5, 6, 5, 5]}
    answer = ask(off)
    assert (answer.model, answer.tier) == (FAST, "truth")
    said = words(answer)
    assert "The truth does not separate it from MoveNet Lightning on 6 people: 0.0" in said
    assert "Lightning is the cheapest of those within 0.05 of BlazePose full" in said
    assert "independent families agree" not in said


@pytest.mark.usefixtures("guess_says_slow")
def test_four_people_are_too_few_for_that() -> None:
    """All may be level for want of marks: what else there is may choose among them."""
    off = {FAST: [4, 6, 4, 6], SLOW: [6, 4, 6, 4], THIRD: [5, 5, 5, 6]}
    answer = ask(off)
    assert (answer.model, answer.tier) == (SLOW, "consensus")
    assert "Too few joints are marked" in words(answer)
    five = ask({model: [*each, 5] for model, each in off.items()})
    assert (five.model, five.tier) == (FAST, "truth")


def test_who_is_further_behind_than_the_margin_is_not_taken_for_being_cheap() -> None:
    """Lightning is right on most and far off on few: not surely behind, and not as good either."""
    off = {FAST: [3, 3, 3, 3, 40, 3], SLOW: [4, 4, 4, 4, 4, 4], THIRD: [4, 4, 4, 4, 4, 4]}
    errors = ask(off)
    assert (errors.model, errors.tier) == (SLOW, "truth")
    assert errors.expected[SLOW] - errors.expected[FAST] > 0.05
    assert "does not separate it from MoveNet Lightning" in words(errors)


@pytest.mark.usefixtures("guess_says_slow")
def test_few_marks_that_speak_against_the_guess_leave_no_recommendation() -> None:
    off = {FAST: [2.0], SLOW: [12.0], THIRD: [2.0]}
    answer = ask(off, joints=4)
    assert (answer.model, answer.tier) == (None, "none")
    assert "it speaks against BlazePose full: OKS 0." in words(answer)
    surer = ask(off, joints=5)
    assert (surer.model, surer.tier) == (FAST, "truth")
    votes = [Vote((SLOW, other), SLOW, f"{other}{i}") for i in range(4) for other in (FAST, THIRD)]
    assert ask(off, joints=4, votes=votes).model is None
    level = ask({FAST: [2.0], SLOW: [2.5], THIRD: [2.0]}, joints=4, votes=votes)
    assert (level.model, level.tier) == (SLOW, "votes")


def test_four_joints_tell_no_models_apart() -> None:
    for joints, sure in ((4, False), (5, True)):
        flags = np.where(np.arange(17) < joints, 2, 0)
        image = AnnotatedImage("x", 640, 480, (AnnotatedPerson(UPRIGHT, flags),))
        shown = {FAST: poses(UPRIGHT), SLOW: poses(moved(20))}
        assert lead(truth_errors([(image, shown)]), FAST, SLOW).sure == sure


@pytest.mark.parametrize(("worst", "as_good"), [(0.5, True), (0.4, False)])
def test_as_good_is_within_a_twentieth(worst: float, as_good: bool) -> None:
    """One joint of each of five people: OKS 0.9 against 0.86 or 0.84, not surely less."""
    joints = tuple((n, "nose") for n in range(5))
    similarity = {SLOW: np.full(5, 0.9), FAST: np.array([0.95] * 4 + [worst])}
    errors = TruthErrors(joints, dict.fromkeys(similarity, np.zeros(5)), similarity)
    settled = by_truth(errors, [FAST, SLOW], COSTS)
    assert settled is not None
    assert settled.model == (FAST if as_good else SLOW)
    told = "MoveNet Lightning is the cheapest of those within 0.05 of BlazePose full" in "".join(
        map(str, settled.reasons)
    )
    assert told == as_good
    against = marked_against(errors, [FAST, SLOW], FAST)
    assert (against is None) == as_good
    assert marked_against(errors, [FAST, SLOW], SLOW) is None
    # A model that shows none of what is marked is compared like any other.
    nothing = {SLOW: np.full(5, 0.9), FAST: np.zeros(5)}
    missed = {SLOW: np.zeros(5), FAST: np.full(5, np.nan)}
    settled = by_truth(TruthErrors(joints, missed, nothing), [FAST, SLOW], COSTS)
    assert settled is not None
    assert settled.model == SLOW
    # Of one model alone the truth has nothing to say.
    assert by_truth(errors, [FAST], COSTS) is None
    assert marked_against(errors, [FAST], FAST) is None
