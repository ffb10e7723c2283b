"""Words for people."""

from __future__ import annotations

import re
from itertools import cycle

from estimators.media.names import printable

_SPECIAL = frozenset("\\`*_{}[]()#+-.!|$:~<>&")
# Takes no room.  Streamlit makes links of "photo@2x.png" and "www.…", icons of ":material/delete:"
# and ":smile:", arrows of "->" whatever is escaped: it looks for them after Markdown's own parsing.
_JOINER = "\u2060"
# Not before a number that stands alone, the port of an address: no icon is called like that.
_ICON = r"(?<=:)(?=[\w+-])(?!\d+(?![\w+:-]))"
_JOINED = re.compile(rf"(?<=@)|{_ICON}|(?<=www)(?=\.)|(?<=[-<>=~])(?=[-<>=~])")
# An address is a link in any case; it has to lead where it says, and to be right when copied.
_ADDRESS, _JOINED_IN_ADDRESS = re.compile(r"(https?://\S+)"), re.compile(_ICON)
# As errors quote fields and commands; a file's name may have a "`" that stands alone.
_CODE = re.compile(r"`(?=\S)([^`]*[^`\s])`")


def escaped(text: str) -> str:
    """A file's name, or anything else from a person, as Markdown that shows just that."""
    shown = printable(" ".join(text.split()))  # four spaces or a line break would begin a block
    patterns = cycle((_JOINED, _JOINED_IN_ADDRESS))  # every second part is an address
    joined = "".join(
        p.sub(_JOINER, s) for p, s in zip(patterns, _ADDRESS.split(shown), strict=False)
    )
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in joined)


def said(text: object) -> str:
    """What an error or a note says, as Markdown: `code` is code, the rest as `escaped`."""
    parts = _CODE.split(" ".join(str(text).split()))
    return "".join(f"`{printable(part)}`" if i % 2 else _kept(part) for i, part in enumerate(parts))


def _kept(part: str) -> str:
    """`escaped`, with the spaces around it."""
    before = " " * part.startswith(" ")
    return f"{before}{escaped(part)}{' ' * part.endswith(' ')}" if part.strip() else part


def duration(seconds: float) -> str:
    """ "8 s", "3 min 20 s", "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
