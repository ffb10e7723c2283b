"""Rolling rate, latency and drops: windows, percentiles, bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.analysis.latency import RollingLatency


def filled(count: int = 301, step_s: float = 0.1) -> RollingLatency:
    """An answer every tenth of a second from 100 s on, latencies 0, 1, 2 … ms."""
    rolling = RollingLatency(window_s=10)
    for i in range(count):
        rolling.add(100 + i * step_s, float(i))
    return rolling


def test_nothing_yet() -> None:
    summary = RollingLatency().summary(5.0)
    assert (summary.count, summary.rate, summary.drops) == (0, 0.0, 0)
    assert summary.median_ms is None
    assert summary.p95_ms is None


def test_only_the_window_counts() -> None:
    summary = filled().summary(130.0)
    inside = np.arange(201, 301)  # answers after 120 s
    assert summary.count == 100
    assert summary.rate == pytest.approx(99 / 9.9)  # since the first of them
    assert filled().summary(110.0).count == 100  # and none that came later
    assert summary.median_ms == np.median(inside)
    assert summary.p95_ms == pytest.approx(np.percentile(inside, 95))


def test_the_rate_of_a_young_stream_is_not_diluted_by_the_time_before_it() -> None:
    rolling = RollingLatency(window_s=30)
    for i in range(31):
        rolling.add(50 + i / 30, 1.0)
    assert rolling.summary(51.0).rate == pytest.approx(30.0)


def test_the_rate_falls_when_answers_stop() -> None:
    rolling = filled()
    rates = [rolling.summary(now_s).rate for now_s in (130.0, 133.0, 136.0)]
    assert rates[0] > rates[1] > rates[2]
    assert rolling.summary(141.0).count == 0


def test_drops_are_counted_in_the_window_only() -> None:
    rolling = RollingLatency(window_s=10)
    for time_s in (1.0, 2.0, 5.0, 11.0, 12.0):
        rolling.drop(time_s)
    assert rolling.summary(12.0).drops == 3
    assert rolling.summary(30.0).drops == 0


def test_half_a_minute_of_four_thousand_answers_unless_told() -> None:
    rolling = RollingLatency()
    for i in range(5000):
        rolling.add(60 + i / 1000, 1.0)
    assert rolling.summary(65.0).count == 4096
    times = RollingLatency()
    for time_s in (30.0, 30.001, 60.0):
        times.add(time_s, 1.0)
    assert times.summary(60.0).count == 2


def test_an_answer_of_this_moment_has_no_rate_yet() -> None:
    rolling = RollingLatency(0.5, 1)
    rolling.add(7.0, 20.0)
    summary = rolling.summary(7.0)
    assert (summary.count, summary.rate, summary.median_ms) == (1, 0.0, 20.0)


def test_memory_is_bounded() -> None:
    rolling = RollingLatency(window_s=1e9, most=50)
    for i in range(1000):
        rolling.add(float(i), 1.0)
        rolling.drop(float(i))
    summary = rolling.summary(1000.0)
    assert (summary.count, summary.drops) == (50, 50)


def test_latencies_are_told_relative_to_now() -> None:
    ago_s, latency_ms = filled(3).latencies(101.0)
    np.testing.assert_allclose(ago_s, [-1.0, -0.9, -0.8])
    np.testing.assert_array_equal(latency_ms, [0, 1, 2])


def test_a_finished_bin_never_changes() -> None:
    rolling = filled()
    middles, rates = rolling.rates(125.3)
    later_middles, later_rates = rolling.rates(126.9)
    at = dict(zip(np.round(middles + 125.3, 6), rates, strict=True))
    later = dict(zip(np.round(later_middles + 126.9, 6), later_rates, strict=True))
    shared = at.keys() & later.keys()
    assert len(shared) > 5
    assert all(at[bin_] == later[bin_] for bin_ in shared)
    np.testing.assert_allclose(later_rates[1:-1], 10, atol=1)  # an answer may sit on an edge


def test_too_young_for_a_bin() -> None:
    rolling = RollingLatency()
    rolling.add(10.2, 1.0)
    assert [len(part) for part in rolling.rates(10.9)] == [0, 0]
    assert [len(part) for part in RollingLatency().rates(10.9)] == [0, 0]


@pytest.mark.parametrize(("window_s", "most"), [(0.0, 5), (-1.0, 5), (1.0, 0)])
def test_refuses_an_empty_window(window_s: float, most: int) -> None:
    with pytest.raises(ValueError, match="window"):
        RollingLatency(window_s, most)


@pytest.mark.parametrize("bin_s", [0.5, 2.0])
def test_bins_of_any_width_count_answers_a_second(bin_s: float) -> None:
    middles, rates = filled(step_s=0.1).rates(130.05, bin_s)
    assert rates == pytest.approx(np.full(len(rates), 10.0), abs=2.1)
    assert rates.mean() == pytest.approx(10, rel=0.05)
    assert np.diff(middles) == pytest.approx(bin_s)
    assert -10 <= middles[0] - bin_s / 2 < -10 + 2 * bin_s
    assert -bin_s < middles[-1] + bin_s / 2 <= 0


def test_a_single_whole_bin_is_told() -> None:
    rolling = RollingLatency(window_s=10)
    for time_s in (100.5, 101.0, 101.2, 101.9, 102.1):
        rolling.add(time_s, 1.0)
    middles, rates = rolling.rates(102.5)
    assert (middles.tolist(), rates.tolist()) == ([-1.0], [3.0])
