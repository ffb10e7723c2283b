"""Choices that are kept in the address, so that a link shows a colleague the same view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.ui import memory


def recall(key: str, options: Sequence[str]) -> str:
    """Sets the widget `key` to what it was, else what the address says, else the first option.

    Give what it returns to the widget as its default, see `memory.recall`.
    """
    wanted = st.query_params.get(key, options[0])
    value = memory.recall(key, wanted if wanted in options else options[0])
    if value not in options:  # it was remembered from when there were others
        value = st.session_state[key] = options[0]
    return value


def publish(key: str, value: str, default: str) -> None:
    """Keeps `value`; writes it into the address, or removes it where one gets it anyway."""
    memory.keep(key, value)
    if value == default:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def choose(label: str, options: Mapping[str, str], key: str) -> str:
    """One of a row of buttons, by its key in `options`; the first is the usual one."""
    chosen = st.segmented_control(
        label,
        list(options),
        default=recall(key, list(options)),
        format_func=options.__getitem__,
        required=True,
        key=key,
        label_visibility="collapsed",
    )
    publish(key, chosen, next(iter(options)))
    return chosen
