"""The memory budget with real processes of known weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from estimators.errors import InputError, MemoryBudgetError
from estimators.runtime import budget
from estimators.runtime.runner import ProcessRunner
from estimators.runtime.transport import Limits
from estimators.settings import Settings
from estimators.types import EstimatorOptions
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import Background, wait_until

VIDEO = EstimatorOptions(video=True)
FRAME = fake.picture(3, 3)
Make = Callable[..., ProcessRunner]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes runners whose models a, b, c take about 150 MB each and are expected to take 160."""
    monkeypatch.setattr(budget, "_CHECK_EVERY_S", 0.0)
    runners: list[ProcessRunner] = []

    def build(memory_mb: int, **load_mb: int) -> ProcessRunner:
        sizes = {"a": 120, "b": 120, "c": 120} | load_mb
        specs = {key: fake.spec(key, load_mb=size) for key, size in sizes.items()}
        runners.append(ProcessRunner(Settings(memory_mb), 1, specs, Limits(call_s=20)))
        return runners[-1]

    yield build
    for runner in runners:
        runner.close()


def running(runner: ProcessRunner) -> list[str]:
    return [entry.model for entry in runner.status() if entry.state == "ready"]


def test_the_least_recently_used_goes_first(make: Make) -> None:
    runner = make(400)
    for key in ("a", "b", "a"):
        runner.estimate(key, FRAME)
    assert running(runner) == ["a", "b"]
    runner.estimate("c", FRAME)
    assert running(runner) == ["a", "c"]
    runner.estimate("b", FRAME)
    assert running(runner) == ["b", "c"]
    assert [entry.restarts for entry in runner.status()] == [0, 0, 0]


def test_everything_stays_while_it_fits(make: Make) -> None:
    runner = make(700)
    for key in ("a", "b", "c"):
        runner.estimate(key, FRAME)
    assert running(runner) == ["a", "b", "c"]


def test_the_sum_of_shares_stays_under_the_budget(make: Make) -> None:
    runner = make(420)
    for key in "abcabcba":
        runner.estimate(key, FRAME)
        assert sum(entry.pss_mb or entry.rss_mb or 0 for entry in runner.status()) <= 420


def test_one_that_does_not_fit_runs_alone(make: Make) -> None:
    runner = make(50)
    for key in ("a", "b"):
        runner.estimate(key, FRAME)
        runner.estimate(key, FRAME)
        assert running(runner) == [key]


def test_one_in_a_call_is_waited_for_and_not_interrupted(make: Make) -> None:
    runner = make(200)
    runner.estimate("a", FRAME)
    call = Background(runner.estimate, "a", fake.picture(3, 3, fake.SLEEP, 20))
    wait_until(lambda: runner._host("a")._turns._held)
    runner.estimate("b", FRAME)
    assert call.done() is None
    assert running(runner) == ["b"]


def test_two_newcomers_at_once_come_one_after_the_other(make: Make) -> None:
    runner = make(200)
    runner.estimate("a", FRAME)
    calls = [Background(runner.estimate, key, FRAME) for key in "bcabcabc"]
    assert [call.done() for call in calls] == [None] * len(calls)
    assert len(running(runner)) == 1


def test_a_stream_stays_and_the_newcomer_is_told(make: Make) -> None:
    runner = make(400)
    with runner.open("a", VIDEO) as first, runner.open("b", VIDEO) as second:
        first.estimate(FRAME)
        second.estimate(FRAME)
        with pytest.raises(MemoryBudgetError, match=r"C needs about 160 MB.*A \(\d+ MB\), B \("):
            runner.estimate("c", FRAME)
        assert not first.estimate(FRAME).restarted
    runner.estimate("c", FRAME)
    assert "c" in running(runner)


def test_what_was_measured_counts_the_next_time(make: Make) -> None:
    runner = make(500, c=400)
    runner.estimate("a", FRAME)
    runner.estimate("c", FRAME)  # expected 160, takes over 400: a has to go afterwards
    assert running(runner) == ["c"]
    runner.estimate("a", FRAME)
    assert running(runner) == ["a"]
    runner.estimate("c", FRAME)
    assert running(runner) == ["c"]


@pytest.mark.parametrize(("memory_mb", "threads"), [(0, 1), (-5, 1), (700, 0)])
def test_a_runner_of_no_size_is_refused(memory_mb: int, threads: int) -> None:
    with pytest.raises(InputError, match="too"):
        ProcessRunner(Settings(memory_mb), threads)


def test_the_budget_is_what_the_settings_say() -> None:
    runner = ProcessRunner(Settings(memory_mb=700), threads=1)
    runner.close()
    assert runner.memory_mb == runner._budget.total_mb == 700
