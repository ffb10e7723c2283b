"""What else keeps this machine busy while a model works: then its latency is not its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Work:
    """One piece of work; `disturbed` as soon as another one runs at the same time."""

    def __init__(self) -> None:
        self.disturbed = False


class Activity:
    """The work that is known: models that load or answer, and what the app says it does beside."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: set[Work] = set()

    @contextmanager
    def work(self) -> Iterator[Work]:
        """Counts as work until it is left; marks all that overlap, in both directions."""
        work = self.begin()
        try:
            yield work
        finally:
            self.end(work)

    def begin(self) -> Work:
        """As `work`, for work that another thread may end."""
        work = Work()
        with self._changed:
            work.disturbed = bool(self._running)
            for other in self._running:
                other.disturbed = True
            self._running.add(work)
        return work

    def end(self, work: Work) -> None:
        """Safe to call twice."""
        with self._changed:
            self._running.discard(work)
            self._changed.notify_all()

    def wait_quiet(self, timeout_s: float, lasting_s: float = 0.0) -> bool:
        """Waits until nothing has run for `lasting_s`; False when that did not come in time."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while True:
                left_s = deadline_s - time.monotonic()
                if not self._changed.wait_for(lambda: not self._running, max(0.0, left_s)):
                    return False
                if lasting_s <= 0 or not self._changed.wait_for(
                    lambda: bool(self._running), lasting_s
                ):
                    return True
