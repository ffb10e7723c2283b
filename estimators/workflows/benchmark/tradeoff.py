"""Accuracy against latency, and which models no other one beats in both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from estimators.analysis.accuracy.bootstrap import Figure
from estimators.registry import MODELS
from estimators.workflows.benchmark import figures
from estimators.workflows.benchmark.result import Measured

# How the publishers call COCO's average precision.
_AP = ("AP", "mAP", "mAP (float16)", "keypoint AP")


@dataclass(frozen=True)
class Choice:
    """One model, how fast and how accurate.

    Attributes:
        accuracy: AP, 0 to 1, with its interval where it was measured by the person.
        test_set: what the accuracy was measured on; only figures of one set can be compared.
        source: who says so.
        front: no other model of the same test set is both as fast and as accurate.
    """

    model: str
    title: str
    latency_ms: float
    accuracy: Figure
    test_set: str
    source: str
    front: bool = False


def measured_choices(
    every: Iterable[Measured], ap: Mapping[str, Figure], test_set: str
) -> list[Choice]:
    """Models that were evaluated by the person, all on one set.

    Args:
        ap: of each model that was evaluated.
    """
    known = [
        Choice(m.model, m.title, _latency(m), ap[m.model], test_set, "your evaluation")
        for m in every
        if m.model in ap and not math.isnan(ap[m.model].value)
    ]
    return with_front(known)


def published_choices(every: Iterable[Measured]) -> list[Choice]:
    """Models by the first AP that their cards quote, or those of whose weights they are a form."""
    known = []
    for measured in every:
        spec = MODELS.get(measured.model)
        while spec is not None and not spec.figures and (spec.reference_of or spec.same_weights_as):
            spec = MODELS[spec.reference_of or spec.same_weights_as or ""]
        quoted = next((f for f in spec.figures if f.metric in _AP), None) if spec else None
        if quoted is not None:
            value = Figure(quoted.value / 100, math.nan, math.nan, 0)
            about = (value, quoted.test_set, quoted.source)
            known.append(Choice(measured.model, measured.title, _latency(measured), *about))
    return with_front(known)


def with_front(choices: Sequence[Choice]) -> list[Choice]:
    """The same with `front` set (Pareto)."""
    return [replace(one, front=not any(_beats(other, one) for other in choices)) for one in choices]


def _beats(a: Choice, b: Choice) -> bool:
    """As good in both and better in one, on the same set."""
    if a.test_set != b.test_set:
        return False
    as_good = a.latency_ms <= b.latency_ms and a.accuracy.value >= b.accuracy.value
    return as_good and (a.latency_ms, a.accuracy.value) != (b.latency_ms, b.accuracy.value)


def _latency(measured: Measured) -> float:
    return figures.latency(measured.calls).median_ms
