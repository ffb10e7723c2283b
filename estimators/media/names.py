"""File names as text that any file and any terminal takes."""

from __future__ import annotations

import unicodedata

# Control characters, and what stands for bytes that are no UTF-8 (Python's surrogateescape).
_UNPRINTABLE = ("Cc", "Cs")


def printable(name: str) -> str:
    r"""`name` with an escape (`\n`, `\udce9`) for each character that is no text.

    Names that differ stay different.
    """
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _UNPRINTABLE else c
        for c in name
    )
