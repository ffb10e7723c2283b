"""What can happen to a model's process from outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.unit.runtime_support import wait_until

Fault = Callable[[int], None]


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def stopped(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def out_of_memory(pid: int) -> None:
    """Linux ends whoever wants most when there is none left; our hosts offer themselves for it."""
    score = Path(f"/proc/{pid}/oom_score_adj")
    if score.exists():
        wait_until(lambda: score.read_text().strip() == "500")
    os.kill(pid, signal.SIGKILL)


FAULTS = [killed, stopped, out_of_memory]
