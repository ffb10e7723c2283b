"""How many streams may be watched at once: each one costs this machine drawing and encoding."""

from __future__ import annotations

import os
import threading

from estimators.errors import InputError

DEFAULT_SEATS = 4
VARIABLE = "POSE_MAX_STREAMS"


def seats_allowed(value: str | None = None) -> int:
    """The number in `value`, or in the environment's `POSE_MAX_STREAMS`; 4 where neither is set.

    Raises:
        InputError: it is no whole number above 0.
    """
    text = (os.environ.get(VARIABLE, "") if value is None else value).strip()
    if not text:
        return DEFAULT_SEATS
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{VARIABLE} is {text!r}.", "Give a whole number above 0, for example 4.")
    return int(text)


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
