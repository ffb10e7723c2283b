"""Pictures in memory, for several models that go through the same files at about the same time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from estimators.types import Frame

ROOM_BYTES = 300_000_000
_TURNS = 16


class KeptFrames:
    """As many as fit into two thirds of the room stay; of the others the last ones.

    The first that come stay because lists that do not fit are gone through again from their
    beginning, the last ones because other models are a little behind.  From any thread.

    Args:
        room_bytes: for all of them; the last one stays whatever its size.
    """

    def __init__(self, room_bytes: int = ROOM_BYTES) -> None:
        self._room, self._last_room = room_bytes * 2 // 3, room_bytes // 3
        self._first: dict[Hashable, Frame] = {}
        self._last: OrderedDict[Hashable, Frame] = OrderedDict()
        self._lock = threading.Lock()
        self._turns = [threading.Lock() for _ in range(_TURNS)]

    def get(self, key: Hashable, read: Callable[[], Frame]) -> Frame:
        """The frame called `key`, by `read` where it is not here: once for all who wait for it."""
        with self._turns[hash(key) % _TURNS]:
            with self._lock:
                known = self._first.get(key) or self._last.get(key)
            if known is None:
                known = read()
                self.keep(key, known)
        return known

    def keep(self, key: Hashable, frame: Frame) -> None:
        """Keeps it as far as there is room."""
        with self._lock:
            if frame.image.nbytes <= self._room:
                self._first[key] = frame
                self._room -= frame.image.nbytes
                return
            self._last[key] = frame
            held = sum(kept.image.nbytes for kept in self._last.values())
            while len(self._last) > 1 and held > self._last_room:
                held -= self._last.popitem(last=False)[1].image.nbytes
