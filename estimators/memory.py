"""What becomes of freed memory: it goes back to the system, or is kept for what comes next."""

from __future__ import annotations

import ctypes

# glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_NEVER, _FEW = 2**31 - 1, 2


def trim() -> bool:
    """Returns freed memory to the system where the C library can (glibc); whether it could."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is None:
        return False
    malloc_trim(0)
    return True


def few_arenas() -> bool:
    """From now on threads share a few heaps where the C library can (glibc); whether it could.

    Else each of the first dozens of threads has one of its own, and what is left in them after a
    crowd (a little in each page) does not go back to the system.
    """
    return _set(_M_ARENA_MAX, _FEW)


def keep_freed() -> bool:
    """From now on freed memory stays and is used again; whether the C library can (glibc).

    `trim` gives back what is free at that time.  Where it is not kept, what is large comes from the
    system every time, which hands each page out anew, zeroed: for the maps of a large network that
    is a tenth of its time.
    """
    return _set(_M_MMAP_MAX, 0) and _set(_M_TRIM_THRESHOLD, _NEVER)


def _set(option: int, value: int) -> bool:
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return set_option is not None and bool(set_option(option, value))
