"""Memory of ended streams goes back to the system soon, not when Python happens to look for it."""

from __future__ import annotations

import ctypes
import gc
import threading
import time

from estimators import memory

_WAIT_S = 2.0
# glibc's malloc.h; the value is under the planes of a small camera picture and over everything that
# is made often.
_M_MMAP_THRESHOLD, _PICTURE_BYTES = -3, 32 * 1024
_lock = threading.Lock()
_waiting = False


def tidy_soon(wait_s: float = _WAIT_S) -> None:
    """Collects garbage and returns free memory a moment later, once for many calls; never waits.

    A connection's objects refer to each other in circles, and the C library keeps freed pictures
    for later: a server that has shown a hundred streams would look as if it had kept them.
    """
    global _waiting
    with _lock:
        if _waiting:
            return
        _waiting = True
    threading.Thread(target=_tidy, args=(wait_s,), name="live-tidy", daemon=True).start()


def _tidy(wait_s: float) -> None:
    global _waiting
    time.sleep(wait_s)
    with _lock:
        _waiting = False
    gc.collect()
    memory.trim()


def pictures_apart(least_bytes: int = _PICTURE_BYTES) -> bool:
    """From now on blocks of `least_bytes` go back to the system when freed; whether they will.

    glibc raises its limit for such blocks when it meets them often.  A stream's pictures then lie
    among small objects that stay, and a server grows with every stream by some megabytes.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return set_option is not None and bool(set_option(_M_MMAP_THRESHOLD, least_bytes))
