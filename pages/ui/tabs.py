"""Tabs of which only the open one is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import streamlit as st

Shown = TypeVar("Shown")


def tabs(views: Mapping[str, Callable[[Shown], None]], shown: Shown, key: str) -> None:
    """A tab a view; which one is open is kept in the address.

    Args:
        views: what draws each tab, by the tab's title.
        shown: what every view takes.
        key: of the row of tabs, and its name in the address.
    """
    row = st.tabs(list(views), key=key, bind="query-params")
    for tab, view in zip(row, views.values(), strict=True):
        if tab.open:
            with tab:
                view(shown)
