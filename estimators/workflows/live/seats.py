"""How many streams may be watched at once: each one costs this machine drawing and encoding."""

from __future__ import annotations

import threading


class Seats:
    """Seats are taken by whoever shows frames and given back at the end; never more than `limit`.

    May be used from several threads.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._taken: set[str] = set()

    def take(self, who: str) -> bool:
        """Takes a seat, or keeps the one that `who` has; False when all are taken."""
        with self._lock:
            if who in self._taken or len(self._taken) < self.limit:
                self._taken.add(who)
                return True
            return False

    def give(self, who: str) -> None:
        """Gives the seat back; nothing happens where there was none."""
        with self._lock:
            self._taken.discard(who)

    def full_for(self, who: str) -> bool:
        """Whether `who` would get no seat now."""
        with self._lock:
            return who not in self._taken and len(self._taken) >= self.limit

    @property
    def taken(self) -> int:
        with self._lock:
            return len(self._taken)
