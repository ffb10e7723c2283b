"""A recording of the Live page is a clip like any other on the Video page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from estimators.media import samples
from estimators.media.pictures import read_picture
from estimators.types import Frame
from estimators.workflows.live.recorder import LiveRecorder
from pages.ui import engine
from tests.app.visits import visit

PATIENCE_S = 90
NAME = "live-2026-01-02-030405"


@pytest.fixture(scope="module", autouse=True)
def end_the_models() -> Iterator[None]:
    yield
    engine.runner().close()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def page_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """streamlit-webrtc looks for a running server."""
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    monkeypatch.setattr("pages.ui.live.streamer.patch_global_relay", lambda: None)


def page(script: str, **address: str) -> AppTest:
    at = visit(script, **{"models": "movenet-lightning", **address}).run()
    assert not at.exception
    return at


def recorded(frames: int, size: tuple[int, int]) -> LiveRecorder:
    """A finished recording of a person; its mosaics have another shape than the camera."""
    person = read_picture(samples.pictures()[0].path).image
    seen = np.ascontiguousarray(person[: size[1], : size[0]])
    recorder = LiveRecorder(NAME, [], size)
    for index in range(frames):
        recorder.add_picture(np.zeros((96, 320, 3), np.uint8), Frame(seen, index, index / 25))
    recorder.finish()
    recorder.join(60)
    assert recorder.result is not None
    return recorder


def sources_offered(at: AppTest) -> list[str]:
    return [str(option) for option in at.button_group(key="clip_source").options]


def told(at: AppTest) -> str:
    return " ".join(e.value for e in [*at.markdown, *at.caption, *at.info])


def test_a_recording_opens_on_video_with_its_frames() -> None:
    at = page("video", clip_source="live")  # as after a reload: what was recorded before is gone
    assert "is not here" in told(at)
    assert not any("Recording" in option for option in sources_offered(at))
    at.switch_page("pages/live.py").run()
    at.session_state["live_stream"]._recorder = recorded(frames=6, size=(320, 240))
    at.run()
    (link,) = [e for e in at.get("page_link") if "Video page" in e.proto.label]
    assert link.proto.page == "video"
    at.switch_page("pages/video.py").run()
    assert not at.exception
    assert at.button_group(key="clip_source").value == "live"
    assert f"{NAME}-camera.mp4 · 320×240 · 6 frames" in told(at).replace("\\", "")
    at.button(key="run_clip").click().run()
    job = at.session_state["clip_work"].job
    job.join(PATIENCE_S)
    at.run()
    assert not at.exception
    answers = job.estimates["movenet-lightning"]
    assert answers.frame_index.tolist() == list(range(6))
    assert answers.size == (320, 240)
    at.button_group(key="clip_source").set_value("sample").run()
    assert any("Recording" in option for option in sources_offered(at)), "it is kept"
    assert "is not here" not in told(at), "another one is"


def test_a_link_to_a_recording_says_that_it_is_not_there() -> None:
    at = page("video", clip_source="live")
    assert "recording that this address leads to is not here" in told(at.run())
    assert at.button_group(key="clip_source").value == "sample"
