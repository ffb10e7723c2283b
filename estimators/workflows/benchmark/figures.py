"""The figures of a benchmark: medians with intervals, stages that add up, ratios of two models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.bootstrap import Figure, interval, median, picture_draws
from estimators.analysis.clip_latency import median_p95
from estimators.workflows.benchmark.result import STAGES, Calls


@dataclass(frozen=True)
class Times:
    """Milliseconds of `count` calls.

    Attributes:
        low_ms, high_ms: 95 % interval of the median; NaN with fewer than six rounds.
    """

    count: int
    median_ms: float
    p95_ms: float
    low_ms: float
    high_ms: float


# For as long as there are these calls: a page asks with every click.
_TIMES: WeakKeyDictionary[Calls, dict[str, Times]] = WeakKeyDictionary()
_RATIOS: WeakKeyDictionary[Calls, WeakKeyDictionary[Calls, Figure]] = WeakKeyDictionary()


def latency(calls: Calls) -> Times:
    """Of the model's own three stages."""
    return _once(calls, "latency", Calls.latency)


def whole(calls: Calls) -> Times:
    """Of all four stages, from question to answer."""
    return _once(calls, "whole", Calls.whole)


def stages(calls: Calls) -> Mapping[str, float]:
    """Milliseconds of each of `STAGES`: means over the middle half of the calls by their whole.

    Medians of stages would not add up to any call; these add up to the mean whole of those calls,
    which an outlier cannot move and which lies close to the median.
    """
    order = np.argsort(calls.whole(), kind="stable")
    cut = len(order) // 4
    middle = order[cut : len(order) - cut]
    return {name: float(calls.stage(name)[middle].mean()) for name in STAGES}


def ratio(of: Calls, to: Calls) -> Figure:
    """Median latency of one model over that of another which took turns with it.

    Both are drawn by the same rounds, so that what slowed a round down does not count.
    """
    known = _RATIOS.setdefault(of, WeakKeyDictionary())
    if to not in known:
        known[to] = _ratio(of, to)
    return known[to]


def _ratio(of: Calls, to: Calls) -> Figure:
    shared = np.intersect1d(of.round, to.round)
    if not len(shared):
        return Figure(float("nan"), float("nan"), float("nan"), 0)
    draws = picture_draws(len(shared))
    tops, bottoms = (_drawn(calls, shared, draws) for calls in (of, to))
    value = median_p95(of.latency())[0] / median_p95(to.latency())[0]
    return Figure(value, *interval(tops / bottoms, len(shared)), len(shared))


def _once(calls: Calls, name: str, of: Callable[[Calls], NDArray[np.float64]]) -> Times:
    known = _TIMES.setdefault(calls, {})
    if name not in known:
        known[name] = _times(of(calls), calls)
    return known[name]


def _times(values_ms: NDArray[np.float64], calls: Calls) -> Times:
    rounds = calls.rounds()
    count = int(rounds.max()) + 1
    drawn = median(values_ms, rounds, picture_draws(count))
    return Times(len(values_ms), *median_p95(values_ms), *interval(drawn, count))


def _drawn(
    calls: Calls, shared: NDArray[np.int64], draws: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The median latency of each draw of the rounds that both models have."""
    inside = np.isin(calls.round, shared)
    places = np.searchsorted(shared, np.array(calls.round)[inside])
    return median(calls.latency()[inside], places, draws)
