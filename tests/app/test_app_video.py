"""The Video page without a browser: what it shows, and what it does not do again."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from estimators.errors import TryAgainError
from pages.ui import engine
from pages.ui.video import clips, truth
from pages.ui.video import kept as video_kept
from pages.ui.video.uploads import largest_mb
from tests.app.visits import visit
from tests.clip_factory import Recipe, make_clip

_LONGEST_S = 120.0


pytestmark = pytest.mark.usefixtures("fresh_server")


def video_page(**address: str) -> AppTest:
    return visit("video", **address).run()


def buttons(at: AppTest) -> set[str]:
    return {button.key for button in at.button}


def process(at: AppTest) -> AppTest:
    """Presses the button and reruns until the work is done, as the page does in a browser."""
    at.button(key="run_clip").click().run()
    return settled(at)


def settled(at: AppTest) -> AppTest:
    end = time.monotonic() + _LONGEST_S
    while ("cancel_clip" in buttons(at) or preparing(at)) and time.monotonic() < end:
        time.sleep(0.1)
        at.run()
    assert not at.exception
    return at


def preparing(at: AppTest) -> bool:
    return any("Preparing the clip" in bar.proto.text for bar in at.get("progress"))


def player(at: AppTest) -> dict:
    """What is handed to the browser."""
    found = at.main.get("bidi_component")
    return json.loads(found[0].proto.json) if found else {}


def calls() -> dict[str, int]:
    return {status.model: status.calls for status in engine.runner().status()}


def wait_for_answers(*models: str, count: int = 3) -> None:
    """Returns when each of `models` has answered `count` frames, whatever the machine's load."""
    end = time.monotonic() + _LONGEST_S
    while any(calls().get(model, 0) < count for model in models):
        assert time.monotonic() < end, f"{models} did not answer: {calls()}"
        time.sleep(0.02)


@contextmanager
def held_after_answers(*models: str) -> Iterator[None]:
    """While inside the work stands still: each of `models` has answered some frames."""
    wait_for_answers(*models)
    turns = [host._turns for model in models for host in engine.runner()._hosts(model)]
    for turn in turns:
        turn.take("test")
    try:
        yield
    finally:
        for turn in turns:
            turn.give()


def test_a_first_visit_is_one_click_from_results() -> None:
    at = process(video_page(stride="10"))
    assert [layer["title"] for layer in player(at)["layers"]] == [
        "MoveNet Lightning",
        "BlazePose full",
        "PoseNet",
    ]
    assert {layer["kind"] for layer in player(at)["layers"]} == {"confidence", "visibility"}
    assert "make_video" in buttons(at)
    said = [m.value for m in at.markdown]
    assert any("For a clip like this" in m or "measured on this clip" in m for m in said)
    assert any("independent families agree on" in m for m in said)
    assert "fetch_missing_keypointrcnn-fast_keypointrcnn-coco-v1" in buttons(at)
    assert not at.error


def test_nothing_is_computed_twice_not_even_for_another_viewer() -> None:
    at = process(video_page(stride="10"))
    before = calls()
    at.slider(key="joint_threshold_movenet-lightning").set_value(0.6).run()
    at.button_group(key="draw").set_value(["bones", "weak"]).run()
    assert player(at)["layers"][0]["threshold"] == 0.6
    kept = {key for key, _ in video_kept.kept().newest_first()}
    other = video_page(stride="10")
    assert "run_clip" not in buttons(other)
    assert player(other)["layers"]
    assert calls() == before
    assert {key for key, _ in video_kept.kept().newest_first()} == kept
    assert sorted(key[0] for key in kept) == ["analysis"] * 2 + ["clip"] + ["player"] * 2


def test_a_model_that_is_added_runs_alone_and_one_taken_away_needs_nothing() -> None:
    at = process(video_page(stride="10", models="movenet-lightning"))
    before = calls()["movenet-lightning"]
    at.multiselect(key="compare_models").set_value(["movenet-lightning", "blazepose-lite"]).run()
    assert [layer["key"] for layer in player(at)["layers"]] == ["movenet-lightning"]
    process(at)
    assert calls()["movenet-lightning"] == before
    assert calls()["blazepose-lite"] == 10
    at.multiselect(key="compare_models").set_value(["blazepose-lite"]).run()
    assert [layer["key"] for layer in player(at)["layers"]] == ["blazepose-lite"]
    assert "run_clip" not in buttons(at)


