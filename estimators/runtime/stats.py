"""Latency of one loaded variant: the cold start apart from the calls after it."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import Any

from estimators.analysis.clip_latency import median_p95

# Long enough for a p95, short enough to follow what the machine does now.
_WINDOW = 500


class CallStats:
    """Stage totals in milliseconds, from any thread.

    Attributes:
        load_s: seconds from starting the process to ready at last, None before.
        start_busy: other work ran while it loaded or made its first call.
        latest_ms: of the last call, busy or not; infinite before the first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._later: deque[float] = deque(maxlen=_WINDOW)
        self._cold = True
        self.calls = 0
        self.load_s: float | None = None
        self.first_call_ms: float | None = None
        self.start_busy = False
        self.latest_ms = math.inf

    def loaded(self, load_s: float, busy: bool) -> None:
        """The next call is the first after loading."""
        self.load_s = load_s
        self._cold, self.start_busy = True, busy

    def add(self, total_ms: float, busy: bool) -> None:
        """A call; while other work ran (`busy`) it says nothing about the model's own latency."""
        with self._lock:
            self.calls += 1
            self.latest_ms = total_ms
            if self._cold:
                self._cold = False
                self.first_call_ms = total_ms
                self.start_busy |= busy
            elif not busy:
                self._later.append(total_ms)

    def figures(self) -> dict[str, Any]:
        """All of it, as `api.ModelStatus` calls it."""
        median_ms, p95_ms = self.median_p95()
        return {
            "load_s": self.load_s,
            "first_call_ms": self.first_call_ms,
            "start_busy": self.start_busy,
            "median_ms": median_ms,
            "p95_ms": p95_ms,
            "calls": self.calls,
        }

    def median_p95(self) -> tuple[float | None, float | None]:
        """Of the latest undisturbed calls after the first; None before there are any."""
        with self._lock:
            later = list(self._later)
        return median_p95(later) if later else (None, None)
