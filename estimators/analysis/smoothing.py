"""The One Euro filter over joints: calm when still, quick when moving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class OneEuro:
    """Parameters of the One Euro filter, for positions in torso lengths.

    Attributes:
        min_cutoff_hz: cut-off frequency at rest; lower is calmer.
        beta: how fast the cut-off rises with speed (Hz for each torso length a second); higher
            follows faster.
        derivative_cutoff_hz: cut-off of the speed itself.
        max_gap_s: after a longer absence, hidden frames counted, a joint starts afresh.
    """

    min_cutoff_hz: float = 1.0
    beta: float = 1.0
    derivative_cutoff_hz: float = 1.0
    max_gap_s: float = 0.5


def one_euro(
    positions: NDArray[np.float64],
    time_s: NDArray[np.float64],
    scale: float = 1.0,
    options: OneEuro = OneEuro(),
) -> NDArray[np.float64]:
    """`positions` [T, …] smoothed along time, each coordinate for itself; NaN stays NaN.

    Args:
        positions: in pixels, e.g. [T, 17, 2] of one person.
        time_s: [T] seconds, increasing, in steps of any size; a frame with the time of the one
            before counts as a thousandth of a second later.
        scale: length of the torso in pixels, so that one setting suits people of any size.

    Source: Casiez, Roussel and Vogel, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy
    Input in Interactive Systems", CHI 2012.

    Raises:
        ValueError: times and positions differ in length, or the scale is not positive.
    """
    if len(positions) != len(time_s):
        raise ValueError(f"{len(positions)} positions for {len(time_s)} times")
    if not scale > 0:
        raise ValueError(f"scale: expected a positive length, got {scale}")
    values = np.asarray(positions, np.float64) / scale
    out = np.empty_like(values)
    state = _State(values.shape[1:])
    for t, value in enumerate(values):
        out[t] = state.step(value, float(time_s[t]), options)
    return out * scale


class _State:
    """The filter between two frames, one of each number a coordinate."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._smoothed = np.full(shape, np.nan)
        self._speed = np.zeros(shape)
        self._seen_s = np.full(shape, -np.inf)

    def step(
        self, value: NDArray[np.float64], now_s: float, options: OneEuro
    ) -> NDArray[np.float64]:
        """The smoothed `value`, NaN where it is."""
        present = np.isfinite(value)
        fresh = ~np.isfinite(self._smoothed) | (now_s - self._seen_s > options.max_gap_s)
        step = np.maximum(now_s - self._seen_s, 1e-3)
        raw_speed = (value - self._smoothed) / step
        change = _weight(options.derivative_cutoff_hz, step) * (raw_speed - self._speed)
        speed = np.where(fresh, 0.0, self._speed + change)
        cutoff = options.min_cutoff_hz + options.beta * np.abs(speed)
        base = np.where(fresh, value, self._smoothed)
        smoothed = base + _weight(cutoff, step) * (value - base)  # `value` where fresh
        self._smoothed = np.where(present, smoothed, self._smoothed)
        self._speed = np.where(present, speed, self._speed)
        self._seen_s = np.where(present, now_s, self._seen_s)
        return np.where(present, self._smoothed, np.nan)


def _weight(
    cutoff_hz: NDArray[np.float64] | float, step_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weight of the new value in a low-pass filter of `cutoff_hz`: 1 / (1 + τ / step)."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff_hz * step_s))
