"""Words for people."""

from __future__ import annotations

_SPECIAL = frozenset("\\`*_{}[]()#+-.!|$:~<>")


def escaped(name: str) -> str:
    """A file's name without what Markdown would take for its own."""
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in name)


def duration(seconds: float) -> str:
    """ "8 s", "3 min 20 s", "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
