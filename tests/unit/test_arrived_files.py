"""Uploaders that are replaced when they have been given something, and who is quicker than that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from pages.ui.server.files import arrived, arrived_anew, next_key


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", found)
    return found


def test_what_is_given_before_the_next_uploader_is_there_is_taken_and_nothing_twice(
    state: dict[str, Any],
) -> None:
    a, b, c = (SimpleNamespace(file_id=name) for name in "abc")
    first = next_key("pictures")
    state[first] = [a]
    assert arrived_anew("pictures", first) == [a]
    second = next_key("pictures")
    assert second != first
    assert next_key("marks") not in (first, second)
    state[first] = [a, b]  # it is on the page yet
    assert arrived_anew("pictures", first) == [b]
    assert next_key("pictures") == second, "the one that is being drawn"
    state[second] = [c]
    assert arrived_anew("pictures", second) == [c]


def test_nothing_has_arrived_where_files_are_gone_or_the_uploader_is(state: dict[str, Any]) -> None:
    assert arrived("uploads") == []
    state["uploads"] = [DeletedFile("x")]
    assert arrived("uploads") == []
    state["uploads"] = None
    assert arrived("uploads") == []
