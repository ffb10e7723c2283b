"""Each sentence of a recommendation, word by word, and where it leads."""

from __future__ import annotations

import math

import numpy as np
import pytest

from estimators.analysis import doubts, sentences
from estimators.analysis.facts import Cost, ModelFacts
from estimators.analysis.plausibility import Finding
from estimators.analysis.seen import Seen
from estimators.analysis.sentences import Place, Reason
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

LIGHTNING, FULL, LITE, POSENET = (
    *("movenet-lightning", "blazepose-full"),
    *("blazepose-lite", "posenet"),
)
MULTI = "movenet-multipose"
_LEFT = [(4, -4), (8, -2), (20, 40), (28, 75), (30, 110), (12, 120), (14, 180), (14, 240)]
UPRIGHT = np.array([(0, 0), *(each for x, y in _LEFT for each in ((x, y), (-x, y)))], float)


def fact(model: str, found: int = 1, agreed: int = 1, distance: float = 0.1, **more) -> ModelFacts:  # type: ignore[no-untyped-def]
    given = {"cost": Cost(), "people": 1} | more
    return ModelFacts(model, found, agreed, distance, **given)


def facts(*each: ModelFacts) -> dict[str, ModelFacts]:
    return {f.model: f for f in each}


def texts(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.text for reason in reasons]


@pytest.mark.parametrize(
    ("voices", "by"),
    [
        (3, "what 3 independent families agree on"),
        (2, "how plausible each pose is; two families cannot outvote each other"),
        (
            1,
            "how plausible each pose is; variants of one family are one voice, and no other sees "
            "anybody",
        ),
    ],
)
def test_what_quality_is_guessed_from(voices: int, by: str) -> None:
    quality, _ = sentences.guess(voices, {LIGHTNING: 0.5, FULL: 0.9}, (FULL, 0.9), 0.5)
    assert quality.text == (
        f"Expected quality, by {by}: BlazePose full 0.90, MoveNet Lightning 0.50 "
        "(OKS a person, 1 is perfect)."
    )


@pytest.mark.parametrize(
    ("chance", "said"),
    [
        (0.78, "78%."),
        (0.7799, "77%, less than the 78% that a recommendation takes."),
        (0.999, "99%."),
    ],
)
def test_a_chance_is_never_rounded_up(chance: float, said: str) -> None:
    _, sure = sentences.guess(3, {FULL: 0.9}, (FULL, chance), 0.78)
    assert sure.text == f"BlazePose full is within 0.05 of the best with a chance of {said}"


def test_who_found_how_many_of_those_agreed_on() -> None:
    each = facts(
        fact(LIGHTNING, 1, 1, people=4), fact(FULL, 6, 3, people=4), fact(POSENET, 3, 2, people=4)
    )
    alone = [Finding("alone", FULL, 5, (), 3.0, 7, "a.jpg"), Finding("alone", POSENET, 6, (), 2.0)]
    two = "two families or more agree (OKS of 0.5 or more)"
    reasons = sentences.people(each, LIGHTNING, "clip", [Finding("exchanged", FULL, 1, (), 1)])
    assert texts(reasons) == [
        f"Of the 4 people on whom {two}, counted a frame: MoveNet Lightning 1, BlazePose full 3, "
        "PoseNet 2.",
        "Seen so by no other family, right or wrong: BlazePose full 3, PoseNet 1.",
    ]
    assert [reason.place for reason in reasons] == [None, None]
    told, others = sentences.people(each, POSENET, "picture", alone)
    assert told.text.endswith(f"on whom {two}: PoseNet 2, BlazePose full 3, MoveNet Lightning 1.")
    assert others.place == Place(7, 5, "", FULL, "a.jpg")
    (one,) = sentences.people(facts(fact(FULL)), None, "set of pictures", [])
    assert one.text == f"Of the one person on whom {two}: BlazePose full 1."


def test_nobody_is_agreed_on() -> None:
    each = facts(fact(FULL, 2, 0, people=0), fact(POSENET, 3, 0, people=0))
    (said,) = sentences.people(each, None, "picture", [Finding("alone", POSENET, 2, (), 2.0)])
    assert said.text == (
        "No two families agree on anybody (OKS of 0.5 or more). People found: BlazePose full 2, "
        "PoseNet 3."
    )
    assert said.place == Place(0, 2, "", POSENET)


