"""What all pages have in common: page configuration, menu, sidebar."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from estimators.errors import PoseError
from estimators.workflows.own_folder import remove_abandoned
from pages.ui import engine, fetching, memory, tabs
from pages.ui.about import about
from pages.ui.menu import menu
from pages.ui.server_settings import server_settings
from pages.ui.settings import Settings
from pages.ui.sidebar import sidebar
from pages.ui.style import page_style
from pages.ui.theme import follow_theme

PRODUCT = "Pose comparison"
# Files of our own: Streamlit would fetch an icon of its fonts from the internet.
_ICON = Path(__file__).with_name("icon.svg")
_LOGO = Path(__file__).with_name("logo.svg")


def open_page(title: str, subtitle: str, shows_poses: bool = True) -> Settings:
    """Starts a page, opened directly or through the menu; call it before anything else.

    Args:
        shows_poses: whether thresholds and what is drawn matter on the page.

    Returns:
        The settings that hold for every page.
    """
    st.set_page_config(f"{title} · {PRODUCT}", _ICON, "wide", menu_items={"About": about()})
    try:
        server_settings()
        engine.start()
    except PoseError as error:  # a setting of the server, such as POSE_MEMORY_MB, is wrong
        # The words of whoever runs the server, not of a visitor.
        st.error(f"**{error.message}**\n\n{error.advice}", icon=":material/settings:")
        st.stop()
    _tidy_up()
    memory.begin(title)
    tabs.begin()
    fetching.begin()
    st.html(page_style())
    st.logo(_LOGO, size="large", icon_image=_ICON)
    with st.sidebar:
        menu(title)
        settings = sidebar(shows_poses)
        follow_theme()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.title(title, anchor=False, width="content")
        st.caption(subtitle, width="content")
    return settings


@st.cache_resource(show_spinner=False)
def _tidy_up() -> None:
    """Once a server: removes what servers that were killed have left in the temporary folder."""
    remove_abandoned()
