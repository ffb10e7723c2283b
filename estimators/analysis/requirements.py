"""What a person must have of a model, and which models fail it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from estimators.analysis.facts import ModelFacts
from estimators.analysis.seen import Seen
from estimators.analysis.voices import people_agreed_on
from estimators.registry import get

# A one-person model is out when two or more voices agree on each of this many people.
PEOPLE_TOO_MANY = 2


@dataclass(frozen=True)
class Needs:
    """What a person must have; a model that fails one is out.

    Attributes:
        people: at least so many at once.
        gives_3d: joints in metres.
        latency_ms: at most, a picture or frame; None for any.
        memory_mb: at most; None for any.
    """

    people: int = 1
    gives_3d: bool = False
    latency_ms: float | None = None
    memory_mb: float | None = None


ANYTHING = Needs()


def failing(facts: Mapping[str, ModelFacts], seen: Sequence[Seen], needs: Needs) -> dict[str, str]:
    """Why each model that fails a requirement fails it, with the figure."""
    agreed = agreed_people(seen)
    out = {}
    for model, fact in facts.items():
        spec, cost = get(model), fact.cost
        if needs.gives_3d and not spec.gives_3d:
            out[model] = "gives no joints in metres"
        elif spec.max_people < needs.people:
            out[model] = f"finds at most {spec.max_people} of the {needs.people} people you need"
        elif spec.single_person and agreed >= PEOPLE_TOO_MANY:
            out[model] = f"looks for one person, where two families or more agree on {agreed}"
        elif needs.latency_ms is not None and cost.latency_ms > needs.latency_ms:
            out[model] = f"takes {cost.latency_ms:,.0f} ms, more than {needs.latency_ms:,.0f} ms"
        elif needs.memory_mb is not None and cost.memory_mb > needs.memory_mb:
            out[model] = f"holds {cost.memory_mb:,.0f} MB, more than {needs.memory_mb:,.0f} MB"
    return out


def agreed_people(seen: Sequence[Seen]) -> int:
    """How many people two or more families agree on: the median over the pictures or frames."""
    counts = [people_agreed_on(each.groups) for each in seen]
    return int(np.median(counts)) if counts else 0
