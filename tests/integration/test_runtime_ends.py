"""Nothing is left over: no process, no shared memory, no descriptor, however the app ends."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from estimators.errors import ModelError
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import Background, hosts, wait_until

ROOT = Path(__file__).resolve().parents[2]
FRAME = fake.picture(3, 3)

# An app with one idle host, one that sleeps in a call and one that keeps the interpreter lock.
APP = """
import os, signal, sys, threading, time
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from tests.unit import fake_adapters as fake

keys = ("idle", "asleep", "seized")
runner = ProcessRunner(Settings(), models={key: fake.spec(key) for key in keys}, threads=1)
for key in keys:
    runner.estimate(key, fake.picture(3, 3, side=1200))
for key, command in (("asleep", fake.SLEEP), ("seized", fake.SEIZE)):
    call = runner.estimate, (key, fake.picture(3, 3, command, 255))
    threading.Thread(target=call[0], args=call[1], daemon=True).start()
while not all(runner._host(key)._turns._held for key in keys[1:]):
    time.sleep(0.01)
time.sleep(0.2)
print(*(entry.pid for entry in runner.status()), flush=True)
"""
WAIT = "time.sleep(1000)"
FORKED = "os.fork() or time.sleep(30)\n" + WAIT


def ended(pid: int) -> bool:
    """Gone, or waiting to be reaped by whoever inherited it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def shared_names() -> set[str]:
    folder = Path("/dev/shm")
    return {p.name for p in folder.iterdir()} if folder.is_dir() else set()


def start(last: str) -> tuple[subprocess.Popen[str], list[int]]:
    app = subprocess.Popen(
        [sys.executable, "-c", APP + last], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert app.stdout is not None
    pids = [int(word) for word in app.stdout.readline().split()]
    assert len(pids) == 3
    return app, pids


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_app_is_killed(how: signal.Signals) -> None:
    before = shared_names()
    app, pids = start(WAIT)
    assert not any(ended(pid) for pid in pids)
    app.send_signal(how)
    app.communicate()
    wait_until(lambda: all(ended(pid) for pid in pids))
    assert not {name for name in shared_names() - before if "pose" in name or "psm_" in name}


@pytest.mark.parametrize("last", ["sys.exit(0)", "raise RuntimeError", "os._exit(1)", "os.abort()"])
def test_the_app_ends_by_itself(last: str) -> None:
    app, pids = start(last)
    app.communicate()
    wait_until(lambda: all(ended(pid) for pid in pids))


def test_a_forked_copy_of_the_app_keeps_nothing_alive_that_can_still_look() -> None:
    app, pids = start(FORKED)
    copies = wait_for_copy(app, pids)
    try:
        app.kill()
        idle, asleep = pids[:2]
        wait_until(lambda: ended(idle) and ended(asleep))
    finally:
        for copy in copies:
            os.kill(copy, signal.SIGKILL)
    app.communicate()
    wait_until(lambda: all(ended(pid) for pid in pids))


def wait_for_copy(app: subprocess.Popen[str], pids: list[int]) -> list[int]:
    def copies() -> list[int]:
        children = psutil.Process(app.pid).children()
        return [child.pid for child in children if child.pid not in pids]

    wait_until(lambda: copies())
    return copies()


def test_close_ends_everything_and_answers_those_who_wait() -> None:
    keys = ("a", "b", "c")
    runner = ProcessRunner(
        Settings(), models={key: fake.spec(key, load_s=0.3) for key in keys}, threads=1
    )
    runner.estimate("a", FRAME)
    calls = [
        Background(runner.estimate, "a", fake.picture(3, 3, fake.SLEEP, 255)),
        Background(runner.estimate, "a", FRAME),
    ]
    wait_until(lambda: runner._host("a")._turns.waiting == 1)
    calls.append(Background(runner.estimate, "b", FRAME))
    runner.warm("c")
    wait_until(lambda: len(hosts()) == 3)
    runner.close()
    runner.close()
    for call in calls:
        error = call.done()
        assert isinstance(error, ModelError)
        assert "closed" in str(error)
    wait_until(lambda: hosts() == [])
    with pytest.raises(ModelError, match="closed"):
        runner.estimate("a", FRAME)


def test_an_open_session_says_that_the_runner_is_closed() -> None:
    runner = ProcessRunner(Settings(), models={"a": fake.spec("a")}, threads=1)
    session = runner.open("a")
    session.estimate(FRAME)
    runner.close()
    with pytest.raises(ModelError, match="closed"):
        session.estimate(FRAME)
    session.close()


def test_a_forgotten_runner_ends_its_hosts() -> None:
    runner = ProcessRunner(Settings(), models={"a": fake.spec("a")}, threads=1)
    runner.estimate("a", FRAME)
    assert len(hosts()) == 1
    del runner
    gc.collect()
    wait_until(lambda: hosts() == [])


def test_restarts_leave_no_descriptor_and_no_thread() -> None:
    runner = ProcessRunner(Settings(), models={"a": fake.spec("a")}, threads=1)

    def cycle() -> tuple[int, int]:
        """Descriptors and threads after a host has come and gone."""
        runner.estimate("a", FRAME)
        runner.retire("a")
        wait_until(lambda: all(t.name != "host-drain" for t in threading.enumerate()))
        gc.collect()
        return psutil.Process().num_fds(), threading.active_count()

    cycle()
    assert cycle() == [cycle() for _ in range(5)][-1]
    runner.close()
