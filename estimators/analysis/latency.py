"""Rate, latency and dropped frames of a stream over its last seconds, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip_latency import median_p95

WINDOW_S = 30.0
# At 60 frames a second the window holds 1,800; whoever is faster is measured over a shorter time.
_MOST = 4096


@dataclass(frozen=True)
class StreamLatency:
    """What happened in the window.

    Attributes:
        count: answers.
        rate: answers a second since the window, or the first answer in it, began; 0 before two.
        median_ms, p95_ms: of the answers' latencies; None before the first.
        drops: frames that were never looked at.
    """

    count: int
    rate: float
    median_ms: float | None
    p95_ms: float | None
    drops: int


class RollingLatency:
    """Times in seconds on one monotonic clock, increasing; may be used from several threads.

    Args:
        window_s: what is older is forgotten.
        most: most answers, and most drops, that are remembered.

    Raises:
        ValueError: an empty window or no room.
    """

    def __init__(self, window_s: float = WINDOW_S, most: int = _MOST) -> None:
        if window_s <= 0 or most < 1:
            raise ValueError(f"expected a window and room, got {window_s} s and {most}")
        self.window_s = window_s
        self._lock = threading.Lock()
        self._answers: deque[tuple[float, float]] = deque(maxlen=most)
        self._drops: deque[float] = deque(maxlen=most)

    def add(self, time_s: float, latency_ms: float) -> None:
        """An answer came at `time_s`, `latency_ms` after it was asked for."""
        with self._lock:
            self._answers.append((time_s, latency_ms))

    def drop(self, time_s: float) -> None:
        """A frame made room for a newer one before anybody looked at it."""
        with self._lock:
            self._drops.append(time_s)

    def summary(self, now_s: float) -> StreamLatency:
        """Of the window that ends at `now_s`."""
        times, latencies = self._window(now_s)
        with self._lock:
            drops = sum(time_s > now_s - self.window_s for time_s in self._drops)
        if not len(times):
            return StreamLatency(0, 0.0, None, None, drops)
        # The first answer opens the time over which the following ones are counted.
        since_s = now_s - times[0]
        rate = (len(times) - 1) / since_s if since_s > 0 else 0.0
        return StreamLatency(len(times), float(rate), *median_p95(latencies), drops)

    def latencies(self, now_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """When each answer of the window came, and its latency.

        Returns:
            Float64 [n] seconds relative to `now_s` (negative), and float64 [n] milliseconds.
        """
        times, latencies = self._window(now_s)
        return times - now_s, latencies

    def rates(
        self, now_s: float, bin_s: float = 1.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Answers a second in each whole bin of the window since its first answer.

        Bins end at whole multiples of `bin_s` on the clock, so that a bin's value does not change
        from one reading to the next.

        Returns:
            Float64 [b] middle of each bin in seconds relative to `now_s`, float64 [b] answers a
            second.
        """
        times, _ = self._window(now_s)
        if not len(times):
            return np.zeros(0), np.zeros(0)
        first, last = np.floor(times[0] / bin_s) + 1, np.floor(now_s / bin_s)
        edges = np.arange(first, last + 1) * bin_s
        # An answer on an edge belongs to the bin that it opens.
        counts = np.diff(np.searchsorted(times, edges, side="left"))
        return edges[:-1] + bin_s / 2 - now_s, counts / bin_s

    def _window(self, now_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        with self._lock:
            pairs = np.array(self._answers, np.float64).reshape(len(self._answers), 2)
        inside = (pairs[:, 0] > now_s - self.window_s) & (pairs[:, 0] <= now_s)
        return pairs[inside, 0], pairs[inside, 1]
