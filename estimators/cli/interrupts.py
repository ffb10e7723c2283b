"""Ctrl-C, SIGTERM and a closed terminal: whatever asks us to end, what is done is kept."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def on_interrupt(act: Callable[[], None]) -> Iterator[None]:
    """Calls `act` instead of ending; a second Ctrl-C raises KeyboardInterrupt all the same.

    What is ignored stays so: `nohup` and a shell's background commands rely on it.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
        act()

    before = {
        number: signal.signal(number, handle)
        for number in _ENDING
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupt() -> None:
    """What Ctrl-C does by itself."""
    raise KeyboardInterrupt
