"""The rule: requirements, tiers, declining, twins; on constructed poses whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from estimators.analysis import guess as rule
from estimators.analysis.facts import Cost, ModelFacts
from estimators.analysis.plausibility import Finding
from estimators.analysis.recommend import Evidence, Recommendation, recommend
from estimators.analysis.requirements import ANYTHING, Needs, agreed_people
from estimators.analysis.seen import Seen
from estimators.analysis.sentences import distance, held_back
from estimators.analysis.signals import Signals
from estimators.analysis.truth import truth_errors
from estimators.analysis.votes import Vote
from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.registry import get
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

LIGHTNING, THUNDER, FULL, LITE = (
    *("movenet-lightning", "movenet-thunder"),
    *("blazepose-full", "blazepose-lite"),
)
POSENET, MULTI, RCNN = "posenet", "movenet-multipose-512", "keypointrcnn-fast"
COSTS = {m: Cost(ms, 100.0) for m, ms in ((LIGHTNING, 2), (FULL, 12), (POSENET, 20), (MULTI, 25))}
_RIGHT = [(4, -4), (8, -2), (20, 40), (28, 75), (30, 110), (12, 120), (14, 180), (14, 240)]
UPRIGHT = np.array([(0, 0), *(each for x, y in _RIGHT for each in ((x, y), (-x, y)))], float)
TORSO = 80.0
RNG = np.random.default_rng(3)


def person(x: float = 300, y: float = 100, noise: float = 2.0) -> np.ndarray:
    return moved(UPRIGHT, x, y) + RNG.normal(0, noise, (17, 2))


def moved(xy: np.ndarray, x: float, y: float = 0.0) -> np.ndarray:
    return np.add(xy, (x, y))


def poses(*people: np.ndarray, score: float = 0.8) -> PoseSet:
    n = len(people)
    xy = np.array(people, np.float32).reshape(n, 17, 2)
    return PoseSet(COCO_17, xy, np.full((n, 17), score, np.float32), np.full(n, score, np.float32))


def ask(people: Mapping[str, PoseSet], needs: Needs = ANYTHING, **more: Any) -> Recommendation:
    costs = more.pop("costs", {m: COSTS.get(m, Cost(50.0, 100.0)) for m in people})
    return recommend(Evidence([Seen(people, 640)], costs, **more), needs)


def text(answer: Recommendation) -> str:
    return "\n".join(map(str, answer.reasons))


def agreeing() -> dict[str, PoseSet]:
    return {m: poses(person()) for m in (LIGHTNING, FULL, POSENET)}


def apart(torsos: float) -> dict[str, PoseSet]:
    """Three models; BlazePose puts a quarter of the joints that far from where they are."""
    far = person()
    far[5:9] += (torsos * TORSO, 0)
    return {LIGHTNING: poses(person()), FULL: poses(far), POSENET: poses(person())}


def fixed(monkeypatch: pytest.MonkeyPatch, quality: dict[str, float], chance: dict) -> None:
    monkeypatch.setattr(
        rule, "expected_quality", lambda signals, fit: {m: quality[m] for m in signals.people}
    )
    monkeypatch.setattr(rule, "chances", lambda s, q, models, fit: {m: chance[m] for m in models})


CROWD = {
    LIGHTNING: poses(person(320)),
    FULL: poses(person(120), person(320)),
    POSENET: poses(*(person(x) for x in (120, 320, 520))),
    MULTI: poses(*(person(x) for x in (120, 320, 520))),
}


def test_the_table_of_fixed_scenes(capsys: pytest.CaptureFixture[str]) -> None:
    """No scene may get a model that is clearly behind, and those that cannot be told get none."""
    shifted = agreeing() | {LIGHTNING: poses(moved(person(), 0.3 * TORSO))}
    scenes: list[tuple[str, dict[str, PoseSet], set[str | None]]] = [
        ("one person, all agree", agreeing(), {LIGHTNING, FULL, POSENET}),
        ("the fast one stands apart", shifted, {FULL, POSENET, None}),
        ("one sees another pose", apart(2.0), {LIGHTNING, POSENET, None}),
        ("a crowd", CROWD, {POSENET, MULTI, None}),
        ("two voices, two poses", dict(list(apart(2.0).items())[:2]), {None}),
        ("nobody", {m: poses() for m in (LIGHTNING, FULL, POSENET)}, {None}),
        (
            "only one sees anybody",
            {LIGHTNING: poses(person()), FULL: poses(), POSENET: poses()},
            {None, LIGHTNING},
        ),
    ]
    for name, people, right in scenes:
        answer = ask(people)
        with capsys.disabled():
            print(f"\n{name:28} {answer.tier:13} {answer.model or 'none':18}", end="")
        assert answer.model in right, f"{name}: {text(answer)}"


def test_agreement_of_three_families_is_consensus_and_says_its_figures() -> None:
    answer = ask(agreeing())
    assert answer.tier == "consensus"
    assert answer.headline.startswith("For a picture like this: ")
    said = text(answer)
    assert "3 independent families" in said
    assert "the one person on whom two families or more agree" in said
    assert "2.0 ms" in said
    place = next(r.place for r in answer.reasons if "differ most" in r.text)
    assert place is not None
    assert place.person == 1
    assert place.joint in COCO_17.joints


def test_of_those_about_as_good_the_cheapest(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = dict.fromkeys((LIGHTNING, FULL, POSENET), 0.9) | {POSENET: 0.95}
    for quality, expected in ((0.501, LIGHTNING), (0.5, LIGHTNING), (0.499, POSENET)):
        fixed(monkeypatch, {LIGHTNING: quality, FULL: 0.3, POSENET: 0.52}, chance)
        assert ask(agreeing()).model == expected
    for least, expected in ((0.5, LIGHTNING), (0.49, POSENET)):
        fixed(monkeypatch, {LIGHTNING: 0.7, FULL: 0.3, POSENET: 0.7}, chance | {LIGHTNING: least})
        assert ask(agreeing()).model == expected


def test_thin_evidence_gets_no_recommendation(monkeypatch: pytest.MonkeyPatch) -> None:
    quality = {LIGHTNING: 0.7, FULL: 0.3, POSENET: 0.3}
    for chance, expected in ((0.51, LIGHTNING), (0.5, LIGHTNING), (0.49, None)):
        odds = {LIGHTNING: chance, FULL: 0.1, POSENET: 0.1}
        fixed(monkeypatch, quality, odds)
        answer = ask(agreeing())
        assert answer.model == expected
        assert answer.tier == ("consensus" if expected else "none")
        assert ("less than the 50%" in text(answer)) == (expected is None)
    assert "mark the truth" in text(answer)


def test_two_families_that_see_anybody_must_be_surer(monkeypatch: pytest.MonkeyPatch) -> None:
    quality = {LIGHTNING: 0.7, FULL: 0.3, POSENET: 0.3}
    people = agreeing() | {POSENET: PoseSet.empty(COCO_17)}
    for chance, expected in ((0.71, LIGHTNING), (0.699, None)):
        fixed(monkeypatch, quality, {LIGHTNING: chance, FULL: 0.1, POSENET: 0.1})
        answer = ask(people)
        assert answer.model == expected
        assert answer.tier == ("plausibility" if expected else "none")
    assert "a chance of 69%, less than the 70%" in text(answer)
    del people[POSENET]  # nobody else was asked
    for chance, expected in ((0.93, LIGHTNING), (0.92, LIGHTNING), (0.919, None)):
        fixed(monkeypatch, quality, {LIGHTNING: chance, FULL: 0.1})
        assert ask(people).model == expected
    assert "a chance of 91%, less than the 92%" in text(ask(people))


def test_two_families_that_see_different_poses_get_no_recommendation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a third that agrees with one of them, the one that stands apart is known."""
    quality, chance = {LIGHTNING: 0.7, FULL: 0.4, POSENET: 0.5}, dict.fromkeys(COSTS, 0.93)
    fixed(monkeypatch, quality, chance)
    for torsos, expected in ((0.5, LIGHTNING), (0.7, None)):
        two = dict(list(apart(torsos).items())[:2])
        assert ask(two).model == expected
        assert ("see different poses" in text(ask(two))) == (expected is None)
    # Its tenth worst joint lies a torso length from the middle of the others.
    assert ask(apart(2.0)).model == LIGHTNING


