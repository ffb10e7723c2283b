"""Latency over a whole clip: what is usual, and what is rarely exceeded."""

from __future__ import annotations

import math
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
