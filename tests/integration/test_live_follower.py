"""One model in its own process: when it gives way to the video."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from estimators.analysis.latency import RollingLatency
from estimators.runtime.api import RunResult
from estimators.runtime.priority import BEHIND_VIDEO, LAST, set_niceness
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import EstimatorOptions, Frame
from estimators.workflows.live.follower import Follower
from tests.unit import fake_adapters as fake
from tests.unit.live_stand import camera
from tests.unit.runtime_support import wait_until

QUICKLY, SLOWLY = 0, fake.SLEEP  # a tenth of a second


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed on Linux only")
def test_models_give_way_to_the_video_and_slow_ones_to_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("estimators.workflows.live.follower._RETRY_S", 0.01)
    monkeypatch.setattr("estimators.workflows.live.follower._SLOW_MS", 75)
    runner = ProcessRunner(Settings(), threads=1, models={"brightest": fake.spec()})
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
        monkeypatch.setattr("estimators.workflows.live.follower._VERY_SLOW_MS", 75)
        offer(fake.KILL)
        wait_until(lambda: follower.state == "failed")
        assert priority_after(1) == LAST
    finally:
        follower.close()
        follower.join(60)
        runner.close()


def test_latency_begins_when_the_model_is_asked_and_age_when_the_camera_saw_it() -> None:
    """A frame may have waited for a slow model; that is no time of the model's own."""
    runner = ProcessRunner(Settings(), threads=1, models={"brightest": fake.spec()})
    follower = Follower(runner, fake.spec(), "viewer")
    try:
        follower.offer(Frame(camera(50, 60)), time.monotonic())
        wait_until(lambda: follower.overlay is not None)
        follower.latency = RollingLatency()
        arrived_s = time.monotonic() - 20
        follower.offer(Frame(camera(50, 60), 1), arrived_s)
        wait_until(lambda: follower.overlay is not None and follower.overlay.frame_index == 1)
        now_s = time.monotonic()
        median_ms = follower.latency.summary(now_s).median_ms
        assert median_ms is not None
        assert median_ms < 10_000
        assert follower.overlay is not None
        assert follower.overlay.age_ms(now_s) >= 20_000
    finally:
        follower.close()
        follower.join(60)
        runner.close()


def refuse_to_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the system does it for a process without privileges, which this one may have."""
    really = os.setpriority

    def setpriority(which: int, who: int, niceness: int) -> None:
        if niceness < os.getpriority(which, who):
            raise PermissionError(13, "Permission denied")
        really(which, who, niceness)

    monkeypatch.setattr(os, "setpriority", setpriority)


def niceness(runner: ProcessRunner) -> int | None:
    (entry,) = runner.status()
    try:
        return None if entry.pid is None else os.getpriority(os.PRIO_PROCESS, entry.pid)
    except ProcessLookupError:
        return None


def test_a_model_gives_way_from_before_it_loads() -> None:
    """Loading takes all cores for seconds, while the video is to be shown."""
    spec = fake.spec(load_s=1.5)
    runner = ProcessRunner(Settings(), threads=1, models={"brightest": spec})
    follower = Follower(runner, spec, "viewer")
    try:
        follower.offer(Frame(camera(50, 60)), time.monotonic())
        usual = os.getpriority(os.PRIO_PROCESS, 0)
        wait_until(lambda: runner.status() and niceness(runner) == usual + BEHIND_VIDEO)
        assert runner.status()[0].state == "loading"
    finally:
        follower.close()
        runner.close()
        follower.join(60)


@pytest.mark.parametrize("privileged", [True, False])
def test_after_a_live_video_the_model_has_its_usual_priority(
    monkeypatch: pytest.MonkeyPatch, privileged: bool
) -> None:
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    if not privileged:
        refuse_to_raise(monkeypatch)
    elif os.geteuid() != 0:
        pytest.skip("only a privileged user may raise a process again")
    runner = ProcessRunner(Settings(), threads=1, models={"brightest": fake.spec()})
    try:
        runner.estimate("brightest", fake.picture(3, 3))
        (pid,) = [entry.pid for entry in runner.status()]
        followers = [Follower(runner, fake.spec(), viewer) for viewer in ("a", "b")]
        wait_until(lambda: niceness(runner) == usual + BEHIND_VIDEO)
        assert runner.estimate("brightest", fake.picture(3, 3)).busy
        for follower in followers:
            assert niceness(runner) == usual + BEHIND_VIDEO
            follower.close()
            follower.join(60)
        wait_until(lambda: niceness(runner) == usual)
        (entry,) = runner.status()
        assert (entry.pid == pid) is privileged
        assert not runner.estimate("brightest", fake.picture(3, 3)).busy
    finally:
        runner.close()


def test_a_clip_beside_keeps_its_person_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    refuse_to_raise(monkeypatch)
    runner = ProcessRunner(Settings(), threads=1, models={"brightest": fake.spec()})
    try:
        with runner.open("brightest", EstimatorOptions(video=True), "clip") as clip:
            clip.estimate(fake.picture(3, 3))
            follower = Follower(runner, fake.spec(), "live")
            wait_until(lambda: niceness(runner) == usual + BEHIND_VIDEO)
            follower.close()
            follower.join(60)
            result = clip.estimate(fake.picture(3, 3))
            assert (result.restarted, result.busy) == (False, True)
        wait_until(lambda: niceness(runner) == usual)
        assert not runner.estimate("brightest", fake.picture(3, 3)).busy
    finally:
        runner.close()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed on Linux only")
def test_all_threads_of_a_process_give_way() -> None:
    code = (
        "import threading, sys\n"
        "for _ in range(3): threading.Thread(target=sys.stdin.read, daemon=True).start()\n"
        "print('ready', flush=True); threading.Event().wait()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        before = os.getpriority(os.PRIO_PROCESS, child.pid)
        assert set_niceness(child.pid, 3)
        tasks = [int(task.name) for task in Path(f"/proc/{child.pid}/task").iterdir()]
        assert len(tasks) == 4
        assert {os.getpriority(os.PRIO_PROCESS, t) for t in tasks} == {min(before + 3, 19)}
    finally:
        child.kill()
        child.communicate()
    assert set_niceness(child.pid, 19)  # nothing is left that would be too quick
