"""Which cores a process uses, how much memory it ever held, and what other programs take."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from estimators.runtime.cores import OtherWork, hold_to_cores
from estimators.runtime.machine import peak_mb, process_memory

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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_peak_is_what_a_process_ever_held(busy: int) -> None:
    peak, now = peak_mb(busy), process_memory(busy)
    assert peak is not None
    assert now is not None
    assert 50 < peak - now.rss_mb < 75
    assert peak_mb(2**22 + 1) is None
