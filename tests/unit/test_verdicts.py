"""What `compare` and the pages say is one rule's answer, for pictures, sets of them and clips."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.facts import picture_facts
from estimators.analysis.matching import group_people
from estimators.analysis.quality import (
    CHANCE_SIGNALS,
    COEFFICIENTS,
    Coefficients,
    chances,
    coefficients,
    expected_quality,
    log_odds,
)
from estimators.analysis.scale import torso_length
from estimators.analysis.signals import PERSON_SIGNALS, PICTURE_SIGNALS, picture_signals
from estimators.analysis.thresholds import Thresholds
from estimators.analysis.votes import Vote
from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.export.files import to_bytes
from estimators.registry import get
from estimators.skeletons import COCO_17
from estimators.types import Estimate, PoseSet, Timings
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.verdicts import Settled, Verdicts, _answered_by_all, of_clip, of_pictures

LIGHTNING, FULL, POSENET = "movenet-lightning", "blazepose-full", "posenet"
MULTI = "movenet-multipose"
MODELS = (LIGHTNING, FULL, POSENET)
_LEFT = [(4, -4), (8, -2), (20, 40), (28, 75), (30, 110), (12, 120), (14, 180), (14, 240)]
UPRIGHT = np.array([(0, 0), *(each for x, y in _LEFT for each in ((x, y), (-x, y)))], float)
FLIP = list(COCO_17.flip_indices)


def poses(*people: np.ndarray) -> PoseSet:
    xy = np.array(people, np.float32).reshape(-1, 17, 2)
    n = len(xy)
    return PoseSet(COCO_17, xy, np.full((n, 17), 0.8, np.float32), np.full(n, 0.8, np.float32))


def person(x: float = 300, seed: int = 0) -> np.ndarray:
    return np.add(UPRIGHT, (x, 100)) + np.random.default_rng(seed).normal(0, 2, (17, 2))


def clip(model: str, frames: list[PoseSet | None], name: str = "x") -> ClipEstimates:
    out = ClipEstimates(model, COCO_17, name, (640, 480))
    for i, found in enumerate(frames):
        if found is None:
            out.append_failed(i, i / 10, "no luck")
        else:
            out.append(Estimate(found, Timings(1, 5, 1), i, i / 10), 0.0, 0.0)
    return out


def picture(name: str = "a.jpg", failed: tuple[str, ...] = ()) -> dict[str, ClipEstimates]:
    return {
        m: clip(m, [None if m in failed else poses(person(seed=i))], name)
        for i, m in enumerate(MODELS)
    }


def test_a_picture_and_a_clip_of_one_frame_get_the_same_answer() -> None:
    (of_one,), together = of_pictures([picture()], {})
    assert together is of_one
    as_clip = of_clip(ClipAnalysis.of(picture()), {})
    assert as_clip.model == of_one.model
    assert as_clip.expected == pytest.approx(of_one.expected)
    assert as_clip.chance == pytest.approx(of_one.chance)


def test_a_set_has_an_answer_a_picture_and_one_for_all() -> None:
    each, together = of_pictures([picture("a.jpg"), picture("b.jpg")], {LIGHTNING: 59.0})
    verdicts = Verdicts(("a.jpg", "b.jpg"), each, together)
    written = json.loads(to_bytes(verdicts.write))
    assert [p["file"] for p in written["pictures"]] == ["a.jpg", "b.jpg"]
    assert written["all"]["headline"] == together.headline
    assert "set of pictures" in together.headline
    assert "MoveNet Lightning 59 MB" in verdicts.text


def test_a_model_that_failed_on_one_picture_is_judged_by_the_others() -> None:
    each, together = of_pictures([picture("a.jpg", (FULL,)), picture("b.jpg")], {})
    assert any("BlazePose full is not judged" in str(r) for r in each[0].reasons)
    assert FULL not in each[0].expected
    assert FULL in each[1].expected
    assert FULL in together.expected
    _, together = of_pictures([picture("a.jpg", (FULL,)), picture("b.jpg", (FULL,))], {})
    assert FULL not in together.expected
    assert any("BlazePose full is not judged" in str(r) for r in together.reasons)
    _, nothing = of_pictures([picture("a.jpg", MODELS), picture("b.jpg", MODELS)], {})
    assert nothing.model is None


def test_a_clip_whose_cheapest_model_changes_sides_prefers_another() -> None:
    """It exchanges left and right for half of the time; the others do not."""
    still = [poses(person(300 + i, seed=i)) for i in range(20)]
    turned = [
        poses(person(300 + i, seed=i)[FLIP] if i >= 10 else person(300 + i)) for i in range(20)
    ]
    analysis = ClipAnalysis.of(
        {LIGHTNING: clip(LIGHTNING, turned), FULL: clip(FULL, still), POSENET: clip(POSENET, still)}
    )
    answer = of_clip(analysis, {})
    said = "\n".join(map(str, answer.reasons))
    assert answer.model != LIGHTNING
    assert "MoveNet Lightning: arms or legs change sides" in said


def test_a_clip_with_nobody_or_without_answers_gets_no_model() -> None:
    nobody = ClipAnalysis.of({m: clip(m, [poses()] * 3) for m in MODELS})
    assert of_clip(nobody, {}).headline == "No model found anybody in this clip."
    failed = ClipAnalysis.of({m: clip(m, [None] * 3) for m in MODELS})
    assert of_clip(failed, {}).model is None


def test_the_coefficients_fit_the_signals_and_say_how_they_were_made() -> None:
    fit = coefficients()
    assert len(fit.person) == len(PERSON_SIGNALS)  # the score has lines of its own; an intercept
    assert {get(key).key for key in fit.models} >= {*MODELS, "movenet-thunder"}
    assert "benchmarks.fit_verdict" in fit.made
    assert COEFFICIENTS.read_text() == fit.text()


@pytest.mark.parametrize(
    ("start", "odds", "apart", "far"),
    [(1e3, 6.9, 0.2, 0.2), (-1e3, -6.9, 0.2, 0.2), (2.0, 2.0, 0.59, 0.59), (2.0, 2.0, 1.5, 0.6)],
)
def test_no_chance_is_told_as_certain(start: float, odds: float, apart: float, far: float) -> None:
    """Odds of 1000 : 1 at most before they are calibrated; poses 0.6 torso apart are others."""
    found = picture_signals({m: poses(person(seed=i)) for i, m in enumerate(MODELS)}, 640)
    signals, quality = replace(found, apart=apart), expected_quality(found)
    chance, picked = (*np.zeros(len(CHANCE_SIGNALS)), start), (0.5, 1.0, -2.0, 0.0, -0.25)
    fit = Coefficients((), {}, chance, picked=picked)
    assert log_odds(signals, quality, MODELS, fit) == pytest.approx(odds)
    z = {m: 0.5 * odds + quality[m] - 2 * far - 0.25 for m in MODELS}
    expected = {m: 1 / (1 + np.exp(-line)) for m, line in z.items()}
    assert chances(signals, quality, MODELS, fit) == pytest.approx(expected)


def test_how_a_variant_does_on_the_whole_moves_its_odds_and_its_twins() -> None:
    models = ("movenet-lightning", "movenet-lightning-tfhub", "keypointrcnn-fast")
    signals = picture_signals({m: poses(person(seed=1)) for m in models}, 640)
    nothing = (0.0,) * (len(CHANCE_SIGNALS) + 1)
    lines = dict.fromkeys(models[:1], (0.0, 0.0, 0.0))
    fit = Coefficients((), lines, nothing, {"movenet-lightning": 0.7})
    odds = log_odds(signals, dict.fromkeys(models, 0.5), models, fit)
    assert odds == pytest.approx([0.7, 0.7, 0.0])


def test_how_far_models_lie_apart_is_that_of_the_one_that_stands_apart() -> None:
    """The median of its joints from the middle of the other families; variants are one voice."""
    people = {m: poses(person()) for m in MODELS}
    assert picture_signals(people, 640).apart == pytest.approx(0)
    people[FULL] = poses(np.add(person(), (24, 0)))
    torso = float(torso_length(person()))
    assert picture_signals(people, 640).apart == pytest.approx(24 / torso, rel=1e-4)
    with_lite = picture_signals(people | {"blazepose-lite": people[FULL]}, 640)
    assert with_lite.apart == pytest.approx(24 / torso, rel=1e-4)
    assert picture_signals({FULL: people[FULL]}, 640).apart == 0


def test_who_agrees_is_expected_to_be_better_than_who_stands_apart() -> None:
    people = {m: poses(person(seed=i)) for i, m in enumerate(MODELS)}
    agreed = expected_quality(picture_signals(people, 640))
    people[FULL] = poses(np.add(person(), (60, 30)))
    moved = expected_quality(picture_signals(people, 640))
    assert moved[FULL] < agreed[FULL] - 0.1
    assert moved[POSENET] > moved[FULL]


def test_who_finds_more_of_those_whom_others_find_is_expected_to_be_better() -> None:
    crowd = [person(x) for x in (100, 300, 500)]
    people = {LIGHTNING: poses(crowd[1]), FULL: poses(*crowd), POSENET: poses(*crowd)}
    signals = picture_signals(people, 640)
    quality = expected_quality(signals)
    assert quality[POSENET] > 2 * quality[LIGHTNING]
    at = dict(zip(PICTURE_SIGNALS, signals.picture[LIGHTNING], strict=True))
    assert at["found_share"] == pytest.approx(1 / 3)
    assert at["single"] == pytest.approx(2 / 3)
    assert at["few"] == pytest.approx(1 / 4)
    more = dict(zip(PICTURE_SIGNALS, signals.picture[POSENET], strict=True))
    assert more["found_more"] == pytest.approx(1 / 3)  # the others count two in the mean
    # Whom a one-person model does not see counts for nobody: it was not asked.
    seen = signals.people[POSENET][:, PERSON_SIGNALS.index("seen_share")]
    assert seen.tolist() == [1, 1, 1]


def test_a_variant_that_was_not_fitted_goes_without_its_score() -> None:
    person_rows = picture_signals({"blazepose-heavy": poses(person())}, 640)
    assert 0 <= expected_quality(person_rows)["blazepose-heavy"] <= 1
    twin = picture_signals({"movenet-lightning-tfhub": poses(person())}, 640)
    own = picture_signals({LIGHTNING: poses(person())}, 640)
    assert list(expected_quality(twin).values()) == list(expected_quality(own).values())


def test_who_is_seen_by_how_many_other_voices() -> None:
    everyone = {m: poses(person(seed=i)) for i, m in enumerate(MODELS)}
    at = PERSON_SIGNALS.index("seen_by")
    for models, expected in ((MODELS[:1], 0.0), (MODELS[:2], 0.5), (MODELS, 1.0)):
        signals = picture_signals({m: everyone[m] for m in models}, 640)
        assert signals.people[LIGHTNING][0, at] == expected


def test_quality_counts_people_as_far_as_somebody_is_expected_to_be_right() -> None:
    """Every person has an expected OKS of 0.5, and so counts 0.65 of somebody."""
    half = Coefficients((*(0.0,) * (len(PERSON_SIGNALS) - 1), 0.5), {}, ())
    people = {LIGHTNING: poses(person(100)), FULL: poses(person(100), person(400))}
    quality = expected_quality(picture_signals(people, 640), half)
    assert quality[LIGHTNING] == pytest.approx(0.5 / (2 * 0.65 + 0.35))
    assert quality[FULL] == pytest.approx(1.0 / (2 * 0.65 + 2 * 0.35))


def test_forty_frames_of_a_long_clip_are_judged() -> None:
    frames = [poses(person(300 + i)) for i in range(100)]
    answer = of_clip(ClipAnalysis.of({m: clip(m, frames) for m in MODELS}), {})
    assert any("Of the 40 people" in str(reason) for reason in answer.reasons)


def test_models_that_saw_other_frames_are_judged_on_those_that_all_saw() -> None:
    """As in a live recording: each model takes the newest frame when it is free."""
    taken = {LIGHTNING: (0, 1, 2, 3, 4), FULL: (1, 3, 4), POSENET: (0, 3, 4)}
    together = {}
    for model, frames in taken.items():
        e = ClipEstimates(model, COCO_17, "x", (640, 480))
        for i in frames:  # they walk: another frame's pose would not agree
            found = poses(person(100 + 100 * i, seed=len(model)))
            e.append(Estimate(found, Timings(1, 5, 1), i, i / 10), 0.0, 0.0)
        together[model] = e
    answer = of_clip(ClipAnalysis.of(together), {})
    assert set(_frames_judged(together)) == {3, 4}
    assert answer.tier == "consensus" or answer.model is None
    assert max(answer.expected.values()) > 0.6
    nothing_shared = {LIGHTNING: together[LIGHTNING], FULL: clip(FULL, [None, None])}
    assert of_clip(ClipAnalysis.of(nothing_shared), {}).model == LIGHTNING


def test_models_that_answered_no_frame_together_did_answer() -> None:
    """A short recording on a busy machine."""
    seen = poses(person())
    taken = {LIGHTNING: clip(LIGHTNING, [seen, None]), FULL: clip(FULL, [None, seen])}
    answer = of_clip(ClipAnalysis.of(taken), {})
    assert (answer.model, answer.tier) == (None, "none")
    assert "No frame was answered by all models" in answer.headline


def _frames_judged(estimates: dict[str, ClipEstimates]) -> list[int]:
    return _answered_by_all(ClipAnalysis.of(estimates), list(estimates)).tolist()


def test_people_of_a_clip_keep_their_numbers_in_every_sentence() -> None:
    """The second person comes first in the later frames' lists; numbers hold over the clip."""
    one, two = person(150, 1), person(450, 2)
    far = two + np.where(np.arange(17)[:, None] == 9, 60, 0)  # of the second one's left wrist
    frames = {
        LIGHTNING: [poses(one, two), poses(two, one)],
        FULL: [poses(one, two), poses(far, one)],
        POSENET: [poses(one, two), poses(two, one)],
    }
    analysis = ClipAnalysis.of({m: clip(m, found) for m, found in frames.items()})
    number = int(analysis.estimates[FULL].identity[2])
    assert number == int(analysis.estimates[FULL].identity[1])
    said = next(r for r in of_clip(analysis, {}).reasons if "differ most" in r.text)
    assert f"left wrist of person {number}" in said.text
    assert said.place is not None
    assert (said.place.frame, said.place.person, said.place.model) == (1, number, FULL)


