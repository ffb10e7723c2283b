"""Medians with intervals, stages that add up, ratios of models that took turns."""

from __future__ import annotations

import gc
import math
import weakref

import numpy as np
import pytest

from estimators.workflows.benchmark import figures
from estimators.workflows.benchmark.measure import settled
from estimators.workflows.benchmark.result import STAGES, Calls
from tests.unit.benchmark_stand import calls

RNG = np.random.default_rng(3)


def test_latency_is_the_models_own_three_stages_and_the_whole_has_transport() -> None:
    times = calls([10.0, 20.0, 30.0], rest_ms=5.0)
    assert figures.latency(times).median_ms == pytest.approx(20.0)
    assert figures.whole(times).median_ms == pytest.approx(25.0)
    assert figures.latency(times).p95_ms == pytest.approx(29.0)


def test_the_interval_of_a_median_holds_it_and_needs_six_rounds() -> None:
    times = figures.latency(calls(list(RNG.normal(20, 2, 40)), [i // 4 for i in range(40)]))
    assert times.low_ms < times.median_ms < times.high_ms
    assert times.high_ms - times.low_ms < 4
    assert math.isnan(figures.latency(calls([10.0] * 5)).low_ms)


def test_rounds_are_drawn_not_calls() -> None:
    """Calls of one round are slow together: many of them are no more evidence than one."""
    slow_together = [10.0 + 10 * (i // 20 % 2) for i in range(200)]
    by_round = figures.latency(calls(slow_together, [i // 20 for i in range(200)]))
    by_call = figures.latency(calls(slow_together, list(range(200))))
    assert by_round.high_ms - by_round.low_ms >= by_call.high_ms - by_call.low_ms
    assert (by_round.low_ms, by_round.high_ms) == (10.0, 20.0)


def test_stages_add_up_to_the_middle_half_and_an_outlier_moves_nothing() -> None:
    even = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0]
    stages = figures.stages(calls(even, rest_ms=1.0))
    assert tuple(stages) == STAGES
    assert sum(stages.values()) == pytest.approx(np.mean(even[2:6]) + 1.0)
    assert stages["inference"] == pytest.approx(0.8 * np.mean(even[2:6]))
    wild = figures.stages(calls([*even[:-1], 9_999.0], rest_ms=1.0))
    assert wild == pytest.approx(stages)


def test_every_call_adds_up_to_its_own_whole() -> None:
    columns = [tuple(RNG.uniform(0, 9, 30)) for _ in STAGES]
    times = Calls(tuple(range(30)), *columns)
    assert np.sum([times.stage(name) for name in STAGES], axis=0) == pytest.approx(times.whole())


def test_a_ratio_leaves_out_what_slowed_both_down() -> None:
    drift = np.repeat(RNG.uniform(1, 3, 10), 6)
    rounds = [i // 6 for i in range(60)]
    a = calls(list(20 * drift * RNG.normal(1, 0.01, 60)), rounds)
    b = calls(list(10 * drift * RNG.normal(1, 0.01, 60)), rounds)
    ratio = figures.ratio(a, b)
    assert ratio.value == pytest.approx(2.0, rel=0.02)
    assert 1.9 < ratio.low <= ratio.value <= ratio.high < 2.1
    own = figures.latency(a)
    assert (own.high_ms - own.low_ms) / own.median_ms > 3 * (ratio.high - ratio.low) / ratio.value


def test_what_is_asked_again_is_not_computed_again_and_goes_with_its_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page asks with every click, and an interval takes a thousand draws."""
    a, b = calls([10.0] * 6, rest_ms=7.0), calls([5.0] * 6, rest_ms=7.0)

    def told(a: Calls, b: Calls) -> list[object]:
        ratios = [figures.ratio(a, b), figures.ratio(b, a)]
        return [figures.latency(a), figures.whole(a), figures.latency(b), *ratios]

    first = told(a, b)
    monkeypatch.setattr(figures, "picture_draws", None)
    assert told(a, b) == first
    assert [each.median_ms for each in first[:3]] == [10.0, 17.0, 5.0]  # type: ignore[attr-defined]
    assert [each.value for each in first[3:]] == [2.0, 0.5]  # type: ignore[attr-defined]
    kept = weakref.ref(a)
    del a
    gc.collect()
    assert kept() is None


def test_a_ratio_of_models_without_a_common_round_is_unknown() -> None:
    assert math.isnan(figures.ratio(calls([1.0] * 6), calls([1.0] * 6, [9] * 6)).value)


@pytest.mark.parametrize(
    ("latency_ms", "done"),
    [
        ([10.0] * 14, False),  # too few to say
        ([10.0] * 15, True),
        ([100.0, *[10.0] * 14], True),  # the first call is slow, the median does not mind
        ([30.0 - i for i in range(20)], False),  # still falling
        ([*[30.0 - i for i in range(20)], *[11.0] * 15], True),
        # Half of the last ten are new: their median is the mean of old and new.
        ([*[100.0] * 10, *[96.0] * 5], True),
        ([*[100.0] * 10, *[93.0] * 5], False),
    ],
)
def test_warm_up_ends_when_the_median_of_the_last_ten_settles(
    latency_ms: list[float], done: bool
) -> None:
    assert settled(latency_ms) is done