def test_people_are_a_choice_a_model_that_is_told_kept_and_computed_anew() -> None:
    at = process(video_page(stride="30", models="blazepose-lite"))
    held = "BlazePose lite looks for one person at most here; it can find 5."
    assert any(held in caption.value for caption in at.caption)
    assert "most" not in at.query_params
    at.number_input(key="most_blazepose-lite").set_value(5).run()
    assert at.query_params["most"] == "blazepose-lite:5"
    assert not any("looks for one person" in caption.value for caption in at.caption)
    before = calls()["blazepose-lite"]
    process(at)
    assert calls()["blazepose-lite"] > before
    other = video_page(stride="30", models="blazepose-lite", most="blazepose-lite:5,x:2")
    assert other.number_input(key="most_blazepose-lite").value == 5
    assert "run_clip" not in buttons(other)
    for wrong in ("blazepose-lite:9", "blazepose-lite:0", "blazepose-lite:²", ":::"):
        at = video_page(stride="30", models="blazepose-lite", most=wrong)
        assert at.number_input(key="most_blazepose-lite").value == 1


def test_cancel_keeps_what_is_done() -> None:
    at = video_page(clip="street", models="movenet-thunder")
    at.button(key="run_clip").click().run()
    with held_after_answers("movenet-thunder"):
        at.button(key="cancel_clip").click().run()
    assert not at.exception
    settled(at)
    told = next(info.value for info in at.info if "Stopped after" in info.value)
    done = int(told.split()[2])
    assert 3 <= done < 230
    assert player(at)["layers"]
    assert "run_clip" in buttons(at)
    before = calls()["movenet-thunder"]
    time.sleep(0.5)
    assert calls()["movenet-thunder"] == before


def test_stopped_work_goes_on_and_running_work_is_seen_by_whoever_comes() -> None:
    models = ["movenet-thunder", "blazepose-full"]
    address = {"clip": "street", "part": "0.00-5.00", "models": ",".join(models)}
    at = video_page(**address)
    at.button(key="run_clip").click().run()
    with held_after_answers(*models):
        other = video_page(**address)  # the page loaded anew, or somebody else
        assert "cancel_clip" in buttons(other)
        elsewhere = video_page(**(address | {"stride": "10"}))
        (watch,) = (key for key in buttons(elsewhere) if key.startswith("watch_"))
        third = video_page(**(address | {"stride": "5"}))
        third.button(key="run_clip").click().run()
        (cancel,) = (key for key in buttons(third) if key.startswith("cancel_"))
        assert watch in buttons(video_page(**(address | {"stride": "10"})))
        third.button(key=cancel).click().run()
        other.button(key="cancel_clip").click().run()
    assert not other.exception
    settled(other)
    anew = video_page(**address)
    assert [layer["key"] for layer in player(anew)["layers"]] == models
    label = anew.button(key="run_clip").label
    left = int(label.split()[2])
    assert label == f"Go on: {left} of 151 frames left"
    before = calls()["movenet-thunder"]
    process(anew)
    assert "run_clip" not in buttons(anew)
    assert left <= calls()["movenet-thunder"] - before <= left + 15


def test_adding_a_model_and_cancelling_it_keeps_the_rest() -> None:
    at = process(video_page(stride="5", models="movenet-lightning"))
    assert player(at)["sound"] is False, "the sample has none to be switched on"
    at.multiselect(key="compare_models").set_value(["movenet-lightning", "movenet-thunder"]).run()
    assert [layer["key"] for layer in player(at)["layers"]] == ["movenet-lightning"]
    at.button(key="run_clip").click().run()
    with held_after_answers("movenet-thunder"):
        at.button(key="cancel_clip").click().run()
    assert not at.exception
    settled(at)
    assert player(at)["layers"][0]["key"] == "movenet-lightning"
    assert "run_clip" in buttons(at)


def test_part_stride_and_size_come_from_the_address_and_go_back_into_it() -> None:
    at = video_page(clip="street", part="1.00-2.50", stride="5", side="640")
    assert at.button(key="run_clip").label == "Process 10 frames"
    assert at.selectbox(key="side").value == "640"
    other = video_page(clip="balance").selectbox(key="side").options
    assert set(other) < set(at.selectbox(key="side").options)  # the words for a value are the same
    at.selectbox(key="stride").set_value("2").run()
    assert at.query_params["stride"] == "2"
    assert at.query_params["part"] == "1.00-2.50"
    assert at.button(key="run_clip").label == "Process 23 frames"
    bad = video_page(clip="nonsense", part="9-3", stride="1000", side="wide")
    assert not bad.exception
    assert bad.button(key="run_clip").label == "Process 100 frames"


def test_the_part_in_the_address_is_one_of_the_first_clip_only() -> None:
    at = video_page(clip="street", part="1.00-2.50", stride="5")
    at.button_group(key="clip").set_value("balance").run()
    assert at.button(key="run_clip").label == "Process 20 frames"
    assert "part" not in at.query_params
    at.button_group(key="clip").set_value("street").run()
    assert at.button(key="run_clip").label == "Process 10 frames"
    assert at.query_params["part"] == "1.00-2.50"


