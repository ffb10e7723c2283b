"""The place of the panels, kept free until the browser has loaded what draws them.

Without it all that stands below is shown first where the pictures will be, and jumps away.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

# As stage.js (`columnsFor`) and viewer.css have them, on a screen that is no phone's.
_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2}
_TALLEST = "75vh"
# A panel that stands alone ends above the fold, below the page's controls.
_ALONE = "100vh - 19rem"
_GAP_PX, _HEADING_PX, _BAR_PX = 12, 28, 36
# The sidebar, and the air at both sides of the page.
_BESIDE = "18.5rem - 2 * clamp(1rem, 2.5vw, 3rem)"
# Heights are kept in steps, in hundredths of the width, so that the style sheet can have them all.
_STEP, _LOWEST, _HIGHEST = 5, 15, 300
# Of the page's width, where up to three of four columns stand beside the panels.
_SHARES = sorted({int(100 * own / (own + others)) for own in range(1, 5) for others in range(4)})


def room(panels: int, size: tuple[int, int], share: float = 1.0) -> DeltaGenerator:
    """A container that is as high as `panels` pictures of `size` (width, height) will be.

    Never higher: where the sidebar is folded, or between two steps, they are larger.

    Args:
        share: of the page's width that the panels have for themselves.
    """
    height = min(max(int(100 * size[1] / size[0] / _STEP) * _STEP, _LOWEST), _HIGHEST)
    width = max(known for known in _SHARES if known <= max(100 * share, _SHARES[0]))
    return st.container(key=f"room-{panels}-w{width}e-h{height}e")


def rooms_css() -> str:
    """The rules for every `room`."""
    rules = [_counted(panels) for panels in _COLUMNS]
    rules += [_set("share", f"w{share}e", share) for share in _SHARES]
    heights = range(_LOWEST, _HIGHEST + _STEP, _STEP)
    rules += [_set("height", f"h{height}e", height) for height in heights]
    return "@media (min-width: 48rem) {\n" + "\n".join(rules) + "\n}\n"


def _set(name: str, part: str, hundredths: int) -> str:
    return f'[class*="st-key-room-"][class*="-{part}"] {{ --{name}: {hundredths / 100}; }}'


def _counted(panels: int) -> str:
    columns = _COLUMNS[panels]
    rows = math.ceil(panels / columns)
    width = f"(100vw - {_BESIDE}) * var(--share) - (1 - var(--share)) * 4rem"
    width = f"({width} - {_GAP_PX * (columns - 1)}px) / {columns}"
    tallest = _ALONE if panels == 1 else _TALLEST
    picture = f"min({tallest}, {width} * var(--height))"
    more = _BAR_PX + rows * _HEADING_PX + (rows - 1) * _GAP_PX
    key = f"st-key-room-{panels}-"
    return f'[class*="{key}"] {{ min-height: calc({rows} * {picture} + {more}px); }}'
