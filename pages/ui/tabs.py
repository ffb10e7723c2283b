"""Tabs of which only the open one is computed, and which are drawn anew without the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import streamlit as st

_PAGE_TOO, _THEME = "tabs_page_too", "tabs_theme"

Shown = TypeVar("Shown")


@st.fragment
def tabs(views: Mapping[str, Callable[[Shown], None]], shown: Shown, key: str) -> None:
    """A tab a view; which one is open is kept in the address.

    What is done in a tab draws the tabs anew and nothing else, unless it calls `page_too`, or the
    theme is another one than what the views are given has its colours for.

    Args:
        views: what draws each tab, by the tab's title.
        shown: what every view takes.
        key: of the row of tabs, and its name in the address.
    """
    theme = st.context.theme.type
    other_theme = st.session_state.setdefault(_THEME, theme) != theme
    if st.session_state.pop(_PAGE_TOO, False) or other_theme:
        st.rerun()
    row = st.tabs(list(views), key=key, bind="query-params")
    for tab, view in zip(row, views.values(), strict=True):
        if tab.open:
            with tab:
                view(shown)


def begin() -> None:
    """Call it first on every page: all of it is drawn anyway."""
    st.session_state.pop(_PAGE_TOO, None)
    st.session_state[_THEME] = st.context.theme.type


def page_too() -> None:
    """In a callback, where what was done in a tab is to be seen on the page around the tabs."""
    st.session_state[_PAGE_TOO] = True