@pytest.mark.parametrize(("found", "told"), [(0, False), (1, False), (2, True), (9, True)])
def test_who_was_held_to_few_and_found_as_many_is_not_blamed(found: int, told: bool) -> None:
    held = fact(MULTI, found, min(found, 3), held_to=2, people=4)
    assert bool(sentences.held_back(facts(held))) == told
    assert sentences.held_back(facts(fact(MULTI, 9, 3, people=4))) == ()


def test_distances_of_two_and_of_more() -> None:
    two = [fact(LIGHTNING, distance=0.12, worst=0.3), fact(FULL, distance=0.2, worst=0.4)]
    assert texts(sentences.distance(facts(*two), [])) == [
        "The two lie a median 12% of a torso length apart, a tenth of the joints more than 30%."
    ]
    unknown = fact(LITE, distance=math.nan)
    assert texts(sentences.distance(facts(*two, unknown, fact(POSENET, worst=0.5)), [])) == [
        "Distance of the joints from where the others put them, in torso lengths, median and 90th "
        "percentile: MoveNet Lightning 12% and 30%, BlazePose full 20% and 40%, "
        "PoseNet 10% and 50%."
    ]
    assert sentences.distance(facts(unknown), []) == ()


def seen(name: str, frame: int, off: dict[str, float]) -> Seen:
    """Somebody whose left wrist a model puts so many torsos, of 80 px, too low."""
    people = {}
    for model, torsos in off.items():
        xy = np.add(UPRIGHT, (300, 100))
        xy[COCO_17.index("left_wrist"), 1] += 80 * torsos
        people[model] = PoseSet(COCO_17, xy[None].astype(np.float32), np.ones((1, 17), np.float32))
    return Seen(people, 640, name, frame)


def test_where_they_differ_most_is_told_of_the_first_of_equals() -> None:
    calm, astray = {LIGHTNING: 0.1, FULL: 0, POSENET: 0}, {LIGHTNING: 0, FULL: 1.5, POSENET: 0}
    known = facts(*(fact(model) for model in calm))
    pictures = [seen(name, 0, off) for name, off in zip("abc", (calm, astray, astray), strict=True)]
    most = sentences.distance(known, pictures)[1]
    start = "They differ most at the left wrist of person 1"
    assert most.text == f"{start} on b: BlazePose full is 150% away."
    assert most.place == Place(0, 1, "left_wrist", FULL, "b")
    frames = [seen("", frame, off) for frame, off in ((3, calm), (4, astray))]
    assert sentences.distance(known, frames)[1].text.startswith(f"{start} in frame 4: BlazePose")
    (alone,) = [r for r in sentences.distance(known, frames[1:]) if "most" in r.text]
    assert alone.text == f"{start}: BlazePose full is 150% away."


def test_poses_too_far_apart_lead_to_the_worst_joint_of_the_model() -> None:
    astray = seen("", 2, {LIGHTNING: 0.5, FULL: 1.5, POSENET: 0})
    said = doubts.too_far(fact(POSENET), 0.6, [astray])
    assert said.place == Place(2, 1, "left_wrist", POSENET)
    far = fact(LIGHTNING, worst=0.75)
    said = doubts.too_far(far, 0.6, [astray])
    assert said.place == Place(2, 1, "left_wrist", LIGHTNING)
    assert said.text == (
        "The models see different poses: a tenth of the joints of MoveNet Lightning lie more than "
        "75% of a torso length from where the others put them (over 60% nothing is recommended "
        "where fewer than three families see anybody)."
    )
    assert doubts.too_far(far, 0.6, []).place == Place(model=LIGHTNING)