def test_the_best_of_bad_ones_gets_no_recommendation(monkeypatch: pytest.MonkeyPatch) -> None:
    for quality, expected in ((0.21, POSENET), (0.2, POSENET), (0.19, None)):
        qualities = {LIGHTNING: 0.1, FULL: 0.1, POSENET: quality}
        fixed(monkeypatch, qualities, {LIGHTNING: 0.1, FULL: 0.1, POSENET: 0.9})
        answer = ask(agreeing())
        assert answer.model == expected
        assert ("less than the 0.2 that" in text(answer)) == (expected is None)


def test_whom_no_other_family_bears_out_gets_no_recommendation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unless it is surer.  A second variant bears nobody out; one that alone sees anybody needs no
    more than any."""
    people = {LIGHTNING: poses(person(120)), FULL: poses(person(320)), POSENET: poses(person(320))}
    chance = {LIGHTNING: 0.84, FULL: 0.1, POSENET: 0.1, THUNDER: 0.845}
    fixed(monkeypatch, dict.fromkeys(chance, 0.5), chance)
    for each in (people, people | {THUNDER: poses(person(120))}):
        answer = ask(each)
        assert answer.model is None
        assert "Nobody bears MoveNet Lightning out" in text(answer)
        assert "a chance of 84%, less than the 85%" in text(answer)
    fixed(monkeypatch, dict.fromkeys(chance, 0.5), chance | {LIGHTNING: 0.85})
    assert ask(people).model == LIGHTNING
    fixed(monkeypatch, dict.fromkeys(chance, 0.5), chance | {LIGHTNING: 0.1, FULL: 0.7})
    assert ask(people).model == FULL
    fixed(monkeypatch, dict.fromkeys(chance, 0.5), chance)
    nobody = people | {FULL: poses(), POSENET: poses()}
    assert ask(nobody).model == LIGHTNING
    assert "No two families agree on anybody" in text(ask(nobody))


@pytest.mark.parametrize(
    ("borne_out", "chance", "named"),
    [(0.44, 0.84, None), (0.44, 0.85, POSENET), (0.46, 0.84, POSENET)],
)
def test_a_model_that_only_people_seen_by_no_other_put_first_must_be_surer(
    borne_out: float, chance: float, named: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its second person PoseNet is expected to be behind BlazePose by so much."""
    people = agreeing() | {POSENET: poses(person(), person(120))}
    fixed(monkeypatch, {}, {LIGHTNING: 0.1, FULL: 0.2, POSENET: chance})

    def quality(signals: Signals, fit: object) -> dict[str, float]:
        second = len(signals.people[POSENET]) > 1
        return {LIGHTNING: 0.3, FULL: 0.5, POSENET: 0.8 if second else borne_out}

    monkeypatch.setattr(rule, "expected_quality", quality)
    answer = ask(people)
    assert answer.model == named
    told = "PoseNet comes first by people whom no other family sees: without them it is expected"
    assert (told in text(answer)) == (borne_out == 0.44)
    assert ("to be 0.06 behind BlazePose full" in text(answer)) == (borne_out == 0.44)
    # Where one family alone agrees with it, who is seen by one only is not what decides.
    assert told not in text(ask(people | {LIGHTNING: poses()}))


