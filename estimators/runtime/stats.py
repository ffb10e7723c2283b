"""Latency of one loaded variant: the cold start apart from the calls after it."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

# Long enough for a p95, short enough to follow what the machine does now.
_WINDOW = 500


class CallStats:
    """Stage totals in milliseconds, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._later: deque[float] = deque(maxlen=_WINDOW)
        self._cold = True
        self.calls = 0
        self.first_call_ms: float | None = None

    def loaded(self) -> None:
        """The next call is the first after loading."""
        self._cold = True

    def add(self, total_ms: float) -> None:
        with self._lock:
            self.calls += 1
            if self._cold:
                self._cold = False
                self.first_call_ms = total_ms
            else:
                self._later.append(total_ms)

    def median_p95(self) -> tuple[float | None, float | None]:
        """Of the latest calls without the first after loading; None before there are any."""
        with self._lock:
            later = list(self._later)
        if not later:
            return None, None
        median, p95 = np.percentile(later, (50, 95))
        return float(median), float(p95)
