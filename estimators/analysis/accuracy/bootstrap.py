"""Intervals by drawing pictures again and again, and what the difference of two models is worth.

Pictures are drawn, not people or joints, because what is in one picture errs together.  All models
see the same draws, so that their difference is a paired one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS, SEED = 1000, 20171029
# With five pictures a model that is better by mere chance is better on all of them once in sixteen
# times (2 · 0.5⁵), which no 95 % interval may leave out.
FEWEST_PICTURES = 6
_PERCENT = (2.5, 97.5)


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval.

    Attributes:
        value: NaN where there is nothing to measure.
        low, high: NaN where there are too few pictures for an interval.
        count: what the number is over: people, or joints.
    """

    value: float
    low: float
    high: float
    count: int

    @property
    def known(self) -> bool:
        """There is an interval."""
        return not math.isnan(self.low)


@dataclass(frozen=True)
class Difference:
    """By how much one model's figure lies above another's on the same pictures.

    Attributes:
        metric: its name, as in the report.
        higher_is_better: False for errors.
    """

    metric: str
    better: str
    other: str
    value: float
    low: float
    high: float
    higher_is_better: bool

    @property
    def sure(self) -> bool:
        """The interval leaves zero out."""
        return self.low > 0


def picture_draws(pictures: int, draws: int = DRAWS, seed: int = SEED) -> NDArray[np.int64]:
    """How often each picture is drawn, int64 [draws, pictures]: as many as there are, put back.

    Source: B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7
    (1979).
    """
    if pictures == 0:
        return np.zeros((draws, 0), np.int64)
    rng = np.random.default_rng(seed)
    drawn: NDArray[np.int64] = rng.multinomial(pictures, np.full(pictures, 1 / pictures), draws)
    return drawn


def once(pictures: int) -> NDArray[np.int64]:
    """The pictures as they are, int64 [1, pictures]: a single draw that has each of them once."""
    return np.ones((1, pictures), np.int64)


def share(
    top: NDArray[np.float64], bottom: NDArray[np.float64], weights: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sum of `top` over sum of `bottom`, both [I] a picture, of each draw [B, I]; NaN over zero."""
    total = (weights @ bottom).astype(np.float64)
    shares = np.full(total.shape, np.nan)
    np.divide(weights @ top, total, out=shares, where=total > 0)
    return shares


def median(
    values: NDArray[np.float64], picture: NDArray[np.int64], weights: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Median of the finite `values` [M] of each draw [B, I]; NaN of none.

    Args:
        picture: int64 [M], where each value is from.
    """
    finite = np.isfinite(values)
    values, picture = values[finite], picture[finite]
    if not len(values):
        return np.full(len(weights), np.nan)
    order = np.argsort(values, kind="stable")
    values = values[order]
    out = np.full(len(weights), np.nan)
    for b, row in enumerate(weights):  # a row at a time: there may be many joints
        drawn = np.cumsum(row[picture[order]])
        if drawn[-1] > 0:
            low, high = (np.searchsorted(drawn, drawn[-1] / 2, side=s) for s in ("left", "right"))
            out[b] = (values[low] + values[high]) / 2
    return out


def interval(draws: NDArray[np.float64], pictures: int) -> tuple[float, float]:
    """The middle 95 % of the draws; NaN with fewer than six pictures to draw from.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), percentile interval.
    """
    finite = draws[np.isfinite(draws)]
    if pictures < FEWEST_PICTURES or not len(finite):
        return math.nan, math.nan
    low, high = np.percentile(finite, _PERCENT)
    return float(low), float(high)


def figure(value: float, draws: NDArray[np.float64], pictures: int, count: int) -> Figure:
    """`value` with the interval of its draws."""
    low, high = (math.nan, math.nan) if math.isnan(value) else interval(draws, pictures)
    return Figure(float(value), low, high, int(count))
