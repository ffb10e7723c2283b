"""The verdict follows from the measurements and says why."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from estimators.analysis.matching import group_people
from estimators.analysis.verdict import Cost, ModelFacts, picture_facts, verdict
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

LIGHTNING, FULL, RCNN, MULTI = (
    "movenet-lightning",
    "blazepose-full",
    "keypointrcnn-fast",
    "movenet-multipose",
)


def fact(
    model: str, agreed: int, distance: float, ms: float = math.nan, found: int | None = None
) -> ModelFacts:
    return ModelFacts(model, agreed if found is None else found, agreed, distance, Cost(ms, 150))


def said(reasons: tuple[str, ...]) -> str:
    return "\n".join(reasons)


def test_one_person_the_fastest_of_those_that_agree() -> None:
    facts = [fact(LIGHTNING, 1, 0.06, 2), fact(FULL, 1, 0.05, 12), fact(RCNN, 1, 0.05, 600)]
    answer = verdict(facts, agreed_people=1)
    assert answer.model == LIGHTNING
    assert answer.headline == "For a picture like this: MoveNet Lightning."
    text = said(answer.reasons)
    assert "the one person on whom" in text
    assert "6% of the torso" in text
    assert "2.0 ms" in text
    assert "600 ms" in text
    assert "only BlazePose full gives joints in metres" in text
    assert "not accuracy" in text


def test_a_latency_measured_while_busy_says_so() -> None:
    facts = [fact(LIGHTNING, 1, 0.06, 2), replace(fact(FULL, 1, 0.05), cost=Cost(12, 150, True))]
    text = said(verdict(facts, agreed_people=1).reasons)
    assert "It takes 2.0 ms a picture here (BlazePose full 12 ms, measured while busy)." in text


def test_the_fast_one_that_stands_apart_loses() -> None:
    facts = [fact(LIGHTNING, 1, 0.30, 2), fact(FULL, 1, 0.05, 12), fact(RCNN, 1, 0.05, 600)]
    assert verdict(facts, agreed_people=1).model == FULL


def test_a_group_needs_a_model_for_several_people() -> None:
    facts = [
        fact(LIGHTNING, 1, 0.06, 2),
        fact(MULTI, 4, 0.08, 9),
        fact(RCNN, 4, 0.07, 600, found=6),
    ]
    answer = verdict(facts, agreed_people=4)
    assert answer.model == MULTI
    text = said(answer.reasons)
    assert "4 of the 4 people" in text
    assert "MoveNet Lightning 1 (it looks for one person)" in text
    assert "one model alone, right or wrong: Keypoint R-CNN fast 2" in text


def test_in_a_clip_a_few_missed_frames_do_not_decide() -> None:
    facts = [fact(LIGHTNING, 990, 0.06, 2), fact(RCNN, 1000, 0.06, 600)]
    answer = verdict(facts, agreed_people=1000, subject="clip")
    assert answer.model == LIGHTNING
    assert "99% of the people" in said(answer.reasons)
    assert "a frame" in said(answer.reasons)


def test_needing_3d_leaves_only_blazepose() -> None:
    facts = [fact(LIGHTNING, 1, 0.06, 2), fact(FULL, 1, 0.3, 12)]
    answer = verdict(facts, agreed_people=1, need_3d=True)
    assert answer.model == FULL
    assert "only one here that gives 3-D" in answer.headline
    nothing = verdict(facts[:1], agreed_people=0, need_3d=True)
    assert nothing.model is None
    assert "3-D" in nothing.headline


def test_when_nothing_favours_a_model_it_says_so() -> None:
    assert verdict([], 0).model is None
    nobody = verdict([fact(LIGHTNING, 0, math.nan), fact(FULL, 0, math.nan)], 0)
    assert nobody.model is None
    assert "anybody" in nobody.headline
    apart = verdict([fact(LIGHTNING, 0, math.nan, found=1), fact(FULL, 0, math.nan, found=2)], 0)
    assert apart.model is None
    assert "MoveNet Lightning 1, BlazePose full 2" in said(apart.reasons)


def test_a_single_model_is_not_called_the_best() -> None:
    answer = verdict([fact(LIGHTNING, 0, math.nan, 2, found=1)], 0)
    assert answer.headline == "MoveNet Lightning is the only one that answered."
    assert "1 person" in said(answer.reasons)
    assert "Compare it with others" in said(answer.reasons)
    nobody = verdict([fact(LIGHTNING, 0, math.nan, 2)], 0)
    assert nobody.model is None
    assert "No model found anybody" in nobody.headline


def test_failed_models_are_named() -> None:
    answer = verdict([fact(LIGHTNING, 1, 0.1), fact(FULL, 1, 0.1)], 1, failed=[RCNN])
    assert "Keypoint R-CNN fast is not judged" in said(answer.reasons)


def test_unmeasured_costs_are_left_out_and_never_win() -> None:
    unknown = ModelFacts(LIGHTNING, 1, 1, 0.05, Cost())
    answer = verdict([unknown, fact(FULL, 1, 0.05, 12)], 1)
    assert answer.model == FULL
    assert "nan" not in said(answer.reasons).lower()


@pytest.mark.parametrize("scale", [1, 100])
def test_facts_of_a_picture_do_not_depend_on_scores(scale: float) -> None:
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 300, (2, 17, 2))
    xy[1] += 1000

    def poses(*which: int, shift: float = 0.0) -> PoseSet:
        n = len(which)
        return PoseSet(COCO_17, xy[list(which)] + shift, scale * rng.random((n, 17)), np.ones(n))

    people = {LIGHTNING: poses(0, shift=1), MULTI: poses(0, 1), RCNN: poses(1, 0, shift=0.5)}
    groups = group_people(people)
    facts = picture_facts(people, groups, {LIGHTNING: Cost(2.0, 139)})
    assert [(f.found, f.agreed) for f in facts] == [(1, 1), (2, 2), (2, 2)]
    assert facts[0].cost.memory_mb == 139
    assert all(0 < f.distance < 0.05 for f in facts)
    assert verdict(facts, agreed_people=2).model in (MULTI, RCNN)
