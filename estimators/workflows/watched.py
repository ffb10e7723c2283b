"""Who watches a job that several viewers may share: it goes on while any of them is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# A connection may break off and come back, and a page may be reloaded.
PATIENCE_S = 10.0


class Watchers:
    """The viewers of one job.  Any thread may call.

    Args:
        present: whether a viewer still has the page open.
        patience_s: for how long somebody counts who has gone.
    """

    def __init__(self, present: Callable[[str], bool], patience_s: float = PATIENCE_S) -> None:
        self._present, self._patience_s = present, patience_s
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def add(self, viewer: str) -> None:
        """Somebody watches from now on."""
        with self._lock:
            self._seen[viewer] = time.monotonic()

    def leave(self, viewer: str) -> bool:
        """Somebody watches no longer; whether anybody else does."""
        with self._lock:
            self._seen.pop(viewer, None)
            return bool(self._seen)

    def any(self) -> bool:
        """Whether anybody watches who was there in the last `patience_s`."""
        now = time.monotonic()
        with self._lock:
            for viewer in self._seen:
                if self._present(viewer):
                    self._seen[viewer] = now
            return any(now - last < self._patience_s for last in self._seen.values())
