"""What is counted and measured of each model over pictures, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from estimators.analysis.facts import Cost, ModelFacts, gather, twin_heads
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

LIGHTNING, TWIN, THUNDER = "movenet-lightning", "movenet-lightning-tfhub", "movenet-thunder"
MULTI, MULTI_512 = "movenet-multipose", "movenet-multipose-512"
FULL, POSENET = "blazepose-full", "posenet"
# The torso is 80 px long.
_LEFT = [(4, -4), (8, -2), (20, 40), (28, 75), (30, 110), (12, 120), (14, 180), (14, 240)]
UPRIGHT = np.array([(0, 0), *(each for x, y in _LEFT for each in ((x, y), (-x, y)))], float)


def person(x: float = 300.0, y: float = 100.0) -> np.ndarray:
    return np.add(UPRIGHT, (x, y))


def poses(*people: np.ndarray) -> PoseSet:
    xy = np.array(people, np.float32).reshape(-1, 17, 2)
    return PoseSet(COCO_17, xy, np.ones(xy.shape[:2], np.float32))


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost(1234.5), "1,234 ms"),
        (Cost(10.0), "10 ms"),
        (Cost(10.4, 50.0), "10 ms"),
        (Cost(9.44), "9.4 ms"),
        (Cost(9.44, busy=True), "9.4 ms, measured while busy"),
    ],
)
def test_latency_in_words(cost: Cost, words: str) -> None:
    assert cost.latency == words


def test_people_are_counted_over_pictures_and_agreed_on_by_families() -> None:
    """On the first both see two and one a third; on the second they see somebody else each."""
    first = {
        FULL: poses(person(), person(500)),
        POSENET: poses(person(), person(500), person(700)),
        LIGHTNING: poses(person()),
    }
    second = {FULL: poses(person()), POSENET: poses(person(700)), LIGHTNING: poses()}
    facts = gather([first, second], {FULL: Cost(12.0)}, {POSENET: 3})
    counted = {m: (f.found, f.agreed, f.people) for m, f in facts.items()}
    assert counted == {FULL: (3, 2, 2), POSENET: (4, 2, 2), LIGHTNING: (1, 1, 2)}
    assert [facts[m].held_to for m in first] == [None, 3, None]
    assert facts[FULL].cost == Cost(12.0)
    assert math.isnan(facts[POSENET].cost.latency_ms)


def test_distances_are_the_median_and_the_90th_percentile_over_all_joints() -> None:
    """Joint k of the 17 lies k px off: the median is 8 px, the 90th percentile 14.4."""
    off = person() + np.stack([np.arange(17.0), np.zeros(17)], axis=1)
    facts = gather([{FULL: poses(person()), POSENET: poses(off)}], {}, {})
    assert facts[FULL].distance == facts[POSENET].distance
    assert facts[FULL].worst / facts[FULL].distance == pytest.approx(14.4 / 8)
    alone = gather([{FULL: poses(person())}], {}, {})[FULL]
    assert math.isnan(alone.distance)
    assert math.isnan(alone.worst)


def test_a_twin_has_the_facts_of_its_original_and_costs_of_its_own() -> None:
    given = {LIGHTNING: poses(person()), FULL: poses(person()), TWIN: poses(person(301))}
    costs = {LIGHTNING: Cost(5.0), TWIN: Cost(9.0)}
    facts = gather([given], costs, {})
    assert facts[TWIN].model == TWIN
    assert facts[TWIN].cost == Cost(9.0)
    assert facts[TWIN].distance == facts[LIGHTNING].distance
    assert facts[FULL].distance == pytest.approx(0)


def test_twins_are_a_reference_runtime_or_another_form_with_the_same_answers() -> None:
    hidden = person()
    hidden[9] = np.nan
    same, other = poses(hidden), poses(hidden + 1)
    pictures = [{MULTI: same, MULTI_512: same, FULL: same, LIGHTNING: same, TWIN: other}]
    heads = {MULTI: MULTI, MULTI_512: MULTI, FULL: FULL, LIGHTNING: LIGHTNING, TWIN: LIGHTNING}
    assert twin_heads(pictures) == heads
    # One picture on which they differ tells two forms of one checkpoint apart.
    pictures.append(pictures[0] | {MULTI_512: other})
    assert twin_heads(pictures) == heads | {MULTI_512: MULTI_512}
    assert twin_heads([]) == {}


def test_nothing_is_made_up_of_what_was_not_measured() -> None:
    facts = ModelFacts(FULL, 1, 0, math.nan, Cost())
    assert (facts.held_to, facts.people, facts.cost.busy) == (None, 0, False)
    assert np.isnan([facts.worst, facts.cost.latency_ms, facts.cost.memory_mb]).all()
