"""Latency and rate: over a whole clip, and rolling over the last seconds of a live stream."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LatencySummary:
    """Median and 95th percentile in milliseconds of `count` measurements; NaN without any."""

    count: int
    median_ms: float
    p95_ms: float


def summarise(latency_ms: NDArray[np.floating]) -> LatencySummary:
    """The summary of the finite values; percentiles interpolate linearly, as numpy does."""
    finite = np.asarray(latency_ms, np.float64)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return LatencySummary(0, math.nan, math.nan)
    median, p95 = np.percentile(finite, [50, 95])
    return LatencySummary(len(finite), float(median), float(p95))


@dataclass(frozen=True)
class RollingSnapshot:
    """The last seconds of a stream: answers a second, latency, and frames dropped unanswered."""

    rate_hz: float
    latency: LatencySummary
    dropped: int
    age_s: float


class RollingLatency:
    """Statistics of the last `window_s` seconds, in bounded memory; any thread may call it.

    Times come from the caller's clock (`time.monotonic`), so that tests need not wait.

    Args:
        window_s: how far back the statistics reach.
        most: measurements kept at most, the newest; 4,096 are 30 s at 136 a second.
    """

    def __init__(self, window_s: float = 30.0, most: int = 4096) -> None:
        self._window_s = window_s
        self._lock = threading.Lock()
        self._answers: deque[tuple[float, float]] = deque(maxlen=most)
        self._drops: deque[float] = deque(maxlen=most)
        self._started: float | None = None

    def add(self, now_s: float, latency_ms: float) -> None:
        """An answer arrived at `now_s`, `latency_ms` after it was asked for."""
        with self._lock:
            self._started = now_s if self._started is None else self._started
            self._answers.append((now_s, latency_ms))

    def drop(self, now_s: float) -> None:
        """A frame was replaced by a newer one before the model took it."""
        with self._lock:
            self._started = now_s if self._started is None else self._started
            self._drops.append(now_s)

    def reset(self) -> None:
        """Forgets everything: the stream started anew."""
        with self._lock:
            self._answers.clear()
            self._drops.clear()
            self._started = None

    def snapshot(self, now_s: float) -> RollingSnapshot:
        """The figures of the window that ends at `now_s`.

        The rate counts answers over the window, or over the time since the start while that is
        shorter; `age_s` is the time since the newest answer, infinite without one.
        """
        with self._lock:
            self._forget(now_s)
            answers = list(self._answers)
            dropped = len(self._drops)
            started = self._started
        span = self._window_s if started is None else min(self._window_s, now_s - started)
        # Where the oldest measurements were let go for want of room, only the rest has a span.
        if len(answers) == self._answers.maxlen:
            span = min(span, now_s - answers[0][0])
        rate = len(answers) / span if span > 0 else 0.0
        age = now_s - answers[-1][0] if answers else math.inf
        return RollingSnapshot(rate, summarise(np.array([ms for _, ms in answers])), dropped, age)

    def series(self, now_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The measurements of the window for a chart: seconds before `now_s` (≤ 0), and ms."""
        with self._lock:
            self._forget(now_s)
            answers = np.array(self._answers, np.float64).reshape(-1, 2)
        return answers[:, 0] - now_s, answers[:, 1]

    def _forget(self, now_s: float) -> None:
        oldest = now_s - self._window_s
        while self._answers and self._answers[0][0] < oldest:
            self._answers.popleft()
        while self._drops and self._drops[0] < oldest:
            self._drops.popleft()