def test_families_agree_on_a_person_from_an_oks_of_a_half() -> None:
    """Two people whom two families place alike put the one-person model out; else they do not."""
    for far, out in ((0.15, {LIGHTNING}), (0.18, set())):
        people = {FULL: poses(person(120), person(420, noise=0))}
        people[POSENET] = poses(person(120), person(420 + far * TORSO, noise=0))
        people[LIGHTNING] = poses(person(120))
        groups = Seen(people, 640).groups
        assert len(groups) == 2
        assert ask(people).out.keys() == out
    said = text(ask(people))
    assert "Of the one person on whom two families or more agree (OKS of 0.5 or more)" in said
    assert "Seen so by no other family, right or wrong: BlazePose full 1, PoseNet 1" in said


def test_two_families_are_no_consensus() -> None:
    people = dict(list(agreeing().items())[:2])
    answer = ask(people)
    assert answer.tier in ("plausibility", "none")
    assert "cannot outvote each other" in text(answer)
    declined = ask(dict(list(apart(2.0).items())[:2]))
    assert "add a third one" in text(declined)


def test_variants_of_one_family_are_one_voice() -> None:
    people = {LIGHTNING: poses(person()), THUNDER: poses(person()), MULTI: poses(person())}
    assert ask(people).tier in ("plausibility", "none")
    assert "variants of one family are one voice" in text(ask(people))


