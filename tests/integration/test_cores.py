"""Which cores a process uses, how much memory it ever held, and what other programs take."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from estimators.runtime.child import ChildProcess
from estimators.runtime.cores import OtherWork, hold_to_cores, keep_off, leave_cores
from estimators.runtime.machine import available_cores, peak_mb, process_memory
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import Background

BUSY = """
import sys, threading
held = bytearray(60_000_000)
held[::4096] = b"x" * len(held[::4096])
del held
threading.Thread(target=lambda: sys.stdin.read(), daemon=True).start()
print("ready", flush=True)
while True: pass
"""


@pytest.fixture
def busy() -> Iterator[int]:
    """A process that never rests and once held 60 MB more than now."""
    child = subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    yield child.pid
    child.kill()
    child.communicate()


def test_work_counts_as_others_unless_it_is_ours(busy: int) -> None:
    own, others = OtherWork([busy]), OtherWork([])
    before, started = psutil.Process(busy).cpu_times(), time.perf_counter()
    for _ in range(2):
        with own, others:
            time.sleep(0.4)
    after, wall = psutil.Process(busy).cpu_times(), time.perf_counter() - started
    taken = (after.user + after.system - before.user - before.system) / wall
    assert taken > 0.01
    assert own.cores is not None
    assert others.cores is not None
    # Both saw the rest of the machine alike; clocks tick in hundredths of a second.
    assert others.cores - own.cores == pytest.approx(taken, abs=0.12)


def test_nothing_is_told_before_anything_was_looked_at_or_of_a_process_that_has_ended() -> None:
    assert OtherWork([]).cores is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = OtherWork([ended.pid])
    with gone:
        pass
    assert gone.cores is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot do it")
def test_a_process_is_held_to_cores_with_all_its_threads(busy: int) -> None:
    assert hold_to_cores(busy, 1)
    threads = [int(name) for name in os.listdir(f"/proc/{busy}/task")]
    assert len(threads) == 2
    assert [len(os.sched_getaffinity(thread)) for thread in threads] == [1, 1]
    everywhere = os.sched_getaffinity(0)
    for left, usable in ((0, len(everywhere)), (1, max(1, available_cores() - 1)), (99, 1)):
        assert leave_cores(busy, left)
        assert [len(os.sched_getaffinity(thread)) for thread in threads] == [usable] * 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot do it")
def test_a_model_leaves_a_core_while_somebody_wants_it_in_a_new_process_too() -> None:
    runner = ProcessRunner(Settings(), threads=1, models={"brightest": fake.spec()})

    def usable() -> set[int]:
        (entry,) = runner.status()
        assert entry.pid is not None
        tasks = os.listdir(f"/proc/{entry.pid}/task")
        (found,) = {frozenset(os.sched_getaffinity(int(task))) for task in tasks}
        return set(found)

    everywhere, cores = os.sched_getaffinity(0), available_cores()
    held = max(1, cores - 1)
    try:
        assert not runner.estimate("brightest", fake.picture(3, 3)).busy
        for holder in "ab":
            runner.give_way("brightest", holder, 0, 1)
        runner.give_way("brightest", "a", 0, 0)
        assert len(usable()) == held
        assert runner.estimate("brightest", fake.picture(3, 3)).busy
        runner.retire("brightest")
        runner.estimate("brightest", fake.picture(3, 3))
        assert len(usable()) == held
        runner.give_way("brightest", "b", 0, 0)
        assert usable() == everywhere
        assert not runner.estimate("brightest", fake.picture(3, 3)).busy
        runner.retire("brightest")

        # Who starts it is kept off a core: that is no reason for the model to be.
        def ask() -> None:
            keep_off(1)
            assert len(os.sched_getaffinity(0)) == held
            assert available_cores() == cores
            runner.estimate("brightest", fake.picture(3, 3))

        assert Background(ask).done() is None
        assert usable() == everywhere
        # Behind a video it has all cores.
        runner.give_way("brightest", "a", 0, 1)
        runner.give_way("brightest", "video", 5)
        assert usable() == everywhere
        runner.give_way("brightest", "video", 0)
    finally:
        runner.close()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot do it")
def test_a_process_has_all_cores_whoever_starts_it() -> None:
    found: list[set[int]] = []

    def start() -> None:
        keep_off(1)
        child = ChildProcess("code")  # waits for a line
        found.append(os.sched_getaffinity(child.pid))
        child.end()

    assert Background(start).done() is None
    assert found == [os.sched_getaffinity(0)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_peak_is_what_a_process_ever_held(busy: int) -> None:
    peak, now = peak_mb(busy), process_memory(busy)
    assert peak is not None
    assert now is not None
    assert 50 < peak - now.rss_mb < 75
    assert peak_mb(2**22 + 1) is None
