"""Fragments that ask again and again: less often while many pages are open."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from pages.ui.server.leaving import connected

P = ParamSpec("P")

# A run of a fragment keeps all others waiting for some milliseconds: while so many seconds for each
# page that is open lie between two of them, asking takes no more than a third of the server's time.
_EACH_S = 0.03


def every(usual_s: float) -> float:
    """Seconds between two questions, `usual_s` as long as few pages are open."""
    return max(usual_s, _EACH_S * connected())


def polled(usual_s: float) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A fragment that runs again and again, after `every(usual_s)`."""

    def of(function: Callable[P, None]) -> Callable[P, None]:
        @wraps(function)
        def fragment(*arguments: P.args, **more: P.kwargs) -> None:
            st.fragment(function, run_every=every(usual_s))(*arguments, **more)

        return fragment

    return of