@pytest.mark.parametrize("people", [agreeing(), apart(0.3), apart(2.0), CROWD])
def test_a_copy_changes_no_verdict(people: dict[str, PoseSet]) -> None:
    alone = ask(people)
    for twin in ("movenet-lightning-tfhub", LITE):
        of = LIGHTNING if twin.endswith("tfhub") else FULL
        both = ask(people | {twin: people[of]})
        assert (both.model, alone.model is None) == (alone.model, both.model is None)
        assert both.expected.keys() - {twin} == alone.expected.keys()


@pytest.mark.parametrize("people", [agreeing(), apart(0.3), apart(2.0), CROWD])
def test_a_model_that_is_added_late_counts_as_one_that_was_there(
    people: dict[str, PoseSet],
) -> None:
    """Whatever came first, the same models get the same answer in the same words."""
    *early, late = people
    later = ask({late: people[late], **{m: people[m] for m in early[::-1]}})
    at_once = ask(people)
    assert (later.model, later.tier, later.out.keys()) == (
        *(at_once.model, at_once.tier, at_once.out.keys()),
    )
    assert later.expected == pytest.approx(dict(at_once.expected))
    assert later.chance == pytest.approx(at_once.chance)


def test_two_wrong_variants_do_not_outvote_two_right_families() -> None:
    wrong = moved(person(), 0.35 * TORSO)
    people = {LIGHTNING: poses(wrong), THUNDER: poses(wrong + 1), MULTI: poses(wrong - 1)}
    answer = ask(people | {FULL: poses(person()), POSENET: poses(person())})
    assert answer.model in (FULL, POSENET, None)


def test_a_one_person_model_is_out_where_families_agree_on_more() -> None:
    answer = ask(CROWD)
    assert answer.out.keys() == {LIGHTNING}
    assert "looks for one person" in answer.out[LIGHTNING]
    assert "agree on 3" in answer.out[LIGHTNING]
    two = {m: poses(person(120), person(320)) for m in (FULL, POSENET)}
    assert ask(two | {LIGHTNING: poses(person(120))}).out.keys() == {LIGHTNING}
    one = {m: poses(person()) for m in CROWD} | {POSENET: poses(person(), person(120))}
    assert ask(one).out == {}