def test_doubts_say_their_figures() -> None:
    assert doubts.no_clear_lead(fact(FULL), 0.034, 0.23, 0.05).text == (
        "The models see different poses, up to 23% of a torso length apart in the median, and "
        "BlazePose full is expected to be better by 0.03, less than the 0.05 that would tell "
        "them apart."
    )
    nearly = doubts.no_clear_lead(fact(FULL), 0.0499, 0.23, 0.05).text
    assert "better by 0.04, less than the 0.05" in nearly, "never rounded up to what is asked for"
    for lead in (-0.03, 0.004):
        none = doubts.no_clear_lead(fact(FULL), lead, 0.23, 0.05).text
        assert none.endswith("BlazePose full is not expected to be better than the others.")
    assert doubts.rests_on_alone(fact(FULL), LIGHTNING, 0.064).text == (
        "BlazePose full comes first by people whom no other family sees: without them it is "
        "expected to be 0.06 behind MoveNet Lightning."
    )
    assert doubts.divided([POSENET, None, POSENET]).text == (
        "Which variants are compared decides here: taken one of each family at a time, once "
        "PoseNet, once none is recommended."
    )


def test_findings_name_their_picture_among_several_and_lead_to_the_last_joint() -> None:
    joints = ("left_knee", "left_ankle", "right_knee", "right_ankle")
    uneven = Finding("uneven limbs", FULL, 2, joints, 4.0, 0, "a.jpg")
    (one,) = sentences.plausibility([uneven], [FULL])
    assert one.text.endswith(" is 4.0 times the other.")
    assert one.place == Place(0, 2, "right_ankle", FULL, "a.jpg")
    other = Finding("long limb", FULL, 1, joints[:2], 2.0, 0, "b.jpg")
    found = [uneven, other, Finding("alone", FULL, 1, (), 2.0)]
    first, second = sentences.plausibility(found, [FULL])
    assert first.text.endswith(" is 4.0 times the other on a.jpg.")
    assert second.text.endswith(" lie 2.0 torso lengths apart on b.jpg.")


def test_time_and_memory_the_recommended_first() -> None:
    each = facts(
        fact(FULL, cost=Cost(12.0, 80.0)),
        fact(LIGHTNING, cost=Cost(2.0, math.nan)),
        fact(POSENET, cost=Cost(math.nan, 1234.0)),
    )
    assert texts(sentences.costs(each, LIGHTNING, list(each), "clip")) == [
        "Time a frame here: MoveNet Lightning 2.0 ms, BlazePose full 12 ms.",
        "Memory of its process: BlazePose full 80 MB, PoseNet 1,234 MB.",
    ]
    (time,) = sentences.costs(each, None, [LIGHTNING], "picture")
    assert time.text == "Time a picture here: MoveNet Lightning 2.0 ms."
    assert sentences.costs(each, None, [POSENET], "set of pictures") == ()


def test_who_gives_three_dimensions() -> None:
    one, two = facts(fact(LIGHTNING), fact(FULL)), facts(fact(FULL), fact(LITE), fact(LIGHTNING))
    assert texts(sentences.three_d(one, LIGHTNING, False)) == [
        "If you need 3-D: only BlazePose full gives joints in metres."
    ]
    assert texts(sentences.three_d(two, None, False)) == [
        "If you need 3-D: only BlazePose full and BlazePose lite give joints in metres."
    ]
    assert texts(sentences.three_d(two, FULL, False)) == [
        "It also gives the joints in metres, in 3-D."
    ]
    assert sentences.three_d(two, FULL, True) == ()
    assert sentences.three_d(facts(fact(LIGHTNING)), None, False) == ()


@pytest.mark.parametrize(
    ("model", "voices", "marked", "start"),
    [
        (None, 2, True, "What is marked tells no model apart"),
        (FULL, 2, True, "That is the truth of one clip"),
        (FULL, 2, False, "Agreement is not accuracy, and one clip is little"),
        (None, 2, False, "Nothing decides between two families: add a third one"),
        (None, 3, False, "Settle it yourself: mark the truth"),
    ],
)
def test_what_to_do_next(model: str | None, voices: int, marked: bool, start: str) -> None:
    (said,) = sentences.next_step(model, voices, "clip", marked)
    assert said.text.startswith(start)


def test_a_place_as_data_leaves_out_what_is_not_given() -> None:
    assert Reason("a", Place(0, 1, "nose")).as_data() == {
        "text": "a",
        "place": {"frame": 0, "person": 1, "joint": "nose"},
    }
    assert Reason("a").as_data() == {"text": "a"}
    assert sentences.headline(None, "clip").startswith("No recommendation: ")
    assert sentences.headline(FULL, "clip") == "For a clip like this: BlazePose full."
