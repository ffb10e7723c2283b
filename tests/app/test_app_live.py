"""The Live page without a browser: what it says before the camera starts, and what it sets up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from estimators.media import samples
from estimators.types import Frame
from estimators.workflows.live.ice_settings import SETTINGS
from estimators.workflows.live.recorder import LiveRecorder
from pages.ui import engine
from pages.ui.live import page, session
from pages.ui.server.files import Received
from tests.unit.live_stand import camera

ROOT = Path(__file__).resolve().parents[2]
ENTRY = str(ROOT / "streamlit_app.py")
PATIENCE_S = 60
NAMED = {
    "POSE_TURN_URLS": "turn:relay.example:3478",
    "POSE_TURN_USERNAME": "relay-user",
    "POSE_TURN_CREDENTIAL": "word",
}
NO_RELAY = "The camera may not connect here."


@pytest.fixture(autouse=True)
def page_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """streamlit-webrtc looks for a running server; resources are this test's own."""
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    monkeypatch.setattr("pages.ui.live.streamer.patch_global_relay", lambda: None)
    for name in ("POSE_MAX_STREAMS", *SETTINGS):
        monkeypatch.delenv(name, raising=False)
    session.seats.clear()
    session._servers.clear()
    yield
    session.seats.clear()


@pytest.fixture(scope="module", autouse=True)
def end_the_models() -> Iterator[None]:
    yield
    engine.runner().close()
    st.cache_resource.clear()


def opened(**secrets: str) -> AppTest:
    app = AppTest.from_file(ENTRY, default_timeout=PATIENCE_S)
    app.switch_page("pages/live.py")
    for name, value in secrets.items():
        app.secrets[name] = value
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.markdown, *app.caption, *app.info])


def test_it_opens_on_its_own_and_follows_the_sidebar() -> None:
    app = opened()
    assert app.title[0].value == "Live"
    assert shows_the_camera(app)
    stream = app.session_state["live_stream"]
    followed = [m.spec.key for m in stream._settings.models]
    # Keypoint R-CNN has no weights here, so PoseNet stands in for it.
    assert followed == ["movenet-lightning", "blazepose-full", "posenet"]
    assert "Joins the video when its weights (237 MB) are on this machine." in words(app)
    app.slider(key="joint_threshold_movenet-lightning").set_value(0.7).run()
    assert stream._settings.models[0].joint_threshold == 0.7
    said = words(app)
    assert "**skipped, in 30 s**: Pictures of the last 30 seconds that the model never saw" in said
    for kind in ("confidence", "visibility"):
        assert f"**{kind}** of a joint: " in said
    app.multiselect(key="compare_models").set_value(["blazepose-full"]).run()
    assert [m.spec.key for m in stream._settings.models] == ["blazepose-full"]
    assert app.session_state["live_stream"] is stream


def test_people_are_a_choice_a_model() -> None:
    app = opened()
    assert "BlazePose full looks for one person at most here; it can find 5." in words(app)
    app.number_input(key="most_blazepose-full").set_value(3).run()
    asked = {m.spec.key: m.max_people for m in app.session_state["live_stream"]._settings.models}
    assert asked.pop("blazepose-full") == 3
    assert set(asked.values()) == {None}
    assert "BlazePose full looks for 3 people at most here" in words(app)


def test_drawing_options_reach_the_stream() -> None:
    app = opened()
    stream = app.session_state["live_stream"]
    style = stream._settings.models[0].style
    assert (style.points, style.bones, style.boxes) == (True, True, False)
    app.button_group(key="draw").set_value(["joints", "boxes"]).run()
    style = stream._settings.models[0].style
    assert (style.points, style.bones, style.boxes) == (True, False, True)
    assert style.joints is not None
    assert "nose" not in style.joints
    app.button_group(key="live_layout").set_value("one").run()
    assert stream._settings.layout == "one"
    app.toggle(key="live_mirror").set_value(True).run()
    assert stream._settings.mirrored


def test_without_models_the_video_stays_and_one_is_asked_for() -> None:
    app = opened()
    stream, pipe = app.session_state["live_stream"], app.session_state["live_pipe"]
    for chosen, asked in (([], True), (["blazepose-full"], False)):
        app.multiselect(key="compare_models").set_value(chosen).run()
        assert not app.exception
        assert [m.spec.key for m in stream._settings.models] == chosen
        assert [e.value for e in app.info if "Choose at least one model" in e.value] == (
            ["Choose at least one model in the sidebar."] if asked else []
        )
        # streamlit-webrtc ends a stream that one run of the page leaves out.
        assert shows_the_camera(app)
        assert app.session_state["live_pipe"] is pipe


def shows_the_camera(app: AppTest) -> bool:
    return any("webrtc_streamer" in e.proto.component_name for e in app.get("component_instance"))


