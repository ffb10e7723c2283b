"""Models held against marked keypoints: every number worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from estimators.analysis.matching import COCO_SIGMAS
from estimators.analysis.scale import torso_length
from estimators.analysis.truth import (
    TruthErrors,
    in_words,
    lead,
    most_disputed,
    truth_errors,
    truth_scores,
)
from estimators.analysis.votes import Vote, preference, wilson
from estimators.analysis.votes import in_words as votes_in_words
from estimators.annotated import HIDDEN, VISIBLE, AnnotatedImage, AnnotatedPerson
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

K = len(COCO_17)
LIGHTNING, BLAZE = "movenet-lightning", "blazepose-full"
# Upright, the torso 100 px long.
STANDING = np.array(
    [
        *((50, 0), (55, -5), (45, -5), (60, 0), (40, 0), (75, 40), (25, 40), (80, 90), (20, 90)),
        *((80, 130), (20, 130), (65, 140), (35, 140), (65, 210), (35, 210), (65, 280), (35, 280)),
    ],
    np.float64,
)


def pose(xy: np.ndarray) -> PoseSet:
    return PoseSet(COCO_17, xy[None].astype(np.float32), np.ones((1, K), np.float32))


def person(xy: np.ndarray = STANDING, joints: tuple[str, ...] = COCO_17.joints) -> AnnotatedPerson:
    flags = np.array([VISIBLE if joint in joints else 0 for joint in COCO_17.joints])
    return AnnotatedPerson(xy, flags)


def image(*people: AnnotatedPerson) -> AnnotatedImage:
    return AnnotatedImage("a.jpg", 400, 300, people, "hash")


def moved(joint: str, dx: float, xy: np.ndarray = STANDING) -> np.ndarray:
    out = xy.copy()
    out[COCO_17.index(joint), 0] += dx
    return out


def test_errors_are_distances_in_torso_lengths_and_cocos_similarity() -> None:
    errors = truth_errors([(image(person()), {LIGHTNING: pose(moved("left_wrist", 30))})])
    wrist = COCO_17.index("left_wrist")
    assert errors.joints == tuple((0, joint) for joint in COCO_17.joints)
    expected = np.zeros(K)
    expected[wrist] = 0.3
    np.testing.assert_allclose(errors.error[LIGHTNING], expected, atol=1e-6)
    # The area is 0.6 of the box around the marked keypoints: 60 x 285 px.
    area, sigma = 0.6 * 60 * 285, COCO_SIGMAS[wrist]
    similarity = math.exp(-(30**2) / (2 * area * (2 * sigma) ** 2))
    assert errors.similarity[LIGHTNING][wrist] == pytest.approx(similarity, rel=1e-5)
    (score,) = truth_scores(errors)
    assert score.oks == pytest.approx((16 + similarity) / 17, rel=1e-5)
    assert (score.keypoints, score.found, score.median_error) == (
        17,
        17,
        pytest.approx(0, abs=1e-6),
    )


def test_only_marked_keypoints_count_and_a_hidden_joint_is_not_found() -> None:
    gone = STANDING.copy()
    gone[COCO_17.index("left_wrist")] = np.nan
    marked = person(joints=("left_wrist", "right_wrist", "left_knee"))
    errors = truth_errors([(image(marked), {LIGHTNING: pose(gone)})])
    assert [joint for _, joint in errors.joints] == ["left_wrist", "right_wrist", "left_knee"]
    (score,) = truth_scores(errors)
    assert (score.keypoints, score.found, score.nearest) == (3, 2, 2)
    assert score.oks == pytest.approx(2 / 3)


def test_a_bad_pose_is_judged_but_somebody_far_away_is_not_taken_for_the_person() -> None:
    marked = person(joints=("left_wrist",))
    bad = pose(moved("left_wrist", 80))
    errors = truth_errors(
        [(image(marked), {LIGHTNING: bad, BLAZE: pose(STANDING + np.array([120, 0]))})]
    )
    assert errors.error[LIGHTNING][0] == pytest.approx(0.8, rel=1e-5)
    assert math.isnan(errors.error[BLAZE][0])
    assert errors.similarity[BLAZE][0] == 0


def test_each_marked_person_is_held_against_another_of_the_models_people() -> None:
    near, far = STANDING, STANDING + np.array([60, 0])
    both = PoseSet(COCO_17, np.stack([far, near]).astype(np.float32), np.ones((2, K), np.float32))
    errors = truth_errors([(image(person(near), person(far)), {LIGHTNING: both})])
    np.testing.assert_allclose(errors.error[LIGHTNING], 0, atol=1e-6)
    assert [number for number, _ in errors.joints] == [0] * K + [1] * K


def test_scale_comes_from_the_models_where_no_torso_is_marked() -> None:
    doubled = STANDING * 2
    marked = person(doubled, joints=("left_knee",))
    errors = truth_errors([(image(marked), {LIGHTNING: pose(moved("left_knee", 20, doubled))})])
    assert errors.error[LIGHTNING][0] == pytest.approx(20 / 200, rel=1e-4)


@pytest.mark.parametrize(
    ("marked", "own"),
    [
        (("left_shoulder", "left_hip"), True),
        (("left_shoulder", "right_hip"), True),
        (("right_shoulder", "left_hip"), True),
        (("right_shoulder", "right_hip"), True),
        (("left_shoulder", "right_shoulder"), False),
        (("left_hip", "right_hip"), False),
    ],
)
def test_a_shoulder_and_a_hip_that_are_marked_give_the_scale(
    marked: tuple[str, ...], own: bool
) -> None:
    """The model's pose is 1.2 times as large, around the marked joints' middle."""
    flags = np.isin(COCO_17.joints, marked)
    truth = np.where(flags[:, None], STANDING, np.nan)
    middle = STANDING[flags].mean(axis=0)
    large = middle + 1.2 * (STANDING - middle)
    errors = truth_errors([(image(person(truth, marked)), {LIGHTNING: pose(large)})])
    off = np.linalg.norm(large - STANDING, axis=1)[flags]
    scale = float(torso_length(truth)) if own else 120.0
    np.testing.assert_allclose(errors.error[LIGHTNING], off / scale, rtol=1e-5)


def test_who_is_nearest_within_two_percent_of_a_torso() -> None:
    models = {LIGHTNING: pose(moved("nose", 1.9)), BLAZE: pose(moved("nose", 3.7))}
    first = {
        m: s for s in truth_scores(truth_errors([(image(person()), models)])) for m in [s.model]
    }
    assert (first[LIGHTNING].nearest, first[BLAZE].nearest) == (K, K)
    models[BLAZE] = pose(moved("nose", 4.1))
    later = {s.model: s.nearest for s in truth_scores(truth_errors([(image(person()), models)]))}
    assert later == {LIGHTNING: K, BLAZE: K - 1}
    level = {LIGHTNING: np.zeros(1), BLAZE: np.full(1, 0.02)}  # exactly as far apart
    scores = truth_scores(TruthErrors(((0, "nose"),), level, level))
    assert [score.nearest for score in scores] == [1, 1]


def test_intervals_hold_the_mean_and_widen_with_fewer_people() -> None:
    rng = np.random.default_rng(1)
    people, poses = [], []
    for i in range(12):
        at = STANDING + np.array([300 * i, 0])
        people.append(person(at))
        poses.append(at + rng.normal(0, 12, at.shape) + (0, 25 * (i % 2)))
    found = PoseSet(COCO_17, np.stack(poses).astype(np.float32), np.ones((12, K), np.float32))
    (all_of_them,) = truth_scores(truth_errors([(image(*people), {LIGHTNING: found})]))
    (few,) = truth_scores(truth_errors([(image(*people[:6]), {LIGHTNING: found})]))
    assert all_of_them.low < all_of_them.oks < all_of_them.high
    assert few.high - few.low > all_of_them.high - all_of_them.low
    # People are drawn, not keypoints, which would make it far too narrow: the half of the people
    # whose pose is 25 px too low differ from the others.
    assert all_of_them.high - all_of_them.low > 0.05


@pytest.mark.parametrize("people", [1, 4, 5, 6])
def test_intervals_are_of_a_thousand_draws_the_same_each_time(people: int) -> None:
    """Of people, of whom a different number is marked each, or of the keypoints of fewer than 5."""
    joints = [(n, COCO_17.joints[k]) for n in range(people) for k in range(5 + n)]
    values = np.random.default_rng(5).random(len(joints))
    zeros = np.zeros(len(joints))
    errors = TruthErrors(tuple(joints), {LIGHTNING: zeros}, {LIGHTNING: values, BLAZE: zeros})
    of = np.array([n for n, _ in joints]) if people >= 5 else np.arange(len(joints))
    count = int(of.max()) + 1
    draws = np.random.default_rng(20171029).integers(0, count, (1000, count))
    means = [np.concatenate([values[of == unit] for unit in draw]).mean() for draw in draws]
    ends = np.percentile(means, (2.5, 97.5))
    (score,) = truth_scores(errors)
    assert (score.low, score.high) == pytest.approx(ends)
    gap = lead(errors, LIGHTNING, BLAZE)
    assert (gap.low, gap.high) == pytest.approx(ends)
    assert (gap.difference, gap.keypoints) == (pytest.approx(values.mean()), len(joints))
    assert gap.sure
    assert not replace(gap, low=0.0).sure
    assert [replace(gap, keypoints=n).sure for n in (4, 5)] == [False, True]


def test_how_many_joints_are_marked_in_words() -> None:
    def told(*joints: str) -> str:
        found = {LIGHTNING: pose(STANDING), BLAZE: pose(moved("nose", 30))}
        return in_words(truth_errors([(image(person(joints=joints)), found)]))[0]

    start, end = "MoveNet Lightning is nearest on", "its median error is 0.00 torso, against"
    assert told("nose") == f"On the one joint marked, {start} 1; {end} BlazePose full 0.30 torso."
    assert told("nose", "left_knee").startswith(f"On the 2 joints marked, {start} 2; {end}")


def test_a_lead_is_sure_only_where_its_interval_leaves_zero_out() -> None:
    worse = STANDING + np.array([0, 30])
    clear = truth_errors([(image(person()), {LIGHTNING: pose(STANDING), BLAZE: pose(worse)})])
    gap = lead(clear, LIGHTNING, BLAZE)
    assert gap.sure
    assert gap.difference == pytest.approx(1 - clear.similarity[BLAZE].mean())
    assert "nearer to the truth than BlazePose full" in " ".join(in_words(clear))
    same = truth_errors([(image(person()), {LIGHTNING: pose(worse), BLAZE: pose(worse)})])
    assert not lead(same, LIGHTNING, BLAZE).sure
    assert "Too few joints" in " ".join(in_words(same))


def test_nothing_marked_nobody_found() -> None:
    assert truth_scores(truth_errors([])) == ()
    nobody = truth_errors([(image(person()), {LIGHTNING: PoseSet.empty(COCO_17)})])
    assert in_words(nobody) == (
        "No model shows a person within a torso length of the 17 joints marked.",
    )
    assert in_words(truth_errors([(image(), {LIGHTNING: pose(STANDING)})])) == ()


def test_the_most_disputed_joints_of_everybody_come_first() -> None:
    one, other = STANDING, STANDING + np.array([300, 0])
    a = PoseSet(COCO_17, np.stack([one, other]).astype(np.float32), np.ones((2, K), np.float32))
    apart = np.stack([moved("left_wrist", 50, moved("nose", 20, one)), moved("nose", 10, other)])
    apart[1, 5:7, 0] += (1.9, 2.1)  # both sides of what two annotators differ by
    b = replace(a, xy=apart.astype(np.float32))
    members = [{"a": 0, "b": 0}, {"a": 1, "b": 1}, {"a": 1}]
    asked = most_disputed({"a": a, "b": b}, members)
    assert asked == ((0, "left_wrist"), (1, "nose"), (0, "nose"), (1, "right_shoulder"))
    assert most_disputed({"a": a, "b": a}, members) == ()


def test_votes_give_a_share_with_wilsons_interval() -> None:
    votes = [Vote((LIGHTNING, BLAZE), BLAZE, str(i)) for i in range(8)]
    votes += [Vote((BLAZE, LIGHTNING), LIGHTNING, "8"), Vote((BLAZE, LIGHTNING), None, "9")]
    said = preference(votes, BLAZE, LIGHTNING)
    assert (said.wins, said.votes, said.neither) == (8, 9, 1)
    # Worked out with the formula of Wilson 1927 for 8 of 9.
    assert (said.low, said.high) == (
        pytest.approx(0.5650, abs=1e-4),
        pytest.approx(0.9801, abs=1e-4),
    )
    assert said.sure
    assert not preference(votes[:2], BLAZE, LIGHTNING).sure
    other = preference(votes, LIGHTNING, BLAZE)
    assert (other.wins, other.votes, other.neither) == (1, 9, 1)
    assert (other.low, other.high) == (pytest.approx(1 - said.high), pytest.approx(1 - said.low))
    assert not replace(said, low=0.5).sure
    assert wilson(0, 0) == (0.0, 1.0)
    for ends in (wilson(wins, n) for n in range(1, 60) for wins in (0, n)):
        assert 0 <= ends[0] < ends[1] <= 1
    with pytest.raises(ValueError, match="was not among"):
        Vote((LIGHTNING, BLAZE), "other", "")


def test_votes_in_words_name_the_one_that_won_more_often_first() -> None:
    def told(*winners: str | None) -> str:
        votes = [Vote((BLAZE, LIGHTNING), winner, str(i)) for i, winner in enumerate(winners)]
        (line,) = votes_in_words(votes, ("posenet", LIGHTNING, BLAZE))
        return line

    few = "too few votes to tell."
    assert (
        told(BLAZE) == f"BlazePose full over MoveNet Lightning: 1 of 1 votes (21% to 100%): {few}"
    )
    assert told(LIGHTNING, BLAZE) == (
        f"MoveNet Lightning over BlazePose full: 1 of 2 votes (9% to 91%): {few}"
    )
    assert told(LIGHTNING, None) == (
        f"MoveNet Lightning over BlazePose full: 1 of 1 votes (21% to 100%), neither 1×: {few}"
    )
    assert told(None).startswith("MoveNet Lightning over BlazePose full: 0 of 0 votes (0% to 100%)")
    assert votes_in_words([], (LIGHTNING, BLAZE)) == ()


def test_flags_and_positions_are_checked() -> None:
    with pytest.raises(ValueError, match="no position"):
        AnnotatedPerson(np.full((K, 2), np.nan), np.full(K, HIDDEN))
    with pytest.raises(ValueError, match="none of 0, 1 and 2"):
        AnnotatedPerson(STANDING, np.full(K, 1.5))
    with pytest.raises(ValueError, match="expected xy"):
        AnnotatedPerson(STANDING[:3], np.full(K, VISIBLE))


def test_ten_joints_are_asked_about_unless_told() -> None:
    people = pose(STANDING), pose(STANDING + np.arange(K)[:, None] * (3, 0))
    members = [{"a": 0, "b": 0}]
    asked = most_disputed(dict(zip("ab", people, strict=True)), members)
    assert [joint for _, joint in asked] == list(COCO_17.joints[:6:-1])
    assert len(asked) == 10
    assert most_disputed(dict(zip("ab", people, strict=True)), members, 2) == asked[:2]
