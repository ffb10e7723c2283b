"""The newest frame and nothing else: who takes late gets what is new, never what is stale."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class NewestSlot(Generic[Item]):
    """Room for one item; putting the next one drops what nobody has taken.

    `put` never waits.  Any number of threads may use it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._closed = False
        self.dropped = 0

    def put(self, item: Item) -> bool:
        """Offers `item`; True when an older one was dropped for it."""
        with self._changed:
            if self._closed:
                return False
            dropped = self._item is not None
            self.dropped += dropped
            self._item = item
            self._changed.notify()
        return dropped

    def take(self, timeout_s: float | None = None) -> Item | None:
        """The newest item as soon as there is one; None when none came in time or it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            return item

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Wakes whoever waits and lets go of the item; nothing is taken or put any more."""
        with self._changed:
            self._closed, self._item = True, None
            self._changed.notify_all()

    def wait_closed(self, timeout_s: float) -> bool:
        """Waits for the end rather than for an item; whether it came."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, timeout_s)