def test_what_is_marked_on_pictures_decides_each_and_all() -> None:
    right, wrong = person(), person() + np.where(np.arange(17)[:, None] < 11, 30, 0)
    given = [
        {m: clip(m, [poses(right if m == FULL else wrong)], name) for m in MODELS}
        for name in ("a.jpg", "b.jpg")
    ]
    truth = AnnotatedImage("a.jpg", 640, 480, (AnnotatedPerson(right, np.full(17, 2)),))
    each, together = of_pictures(given, {}, settled=Settled({"a.jpg": truth}))
    assert [answer.tier == "truth" for answer in (*each, together)] == [True, False, True]
    assert each[0].model == together.model == FULL


def test_votes_count_for_each_picture_and_for_all() -> None:
    models = (LIGHTNING, FULL)
    given = [{m: e for m, e in picture(name).items() if m in models} for name in ("a", "b")]
    votes = [Vote((LIGHTNING, FULL), FULL, f"{i}:0") for i in range(4)]
    each, together = of_pictures(given, {}, settled=Settled(votes=votes))
    assert [(v.model, v.tier) for v in (*each, together)] == [(FULL, "votes")] * 3


def test_votes_count_for_a_clip() -> None:
    for winner, loser in ((FULL, LIGHTNING), (LIGHTNING, FULL)):
        votes = [Vote((winner, loser), winner, str(i)) for i in range(4)]
        analysis = ClipAnalysis.of({m: clip(m, [poses(person())] * 3) for m in (winner, loser)})
        answer = of_clip(analysis, {}, votes=votes)
        assert (answer.model, answer.tier) == (winner, "votes")


