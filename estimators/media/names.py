"""File names as text that any file and any terminal takes."""

from __future__ import annotations

import unicodedata

# Control characters, what stands for bytes that are no UTF-8 (Python's surrogateescape), separators
# of lines, and what cannot be seen: marks that turn the direction of writing make "gpj.exe" read as
# "exe.jpg".
_UNPRINTABLE = ("Cc", "Cs", "Cf", "Zl", "Zp")
# Persian words and joined emoji need these two.
_JOINERS = "\u200c\u200d"


def printable(name: str) -> str:
    r"""`name` with an escape (`\n`, `\udce9`) for each character that is no text.

    Names that differ stay different.
    """
    return "".join(
        c.encode("unicode_escape").decode("ascii")
        if unicodedata.category(c) in _UNPRINTABLE and c not in _JOINERS
        else c
        for c in name
    )
