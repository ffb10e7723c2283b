"""What is done after somebody left: caches emptied, garbage collected, memory given back.

Streamlit keeps a session for a while, for a connection that comes back, and looks whether that
while is over only when somebody else leaves: what the session holds would stay for as long.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from streamlit import config, runtime

from estimators.workflows.live.memory import tidy_soon
from pages.ui.server.viewers import present

# A page that is only reloaded is back by then.
SOON_S = 10.0
Present = Callable[[str], bool]
_lock = threading.Lock()
_connected = 0
# Whose timer runs: the one for soon, the one for when sessions have expired; and those of them
# before whose end somebody else left, whose own time is not over then.
_waiting: set[bool] = set()
_again: set[bool] = set()
_soon: list[Callable[[Present], None]] = []
_when_empty: list[Callable[[], None]] = []


def when_left(forget: Callable[[Present], None]) -> None:
    """`forget` is called soon after somebody left; it is told who is still there."""
    _soon.append(forget)


def when_empty(forget: Callable[[], None]) -> None:
    """`forget` is called once nobody is there any more, and nobody's session is kept."""
    _when_empty.append(forget)


def came() -> None:
    """A connection has begun."""
    global _connected
    with _lock:
        _connected += 1


def connected() -> int:
    """How many connections there are now."""
    with _lock:
        return _connected


def left(loop: asyncio.AbstractEventLoop) -> None:
    """A connection has ended: tidies up soon, and again when its session has expired.

    Args:
        loop: of the server.
    """
    global _connected
    with _lock:
        _connected -= 1
        due = {False, True} - _waiting
        _again.update(_waiting)
        _waiting.update(due)
    for expired in due:
        _wait(expired, loop)


def _wait(expired: bool, loop: asyncio.AbstractEventLoop) -> None:
    kept_s = float(config.get_option("server.disconnectedSessionTTL")) + 1.0
    timer = threading.Timer(kept_s if expired else SOON_S, _tidy, (expired, loop))
    timer.daemon = True
    timer.start()


def _tidy(expired: bool, loop: asyncio.AbstractEventLoop) -> None:
    with _lock:
        again = expired in _again
        _again.discard(expired)
        if not again:
            _waiting.discard(expired)
        empty = _connected == 0
    if again:
        _wait(expired, loop)
    for forget in list(_soon):
        forget(present)
    if expired:
        loop.call_soon_threadsafe(_expire_sessions)
    for forget_all in list(_when_empty) if expired and empty and not again else ():
        forget_all()
    tidy_soon(1.0)


def _expire_sessions() -> None:
    """Internal to Streamlit (checked with 1.67); without it they expire when another one leaves."""
    manager = getattr(runtime.get_instance(), "_session_mgr", None)
    cache = getattr(getattr(manager, "_session_storage", None), "_cache", None)
    expire = getattr(cache, "expire", None)
    if expire is not None:
        expire()
