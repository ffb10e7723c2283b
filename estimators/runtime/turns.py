"""Whose turn it is at one model: viewers take turns, each viewer's requests in their order."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest


class _Ticket(threading.Event):
    """Set when its turn has come."""

    def __init__(self, wish: object) -> None:
        super().__init__()
        self.wish = wish


class Turns:
    """A lock that is handed round robin from viewer to viewer.

    A viewer with many waiting requests delays another viewer's request by one of them at most.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = False
        self._waiting: OrderedDict[str, deque[_Ticket]] = OrderedDict()

    def try_take(self) -> bool:
        """Takes the turn if nobody has it or waits for it."""
        with self._lock:
            if self._held:
                return False
            self._held = True
            return True

    def take(self, viewer: str, timeout_s: float | None = None, wish: object = None) -> bool:
        """Waits for the turn of `viewer`; False when it did not come in time.

        Args:
            wish: what it is wanted for, see `wishes`.
        """
        with self._lock:
            if not self._held:
                self._held = True
                return True
            ticket = _Ticket(wish)
            self._waiting.setdefault(viewer, deque()).append(ticket)
        try:
            if ticket.wait(timeout_s):
                return True
        except BaseException:
            if not self._withdraw(viewer, ticket):
                self.give()
            raise
        return not self._withdraw(viewer, ticket)

    @contextmanager
    def taken(self, viewer: str, wish: object = None) -> Iterator[None]:
        """While inside, it is this viewer's turn."""
        self.take(viewer, wish=wish)
        try:
            yield
        finally:
            self.give()

    def give(self) -> None:
        """Hands the turn to the viewer that has waited longest since its last one."""
        with self._lock:
            if not self._waiting:
                self._held = False
                return
            viewer, tickets = self._waiting.popitem(last=False)
            ticket = tickets.popleft()
            if tickets:
                self._waiting[viewer] = tickets
            ticket.set()

    @property
    def wishes(self) -> list[object]:
        """What those who wait want the turn for, in the order in which they will have it."""
        with self._lock:
            rounds = zip_longest(*self._waiting.values())
            return [ticket.wish for each in rounds for ticket in each if ticket is not None]

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def _withdraw(self, viewer: str, ticket: _Ticket) -> bool:
        """Takes a ticket back; False when the turn had just been given to it."""
        with self._lock:
            if ticket.is_set():
                return False
            tickets = self._waiting[viewer]
            tickets.remove(ticket)
            if not tickets:
                del self._waiting[viewer]
            return True
