"""What the Live page says beforehand about relays that are set up and cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.ui import engine
from pages.ui.live import session
from pages.ui.live.ice import SETTINGS

ENTRY = str(Path(__file__).resolve().parents[2] / "streamlit_app.py")
NAMED = {
    "POSE_TURN_URLS": "turn:relay.example:3478",
    "POSE_TURN_USERNAME": "hidden",
    "POSE_TURN_CREDENTIAL": "word",
}
NO_RELAY = "The camera may not connect here."


@pytest.fixture(autouse=True)
def page_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """streamlit-webrtc looks for a running server."""
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    monkeypatch.setattr("pages.ui.live.streamer.mend_relay", lambda: None)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    session._servers.clear()


@pytest.fixture(scope="module", autouse=True)
def end_the_models() -> Iterator[None]:
    yield
    engine.runner().close()
    st.cache_resource.clear()


def told(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], own: bool) -> str:
    monkeypatch.setattr(session, "on_own_machine", lambda url: own)
    app = AppTest.from_file(ENTRY, default_timeout=60)
    app.switch_page("pages/live.py")
    for name, value in settings.items():
        app.secrets[name] = value
    app.run()
    assert not app.exception
    return " ".join(element.value for element in app.markdown)


def test_half_a_relay_counts_as_none_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    words = told(monkeypatch, {**NAMED, "POSE_TURN_CREDENTIAL": ""}, own=False)
    assert "The TURN server is left out: set POSE_TURN_CREDENTIAL, too." in words
    assert NO_RELAY in words
    assert "hidden" not in words


def test_a_malformed_relay_is_told_on_the_own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    words = told(monkeypatch, {**NAMED, "POSE_TURN_URLS": "turn://hidden"}, own=True)
    assert "POSE_TURN_URLS has to read `turn:host:port`" in words
    assert NO_RELAY not in words
    assert "hidden" not in words


def test_a_whole_relay_needs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    words = told(monkeypatch, NAMED, own=False)
    assert NO_RELAY not in words
    assert "left out" not in words
