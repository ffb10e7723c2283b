"""Latency, over a whole clip for example: what is usual, and what is rarely exceeded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClipLatency:
    """Median and 95th percentile in milliseconds of `count` measurements; NaN without any.

    Attributes:
        busy: all that was measured was measured while other work ran: no figure of the model's own.
        least_ms, most_ms: the range of the same measurements.
    """

    count: int
    median_ms: float
    p95_ms: float
    busy: bool = False
    least_ms: float = math.nan
    most_ms: float = math.nan


def median_p95(values: NDArray[np.floating] | Sequence[float]) -> tuple[float, float]:
    """Of at least one value; percentiles interpolate linearly, as numpy does."""
    median, p95 = np.percentile(values, (50, 95))
    return float(median), float(p95)


def summarise(
    latency_ms: NDArray[np.floating], disturbed: NDArray[np.bool_] | None = None
) -> ClipLatency:
    """The summary of the finite values.

    Args:
        disturbed: bool of the same shape, values that count only where there are no others.
    """
    values = np.asarray(latency_ms, np.float64)
    finite = np.isfinite(values)
    quiet = finite if disturbed is None else finite & ~disturbed
    if not finite.any():
        return ClipLatency(0, math.nan, math.nan)
    kept = values[quiet if quiet.any() else finite]
    ends = float(kept.min()), float(kept.max())
    return ClipLatency(len(kept), *median_p95(kept), not quiet.any(), *ends)
