"""Which cores a process uses, and how many of them other programs take."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil


def hold_to_cores(pid: int, cores: int | None) -> bool:
    """Keeps process `pid`, with all threads it has and starts later, on that many cores.

    For libraries that have no setting for their threads.

    Args:
        cores: None for all that this process may use, below zero for all but so many.

    Returns:
        False where the system does not allow it.
    """
    if not hasattr(os, "sched_setaffinity"):
        return False
    allowed = _of_ours(cores)
    for thread in [int(t.name) for t in Path(f"/proc/{pid}/task").glob("[0-9]*")] or [pid]:
        try:
            os.sched_setaffinity(thread, allowed)
        except PermissionError:
            return False
        except OSError:  # it has just ended
            continue
    return True


def leave_cores(pid: int, cores: int) -> bool:
    """Keeps process `pid` off so many of the cores this one may use; it has one in any case.

    Args:
        cores: 0 lets it use all again.

    Returns:
        False where the system does not allow it.
    """
    return hold_to_cores(pid, -cores or None)


def keep_off(cores: int) -> None:
    """Keeps this thread, and those it starts, off the cores that `leave_cores` leaves.

    `leave_cores` of this process with 0 ends it for all its threads.
    """
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # the system does not allow it
            os.sched_setaffinity(0, _of_ours(-cores or None))


def _of_ours(cores: int | None) -> list[int]:
    """The first so many cores this process may use, or all but so many; one in any case."""
    ours = sorted(os.sched_getaffinity(os.getpid()))
    return ours[:cores] or ours[:1]


class OtherWork:
    """How many of this machine's cores other programs use, over the times it is entered.

    Args:
        pids: of processes whose work does not count, beside that of this one.
    """

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = (os.getpid(), *pids)
        self._began: tuple[float, float, float] | None = None
        self._others_s = self._wall_s = 0.0
        self._known = True

    @property
    def cores(self) -> float | None:
        """On average; None where the system does not tell, or before anything was looked at."""
        if not self._known or self._wall_s <= 0:
            return None
        return max(0.0, self._others_s / self._wall_s)

    def __enter__(self) -> Self:
        self._began = self._now()
        return self

    def __exit__(self, *exc: object) -> None:
        began, ended = self._began, self._now()
        if began is None or ended is None:
            self._known = False
            return
        wall, busy, own = (after - before for before, after in zip(began, ended, strict=True))
        self._wall_s += wall
        self._others_s += busy - own

    def _now(self) -> tuple[float, float, float] | None:
        """Seconds: on the clock, of all cores' work, of our own."""
        try:
            times = psutil.cpu_times()._asdict()
            busy = sum(times.get(name, 0.0) for name in ("user", "nice", "system", "irq"))
            ours = [psutil.Process(pid).cpu_times() for pid in self._pids]
        except (psutil.Error, OSError):
            return None
        return time.perf_counter(), busy, sum(t.user + t.system for t in ours)
