"""How long work is going to last, by what was measured of its models before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from estimators.runtime.api import Runner


class Lasting(NamedTuple):
    """Seconds that a model takes until it is loaded, and for an answer."""

    load_s: float
    answer_s: float


def measured(runner: Runner) -> dict[str, Lasting]:
    """Of each model that `runner` has had answers from; one that is loaded needs no loading."""
    return {
        s.model: Lasting(0.0 if s.state == "ready" else s.load_s or 0.0, s.median_ms / 1000)
        for s in runner.status()
        if s.median_ms is not None
    }


def expected_s(left: Mapping[str, int], known: Mapping[str, Lasting]) -> float | None:
    """Seconds that models take for so many answers each, which share the machine's cores.

    Of whom nothing is known is taken for the slowest of the others; None where none is known.
    """
    if not known:
        return None
    slowest = Lasting(
        max(k.load_s for k in known.values()), max(k.answer_s for k in known.values())
    )
    each = ((known.get(model, slowest), answers) for model, answers in left.items())
    return sum((k.load_s + answers * k.answer_s for k, answers in each), 0.0)
