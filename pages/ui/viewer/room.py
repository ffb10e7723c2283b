"""The place of the panels, kept free until the browser has loaded what draws them.

Without it all that stands below is shown first where the pictures will be, and jumps away.
"""

from __future__ import annotations

import math

import streamlit as st

# As stage.js (`columnsFor`) and viewer.css have them, on a screen that is no phone's.
_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2}
_TALLEST = "75vh"
# A panel that stands alone ends above the fold, below the page's controls.
_ALONE = "100vh - 19rem"
_GAP_PX, _HEADING_PX, _BAR_PX = 12, 28, 40
# The sidebar, and the air at both sides of the page.
_BESIDE = "18.5rem - 2 * clamp(1rem, 2.5vw, 3rem)"


def reserve(key: str, panels: int, size: tuple[int, int]) -> None:
    """Keeps the room of `panels` pictures of `size` (width, height) in the container `key`.

    Never more than they will take: where the sidebar is folded they are larger.
    """
    columns = _COLUMNS.get(panels, 2)
    rows = math.ceil(panels / columns)
    width = f"(100vw - {_BESIDE} - {_GAP_PX * (columns - 1)}px) / {columns}"
    tallest = _ALONE if panels == 1 else _TALLEST
    picture = f"min({tallest}, {width} * {size[1] / size[0]:.4f})"
    more = _BAR_PX + rows * _HEADING_PX + (rows - 1) * _GAP_PX
    st.html(
        "<style>@media (min-width: 48rem) { "
        f".st-key-{key} {{ min-height: calc({rows} * {picture} + {more}px); }} }}</style>"
    )
