"""Freed memory goes back to the system."""

from __future__ import annotations

import ctypes


def trim() -> bool:
    """Returns freed memory to the system where the C library can (glibc); whether it could."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is None:
        return False
    malloc_trim(0)
    return True