@pytest.mark.parametrize(
    ("needs", "out", "figure"),
    [
        (Needs(gives_3d=True), {LIGHTNING, POSENET}, "metres"),
        (Needs(people=2), {LIGHTNING}, "at most 1 of the 2 people"),
        (Needs(people=5), {LIGHTNING}, "at most 1 of the 5 people"),
        (Needs(people=6), {LIGHTNING, FULL}, "at most 5 of the 6 people"),
        (Needs(latency_ms=12), {POSENET}, "takes 20 ms, more than 12 ms"),
        (Needs(latency_ms=11), {POSENET, FULL}, "takes 12 ms, more than 11 ms"),
        (Needs(memory_mb=100), set(), ""),
        (Needs(memory_mb=99), {LIGHTNING, FULL, POSENET}, "holds 100 MB, more than 99 MB"),
    ],
)
def test_requirements_put_models_out_with_the_figure(
    needs: Needs, out: set[str], figure: str
) -> None:
    answer = ask(agreeing(), needs)
    assert answer.out.keys() == out
    assert figure in text(answer)
    assert answer.model not in out
    if len(out) == 2:
        (left,) = agreeing().keys() - out
        assert (answer.model, answer.tier) == (left, "requirements")
        assert "only one left" in answer.headline
    if len(out) == 3:
        assert answer.model is None
        assert "meets what you need" in answer.headline


def test_how_many_are_agreed_on_is_the_median_over_pictures() -> None:
    both = {
        count: poses(*(person(120 * n, noise=0) for n in range(1, 1 + count))) for count in (1, 3)
    }
    pictures = [Seen({FULL: both[n], POSENET: both[n]}, 640) for n in (1, 3, 1)]
    assert agreed_people(pictures) == 1
    assert agreed_people([*pictures, pictures[1], pictures[1]]) == 3
    assert agreed_people([]) == 0
    assert Needs() == Needs(1, gives_3d=False, latency_ms=None, memory_mb=None)


def test_what_was_not_measured_puts_nobody_out() -> None:
    costs = {m: Cost() for m in agreeing()}
    assert ask(agreeing(), Needs(latency_ms=1, memory_mb=1), costs=costs).out == {}


def test_failed_models_nobody_and_one_model_are_said() -> None:
    nobody = ask({m: poses() for m in (LIGHTNING, FULL)}, failed=[RCNN])
    assert nobody.headline == "No model found anybody in this picture."
    assert "Keypoint R-CNN fast is not judged" in text(nobody)
    assert recommend(Evidence([], failed=[RCNN])).headline == "No model has answered yet."
    one = ask({FULL: poses(person())})
    assert (one.model, one.tier) == (FULL, "requirements")
    assert "Compare it with others" in text(one)


def test_truth_goes_before_what_the_models_agree_on() -> None:
    """Two families agree on a wrong pose; what is marked says so."""
    right, wrong = person(), moved(person(), 0.5 * TORSO)
    people = {LIGHTNING: poses(wrong), FULL: poses(right), POSENET: poses(wrong + 1)}
    marked = AnnotatedPerson(right, np.full(17, 2))
    errors = truth_errors([(AnnotatedImage("x", 640, 480, (marked,)), people)])
    answer = ask(people, truth=errors)
    assert (answer.model, answer.tier) == (FULL, "truth")
    assert "On the 17 joints marked, BlazePose full is nearest" in text(answer)
    assert "That is the truth of one picture" in text(answer)
    assert "Agreement is not accuracy" not in text(answer)
    assert ask(people).model != FULL


def test_a_cheaper_model_is_taken_only_where_truth_calls_it_as_good() -> None:
    """Too little is marked to be sure that Lightning is behind; that does not make it as good."""
    xy = person()
    marked = AnnotatedPerson(xy, np.full(17, 2))
    worse, bad = xy.copy(), moved(xy, 0.5 * TORSO)
    worse[:2] += (0.6 * TORSO, 0)  # two joints of 17: the interval of the difference has zero in it

    def answer(other: np.ndarray) -> Recommendation:
        people = {LIGHTNING: poses(other), FULL: poses(xy), POSENET: poses(bad)}
        return ask(people, truth=truth_errors([(AnnotatedImage("x", 640, 480, (marked,)), people)]))

    assert (answer(worse).model, answer(worse).tier) == (FULL, "truth")
    assert "Too few joints are marked to tell it from MoveNet Lightning" in text(answer(worse))
    assert answer(xy).model == LIGHTNING  # the cheaper one of two that are level


