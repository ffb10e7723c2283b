"""The One Euro filter against its published form and on signals with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from estimators.analysis.smoothing import OneEuro, one_euro
from tests.unit.analysis_motion import irregular

TIME = irregular(6, 30)


def reference(values: np.ndarray, time_s: np.ndarray, options: OneEuro) -> list[float]:
    """Algorithm 1 of the paper for one signal, written out step by step."""

    def alpha(cutoff: float, te: float) -> float:
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau / te)

    out = [float(values[0])]
    dx_hat = 0.0
    for i in range(1, len(values)):
        te = time_s[i] - time_s[i - 1]
        dx = (values[i] - out[-1]) / te
        a_d = alpha(options.derivative_cutoff_hz, te)
        dx_hat = a_d * dx + (1 - a_d) * dx_hat
        a = alpha(options.min_cutoff_hz + options.beta * abs(dx_hat), te)
        out.append(a * values[i] + (1 - a) * out[-1])
    return out


def test_it_is_the_filter_of_the_paper_on_every_coordinate() -> None:
    rng = np.random.default_rng(0)
    signals = np.cumsum(rng.normal(0, 0.05, (len(TIME), 3, 2)), axis=0)
    options = OneEuro(min_cutoff_hz=1.7, beta=0.6, derivative_cutoff_hz=0.8)
    smooth = one_euro(signals, TIME, options=options)
    for joint in range(3):
        for axis in range(2):
            expected = reference(signals[:, joint, axis], TIME, options)
            np.testing.assert_allclose(smooth[:, joint, axis], expected, rtol=1e-9)


def test_unless_told_it_is_the_filter_with_a_hertz_each() -> None:
    signal = np.cumsum(np.random.default_rng(3).normal(0, 0.05, len(TIME)))
    expected = reference(signal, TIME, OneEuro(min_cutoff_hz=1, beta=1, derivative_cutoff_hz=1))
    np.testing.assert_allclose(one_euro(signal, TIME), expected, rtol=1e-9)


def test_half_a_second_of_absence_is_bridged_unless_told() -> None:
    for later_s, afresh in ((0.5, False), (0.51, True)):
        smooth = one_euro(np.array([0.0, 1.0]), np.array([7.0, 7.0 + later_s]))
        assert (smooth[1] == 1) == afresh


def test_it_calms_noise_at_rest_and_follows_a_fast_move() -> None:
    rng = np.random.default_rng(1)
    rest = rng.normal(0, 2, (len(TIME), 17, 2))
    smooth = one_euro(rest, TIME, scale=100)
    assert smooth[30:].std() < 0.5 * rest[30:].std()
    jump = np.where(TIME[:, None, None] > 3, 300.0, 0.0) + np.zeros((1, 17, 2))
    moved = one_euro(jump, TIME, scale=100)
    after = np.flatnonzero(TIME > 3.3)[0]
    assert moved[after, 0, 0] > 0.9 * 300


def test_one_setting_suits_people_of_any_size() -> None:
    values = np.random.default_rng(2).normal(0, 5, (len(TIME), 17, 2))
    np.testing.assert_allclose(
        one_euro(values, TIME, scale=50) * 4, one_euro(values * 4, TIME, scale=200)
    )


def test_absent_joints_stay_absent_and_start_afresh_after_a_long_gap() -> None:
    values = np.zeros((len(TIME), 2, 2))
    values[60:] = 100.0
    values[40:60] = np.nan  # two thirds of a second
    smooth = one_euro(values, TIME, options=OneEuro(max_gap_s=0.3))
    assert np.isnan(smooth[40:60]).all()
    np.testing.assert_array_equal(smooth[60], values[60])
    np.testing.assert_array_equal(one_euro(values, TIME)[60], values[60])
    values[40:50] = 0.0  # a third of a second is left
    assert (one_euro(values, TIME)[60] < values[60]).all()
    bridged = one_euro(values, TIME, options=OneEuro(min_cutoff_hz=0.1, beta=0, max_gap_s=2))
    assert (bridged[60] < 50).all()


def test_frames_with_equal_times_do_not_divide_by_zero() -> None:
    time_s = TIME.copy()
    time_s[20] = time_s[19]
    values = np.random.default_rng(3).normal(0, 5, (len(TIME), 17, 2))
    smooth = one_euro(values, time_s, scale=100)
    assert np.isfinite(smooth).all()
    time_s[20] = time_s[19] + 0.001  # what it counts as
    np.testing.assert_allclose(smooth[20], one_euro(values, time_s, scale=100)[20], rtol=1e-9)


def test_it_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="3 positions for 2 times"):
        one_euro(np.zeros((3, 1)), np.zeros(2))
    with pytest.raises(ValueError, match="positive"):
        one_euro(np.zeros((3, 1)), np.arange(3.0), scale=0)
