"""Downloads that were just made, for as long as a browser may need to come for them.

A button's file is made when the button is pressed, and the browser is told its address.  Streamlit
(checked with 1.67) lets go of a file that no page shows at the end of the second run of a script,
whoever's it is: with many open pages, that is sooner than a browser has asked for it.
"""

from __future__ import annotations

import threading
import time

from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryFile

from pages.ui.server.leaving import when_empty

KEPT_S = 30.0
_TRIES = 3
_usual = MediaFileManager.execute_deferred
_lock = threading.Lock()
# By the last part of their addresses, the oldest first: when each was made, and the file.
_made: dict[str, tuple[float, MemoryFile]] = {}


def keep_made() -> None:
    """From now on `made_lately` knows what buttons have made; safe to call twice."""
    if MediaFileManager.execute_deferred is _usual:
        MediaFileManager.execute_deferred = _execute  # type: ignore[assignment, method-assign]
        when_empty(_forget)


def made_lately(name: str) -> MemoryFile | None:
    """The download whose address ends in `name`; None where nobody pressed for it lately."""
    with _lock:
        _expire()
        return _made[name][1] if name in _made else None


def _execute(manager: MediaFileManager, file_id: str) -> str:
    for _ in range(_TRIES):
        address = _usual(manager, file_id)
        name = address.rsplit("/", 1)[1]
        file = manager.read_file(name)
        if file is not None:  # else it is gone already
            with _lock:
                _expire()
                _made.pop(name, None)
                _made[name] = time.monotonic(), file
            break
    return address


def _expire() -> None:
    now = time.monotonic()
    for name in [name for name, (when, _) in _made.items() if now - when >= KEPT_S]:
        del _made[name]


def _forget() -> None:
    with _lock:
        _made.clear()
