"""Models give way: to a live video, which few cores show badly otherwise, or to a slower model."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from estimators.runtime.cores import leave_cores

# Behind the video: about a tenth of the share of whoever else wants a core, all of it when nobody
# does.  Last: an eighth of that, so that a slow model does not hold up the quick ones.
BEHIND_VIDEO, LAST = 10, 19
_NICEST = 19


def set_niceness(pid: int, niceness: int) -> bool:
    """Sets the priority of the process `pid`, of all its threads and those it starts later.

    On Linux each thread has a priority of its own; elsewhere the process has one.

    Args:
        niceness: above that of this process itself, 0 to 19.

    Returns:
        False where the system does not allow it: without privileges nobody is raised again.
    """
    if not hasattr(os, "setpriority"):
        return niceness == 0
    wanted = min(_NICEST, os.getpriority(os.PRIO_PROCESS, 0) + niceness)
    found = [int(task.name) for task in Path(f"/proc/{pid}/task").glob("[0-9]*")] or [pid]
    for thread in found:
        try:
            if os.getpriority(os.PRIO_PROCESS, thread) != wanted:
                os.setpriority(os.PRIO_PROCESS, thread, wanted)
        except PermissionError:
            return False
        except OSError:  # it has just ended
            continue
    return True


class GivingWay:
    """Who wants one model's process to give way, and whether it does; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[str, tuple[int, int]] = {}
        self._lowered = False
        self._left: tuple[int, int] | None = None

    @property
    def lowered(self) -> bool:
        """The process is slower than it could be."""
        return self._lowered or (self._left is not None and self._left[1] > 0)

    @property
    def stuck(self) -> bool:
        """Nobody wants it to give way any more, but the system does not let it be raised."""
        return self._lowered and not any(niceness for niceness, _ in self._wanted.values())

    def want(self, holder: str, niceness: int, cores: int = 0) -> None:
        """`holder` wants this from now on, and so many cores left alone; 0 for nothing any more."""
        with self._lock:
            self._wanted.pop(holder, None)
            if niceness > 0 or cores > 0:
                self._wanted[holder] = (niceness, cores)

    def started(self) -> None:
        """There is a new process, which has not been slow yet."""
        with self._lock:
            self._lowered, self._left = False, None
            self._wanted = {h: (min(n, BEHIND_VIDEO), c) for h, (n, c) in self._wanted.items()}

    def apply(self, pid: int | None) -> None:
        """Makes the process as nice as is wanted, and keeps it off as many cores.

        Where the system allows it and there is a process; behind a video it has all cores.
        """
        if pid is None:
            return
        with self._lock:
            niceness, left = map(max, zip((0, 0), *self._wanted.values(), strict=True))
            if niceness > 0 or self._lowered:
                done = set_niceness(pid, niceness)
                self._lowered = niceness > 0 or not done
            found = (pid, 0 if niceness else left)
            if found != self._left and leave_cores(*found):
                self._left = found
