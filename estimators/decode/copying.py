"""A browser's copy of a clip as a stream of its steps: so it can be made in another process."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from estimators.media.browser import Way, browser_copy
from estimators.media.clip_info import ClipInfo

Step = tuple[int, int] | Way
# How often somebody is told how far it is.
_EVERY_S = 0.2


class _StoppedError(Exception):
    """Nobody wants the copy any more."""


def copy_steps(clip: ClipInfo, target: Path, anew: bool) -> Iterator[Step]:
    """Makes the copy: frames done and in all, now and then, and at last what was done.

    Ended early, it leaves nothing behind.
    """
    steps: queue.Queue[Step | Exception] = queue.Queue()
    stop = threading.Event()
    told_s = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal told_s
        if stop.is_set():
            raise _StoppedError
        if time.monotonic() - told_s >= _EVERY_S:
            told_s = time.monotonic()
            steps.put((done, total))

    def work() -> None:
        try:
            steps.put(browser_copy(clip, target, progress=progress, anew=anew))
        except Exception as error:  # noqa: BLE001 - raised again where the steps are asked for
            steps.put(error)

    worker = threading.Thread(target=work, name="copy", daemon=True)
    worker.start()
    try:
        while True:
            step = steps.get()
            if isinstance(step, Exception):
                raise step
            yield step
            if isinstance(step, str):
                return
    finally:
        stop.set()
        worker.join()
