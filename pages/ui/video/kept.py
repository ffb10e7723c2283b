"""What was worked out about clips, kept for all viewers of this server within a bound of memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

from estimators.kept import Kept
from pages.ui.server.leaving import when_empty

T = TypeVar("T")

# What a clip holds, its analyses, and what is packed of it for the browser, the models' answers in
# them counted once: about 7.5 kB a frame with three models and two people.
MOST_BYTES = 96_000_000


@st.cache_resource(show_spinner=False)
def kept() -> Kept[Hashable, Any]:
    """Everything that `made` keeps."""
    store: Kept[Hashable, Any] = Kept(MOST_BYTES)
    when_empty(store.forget)
    return store


def made(key: Hashable, make: Callable[[], T], meanwhile: str) -> T:
    """What `make` gives, which takes a while; the same key gives the same again.

    Args:
        key: of this kind of thing, and what the thing depends on.
        meanwhile: shown to whoever waits.

    Raises:
        Exception: what `make` raises.
    """

    def slowly() -> T:
        with st.spinner(meanwhile):
            return make()

    found: T = kept().made(key, slowly)
    return found