def test_a_part_without_a_frame_says_so(tmp_path: Path) -> None:
    recipe = Recipe(pts=(0, 1, 2, 300, 301), options={"bf": "0"})
    content = make_clip(tmp_path / "gap.mp4", recipe).read_bytes()
    at = video_page(models="movenet-lightning")
    at.button_group(key="clip_source").set_value("upload").run()
    at.get("file_uploader")[0].upload("*gap* [1].mp4", content, "video/mp4")
    at.run()
    at.slider[0].set_value((2.0, 3.0)).run()
    assert not at.exception
    assert "run_clip" not in buttons(at)
    said = next(w.value for w in at.warning if "no frame between" in w.value)
    assert said.startswith(r"\*gap\* \[1\]\.mp4 has no frame between 2 s and 3 s")
    assert any(c.value.startswith(r"\*gap\* \[1\]\.mp4") for c in at.caption)
    at.slider[0].set_value((2.0, 10.04)).run()
    assert at.button(key="run_clip").label == "Process 2 frames"


def test_an_annotated_video_that_is_gone_can_be_made_again() -> None:
    at = process(video_page(stride="30", models="movenet-lightning"))
    for time_made in ("first", "second"):
        at.button(key="make_video").click().run()
        made = at.session_state["annotated_clip"].task
        made.join(_LONGEST_S)
        at.run()
        assert (made.state, made.error) == ("done", ""), time_made
        assert "make_video" not in buttons(at)
        shutil.rmtree(made.path.parent)  # as systems clean their folder of temporary files
        at.run()
        assert not at.exception
        assert any("make it again" in info.value for info in at.info)


def test_settings_are_there_again_after_a_look_at_another_page() -> None:
    at = video_page(models="movenet-lightning")
    at.selectbox(key="stride").set_value("10").run()
    process(at)
    at.switch_page("pages/models.py").run()
    at.switch_page("pages/video.py").run()
    assert at.selectbox(key="stride").value == "10"
    assert player(at)["layers"]


def test_an_upload_is_kept_in_a_file_and_leaves_the_memory(tmp_path: Path) -> None:
    content = make_clip(tmp_path / "walk *1*.mov", Recipe(pts=tuple(range(12)))).read_bytes()
    at = video_page(models="movenet-lightning")
    at.button_group(key="clip_source").set_value("upload").run()
    at.get("file_uploader")[0].upload("walk *1*.mov", content, "video/quicktime")
    at.run()
    kept = at.session_state["kept_clip"]
    assert kept.path.read_bytes() == content
    assert at.get("file_uploader")[0].value is None, "the next uploader is empty"
    process(at)
    assert player(at)["clip"]["width"] == 128
    assert player(at)["layers"][0]["message"] == ""
    at.button(key="remove_clip").click().run()
    assert not kept.path.exists()
    assert not at.exception


def test_an_upload_over_the_servers_limit_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the browser before it is sent, and by the page whatever a client sends."""
    assert largest_mb() == st.get_option("server.maxUploadSize")
    monkeypatch.setattr("pages.ui.video.uploads.largest_mb", lambda: 1)
    at = video_page()
    at.button_group(key="clip_source").set_value("upload").run()
    assert at.get("file_uploader")[0].proto.max_upload_size_mb == 1
    content = make_clip(tmp_path / "walk.mp4").read_bytes()
    at.get("file_uploader")[0].upload("walk.mp4", content.ljust(1_048_577, b"\0"), "video/mp4")
    at.run()
    assert "kept_clip" not in at.session_state
    assert "1 MB is the most here" in at.error[0].value


def test_an_upload_that_does_not_fit_on_the_disk_says_so(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk."""
    content = make_clip(tmp_path / "walk.mp4").read_bytes()
    at = video_page()
    at.button_group(key="clip_source").set_value("upload").run()
    at.get("file_uploader")[0].upload("walk.mp4", content, "video/mp4")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
        at.run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, old_handler)
    assert not at.exception
    assert r"walk\.mp4 cannot be kept" in at.error[0].value
    assert "kept_clip" not in at.session_state


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"these are words", "is not a clip that can be read"),
        (b"", "is not a clip that can be read"),
    ],
)
def test_a_bad_upload_says_what_is_wrong(content: bytes, message: str) -> None:
    at = video_page()
    at.button_group(key="clip_source").set_value("upload").run()
    at.get("file_uploader")[0].upload("notes.mp4", content, "video/mp4")
    at.run()
    assert message in at.error[0].value
    assert "MP4" in at.error[0].value
    assert not at.exception


