"""A model's process ended, stopped or out of memory, whatever it was doing: one table.

Every cell asks the same: whoever asked is told of that model alone, in words; no answer is lost but
the one that is told, and none at all where the work asks again by itself; the next one is right.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from estimators.errors import ModelCrashedError
from estimators.media.clips import open_clip
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import EstimatorOptions, Frame
from estimators.workflows.clip.run import ClipSettings, run_clip
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.live.follower import Follower
from tests.clip_factory import make_clip
from tests.process_faults import FAULTS, Fault, stopped
from tests.unit import fake_adapters as fake
from tests.unit.evaluate_stand import annotated_set
from tests.unit.live_stand import camera
from tests.unit.runtime_support import Background, count, status, wait_until

# A key of the registry, which evaluations and clips ask for what it can do.
KEY = "movenet-lightning"
VIDEO = EstimatorOptions(video=True)


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    models = {KEY: fake.spec(KEY, load_s=0.7), "other": fake.spec("other")}
    runner = ProcessRunner(Settings(), models=models, threads=1)
    yield runner
    runner.close()


def pid_of(runner: ProcessRunner) -> int:
    def known() -> int | None:
        return next((s.pid for s in runner.status() if s.model == KEY), None)

    wait_until(known)
    found = known()
    assert found is not None
    return found


def told(error: Exception | None) -> None:
    """One clear message about this model."""
    assert isinstance(error, ModelCrashedError)
    assert "Movenet-lightning's process was" in error.message
    assert "SIGKILL" in error.message or "stopped from outside" in error.message
    assert error.advice


def goes_on(runner: ProcessRunner, restarts: int) -> None:
    """The next answer is right, and the other model never noticed."""
    assert count(runner.estimate(KEY, fake.picture(7, 5), viewer="next")) == 1
    assert status(runner, KEY).restarts == restarts
    assert status(runner, KEY).state == "ready"
    assert count(runner.estimate("other", fake.picture(3, 3))) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_while_loading(runner: ProcessRunner, fault: Fault) -> None:
    call = Background(runner.estimate, KEY, fake.picture(3, 3))
    fault(pid_of(runner))  # at once: it loads for a while from here
    told(call.done())
    runner.forgive(KEY)  # "Try again": a failed load is not tried by everybody at once
    assert count(runner.estimate(KEY, fake.picture(7, 5))) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_while_idle(runner: ProcessRunner, fault: Fault) -> None:
    runner.estimate(KEY, fake.picture(3, 3))
    fault(pid_of(runner))
    if fault is stopped:  # nobody can see it before it is asked
        with pytest.raises(ModelCrashedError) as caught:
            runner.estimate(KEY, fake.picture(4, 4))
        told(caught.value)
    else:
        wait_until(lambda: status(runner, KEY).pid is None)
    goes_on(runner, 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_while_estimating(runner: ProcessRunner, fault: Fault) -> None:
    runner.estimate(KEY, fake.picture(3, 3))
    slow = fake.picture(4, 4, fake.SLEEP, 100)
    call = Background(lambda: runner.estimate(KEY, slow, viewer="sender"))
    wait_until(lambda: runner._activity._running)
    fault(pid_of(runner))
    told(call.done())
    goes_on(runner, 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_in_a_clip(runner: ProcessRunner, fault: Fault, tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "clip.mp4"))
    found, restarted = [], []
    for outcome in run_clip(runner, clip, ClipSettings((KEY,))):
        assert not outcome.failures
        found.append(outcome.frame.index)
        if outcome.results[KEY].restarted:
            restarted.append(outcome.frame.index)
        if len(found) in (5, 20):
            fault(pid_of(runner))
    assert found == list(range(clip.frame_count))  # asked again: no frame is without its answer
    assert restarted == [5, 20]


@pytest.mark.parametrize("fault", FAULTS)
def test_in_a_live_stream(
    runner: ProcessRunner, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("estimators.workflows.live.follower._RETRY_S", 0.01)
    follower = Follower(runner, fake.spec(KEY), "viewer")
    number = 0

    def follows() -> bool:
        nonlocal number
        number += 1
        follower.offer(Frame(camera(50, 60), number), time.monotonic())
        overlay = follower.overlay
        return overlay is not None and overlay.frame_index > wanted

    wanted = 0
    try:
        wait_until(follows)
        fault(pid_of(runner))
        wanted = number + 1
        wait_until(follows)
        assert follower.state == "following"
        assert status(runner, KEY).restarts >= 1
    finally:
        follower.close()
        follower.join(60)


@pytest.mark.parametrize("fault", FAULTS)
def test_in_evaluate(runner: ProcessRunner, fault: Fault, tmp_path: Path) -> None:
    pictures = annotated_set(tmp_path, 6)
    asked: list[int] = []

    def wanted() -> bool:
        asked.append(1)
        if len(asked) == 4:
            fault(pid_of(runner))
        return True

    job = EvaluateJob(runner, pictures, EvaluateSettings((KEY,)), None, wanted)
    job.run()
    (model,) = job.progress.models
    assert (job.state, model.state) == ("done", "done")
    assert (model.failed, model.done) == (0, model.total)  # asked again
    assert status(runner, KEY).restarts == 1
