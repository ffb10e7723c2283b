"""Items that are read in a thread of their own, before they are asked for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

Item = TypeVar("Item")


class _End:
    """What the reading thread puts last: the error it met, or None at the end."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Prefetched(Iterator[Item]):
    """Reads an iterable in a thread of its own, up to `ahead` items before they are asked for.

    Args:
        reading: entered while an item is read.
    """

    def __init__(
        self,
        items: Iterable[Item],
        ahead: int,
        reading: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._items = iter(items)
        self._reading = reading
        self._turn = threading.Lock()
        self._queue: queue.Queue[Item | _End] = queue.Queue(ahead)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="prefetch", daemon=True)

    def __enter__(self) -> Prefetched[Item]:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        while self._thread.is_alive():
            # The thread may wait for room; taking what is there lets it see the stop.
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue

    def __next__(self) -> Item:
        item = self._queue.get()
        if isinstance(item, _End):
            self._queue.put(item)
            if item.error is not None:
                raise item.error
            raise StopIteration
        return item

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Waits for what is being read; while inside, nothing more is."""
        with self._turn:
            yield

    def _read(self) -> None:
        end = _End()
        try:
            while not self._stop.is_set():
                with self._turn, self._reading():
                    item = next(self._items, end)
                if isinstance(item, _End):
                    break
                self._queue.put(item)
        except Exception as error:  # noqa: BLE001  # handed to whoever reads, whatever it is
            end = _End(error)
        self._queue.put(end)
