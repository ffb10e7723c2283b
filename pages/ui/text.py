"""Words for people."""

from __future__ import annotations

import re

from estimators.media.names import printable

_SPECIAL = frozenset("\\`*_{}[]()#+-.!|$:~<>&")
# Takes no room.  Streamlit makes links of "photo@2x.png" and "www.…", icons of ":material/delete:"
# and ":smile:", arrows of "->" whatever is escaped: it looks for them after Markdown's own parsing.
_JOINER = "\u2060"
_JOINED = re.compile(r"(?<=@)|(?<=:)(?=[\w+-])|(?<=www)(?=\.)|(?<=[-<>=~])(?=[-<>=~])")


def escaped(text: str) -> str:
    """A file's name, or anything else from a person, as Markdown that shows just that."""
    shown = printable(" ".join(text.split()))  # four spaces or a line break would begin a block
    pieces = _JOINED.split(shown)
    return _JOINER.join("".join(f"\\{c}" if c in _SPECIAL else c for c in p) for p in pieces)


def duration(seconds: float) -> str:
    """ "8 s", "3 min 20 s", "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
