"""The browser side of the components: plain JavaScript and CSS beside this module, never built."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def assets(*names: str) -> str:
    """The named files of this folder joined into one text, in the given order.

    Script files share one module scope this way, and only the last one has an `export`.

    Raises:
        FileNotFoundError: a file is not there.
    """
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