@pytest.mark.parametrize("name", ["GL010042.LRV", "00012.MTS", "no ending", "lying.jpg"])
def test_the_content_of_an_upload_counts_not_its_name(name: str, tmp_path: Path) -> None:
    at = video_page(models="movenet-lightning")
    at.button_group(key="clip_source").set_value("upload").run()
    assert list(at.get("file_uploader")[0].proto.type) == []  # the browser refuses nothing
    content = make_clip(tmp_path / "walk.mp4").read_bytes()
    at.get("file_uploader")[0].upload(name, content, "application/octet-stream")
    at.run()
    assert not at.error
    assert not at.exception
    assert "run_clip" in buttons(at)


def test_a_clip_without_people_is_said_to_be_one(tmp_path: Path) -> None:
    at = video_page(models="movenet-lightning,blazepose-lite")
    at.button_group(key="clip_source").set_value("upload").run()
    content = make_clip(tmp_path / "bars.mp4", Recipe(pts=tuple(range(6)))).read_bytes()
    at.get("file_uploader")[0].upload("bars.mp4", content, "video/mp4")
    at.run()
    process(at)
    assert any("No model found anybody in this clip" in m.value for m in at.markdown)


@pytest.mark.parametrize("pts", [[2**50, 2**50 + 1, 2**50 + 1, 2**50 + 2], [3_600_000, 3_600_500]])
def test_a_clip_whose_clock_starts_late_counts_from_its_first_frame(
    pts: list[int], tmp_path: Path
) -> None:
    """Also where the times are so large that a browser could not tell them apart."""
    recipe = Recipe(pts=pts, time_base=Fraction(1, 1000), options={"bf": "0"})
    content = make_clip(tmp_path / "late.mkv", recipe).read_bytes()
    at = video_page(models="movenet-lightning")
    at.button_group(key="clip_source").set_value("upload").run()
    at.get("file_uploader")[0].upload("late.mkv", content, "video/x-matroska")
    at = process(at.run())
    assert player(at)["layers"]
    for slider in at.slider:
        if slider.label.startswith("Part"):
            assert (slider.min, slider.max) == (0, 0.5)
    assert not at.warning


def test_without_models_nothing_else_happens() -> None:
    at = video_page()
    at.multiselect(key="compare_models").set_value([]).run()
    assert "at least one model" in at.info[0].value
    assert not at.exception


def test_only_models_without_weights_leave_the_offer() -> None:
    at = video_page(models="keypointrcnn-fast")
    assert "run_clip" not in buttons(at)
    assert "None of the chosen models" in at.info[0].value


def test_a_sample_or_a_frame_whose_decoder_is_busy_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise TryAgainError("9 files wait already.", "Try again in about 5 s.")

    with monkeypatch.context() as patch:
        patch.setattr(clips, "open_clip", busy)
        at = video_page(stride="30", models="movenet-lightning", clip_view="Truth")
    assert not at.exception
    assert "9 files wait" in at.error[0].value
    at = process(at.run())
    monkeypatch.setattr(truth, "frames", busy)
    at.button(key="truth_on_show").click().run()
    assert not at.exception
    assert any("9 files wait" in box.value for box in at.error)


def test_a_frame_of_the_clip_can_be_marked_and_models_are_held_against_it() -> None:
    models = "movenet-lightning,blazepose-lite"
    at = process(video_page(stride="10", models=models, clip_view="Truth"))
    (button,) = [b for b in at.button if b.label.startswith("Mark frame 0")]
    button.click().run()
    shown = json.loads(at.main.get("bidi_component")[-1].proto.json)
    assert (shown["picture"]["width"], shown["picture"]["height"]) == (
        player(at)["clip"]["width"],
        player(at)["clip"]["height"],
    )
    starts = {start["key"]: start["people"] for start in shown["marking"]["sources"]}
    assert list(starts) == ["middle", *models.split(",")]
    ((key, marks),) = at.session_state["truth_marks"].items()
    assert key[1] == 0
    agreed = []
    for mark in marks.people:
        xy = starts["blazepose-lite"][str(mark["id"])]
        states = [2 if x is not None else 0 for x in xy[::2]]
        agreed.append({**mark, "xy": xy, "state": states})
    at.session_state["truth_marks"][key] = type(marks)(agreed, marks.revision)
    at.run()
    assert not at.exception
    said = " ".join(m.value for m in at.markdown)
    assert "BlazePose lite is nearest on" in said
    assert "median error is 0.00 torso" in said
    # Joints that are dragged elsewhere count in the same run as well.
    for mark in agreed:
        mark["xy"] = [x if x is None else x + 40 for x in mark["xy"]]
    at.session_state["truth_marks"][key] = type(marks)(agreed, marks.revision + 1)
    at.run()
    assert not at.exception
    verdict = next(m.value for m in at.markdown if "nearest on" in m.value)
    assert "0.00 torso" not in verdict.replace("\\", "")
