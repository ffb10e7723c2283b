"""Values worth keeping because they took time to make, within a bound of memory."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from types import ModuleType
from typing import Generic, TypeVar

import numpy as np

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The values used last.  Any thread may call.

    Args:
        most_bytes: of all values together; the one not used for the longest goes first, the newest
            never.
        size: bytes of several values, which may share some.
        most: values.
    """

    def __init__(
        self,
        most_bytes: int,
        size: Callable[[Iterable[V]], int] = lambda values: bytes_of(*values),
        most: int = sys.maxsize,
    ) -> None:
        self._most_bytes, self._size, self._most = most_bytes, size, most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._making: dict[K, threading.Lock] = {}
        self._lock = threading.RLock()

    def get(self, key: K) -> V | None:
        """The value, which counts as used."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        """Keeps the value in place of another one; what is too much goes."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = value
            # Values may have grown since: some of what follows from others is worked out late.
            while len(self._kept) > 1 and self._too_much():
                self._kept.popitem(last=False)

    def made(self, key: K, make: Callable[[], V]) -> V:
        """The value; made where it is not there, by one thread while others wait for it.

        Raises:
            Exception: what `make` raises.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            try:
                value = self.get(key)
                if value is None:
                    value = make()
                    self.put(key, value)
                return value
            finally:
                self._making.pop(key, None)

    def newest_first(self) -> list[tuple[K, V]]:
        """All that is kept, the one used last first."""
        with self._lock:
            return list(reversed(self._kept.items()))

    def forget(self) -> None:
        """Lets go of everything."""
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Of all values."""
        with self._lock:
            return self._size(self._kept.values())

    def _too_much(self) -> bool:
        return len(self._kept) > self._most or self.nbytes > self._most_bytes


def bytes_of(*things: object) -> int:
    """Bytes of these and all that they hold, each counted once.

    An array that is a view counts with the whole array that it keeps alive.
    """
    counted: set[int] = set()
    left = list(things)
    total = 0
    while left:
        thing = left.pop()
        if thing is None or id(thing) in counted or isinstance(thing, type | ModuleType):
            continue
        counted.add(id(thing))
        total += sys.getsizeof(thing)
        left += _held_by(thing)
    return total


def _held_by(thing: object) -> Iterable[object]:
    if isinstance(thing, np.ndarray):
        return [thing.base]
    if isinstance(thing, Mapping):
        return [*thing.keys(), *thing.values()]
    if isinstance(thing, list | tuple | set | frozenset):
        return thing
    return list(getattr(thing, "__dict__", {}).values())
