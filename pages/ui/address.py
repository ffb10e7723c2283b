"""Choices that are kept in the address, so that a link shows a colleague the same view."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st


def seed(key: str, options: Sequence[str]) -> None:
    """Sets the widget `key` to what the address says, the first time, if it is one of `options`."""
    if key not in st.session_state:
        st.session_state[key] = options[0]
        if st.query_params.get(key) in options:
            st.session_state[key] = st.query_params[key]


def publish(key: str, value: str, default: str) -> None:
    """Writes `value` into the address, or removes it where it is what one gets anyway."""
    if value == default:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value
