"""What is implausible is found where it is, and a plain person has nothing of it."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.analysis.matching import group_people
from estimators.analysis.plausibility import Finding, exchanged, findings, long_limbs, uneven
from estimators.analysis.sentences import plausibility
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

LIGHTNING, FULL, POSENET = "movenet-lightning", "blazepose-full", "posenet"
# Around the nose; the joints on the picture's right side are the person's left ones.
_LEFT = [(4, -4), (8, -2), (20, 40), (28, 75), (30, 110), (12, 120), (14, 180), (14, 240)]
UPRIGHT = np.array([(0, 0), *(each for x, y in _LEFT for each in ((x, y), (-x, y)))], float)
FLIP = list(COCO_17.flip_indices)


def at(x: float, y: float = 100.0) -> np.ndarray:
    return np.add(UPRIGHT, (x, y))


def joint(name: str) -> int:
    return COCO_17.index(name)


def poses(*people: np.ndarray) -> PoseSet:
    xy = np.array(people, np.float32).reshape(-1, 17, 2)
    return PoseSet(COCO_17, xy, np.ones(xy.shape[:2], np.float32))


def found(people: dict[str, PoseSet]) -> list[tuple[str, str, int, tuple[str, ...]]]:
    every = findings(people, group_people(people), frame=7)
    assert all(f.frame == 7 for f in every)
    assert all(f.text for f in every)
    return [(f.kind, f.model, f.person, f.joints) for f in every]


def test_a_plain_person_has_nothing_implausible() -> None:
    people = {m: poses(at(300)) for m in (LIGHTNING, FULL, POSENET)}
    assert found(people) == []
    assert uneven(at(300)) == 0
    assert long_limbs(at(300)) == 0
    assert exchanged(at(300), at(300)) == 0


@pytest.mark.parametrize(("torsos", "seen"), [(1.25, False), (1.3, False), (1.35, True)])
def test_a_limb_longer_than_a_body_has(torsos: float, seen: bool) -> None:
    long = at(300)
    knee, ankle = joint("left_knee"), joint("left_ankle")
    long[ankle] = long[knee] + (0, torsos * 80)
    assert (long_limbs(long) == 1 / 8) == seen
    expected = ("long limb", LIGHTNING, 1, ("left_knee", "left_ankle"))
    assert (expected in found({LIGHTNING: poses(long), FULL: poses(at(300))})) == seen


@pytest.mark.parametrize(("ratio", "seen"), [(2.9, False), (3.0, False), (3.1, True)])
def test_limbs_uneven_beyond_foreshortening(ratio: float, seen: bool) -> None:
    short = at(300)
    knee, ankle = joint("left_knee"), joint("left_ankle")
    short[ankle] = short[knee] + (0, 60 / ratio)
    assert uneven(short) == pytest.approx(np.log(ratio) / 4, rel=0.01)
    told = found({LIGHTNING: poses(short), FULL: poses(at(300))})
    pair = ("left_knee", "left_ankle", "right_knee", "right_ankle")
    assert told == ([("uneven limbs", LIGHTNING, 1, pair)] if seen else [])


@pytest.mark.parametrize(("longer", "seen"), [(40, False), (44, True)])
def test_two_short_limbs_have_no_ratio_to_tell(longer: float, seen: bool) -> None:
    """Both end within half a torso, 40 px: seen end-on, a few pixels make a large ratio."""
    short = at(300)
    for side, length in (("left", longer), ("right", 10.0)):
        short[joint(f"{side}_ankle")] = short[joint(f"{side}_knee")] + (0, length)
    told = found({LIGHTNING: poses(short), FULL: poses(at(300))})
    assert ("uneven limbs" in [kind for kind, *_ in told]) == seen


def test_left_and_right_exchanged_against_every_other_voice() -> None:
    turned = at(300)[FLIP]
    people = {LIGHTNING: poses(turned), FULL: poses(at(300)), POSENET: poses(at(300))}
    assert exchanged(turned, at(300)) > 0.15
    assert ("exchanged", LIGHTNING, 1, ()) in found(people)
    assert exchanged(np.full((17, 2), np.nan), at(300)) == 0


@pytest.mark.parametrize("odd", [LIGHTNING, FULL, POSENET])
def test_of_three_the_one_that_both_others_contradict_is_exchanged(odd: str) -> None:
    turned = at(300)[FLIP]
    people = {m: poses(at(300) if m == odd else turned) for m in (LIGHTNING, FULL, POSENET)}
    # Not of one of its pairs besides.
    assert [f for f in found(people) if f[0].startswith("exchanged")] == [("exchanged", odd, 1, ())]
    # A second variant is the same voice, and does not speak for itself.
    more = {LIGHTNING: "movenet-thunder", FULL: "blazepose-lite", POSENET: ""}[odd]
    told = found(people | ({more: people[odd]} if more else {}))
    assert {f[1] for f in told if f[0] == "exchanged"} == {odd, more} - {""}


@pytest.mark.parametrize(("width", "gain", "seen"), [(0.175, 0.141, False), (0.19, 0.162, True)])
def test_exchanged_is_what_mirrored_agrees_better_by_more_than_a_little(
    width: float, gain: float, seen: bool
) -> None:
    """The further left and right lie apart, the better a mirrored pose agrees."""
    xy = at(300)
    xy[:, 0] = 300 + (xy[:, 0] - 300) * width
    assert exchanged(xy[FLIP], xy) == pytest.approx(gain, abs=0.001)
    people = {LIGHTNING: poses(xy[FLIP]), FULL: poses(xy), POSENET: poses(xy)}
    assert ("exchanged" in [f[0] for f in found(people)]) == seen


@pytest.mark.parametrize(("apart", "seen"), [(26, True), (24, False), (22, False)])
def test_one_pair_of_joints_exchanged_against_every_other_voice(apart: float, seen: bool) -> None:
    """The torso is 80 px: 0.3 of it is 24 px, the distance of the two ankles from each other."""
    left, right = joint("left_ankle"), joint("right_ankle")
    true = at(300)
    true[left], true[right] = (300 + apart / 2, 340), (300 - apart / 2, 340)
    wrong = true.copy()
    wrong[[left, right]] = true[[right, left]]
    one_hidden = true.copy()
    one_hidden[right] = np.nan
    people = {LIGHTNING: poses(true), FULL: poses(wrong), POSENET: poses(one_hidden)}
    pair = ("left_ankle", "right_ankle")
    kinds = [f for f in found(people) if f[0] == "exchanged pair"]
    assert kinds == ([("exchanged pair", FULL, 1, pair)] if seen else [])


@pytest.mark.parametrize(("beside", "seen"), [(32, True), (48, False)])
def test_an_exchanged_pair_lies_less_than_half_as_far_away(beside: float, seen: bool) -> None:
    """Ankles 80 px apart, exchanged and moved: as it is sqrt(80² + b²) away, exchanged b."""
    left, right = joint("left_ankle"), joint("right_ankle")
    true = at(300)
    true[left], true[right] = (340, 340), (260, 340)
    wrong = true.copy()
    wrong[[left, right]] = true[[right, left]] + (0, beside)
    people = {LIGHTNING: poses(true), FULL: poses(wrong), POSENET: poses(true)}
    kinds = {f[1] for f in found(people) if f[0] == "exchanged pair"}
    assert kinds == ({FULL} if seen else set())


def test_how_much_nearer_an_exchanged_pair_would_lie() -> None:
    """By 80 px, a torso, to one of the others, and by 80 - 8 to the one that it fits less."""
    left, right = joint("left_ankle"), joint("right_ankle")
    true, beside = at(300), at(300)
    true[[left, right]] = (340, 340), (260, 340)
    beside[[left, right]] = (348, 340), (268, 340)  # 88 and 72 px, exchanged 8 px
    wrong = true.copy()
    wrong[[left, right]] = true[[right, left]]
    people = {LIGHTNING: poses(true), FULL: poses(wrong), POSENET: poses(beside)}
    (told,) = [f for f in findings(people, group_people(people)) if f.model == FULL]
    assert told.figure == pytest.approx((80 - 8) / 80)


def test_one_of_a_pair_that_lies_where_the_other_belongs() -> None:
    """One of the others shows that joint only, which does not tell where the other way would be."""
    left, right = joint("left_ankle"), joint("right_ankle")
    true = at(300)
    true[left], true[right] = (340, 340), (260, 340)
    wrong, half = true.copy(), true.copy()
    wrong[left], wrong[right] = true[right], np.nan
    half[right] = np.nan
    people = {LIGHTNING: poses(true), FULL: poses(wrong), POSENET: poses(half)}
    assert ("exchanged pair", FULL, 1, ("left_ankle", "right_ankle")) in found(people)


def test_a_pair_that_is_elsewhere_either_way_is_not_exchanged() -> None:
    off = at(300)
    for name in ("left_ankle", "right_ankle"):
        off[joint(name)] += (60, 0)
    people = {LIGHTNING: poses(at(300)), FULL: poses(off), POSENET: poses(at(300))}
    assert not [f for f in found(people) if f[0] == "exchanged pair"]


def test_a_joint_on_another_person() -> None:
    wrong = at(300)
    wrong[joint("left_wrist")] = at(420)[joint("left_wrist")]
    people = {
        LIGHTNING: poses(wrong, at(420)),
        FULL: poses(at(300), at(420)),
        POSENET: poses(at(300), at(420)),
    }
    told = [f for f in findings(people, group_people(people)) if f.kind == "on another person"]
    (one,) = told  # once, however many models show the other person
    assert (one.model, one.person, one.joints) == (LIGHTNING, 1, ("left_wrist",))
    assert one.figure == pytest.approx(120 / 80)


def test_near_another_person_is_not_on_them() -> None:
    wrong = at(300)
    wrong[joint("left_wrist")] = at(420)[joint("left_wrist")] + (24, 0)  # 0.3 torso lengths
    two = poses(at(300), at(420))
    people = {LIGHTNING: poses(wrong, at(420)), FULL: two, POSENET: two}
    assert "on another person" not in [f[0] for f in found(people)]


def test_somebody_seen_from_the_side_is_not_exchanged() -> None:
    """Left and right lie so near each other that which is which makes no difference."""
    side = at(300)
    side[:, 0] = 300 + (side[:, 0] - 300) * 0.1
    people = {LIGHTNING: poses(side[FLIP]), FULL: poses(side), POSENET: poses(side)}
    assert 0 < exchanged(side[FLIP], side) < 0.15
    assert found(people) == []


def test_somebody_whom_one_voice_alone_sees() -> None:
    people = {LIGHTNING: poses(at(300)), FULL: poses(at(300), at(500)), POSENET: poses(at(300))}
    assert found(people) == [("alone", FULL, 2, ())]
    assert found({FULL: poses(at(300))}) == []


@pytest.mark.parametrize(("off", "seen"), [(0.45, False), (0.5, False), (0.6, True)])
def test_a_joint_on_another_person_is_half_a_torso_off_its_own(off: float, seen: bool) -> None:
    """Two wrists that are that near each other; one model takes the one for the other."""
    one, other = at(300), at(420)
    wrist = joint("left_wrist")
    other[wrist] = one[wrist] + (off * 80, 0)
    wrong = one.copy()
    wrong[wrist] = other[wrist]
    two = poses(one, other)
    told = found({LIGHTNING: poses(wrong, other), FULL: two, POSENET: two})
    on = [f for f in told if f[0] == "on another person"]
    assert bool(on) == seen


def test_the_verdict_tells_the_gravest_findings_of_models_that_are_left() -> None:
    given = [
        Finding("long limb", LIGHTNING, 1, ("left_knee", "left_ankle"), 9.0, 4),
        Finding("long limb", LIGHTNING, 2, ("left_knee", "left_ankle"), 8.0),
        Finding("alone", FULL, 3, (), 3.0),
        Finding("uneven limbs", POSENET, 1, ("left_knee",), 4.0),
        Finding("exchanged", FULL, 1, (), 0.4),
    ]
    said = plausibility(given, [LIGHTNING, FULL])
    # Each kind of a model once; who is alone is told elsewhere.
    assert [(r.place.model, r.place.frame, r.place.joint) for r in said if r.place] == [
        (LIGHTNING, 4, "left_ankle"),
        (FULL, 0, ""),
    ]
    many = [Finding(kind, LIGHTNING, 1, ("nose",), 1.0) for kind in KINDS_OF_A_POSE]
    assert len(plausibility(many, [LIGHTNING])) == 3


KINDS_OF_A_POSE = ("long limb", "uneven limbs", "exchanged", "exchanged pair")


@pytest.mark.parametrize(("near", "seen"), [(0.1, True), (0.15, False), (0.2, False)])
def test_on_another_person_is_within_a_seventh_of_a_torso(near: float, seen: bool) -> None:
    wrong = at(300)
    wrong[joint("left_wrist")] = at(420)[joint("left_wrist")] + (near * 80, 0)
    two = poses(at(300), at(420))
    told = found({LIGHTNING: poses(wrong, at(420)), FULL: two, POSENET: two})
    assert bool([f for f in told if f[0] == "on another person"]) == seen


def test_findings_tell_how_much() -> None:
    long, short = at(300), at(300)
    knee, ankle = joint("left_knee"), joint("left_ankle")
    long[ankle] = long[knee] + (0, 1.35 * 80)
    short[ankle] = short[knee] + (0, 60 / 3.25)
    for wrong, kind, figure in ((long, "long limb", 1.35), (short, "uneven limbs", 3.25)):
        people = {LIGHTNING: poses(wrong), FULL: poses(at(300))}
        (told,) = [f for f in findings(people, group_people(people)) if f.kind == kind]
        assert told.figure == pytest.approx(figure, rel=1e-3)
        assert f"{figure:.1f} t" in told.text
        assert told.frame == 0


def test_the_gravest_comes_first_and_frames_are_counted_in_words() -> None:
    long, longer = at(300), at(600)
    for xy, torsos in ((long, 1.5), (longer, 2.5)):
        xy[joint("left_ankle")] = xy[joint("left_knee")] + (0, torsos * 80)
    people = {LIGHTNING: poses(long, longer), FULL: poses(at(300), at(600))}
    told = [f for f in findings(people, group_people(people)) if f.kind == "long limb"]
    assert [f.figure for f in told] == pytest.approx([2.5, 1.5])
    once, twice = (Finding("side swap", LIGHTNING, 1, (), n).text for n in (1, 2))
    assert once.endswith(" in 1 frame")
    assert twice.endswith(" in 2 frames")
