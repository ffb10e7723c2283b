"""Freed memory goes back to the system."""

from __future__ import annotations

import ctypes

# glibc's malloc.h.
_M_ARENA_MAX = -8
_FEW = 2


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
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return set_option is not None and bool(set_option(_M_ARENA_MAX, _FEW))