def test_a_full_house_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_MAX_STREAMS", "1")
    session.seats.clear()
    assert session.seats().take("somebody else")
    app = opened()
    assert "All 1 live places are taken." in words(app)
    session.seats().give("somebody else")
    app.run()
    assert "All 1 live places are taken." not in words(app)


def test_whoever_loses_the_race_for_the_last_place_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_MAX_STREAMS", "1")
    session.seats.clear()
    # Another viewer's first frame comes between this page's look at the seats and its figures.
    monkeypatch.setattr(page, "_beforehand", lambda *_: session.seats().take("somebody else"))
    app = opened()
    assert "All 1 live places are taken." in words(app)
    assert not shows_the_camera(app)


def test_a_stream_without_a_place_ends_and_starts_when_one_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSE_MAX_STREAMS", "1")
    session.seats.clear()
    app = opened()
    stream, pipe = app.session_state["live_stream"], app.session_state["live_pipe"]
    assert session.seats().take("somebody else")
    stream.show(camera(5, 5))
    app.run()
    assert "All 1 live places are taken." in words(app)
    assert pipe.finished
    assert stream.state == "idle"
    session.seats().give("somebody else")
    app.run()
    assert shows_the_camera(app)
    assert app.session_state["live_pipe"] is not pipe


def test_a_recording_tells_why_it_ended() -> None:
    app = opened()
    recorder = LiveRecorder("visit", [], (64, 48))
    recorder.add_picture(camera(5, 5, (64, 48)), Frame(camera(5, 5, (64, 48)), 0, 0.0))
    recorder.finish("The camera was turned.")
    recorder.join(60)
    app.session_state["live_stream"]._recorder = recorder
    app.run()
    assert "The camera was turned." in words(app)


def test_far_away_without_a_relay_it_warns_beforehand() -> None:
    assert "The camera may not connect here." in words(opened())  # tests have no address at all


def test_a_relay_from_the_secrets_counts() -> None:
    app = opened(
        POSE_TURN_URLS="turn:relay.example:3478",
        POSE_TURN_USERNAME="u",
        POSE_TURN_CREDENTIAL="c",
    )
    assert "The camera may not connect here." not in words(app)


def test_the_length_of_recordings_may_come_from_the_secrets() -> None:
    app = opened(POSE_LIVE_RECORD_S="12")
    assert "12 s at most" in app.button(key="live_record").help


def test_a_kept_frame_is_on_the_image_page() -> None:
    sample = samples.pictures()[0]
    app = AppTest.from_file(ENTRY, default_timeout=PATIENCE_S).run()
    assert not any("Live frame" in option for option in sources_offered(app))
    app.session_state["kept_live_frame"] = (Received(sample.path, 1, "digest"), "live.png")
    app.run()
    assert any("Live frame" in option for option in sources_offered(app))
    app.button_group(key="picture_source").set_value("live").run()
    assert not app.exception
    assert app.session_state["picture_source"] == "live"


def sources_offered(app: AppTest) -> list[str]:
    return [str(option) for option in app.button_group(key="picture_source").options]


def told_elsewhere(monkeypatch: pytest.MonkeyPatch, **changes: str) -> str:
    """What the page says where a relay is needed and `NAMED` is set up but for `changes`."""
    monkeypatch.setattr(session, "on_own_machine", lambda url: False)
    return words(opened(**{**NAMED, **changes}))


def test_half_a_relay_counts_as_none_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told = told_elsewhere(monkeypatch, POSE_TURN_CREDENTIAL="")
    assert "The TURN server is left out: set POSE_TURN_CREDENTIAL, too." in told
    assert NO_RELAY in told
    assert "relay-user" not in told


def test_a_malformed_relay_is_told_on_the_own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "on_own_machine", lambda url: True)
    told = words(opened(**{**NAMED, "POSE_TURN_URLS": "turn://relay-user"}))
    assert "POSE_TURN_URLS has to read `turn:host:port`" in told
    assert NO_RELAY not in told
    assert "relay-user" not in told


def test_a_whole_relay_needs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    told = told_elsewhere(monkeypatch)
    assert NO_RELAY not in told
    assert "left out" not in told


def test_a_stream_ends_when_the_page_is_left_and_not_where_runs_are_counted_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Streamlit counts a run that has ended a while later: two runs at once, as it looks."""
    counted, resets = SimpleNamespace(script_run_count=0), []
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: counted)
    monkeypatch.setattr("streamlit_webrtc.component._reset_context", resets.append)
    app = opened()
    for late in (0, 2, 5):
        counted.script_run_count += late
        app.run()
        assert not app.exception
        assert not resets
    app.switch_page("pages/models.py").run()
    counted.script_run_count += 3
    app.switch_page("pages/live.py").run()
    assert len(resets) == 1
