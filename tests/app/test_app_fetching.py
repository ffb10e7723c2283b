"""A download that fails is told once, to who asked for it, where they did."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from estimators import weights
from pages.ui import engine
from pages.ui.fetching import _fetches
from tests.app import visits

# They come in one file.
TWINS = "keypointrcnn-reference,keypointrcnn-fast"
KEY = "keypointrcnn-coco-v1"
PATIENCE_S = 90


@pytest.fixture(autouse=True)
def out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that does not answer, from which the weights have to come."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/weights.pth"
        manifest = tmp_path / "manifest.toml"
        manifest.write_text(f'[{KEY}]\nurl = "{url}"\n')
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        # streamlit-webrtc looks for a running server.
        monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
        monkeypatch.setattr("pages.ui.live.streamer.patch_global_relay", lambda: None)
        monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(manifest))
        monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path / "cache"))
        monkeypatch.delenv("POSE_WEIGHTS_DIR", raising=False)
        yield url
    engine.runner().close()
    st.cache_resource.clear()


def visit(script: str) -> AppTest:
    return visits.visit(script, models=TWINS).run()


def buttons(at: AppTest) -> list[str]:
    return [b.label for b in at.button if b.key is not None and b.key.startswith("fetch_")]


def test_a_failed_download_is_told_once_to_who_asked(out_of_reach: str) -> None:
    mine, others = visit(""), visit("")
    assert buttons(mine) == ["Fetch 237 MB", "Fetch 237 MB"]
    mine.button(key=f"fetch_keypointrcnn-fast_{KEY}").click().run()
    ends = time.monotonic() + PATIENCE_S
    while _fetches().running(KEY):
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert weights.state(KEY).state == "failed"
    mine.run()
    assert not mine.exception
    (said,) = [e.value for e in mine.error]
    assert said.replace("\\", "").count("http://") == 1
    lines = said.splitlines()
    assert [line[:3] for line in lines if line[:1].isdigit()] == ["1. ", "2. "]
    assert buttons(mine) == ["Try again", "Try again"]
    for other in (others.run(), visit(""), visit("models"), visit("live")):
        assert not other.error
        assert set(buttons(other)) >= {"Fetch 237 MB"}
        assert "Try again" not in buttons(other)
    mine.switch_page("pages/models.py").run()
    assert not mine.error, "another page of who asked"
    assert "Try again" not in buttons(mine)
