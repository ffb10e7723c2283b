"""Times measured while something else used the cores carry a mark, and make no figure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from estimators.runtime.activity import Activity
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import Background, status, wait_until

FRAME = fake.picture(3, 3)
SLEEPS = fake.picture(3, 3, fake.SLEEP, 6)  # 0.3 s


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    specs = [fake.spec("a"), fake.spec("b"), fake.spec("slow-to-load", load_s=0.5)]
    runner = ProcessRunner(Settings(), models={spec.key: spec for spec in specs}, threads=1)
    yield runner
    runner.close()


def test_one_model_after_another_is_undisturbed(runner: ProcessRunner) -> None:
    assert not any(runner.estimate(key, FRAME).busy for key in ("a", "b", "a", "b"))
    assert not any(entry.start_busy for entry in runner.status())


def test_two_models_at_once_disturb_each_other(runner: ProcessRunner) -> None:
    for key in ("a", "b"):
        runner.estimate(key, FRAME)
    told: list[bool] = []
    beside = Background(lambda: told.append(runner.estimate("a", SLEEPS).busy))
    wait_until(lambda: runner._host("a")._turns._held)
    told.append(runner.estimate("b", SLEEPS).busy)
    assert beside.done() is None
    assert told == [True, True]
    assert not runner.estimate("a", FRAME).busy


def test_a_model_that_loads_disturbs_the_others(runner: ProcessRunner) -> None:
    runner.estimate("a", FRAME)
    loading = runner.warm("slow-to-load")
    wait_until(lambda: status(runner, "slow-to-load").state == "loading")
    assert runner.estimate("a", SLEEPS).busy
    assert loading.wait(60)
    assert not runner.estimate("a", FRAME).busy
    assert not runner.estimate("slow-to-load", FRAME).busy
    assert status(runner, "slow-to-load").start_busy
    assert not status(runner, "a").start_busy


def test_no_figure_is_made_of_disturbed_calls(runner: ProcessRunner) -> None:
    runner.estimate("a", FRAME)
    with runner.occupied():
        assert runner.estimate("a", SLEEPS).busy
        assert status(runner, "a").median_ms is None
    runner.estimate("a", FRAME)
    median_ms = status(runner, "a").median_ms
    assert median_ms is not None
    assert median_ms < 300


def test_warming_tells_when_it_is_done(runner: ProcessRunner) -> None:
    first, second = runner.warm("slow-to-load"), runner.warm("slow-to-load")
    assert not first.is_set()
    assert second.wait(60)
    assert first.is_set()
    assert status(runner, "slow-to-load").state == "ready"
    assert runner.warm("slow-to-load").is_set()
    runner.retire("slow-to-load")
    assert not runner.warm("slow-to-load").is_set()


def test_quiet_is_when_nothing_has_run_for_a_while() -> None:
    activity = Activity()
    assert activity.wait_quiet(0.0)
    with activity.work():
        assert not activity.wait_quiet(0.05)
    assert activity.wait_quiet(5.0, lasting_s=0.05)
