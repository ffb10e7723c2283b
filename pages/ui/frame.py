"""What all pages have in common: page configuration, menu, sidebar."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui import engine
from pages.ui.menu import menu
from pages.ui.settings import Settings
from pages.ui.sidebar import sidebar

# A file of our own: Streamlit would fetch an icon of its fonts from the internet.
_ICON = Path(__file__).with_name("icon.svg")
_STYLE = """
<style>
[data-testid="stMainBlockContainer"] { padding: 2.2rem clamp(1rem, 3vw, 3rem) 3rem; }
[data-testid="stSidebarHeader"] { height: 2.5rem; padding-bottom: 0; }
</style>
"""


def open_page(title: str, subtitle: str) -> Settings:
    """Starts a page, opened directly or through the menu; call it before anything else.

    Returns:
        The settings that hold for every page.
    """
    st.set_page_config(f"{title} · Pose comparison", _ICON, "wide")
    engine.start()
    st.html(_STYLE)
    with st.sidebar:
        menu()
        settings = sidebar()
    st.title(title, anchor=False)
    st.caption(subtitle)
    return settings
