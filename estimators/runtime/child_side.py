"""What every child process of the app does for itself."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import select
import signal
import threading
from pathlib import Path

from estimators import memory

_WATCH_S = 2.0


def watch_parent() -> None:
    """Ends this process when the app ends, even by SIGKILL and even while native code works.

    Standard input is a pipe whose other end only the app holds and never writes to.  When the app
    is gone the system sends SIGIO for it, whose default action ends the process without needing the
    interpreter lock; the thread is for systems that do not send it, and for a parent that left a
    copy of the pipe behind.
    """
    parent = os.getppid()
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)

    def watch() -> None:
        while os.getppid() == parent and not select.select([0], [], [], _WATCH_S)[0]:
            pass
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def go_first_when_memory_is_short() -> None:
    """Tells Linux to end this process rather than the app: the app survives and can explain."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def release_memory() -> None:
    """Frees what nobody refers to any more, and returns it to the system."""
    gc.collect()
    memory.trim()
