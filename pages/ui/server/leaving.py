"""What is done after somebody left: caches emptied, garbage collected, memory given back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from streamlit import config

from estimators.workflows.live_memory import tidy_soon
from pages.ui.server.viewers import present

# A page that is only reloaded is back by then.
SOON_S = 10.0
_lock = threading.Lock()
_waiting: set[float] = set()
_forget: list[Callable[[Callable[[str], bool]], None]] = []


def when_left(forget: Callable[[Callable[[str], bool]], None]) -> None:
    """`forget` is called after somebody left, with what tells whether a viewer is still there."""
    _forget.append(forget)


def left() -> None:
    """A connection has ended: tidies up in a moment, and again when its session has expired."""
    for wait_s in (SOON_S, float(config.get_option("server.disconnectedSessionTTL")) + 1.0):
        with _lock:
            if wait_s in _waiting:
                continue
            _waiting.add(wait_s)
        timer = threading.Timer(wait_s, _tidy, (wait_s,))
        timer.daemon = True
        timer.start()


def _tidy(wait_s: float) -> None:
    with _lock:
        _waiting.discard(wait_s)
    for forget in _forget:
        forget(present)
    tidy_soon(0.0)
