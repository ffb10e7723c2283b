"""When the benchmark of many workers says that a limit is passed."""

from __future__ import annotations

import pytest

from benchmarks.scale import LEAST_SPEEDUP, MOST_DRIVER_MS, report


def of(
    one: list[float], four: list[float], own_ms: float = 1.0
) -> dict[int, list[tuple[float, float]]]:
    return {1: [(rate, own_ms) for rate in one], 4: [(rate, own_ms) for rate in four]}


def test_one_disturbed_round_counts_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert not report(of([19, 18, 19], [75, 20, 74]))
    assert "4 workers: 74.0 pictures a second (3.89 × one" in capsys.readouterr().out


def test_a_round_that_was_slow_as_a_whole_counts_as_its_own_measure() -> None:
    assert not report(of([19, 9, 10], [75, 36, 40]))


def test_workers_that_do_not_add_up_are_told() -> None:
    least = LEAST_SPEEDUP * 4
    assert report(of([20, 20, 20], [20 * least - 1] * 3))
    assert not report(of([20, 20, 20], [20 * least + 1] * 3))


def test_a_driver_that_costs_too_much_is_told() -> None:
    assert report(of([20], [80], MOST_DRIVER_MS + 0.1))
    assert not report(of([20], [80], MOST_DRIVER_MS - 0.1))