def test_thresholds_of_the_page_count_and_quiet_times_are_told() -> None:
    given = picture()
    slow = clip(LIGHTNING, [])
    slow.append(Estimate(poses(person()), Timings(1, 500, 1), 0, 0.0), busy=True)
    (alone,), _ = of_pictures([given | {LIGHTNING: slow}], {})
    assert "MoveNet Lightning 502 ms, measured while busy" in "\n".join(map(str, alone.reasons))
    _, both = of_pictures([given | {LIGHTNING: slow}, given], {})
    assert "MoveNet Lightning 7.0 ms" in "\n".join(map(str, both.reasons))
    hidden = {m: Thresholds(0.9, 0.9) for m in MODELS}
    (nobody,), _ = of_pictures([given], {}, thresholds=hidden)
    assert nobody.headline == "No model found anybody in this picture."
    (everybody,), _ = of_pictures([given], {}, thresholds={m: Thresholds(0.0, 0.0) for m in MODELS})
    assert everybody == of_pictures([given], {})[0][0]  # all scores are over both


def test_the_agreement_on_a_picture_is_shared_among_all_whom_either_sees() -> None:
    """Two are seen by both, one more by each of them alone: 2 of 4."""
    here = {
        MULTI: poses(*map(person, (100, 250, 400))),
        POSENET: poses(*map(person, (250, 400, 550))),
    }
    agreement = PICTURE_SIGNALS.index("agreement")
    signals = picture_signals(here, 640)
    for model in here:
        assert signals.picture[model][agreement] == pytest.approx(2 / 4, abs=0.01)
        assert signals.people[model][:, PERSON_SIGNALS.index("seen_by")].sum() == 1


