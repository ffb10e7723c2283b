"""What somebody brought stays with their visit: whoever comes anew, or by a link, is told so."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from pages.ui.text import escaped


def tell_gone(kind: str, kept: Collection[str]) -> None:
    """Keeps the names of what is here in the address, and says what the address names in vain.

    Args:
        kind: of file, a part of the name in the address.
        kept: names of the files that are here.
    """
    key = f"{kind}_file"
    if kept:
        first, more = next(iter(kept)), len(kept) - 1
        name = f"{first} and {more} more" if more else first
        if st.query_params.get(key) != name:
            st.query_params[key] = name
    elif key in st.query_params:
        st.info(
            f"**{escaped(st.query_params[key])}** is not here. What somebody brings is kept for "
            "their visit only, which ends when the page is closed or loaded anew, and a link does "
            "not carry it. Choose the file again: what was worked out from it may still be known.",
            icon=":material/link_off:",
        )


def forget_gone(kind: str) -> None:
    """Nothing that somebody brought is shown now."""
    st.query_params.pop(f"{kind}_file", None)
