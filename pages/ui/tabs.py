"""Tabs of which only the open one is computed, and which are drawn anew without the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import streamlit as st

_PAGE_TOO = "tabs_page_too"

Shown = TypeVar("Shown")


@st.fragment
def tabs(views: Mapping[str, Callable[[Shown], None]], shown: Shown, key: str) -> None:
    """A tab a view; which one is open is kept in the address.

    What is done in a tab draws the tabs anew and nothing else, unless it calls `page_too`.

    Args:
        views: what draws each tab, by the tab's title.
        shown: what every view takes.
        key: of the row of tabs, and its name in the address.
    """
    if st.session_state.pop(_PAGE_TOO, False):
        st.rerun()
    row = st.tabs(list(views), key=key, bind="query-params")
    for tab, view in zip(row, views.values(), strict=True):
        if tab.open:
            with tab:
                view(shown)


def begin() -> None:
    """Call it first on every page: all of it is drawn anyway."""
    st.session_state.pop(_PAGE_TOO, None)


def page_too() -> None:
    """In a callback, where what was done in a tab is to be seen on the page around the tabs."""
    st.session_state[_PAGE_TOO] = True
