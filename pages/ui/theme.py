"""The page runs anew when its theme is switched: Streamlit would leave the colours of charts."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui.scripts import script

_watch = st.components.v2.component(
    "pose_comparison.theme", js=script(Path(__file__).with_name("theme.js"))
)


def follow_theme() -> None:
    """Call it once on every page; it shows nothing."""
    _watch(key="theme", on_switched_change=_drawn_anew)


def _drawn_anew() -> None:
    """Nothing to do: that the browser has told it makes the page run."""