def ballots(winner: str, loser: str, count: int) -> list[Vote]:
    return [Vote((winner, loser), winner, f"{winner}{loser}:{i}") for i in range(count)]


@pytest.mark.parametrize(
    ("wins", "losses", "sure"), [(4, 0, True), (3, 0, False), (7, 1, True), (6, 1, False)]
)
def test_votes_speak_where_their_interval_leaves_a_half_out(
    wins: int, losses: int, sure: bool
) -> None:
    """Wilson's lower ends: 0.510, 0.438, 0.529 and 0.487.  The figures are told either way."""
    people = dict(list(apart(2.0).items())[:2])
    votes = ballots(FULL, LIGHTNING, wins) + ballots(LIGHTNING, FULL, losses)
    answer = ask(people, votes=votes)
    assert (answer.model, answer.tier) == ((FULL, "votes") if sure else (None, "none"))
    told = f"BlazePose full over MoveNet Lightning: {wins} of {wins + losses} votes ("
    assert told in text(answer)
    assert ("too few votes to tell" in text(answer)) != sure
    assert answer.as_data()["chance"] is None or not sure


def test_votes_put_models_behind_and_the_rest_is_decided_as_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = {LIGHTNING: 0.95, FULL: 0.8, POSENET: 0.9}
    fixed(monkeypatch, {LIGHTNING: 0.9, FULL: 0.5, POSENET: 0.7}, chance)
    assert ask(agreeing()).model == LIGHTNING
    behind = ballots(FULL, LIGHTNING, 4)
    answer = ask(agreeing(), votes=behind)
    assert (answer.model, answer.tier) == (POSENET, "consensus")
    assert "BlazePose full over MoveNet Lightning: 4 of 4 votes (51% to 100%): preferred" in text(
        answer
    )
    both = ask(agreeing(), votes=behind + ballots(FULL, POSENET, 4))
    assert (both.model, both.tier) == (FULL, "votes")
    circle = behind + ballots(LIGHTNING, POSENET, 4) + ballots(POSENET, FULL, 4)
    assert ask(agreeing(), votes=circle).model == LIGHTNING
    # What it lost against does not matter where that is out itself.
    fast = ask(agreeing(), Needs(latency_ms=11), votes=behind)
    assert (fast.model, fast.tier) == (LIGHTNING, "requirements")


def test_truth_goes_before_votes_and_is_told_where_it_decides_nothing() -> None:
    right, wrong = person(), moved(person(), 0.5 * TORSO)
    people = {LIGHTNING: poses(wrong), FULL: poses(right)}
    image = AnnotatedImage("x", 640, 480, (AnnotatedPerson(right, np.full(17, 2)),))
    alike = truth_errors([(image, dict.fromkeys(people, poses(right)))])
    votes = ballots(LIGHTNING, FULL, 9)
    for errors, expected in (
        (truth_errors([(image, people)]), (FULL, "truth")),
        (alike, (LIGHTNING, "votes")),
    ):
        answer = ask(people, truth=errors, votes=votes)
        assert (answer.model, answer.tier) == expected
        assert "MoveNet Lightning over BlazePose full: 9 of 9 votes" in text(answer)
        assert text(answer).count("On the 17 joints marked") == 1


def test_a_model_that_changes_sides_is_not_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed(
        monkeypatch,
        {LIGHTNING: 0.7, FULL: 0.3, POSENET: 0.7},
        dict.fromkeys((LIGHTNING, FULL, POSENET), 0.9),
    )
    swap = Finding("side swap", LIGHTNING, 1, (), 4.0, 17)
    assert ask(agreeing()).model == LIGHTNING
    answer = ask(agreeing(), unsteady=[swap], subject="clip")
    assert answer.model == POSENET
    reason = next(r for r in answer.reasons if "change sides in 4 frames" in r.text)
    assert reason.place is not None
    assert reason.place.frame == 17


