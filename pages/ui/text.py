"""Words for people."""

from __future__ import annotations

_SPECIAL = frozenset("\\`*_{}[]()#+-.!|$:~<>&")
# Takes no room.  Streamlit makes links of "photo@2x.png" and "www.…" whatever is escaped.
_JOINER = "\u2060"


def escaped(text: str) -> str:
    """A file's name, or anything else from a person, as Markdown that shows just that."""
    marked = "".join(f"\\{c}" if c in _SPECIAL else c for c in text)
    return marked.replace("@", f"@{_JOINER}").replace("www\\.", f"www{_JOINER}\\.")


def duration(seconds: float) -> str:
    """ "8 s", "3 min 20 s", "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
