"""Frames that go through a model together, one of which, or somebody outside, ends its process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from estimators.errors import ModelError
from estimators.runtime.api import RunResult
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import EstimatorOptions
from estimators.workflows.clip import run
from estimators.workflows.clip.run import ClipSettings, run_clip
from estimators.workflows.together import QUIET
from tests.integration.exact_clip import clip_of
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import status, wait_until

BATCH, TOTAL = 4, QUIET + 12


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessRunner]:
    monkeypatch.setattr(run, "_most_together", lambda clip, settings: BATCH)
    made = ProcessRunner(Settings(), models={"brightest": fake.spec(batch=BATCH)}, threads=1)
    yield made
    made.close()


# How often a process is lost: with the others, alone, and once more where it may have been chance.
@pytest.mark.parametrize(("command", "losses"), [(fake.ABORT, 2), (fake.KILL, 3)])
@pytest.mark.parametrize("place", range(BATCH))
def test_a_frame_that_ends_the_process_every_time_is_one_failed_row(
    runner: ProcessRunner, tmp_path: Path, command: int, losses: int, place: int
) -> None:
    bad = QUIET + place
    frames = [fake.picture(2 + n, 10) for n in range(TOTAL)]
    frames[bad] = fake.picture(2 + bad, 10, command)
    outcomes = list(run_clip(runner, clip_of(tmp_path, frames), ClipSettings(("brightest",))))
    assert [o.frame.index for o in outcomes] == list(range(TOTAL))
    assert [o.frame.index for o in outcomes if o.failures] == [bad]
    for outcome in outcomes[:bad] + outcomes[bad + 1 :]:
        xy = outcome.results["brightest"].estimate.poses.xy
        assert tuple(xy[0, 0].tolist()) == (outcome.frame.index + 2.5, 10.5)
    assert status(runner).restarts == losses
    for frame in frames[QUIET:bad] + frames[bad + 1 :]:  # the innocent are asked at once
        runner.estimate("brightest", frame, viewer="else")
    with pytest.raises(ModelError, match="set aside"):
        runner.estimate("brightest", frames[bad], viewer="else")
    assert status(runner).restarts == losses


def test_a_process_ended_from_outside_in_the_middle_costs_no_frame_and_none_is_suspected(
    runner: ProcessRunner,
) -> None:
    frames = [fake.picture(2 + n, 10) for n in range(BATCH)]
    with runner.open("brightest", EstimatorOptions(video=True)) as session:
        session.estimate(fake.picture(1, 1))
        (host,) = runner._hosted.values()
        pid = host.status().pid or 0
        os.kill(pid, signal.SIGSTOP)  # so that it has no answer before its end
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(session.estimate_together, frames)
            wait_until(lambda: runner._activity._running)
            os.kill(pid, signal.SIGKILL)
            results = asked.result()
    xy = [result.estimate.poses.xy for result in results if isinstance(result, RunResult)]
    assert [tuple(of[0, 0].tolist()) for of in xy] == [(n + 2.5, 10.5) for n in range(BATCH)]
    assert (status(runner).restarts, host._troubles.losses._pictures) == (1, {})