def test_latency_measured_while_busy_says_so() -> None:
    costs = {m: Cost(5.0, 100.0, busy=m == FULL) for m in agreeing()}
    assert "BlazePose full 5.0 ms, measured while busy" in text(ask(agreeing(), costs=costs))


def test_the_verdict_as_data_is_plain_json() -> None:
    data = ask(agreeing()).as_data()
    assert data.keys() >= {"model", "tier", "reasons", "expected_quality", "chance", "out"}
    assert all(isinstance(reason["text"], str) for reason in data["reasons"])
    assert math.isfinite(data["chance"])
    assert recommend(Evidence([])).as_data()["chance"] is None
    given = Recommendation(FULL, "", (), "consensus", {FULL: 0.12345}, 0.98765).as_data()
    assert (given["expected_quality"], given["chance"]) == ({FULL: 0.123}, 0.988)


def test_a_set_of_pictures_is_judged_together() -> None:
    seen = [Seen(agreeing(), 640, name) for name in ("a.jpg", "b.jpg")]
    answer = recommend(Evidence(seen, COSTS, subject="set of pictures"))
    assert "the 2 people" in text(answer)
    place = next(r.place for r in answer.reasons if "differ most" in r.text)
    assert place is not None
    assert place.picture in ("a.jpg", "b.jpg")
    assert get(LIGHTNING).title in text(answer)


def test_a_reference_runtime_is_no_witness_though_it_differs_a_little() -> None:
    people = apart(0.3)
    alone = ask(people)
    both = ask(people | {"movenet-lightning-tfhub": poses(person() + 0.4)})
    assert both.model == alone.model
    assert both.chance == pytest.approx(alone.chance)
    assert both.expected["movenet-lightning-tfhub"] == both.expected[LIGHTNING]
    # Nor is the original where its twin comes first.
    twin = poses(person() + 0.4)
    alone = ask(people | {LIGHTNING: twin})
    both = ask({"movenet-lightning-tfhub": twin} | people)
    assert both.chance == pytest.approx(alone.chance)
    assert both.expected[LIGHTNING] == pytest.approx(alone.expected[LIGHTNING])


def test_the_gravest_finding_over_all_pictures_is_told() -> None:
    pictures = []
    for name, torsos in (("a.jpg", 1.5), ("b.jpg", 2.5), ("c.jpg", 2.0)):
        wrong = person(noise=0)
        wrong[COCO_17.index("left_ankle")] = wrong[COCO_17.index("left_knee")]
        wrong[COCO_17.index("left_ankle")] += (0, torsos * TORSO)
        pictures.append(Seen(agreeing() | {POSENET: poses(wrong)}, 640, name))
    said = text(recommend(Evidence(pictures, COSTS, subject="set of pictures")))
    assert "left ankle of person 1 lie 2.5 torso lengths apart on b.jpg" in said


@pytest.mark.parametrize(("held", "told"), [(1, "one person at most"), (2, "2 people at most")])
def test_a_model_asked_for_fewer_says_for_how_many(held: int, told: str) -> None:
    asked = ModelFacts(MULTI, held, held, 0.1, COSTS[MULTI], held_to=held, people=5)
    (said,) = held_back({MULTI: asked, FULL: ModelFacts(FULL, 5, 5, 0.1, COSTS[FULL], people=5)})
    assert f"MoveNet MultiPose 512 was asked for {told}, not for the 6" in said.text
    assert held_back({MULTI: replace(asked, agreed=5)}) == ()


def test_the_only_known_distance_is_told() -> None:
    known = ModelFacts(FULL, 1, 1, 0.12, COSTS[FULL], worst=0.3)
    unknown = ModelFacts(LIGHTNING, 0, 0, math.nan, COSTS[LIGHTNING])
    (said,) = distance({FULL: known, LIGHTNING: unknown}, [])
    assert "BlazePose full 12% and 30%" in said.text
