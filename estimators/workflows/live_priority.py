"""Models give way to the video: on few cores they would otherwise cost it its pictures."""

from __future__ import annotations

import os
from pathlib import Path

# Behind the video: about a tenth of the share of whoever else wants a core, all of it when nobody
# does.  Last: an eighth of that, so that a slow model does not hold up the quick ones.
BEHIND_VIDEO, LAST = 10, 19


def give_way(pid: int, niceness: int) -> bool:
    """Lowers the priority of the process `pid`, of all its threads and those it starts later.

    A process without privileges cannot be raised again; on an idle machine nothing gets slower.
    On Linux each thread has a priority of its own; elsewhere the process has one.

    Returns:
        Whether at least one thread was found and now gives way.
    """
    if not hasattr(os, "setpriority"):
        return False
    found = [int(task.name) for task in Path(f"/proc/{pid}/task").glob("[0-9]*")] or [pid]
    lowered = False
    for thread in found:
        try:
            if os.getpriority(os.PRIO_PROCESS, thread) < niceness:
                os.setpriority(os.PRIO_PROCESS, thread, niceness)
            lowered = True
        except OSError:  # it has just ended
            continue
    return lowered
