"""One voice a family: a second variant may take its family's place, and changes nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.analysis import guess as rule
from estimators.analysis.facts import Cost
from estimators.analysis.guess import Guess, Question, by_guess
from estimators.analysis.recommend import Evidence, Recommendation, recommend
from estimators.analysis.seen import Seen
from estimators.analysis.voices import line_ups, people_agreed_on
from estimators.registry import voice
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

LIGHTNING, THUNDER, MULTI = "movenet-lightning", "movenet-thunder", "movenet-multipose-512"
FULL, LITE, POSENET = "blazepose-full", "blazepose-lite", "posenet"
BY_SPEED = (LIGHTNING, THUNDER, LITE, POSENET, FULL, MULTI)
COSTS = {m: Cost(10.0 + place, 100.0) for place, m in enumerate(BY_SPEED)}
_LEFT = [(4, -4), (8, -2), (20, 40), (28, 75), (30, 110), (12, 120), (14, 180), (14, 240)]
UPRIGHT = np.array([(0, 0), *(each for x, y in _LEFT for each in ((x, y), (-x, y)))], float)
FLIP = list(COCO_17.flip_indices)
# What a second variant joins, and which one.
JOINS = [
    ((LIGHTNING, FULL), THUNDER),
    ((LIGHTNING, FULL), LITE),
    ((THUNDER, FULL), LIGHTNING),
    ((LIGHTNING, FULL, POSENET), THUNDER),
    ((LIGHTNING, FULL, POSENET), LITE),
    ((MULTI, LITE, POSENET), FULL),
    ((LIGHTNING, MULTI, FULL, POSENET), THUNDER),
]


def in_its_place(models: Sequence[str], variant: str) -> tuple[str, ...]:
    return (*(m for m in models if voice(m) != voice(variant)), variant)


def holds(models: Sequence[str], variant: str, answers: Mapping[str, str | None]) -> None:
    """What a second variant may do to a verdict, by `answers` without, with, and instead."""
    assert answers["with"] in (answers["without"], answers["instead"], None)
    own = [m for m in models if voice(m) == voice(variant)]
    if answers["without"] in own:
        assert answers["with"] in (*own, variant)
    if answers["with"] == variant:
        assert answers["instead"] == variant


def test_a_line_up_has_one_variant_of_each_family_that_can_be_recommended() -> None:
    every = (LIGHTNING, THUNDER, FULL, POSENET)
    both = [(LIGHTNING, FULL, POSENET), (THUNDER, FULL, POSENET)]
    assert line_ups(every, every) == both
    assert line_ups(every, (LIGHTNING, FULL)) == both[:1]
    assert line_ups(every, (FULL, POSENET)) == both  # witnesses all the same
    assert line_ups((LIGHTNING, THUNDER), (THUNDER,)) == [(LIGHTNING, THUNDER)]


@pytest.mark.parametrize(("models", "variant"), JOINS)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_whatever_the_figures_a_second_variant_brings_in_itself_alone(
    models: tuple[str, ...], variant: str, seed: int
) -> None:
    """Every line-up has figures of its own, as if drawn by lot."""

    def judged(line_up: Sequence[str], question: Question) -> Guess:
        names = sum(map(ord, "".join(sorted(line_up))))
        rng = np.random.default_rng([seed, names])
        expected = {m: rng.random() for m in sorted(line_up)}
        # Mostly sure enough, so that line-ups contradict each other rather than decline.
        sure = rng.choice([0.5, 0.7], p=[0.2, 0.8])
        return Guess(sorted(line_up)[rng.integers(len(line_up))], sure, 0.6, (), expected)

    def ask(compared: tuple[str, ...]) -> str | None:
        nobody = Seen(dict.fromkeys(compared, poses()), 640)
        return by_guess(Question([nobody], compared, COSTS))[0].model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "_of_line_up", judged)
        answers = {
            "without": ask(models),
            "with": ask((*models, variant)),
            "instead": ask(in_its_place(models, variant)),
        }
    if len([m for m in models if voice(m) == voice(variant)]) == 1:
        holds(models, variant, answers)
    else:  # which of several is named may change, whose it is may not
        assert answers["with"] is None or voice(answers["with"]) in {
            voice(m) for m in (answers["without"], answers["instead"]) if m
        }


@pytest.mark.parametrize(("models", "variant"), JOINS[:-1])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_with_constructed_poses_a_second_variant_brings_in_itself_alone(
    models: tuple[str, ...], variant: str, seed: int
) -> None:
    """One person, whom each model sees with errors of its own: off, turned, in part, or not."""
    rng = np.random.default_rng(seed)
    people = {m: poses(*seen_wrongly(rng)) for m in (*models, variant)}

    def ask(compared: Sequence[str]) -> str | None:
        return answer({m: people[m] for m in compared}).model

    holds(
        models,
        variant,
        {
            "without": ask(models),
            "with": ask((*models, variant)),
            "instead": ask(in_its_place(models, variant)),
        },
    )


def test_variants_that_lead_to_different_answers_are_told() -> None:
    """MultiPose speaks for MoveNet as well as Lightning does, and each for another model."""

    def guessed(seen: Sequence[Seen], line_up: Sequence[str], fit: object) -> rule.Guessed:
        best = FULL if LIGHTNING in line_up else POSENET
        quality = dict.fromkeys(line_up, 0.5) | {best: 0.8}
        return rule.Guessed(quality, dict.fromkeys(line_up, 0.2) | {best: 0.9}, 0.0, quality)

    people = {m: poses(standing()) for m in (LIGHTNING, MULTI, FULL, POSENET)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "_guessed", guessed)
        both = answer(people)
        assert answer({m: people[m] for m in (LIGHTNING, FULL, POSENET)}).model == FULL
        assert answer({m: people[m] for m in (MULTI, FULL, POSENET)}).model == POSENET
    assert both.model is None
    said = "\n".join(map(str, both.reasons))
    assert "one of each family at a time, once BlazePose full, once PoseNet is recommended." in said


@pytest.mark.parametrize(("quality", "named"), [(0.67, LIGHTNING), (0.69, THUNDER)])
def test_of_a_familys_variants_the_cheapest_of_those_about_as_good(
    quality: float, named: str
) -> None:
    """The chance is that of the line-up which is least sure."""
    chance = {LIGHTNING: 0.8, THUNDER: 0.7, FULL: 0.1}
    expected = {LIGHTNING: 0.66, THUNDER: quality, FULL: 0.2}

    def guessed(seen: Sequence[Seen], line_up: Sequence[str], fit: object) -> rule.Guessed:
        return rule.Guessed(expected, {m: chance[m] + 0.1 for m in line_up}, 0.0, expected)

    people = {m: poses(standing()) for m in (THUNDER, LIGHTNING, FULL)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "_guessed", guessed)
        patch.setattr(rule, "LEAST_CHANCE_BETWEEN_TWO", 0.75)
        given_ = answer(people)
    assert (given_.model, given_.chance) == (named, pytest.approx(chance[named] + 0.1))
    assert given_.expected == pytest.approx(expected)


@pytest.mark.parametrize(
    ("apart", "second", "chance", "named"),
    [
        (0.1, 0.74, 0.7, FULL),
        (0.11, 0.71, 0.84, None),
        (0.11, 0.71, 0.85, FULL),
        (0.11, 0.7, 0.7, FULL),
        (0.11, 0.69, 0.7, FULL),
    ],
)
def test_where_poses_differ_one_must_be_clearly_better_or_surer(
    apart: float, second: float, chance: float, named: str | None
) -> None:
    def guessed(seen: Sequence[Seen], line_up: Sequence[str], fit: object) -> rule.Guessed:
        quality = {FULL: 0.75, LIGHTNING: second, POSENET: 0.2}
        return rule.Guessed(quality, dict.fromkeys(line_up, 0.4) | {FULL: chance}, apart, quality)

    people = {m: poses(standing()) for m in (LIGHTNING, FULL, POSENET)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "_guessed", guessed)
        given_ = answer(people)
    assert given_.model == named
    said = "\n".join(map(str, given_.reasons))
    told = "and BlazePose full is expected to be better by 0.04, less than the 0.05 that would"
    assert (told in said) == ((apart, second) == (0.11, 0.71))
    assert ("a chance of 84%, less than the 85% that" in said) == (named is None)


def test_two_variants_that_see_one_person_each_are_not_two_who_see_two() -> None:
    """BlazePose sees two people; Lightning is in the running still, whomever Thunder sees."""
    one, other = (poses(standing(x)) for x in (120, 420))
    both = poses(standing(120), standing(420))
    people = {LIGHTNING: one, THUNDER: other, FULL: both}
    assert people_agreed_on(Seen(people, 640).groups) == 1
    assert answer(people).out == {}
    for seen in (MULTI, POSENET):
        assert people_agreed_on(Seen(people | {seen: both}, 640).groups) == 2
        assert answer(people | {seen: both}).out.keys() == {LIGHTNING, THUNDER}
    assert people_agreed_on(Seen({LIGHTNING: one, THUNDER: one}, 640).groups) == 0


def test_of_a_long_clip_with_many_variants_fewer_frames_are_judged() -> None:
    frames: list[int] = []

    def guessed(seen: Sequence[Seen], line_up: Sequence[str], fit: object) -> rule.Guessed:
        frames.append(len(seen))
        return rule.Guessed(*[dict.fromkeys(line_up, 0.5)] * 2, 0.0, dict.fromkeys(line_up, 0.5))

    models = (LIGHTNING, THUNDER, MULTI, FULL, LITE, POSENET)  # six line-ups
    seen = [Seen({m: poses(standing()) for m in models}, 640)] * 5
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "_guessed", guessed)
        patch.setattr(rule, "_MOST_JUDGED", 20)
        by_guess(Question(seen, models, COSTS))
        by_guess(Question(seen, (LIGHTNING, THUNDER), COSTS))
    assert frames == [3] * 6 + [5] * 4  # every second one, and all


def standing(x: float = 300.0) -> np.ndarray:
    return np.add(UPRIGHT, (x, 100))


def seen_wrongly(rng: np.random.Generator) -> list[np.ndarray]:
    if rng.random() < 0.05:
        return []
    xy = standing() + rng.normal(0, rng.choice([2, 5, 15]), (17, 2))
    if rng.random() < 0.2:
        xy = xy[FLIP]
    if rng.random() < 0.2:
        xy = np.add(xy, (rng.normal(0, 30), 0))
    xy[rng.random(17) < 0.1] = np.nan
    return [xy]


def poses(*people: np.ndarray) -> PoseSet:
    n = len(people)
    xy = np.array(people, np.float32).reshape(n, 17, 2)
    return PoseSet(COCO_17, xy, np.full((n, 17), 0.7, np.float32), np.full(n, 0.7, np.float32))


def answer(people: Mapping[str, PoseSet]) -> Recommendation:
    return recommend(Evidence([Seen(people, 640)], COSTS))
