"""Latency summaries and rolling statistics with a clock of the test's own."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from estimators.analysis.latency import RollingLatency, summarise


def test_summary_is_numpys_percentiles_of_what_was_measured() -> None:
    values = np.array([5, 1, np.nan, 9, 3, 7], np.float32)
    summary = summarise(values)
    assert summary.count == 5
    assert summary.median_ms == 5
    assert summary.p95_ms == pytest.approx(np.percentile([1, 3, 5, 7, 9], 95))
    nothing = summarise(np.array([np.nan]))
    assert nothing.count == 0
    assert math.isnan(nothing.median_ms)


def test_rate_and_latency_of_the_last_seconds_only() -> None:
    rolling = RollingLatency(window_s=10)
    for i in range(300):  # 30 s at 10 a second; slow at first, then fast
        rolling.add(i / 10, 100.0 if i < 200 else 20.0)
    snapshot = rolling.snapshot(30.0)
    assert snapshot.rate_hz == pytest.approx(10)
    assert snapshot.latency.median_ms == 20
    assert snapshot.age_s == pytest.approx(0.1)
    assert rolling.snapshot(45.0).rate_hz == 0
    assert rolling.snapshot(45.0).age_s == math.inf


def test_a_stream_that_just_began_has_its_real_rate() -> None:
    rolling = RollingLatency(window_s=30)
    for i in range(21):
        rolling.add(100 + i / 20, 5.0)
    assert rolling.snapshot(101.0).rate_hz == pytest.approx(21)


def test_nothing_yet() -> None:
    snapshot = RollingLatency().snapshot(5.0)
    assert snapshot.rate_hz == 0
    assert snapshot.dropped == 0
    assert snapshot.age_s == math.inf
    assert snapshot.latency.count == 0


def test_drops_are_counted_and_forgotten() -> None:
    rolling = RollingLatency(window_s=10)
    for i in range(20):
        rolling.drop(float(i))
    assert rolling.snapshot(19.0).dropped == 11
    assert rolling.snapshot(40.0).dropped == 0


def test_memory_is_bounded_and_the_rate_stays_true() -> None:
    rolling = RollingLatency(window_s=30, most=100)
    for i in range(100_000):
        rolling.add(i / 1000, 1.0)
        rolling.drop(i / 1000)
    snapshot = rolling.snapshot(100.0)
    assert snapshot.latency.count == 100
    assert snapshot.rate_hz == pytest.approx(1000, rel=0.02)
    assert snapshot.dropped == 100


def test_series_counts_back_from_now() -> None:
    rolling = RollingLatency(window_s=10)
    rolling.add(1.0, 7.0)
    rolling.add(14.0, 8.0)
    rolling.add(15.0, 9.0)
    seconds, latency = rolling.series(16.0)
    assert seconds.tolist() == [-2, -1]
    assert latency.tolist() == [8, 9]


def test_a_new_stream_starts_from_nothing() -> None:
    rolling = RollingLatency()
    rolling.add(1.0, 7.0)
    rolling.reset()
    assert rolling.snapshot(2.0).latency.count == 0


def test_threads_may_add_while_another_reads() -> None:
    rolling = RollingLatency(window_s=1e9, most=100_000)

    def work() -> None:
        for i in range(2000):
            rolling.add(float(i), 1.0)
            rolling.drop(float(i))
            if i % 100 == 0:
                rolling.snapshot(float(i))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snapshot = rolling.snapshot(2000.0)
    assert snapshot.latency.count == 8000
    assert snapshot.dropped == 8000