@pytest.mark.parametrize(("shift", "agreed"), [(6, True), (16, False)])
def test_families_agree_on_a_person_at_an_oks_of_a_half(shift: float, agreed: bool) -> None:
    """Far apart they mean the same person still, but nothing is settled by it."""
    a, b = poses(person()), poses(np.add(person(), (shift, 0)))
    (oks,) = [group.oks[LIGHTNING, POSENET] for group in group_people({LIGHTNING: a, POSENET: b})]
    assert oks > 0.2
    assert (oks >= 0.5) == agreed
    found = {LIGHTNING: a, POSENET: b}
    facts = {f.model: f for f in picture_facts(found, group_people(found), {})}
    assert [facts[m].agreed for m in found] == [int(agreed)] * 2


def test_only_among_several_pictures_it_is_said_on_which_they_differ_most() -> None:
    off = person() + np.where(np.arange(17)[:, None] == 9, 40, 0)
    one = picture("a.jpg") | {FULL: clip(FULL, [poses(off)], "a.jpg")}
    (alone, _), both = of_pictures([one, picture("b.jpg")], {})
    said = [next(r.text for r in v.reasons if "differ most" in r.text) for v in (alone, both)]
    assert "left wrist of person 1: " in said[0]
    assert "left wrist of person 1 on a.jpg: " in said[1]
