"""One model in its own process: when it gives way to the video."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from estimators.runtime.api import RunResult
from estimators.runtime.runner import ProcessRunner
from estimators.types import Frame
from estimators.workflows.live_follower import Follower
from estimators.workflows.live_priority import BEHIND_VIDEO, LAST
from tests.unit import fake_adapters as fake
from tests.unit.live_stand import camera
from tests.unit.runtime_support import wait_until

QUICKLY, SLOWLY = 0, fake.SLEEP  # a tenth of a second


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed on Linux only")
def test_models_give_way_to_the_video_and_slow_ones_to_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("estimators.workflows.live_follower._RETRY_S", 0.01)
    monkeypatch.setattr("estimators.workflows.live_follower._SLOW_MS", 75)
    runner = ProcessRunner(threads=1, models={"brightest": fake.spec()})
    answers: list[RunResult] = []
    follower = Follower(runner, fake.spec(), "viewer", lambda model, result: answers.append(result))

    def offer(command: int) -> None:
        image = camera(50, 60)
        image[0, 0] = (command, 2, 255)
        follower.offer(Frame(image), time.monotonic())

    def answer(command: int) -> None:
        count = len(answers)
        offer(command)
        wait_until(lambda: len(answers) > count)

    def priority_after(slow_answers: int) -> int:
        # An answer is told before the priority is seen to, hence one more.
        for command in [SLOWLY] * slow_answers + [QUICKLY]:
            answer(command)
        (pid,) = [entry.pid for entry in runner.status()]
        assert pid is not None
        return os.getpriority(os.PRIO_PROCESS, pid)

    try:
        answer(SLOWLY)  # a process's first answer, which always takes longer
        assert priority_after(2) == BEHIND_VIDEO
        assert priority_after(3) == LAST
        offer(fake.KILL)
        wait_until(lambda: follower.state == "failed")
        answer(SLOWLY)
        assert priority_after(2) == BEHIND_VIDEO
        assert priority_after(3) == LAST
        monkeypatch.setattr("estimators.workflows.live_follower._VERY_SLOW_MS", 75)
        offer(fake.KILL)
        wait_until(lambda: follower.state == "failed")
        assert priority_after(1) == LAST
    finally:
        follower.close()
        follower.join(60)
        runner.close()
