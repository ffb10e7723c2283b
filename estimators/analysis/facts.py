"""What was counted and measured of each model, over one picture or many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from estimators.analysis.agreement import joint_agreement, median_of
from estimators.analysis.matching import PersonGroup, group_people
from estimators.analysis.voices import agreed_members
from estimators.registry import get
from estimators.types import PoseSet


@dataclass(frozen=True)
class Cost:
    """What a model costs on this machine; NaN where not measured.

    Attributes:
        busy: the latency was measured while other work ran.
    """

    latency_ms: float = math.nan
    memory_mb: float = math.nan
    busy: bool = False

    @property
    def latency(self) -> str:
        """The latency in words."""
        ms = self.latency_ms
        text = f"{ms:,.0f} ms" if ms >= 10 else f"{ms:.1f} ms"
        return f"{text}, measured while busy" if self.busy else text


@dataclass(frozen=True)
class ModelFacts:
    """What was measured of one model.

    Attributes:
        model: key of the variant.
        found: people it found; in a clip counted a frame.
        agreed: how many people it sees as another family does, at an OKS of 0.5 or more.
        distance: median distance of its joints from the other families', in torso lengths, or NaN.
        cost: latency and memory.
        held_to: most people it was asked for, where it could find more; None where not.
        worst: the 90th percentile of the distance.
        people: how many people two or more families agree on so, by all models.
    """

    model: str
    found: int
    agreed: int
    distance: float
    cost: Cost
    held_to: int | None = None
    worst: float = math.nan
    people: int = 0

    @property
    def title(self) -> str:
        return get(self.model).title


def cheapest(
    models: Sequence[str], costs: Mapping[str, Cost], expected: Mapping[str, float]
) -> str:
    """By latency; where it is not known, the better one."""

    def rank(model: str) -> tuple[float, float]:
        latency = costs.get(model, Cost()).latency_ms
        return (math.inf if math.isnan(latency) else latency, -expected[model])

    return min(models, key=rank)


def picture_facts(
    people: Mapping[str, PoseSet], groups: Sequence[PersonGroup], costs: Mapping[str, Cost]
) -> tuple[ModelFacts, ...]:
    """The facts of one picture; `people` with thresholds applied, `groups` made from them."""
    distances = joint_agreement(people, groups)
    agreed = [members for members in map(agreed_members, groups) if members]
    return tuple(
        ModelFacts(
            model,
            len(poses),
            sum(model in members for members in agreed),
            median_of(distances[model]),
            costs.get(model, Cost()),
            people=len(agreed),
        )
        for model, poses in people.items()
    )


def gather(
    pictures: Sequence[Mapping[str, PoseSet]],
    costs: Mapping[str, Cost],
    held_to: Mapping[str, int],
) -> dict[str, ModelFacts]:
    """The facts of each model over pictures or frames, thresholds applied.

    A twin's answers are not counted a second time: it has the facts of its original.
    """
    heads = twin_heads(pictures)
    models = tuple(dict.fromkeys(heads.values()))
    found = dict.fromkeys(models, 0)
    agreed = dict.fromkeys(models, 0)
    distances: dict[str, list[np.ndarray]] = {m: [] for m in models}
    people = 0
    for each in ({m: people[m] for m in models} for people in pictures):
        groups = group_people(each)
        shared = [members for members in map(agreed_members, groups) if members]
        people += len(shared)
        apart = joint_agreement(each, groups)
        for m in models:
            found[m] += len(each[m])
            agreed[m] += sum(m in members for members in shared)
            distances[m].append(apart[m].ravel())
    out = {}
    for m in models:
        values = np.concatenate(distances[m])
        finite = values[np.isfinite(values)]
        worst = float(np.percentile(finite, 90)) if finite.size else math.nan
        cost = costs.get(m, Cost())
        middle = median_of(values)
        held = held_to.get(m)
        out[m] = ModelFacts(m, found[m], agreed[m], middle, cost, held, worst, people)
    return {m: replace(out[h], model=m, cost=costs.get(m, Cost())) for m, h in heads.items()}


def twin_heads(pictures: Sequence[Mapping[str, PoseSet]]) -> dict[str, str]:
    """For each model the first one that is its twin; itself where none is before.

    A model and its reference runtime say the same twice: that is one witness, not two.  So do two
    forms of one checkpoint whose answers are the same.
    """
    models = tuple(pictures[0]) if pictures else ()

    def twins(a: str, b: str) -> bool:
        if (get(a).reference_of or a) == (get(b).reference_of or b):
            return True
        return _weights(a) == _weights(b) and all(
            np.array_equal(people[a].xy, people[b].xy, equal_nan=True) for people in pictures
        )

    return {m: next(h for h in models if h == m or twins(h, m)) for m in models}


def _weights(model: str) -> str:
    """Whose weights these are: of several forms of one checkpoint the first."""
    other = get(model).same_weights_as
    return model if other is None else _weights(other)
