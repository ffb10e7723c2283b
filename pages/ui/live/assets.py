"""The browser side of the page's components: plain JavaScript and CSS beside this module."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def asset(name: str) -> str:
    """The text of the file `name` of this folder; raises FileNotFoundError when it is not there."""
    return (_FOLDER / name).read_text(encoding="utf-8")
