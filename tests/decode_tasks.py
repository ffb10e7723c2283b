"""What a decoder's process is made to do by tests of how it ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np


def hang() -> None:
    time.sleep(1000)


def mark_and_hang(mark: Path) -> str:
    """The first time hangs; the second time answers."""
    if mark.exists():
        return "again"
    mark.touch()
    time.sleep(1000)
    return ""


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def takes_memory(megabytes: int) -> int:
    return int(np.ones(megabytes * 1_000_000, np.uint8)[::4096].sum())


def foreign() -> None:
    raise LookupError("nobody")


def arrays(count: int) -> Iterator[np.ndarray]:
    for number in range(count):
        yield np.full((300, 400, 3), number, np.uint8)


def read_only() -> np.ndarray:
    array = np.arange(1000)
    array.flags.writeable = False
    return array
