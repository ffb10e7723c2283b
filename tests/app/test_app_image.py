"""The Image page without a browser: what it shows, and what it does not do again."""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from estimators.registry import MODELS, default_models
from pages.ui import engine, uploads
from pages.ui.image.world import _others
from pages.ui.settings import Settings, read, write
from pages.ui.text import escaped
from tests.app.visits import visit

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_media"
_LONGEST_S = 90.0
FIRST_VISIT = ["MoveNet Lightning", "BlazePose full", "PoseNet"]


pytestmark = pytest.mark.usefixtures("fresh_server")


@pytest.fixture
def timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a busy machine has timed is not timed again: each call is one that the page asks for."""
    monkeypatch.setattr(engine, "_MOST_TRIES", 0)


def first_page(**address: str) -> AppTest:
    return visit(**address).run()


def wait_for(at: AppTest) -> AppTest:
    """Reruns until no model is loading or working, as the page does in a browser."""
    end = time.monotonic() + _LONGEST_S
    while any(panel["tone"] == "waiting" for panel in panels(at)) and time.monotonic() < end:
        time.sleep(0.1)
        at.run()
    assert not at.exception
    return at


def viewer(at: AppTest) -> dict:
    """What is handed to the browser to draw."""
    found = at.main.get("bidi_component")
    return json.loads(found[0].proto.json) if found else {"panels": [], "layers": {}}


def panels(at: AppTest) -> list[dict]:
    return viewer(at)["panels"]


def calls() -> dict[str, int]:
    return {status.model: status.calls for status in engine.runner().status()}


def png(colour: tuple[int, int, int]) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.full((120, 160, 3), colour, np.uint8)).save(data, "PNG")
    return data.getvalue()


def jpeg() -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.zeros((120, 160, 3), np.uint8)).save(data, "JPEG")
    return data.getvalue()


def digest(data: bytes) -> str:
    """The start of what the viewer calls a picture."""
    return hashlib.sha256(data).hexdigest()[:16]


def shown(at: AppTest) -> str:
    """What is said about the picture on show, its name as people read it."""
    said = [caption.value for caption in at.caption if " kB" in caption.value]
    said += [caption.value for caption in at.caption if "snapshot" in caption.value]
    return said[0].replace("\\", "") if said else ""


def test_first_visit_has_a_sample_already_estimated() -> None:
    at = wait_for(first_page())

    # PoseNet stands in for Keypoint R-CNN, whose weights are not here and are offered.
    assert [panel["title"] for panel in panels(at)] == FIRST_VISIT
    assert at.button(key="fetch_keypointrcnn-fast_keypointrcnn-coco-v1").label == "Fetch 237 MB"
    assert dict(at.query_params) == {}
    assert all(layer["people"] for layer in viewer(at)["layers"].values())
    assert {layer["kind"] for layer in viewer(at)["layers"].values()} == {
        "confidence",
        "visibility",
    }


@pytest.mark.usefixtures("timed_once")
def test_moving_thresholds_and_drawing_runs_no_model() -> None:
    at = wait_for(first_page())
    before, shown = calls(), viewer(at)

    at.slider(key="joint_threshold_movenet-lightning").set_value(0.9).run()
    at.session_state["hide_people"] = True
    at.run().slider(key="people_threshold_blazepose-full").set_value(0.995).run()
    at.button_group(key="draw").set_value(["bones", "weak"]).run()
    at.button_group(key="layout").set_value("one").run()

    assert calls() == before
    assert not at.exception
    layers = viewer(at)["layers"]
    assert layers["movenet-lightning"]["threshold"] == 0.9
    assert viewer(at)["options"]["weak"] == "faint" != shown["options"]["weak"]
    assert [panel["title"] for panel in panels(at)] == ["All in one"]


@pytest.mark.usefixtures("timed_once")
def test_latency_can_be_measured_again() -> None:
    at = wait_for(first_page(view="Speed and memory"))
    before = calls()

    next(button for button in at.button if button.label == "Measure again").click().run()
    wait_for(at)

    assert all(count > before[model] for model, count in calls().items())
    assert [panel["title"] for panel in panels(at)] == FIRST_VISIT


@pytest.mark.usefixtures("timed_once")
def test_another_viewer_of_the_same_picture_runs_no_model() -> None:
    wait_for(first_page())
    before = calls()

    wait_for(first_page())

    assert calls() == before


def test_missing_weights_are_an_invitation() -> None:
    at = wait_for(first_page())

    assert at.button(key="fetch_keypointrcnn-fast_keypointrcnn-coco-v1").label == "Fetch 237 MB"
    assert not at.error


@pytest.mark.usefixtures("timed_once")
def test_a_model_that_fails_fills_its_own_panel_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(broken_blazepose(tmp_path, monkeypatch)))
    at = wait_for(first_page())

    assert [panel["title"] for panel in panels(at)] == ["MoveNet Lightning", "PoseNet"]
    assert len(at.error) == 1
    assert "BlazePose full" in at.error[0].value
    before = calls()
    at.slider(key="joint_threshold_movenet-lightning").set_value(0.6).run()
    assert calls() == before
    at.button(key="retry_blazepose-full").click().run()
    wait_for(at)
    assert len(at.error) == 1


def broken_blazepose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest whose BlazePose full is a file that was made wrong, and is exactly that file."""
    content = b"not a task bundle" * 100
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "broken.task").write_bytes(content)
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(tmp_path / "weights"))
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(
        '[blazepose-full]\nkind = "download"\nfile_name = "broken.task"\n'
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nsize_bytes = {len(content)}\n'
    )
    return manifest


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POSE_MEMORY_MB", "much"),
        ("POSE_WEIGHTS_MANIFEST", "absent.toml"),
        ("POSE_MAX_STREAMS", "many"),
        ("POSE_WEIGHT_DIR", "weights"),
    ],
)
def test_a_wrong_setting_of_the_server_is_said_on_the_page(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setenv(variable, value)
        at = first_page()
    assert not at.exception
    assert variable in at.error[0].value

    st.cache_resource.clear()  # a new server, the setting corrected
    assert panels(wait_for(first_page()))


def test_a_bad_upload_says_what_is_wrong_and_loses_nothing() -> None:
    at = first_page()
    at.button_group(key="picture_source").set_value("upload").run()
    uploader = at.get("file_uploader")[0]
    uploader.upload("words.png", b"these are words", "image/png")
    uploader.upload("red.png", png((200, 0, 0)), "image/png")
    at.run()
    wait_for(at)

    assert [error.value for error in at.error if escaped("words.png") in error.value]
    # Three wide pictures leave a place of four.
    assert [panel["title"] for panel in panels(at)] == [*FIRST_VISIT, "All in one"]


def test_what_is_in_a_file_counts_not_its_name() -> None:
    at = first_page(models="movenet-lightning")
    at.button_group(key="picture_source").set_value("upload").run()
    uploader = at.get("file_uploader")[0]
    astronaut = (SAMPLES / "astronaut.jpg").read_bytes()
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    uploader.upload("IMG_0001.HEIC", heic, "image/heic")
    uploader.upload("IMG_0002.jpg", heic, "image/jpeg")
    uploader.upload("chrome.jfif", astronaut, "image/jpeg")
    uploader.upload("no ending, no end", astronaut[:-2], "")
    at.run()
    wait_for(at)

    assert [error.value.count("Most Compatible") for error in at.error] == [1, 1]
    chosen = at.button_group(key=uploads.CHOSEN)
    assert list(chosen.options) == [escaped("chrome.jfif"), escaped("no ending, no end")]
    assert "lacks its end marker" in shown(at)
    assert len(panels(at)) == 1


def test_the_uploaders_limit_is_looked_at_again_on_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSE_MAX_PICTURE_MB", "1")
    at = first_page(models="movenet-lightning")
    at.button_group(key="picture_source").set_value("upload").run()
    at.get("file_uploader")[0].upload("red.png", bytes(2_000_000), "image/png")
    at.run()
    assert "It has 2 MB; 1 MB is the most here" in at.error[0].value
    assert not at.session_state[uploads._KEPT]
    assert panels(at) == []
    assert not at.warning, "it is not left out for want of room"


def test_a_picture_is_known_by_its_file_and_not_hashed_in_every_run() -> None:
    at = first_page(models="movenet-lightning", sample="astronaut")
    data = (SAMPLES / "astronaut.jpg").read_bytes()
    assert viewer(at)["picture"]["id"].startswith(digest(data))


def test_many_uploads_are_decoded_once_and_what_is_too_much_is_said() -> None:
    at = first_page(models="movenet-lightning")
    at.button_group(key="picture_source").set_value("upload").run()
    uploader = at.get("file_uploader")[0]
    for number in range(uploads._MOST + 3):
        uploader.upload(f"{number}.png", png((number, 0, 0)), "image/png")
    at.run()
    wait_for(at)

    assert "3 left out" in at.warning[0].value
    chosen = at.button_group(key=uploads.CHOSEN)
    assert list(chosen.options) == [escaped(f"{n}.png") for n in range(3, uploads._MOST + 3)]
    assert shown(at).startswith("3.png: 160×120 pixels")

    with patch("estimators.media.pictures.open_picture") as read_again:
        at.slider(key="joint_threshold_movenet-lightning").set_value(0.7).run()
    assert read_again.call_count == 0
    assert not at.exception


def test_the_newest_upload_is_shown_and_each_can_be_chosen() -> None:
    at = first_page(models="movenet-lightning")
    at.button_group(key="picture_source").set_value("upload").run()
    for colour, name in (((9, 0, 0), "a.png"), ((0, 9, 0), "b.png"), ((0, 0, 9), "a.png")):
        uploader = at.get("file_uploader")[0]
        uploader._files = uploader._get_files_to_register()  # `upload` alone would replace them
        uploader.upload(name, png(colour), "image/png")
        at.run()
        assert shown(at).startswith(f"{name}: ")
    wait_for(at)
    pictures = [digest(png(colour)) for colour in ((9, 0, 0), (0, 9, 0), (0, 0, 9))]
    assert viewer(at)["picture"]["id"].startswith(pictures[2])

    chosen = at.button_group(key=uploads.CHOSEN)
    assert list(chosen.options) == [escaped(name) for name in ("a.png", "b.png", "a.png (2)")]
    for key, picture in zip(list(at.session_state[uploads._KEPT]), pictures, strict=True):
        at.button_group(key=uploads.CHOSEN).set_value(key).run()
        assert viewer(at)["picture"]["id"].startswith(picture)
    assert not at.exception


def test_names_in_a_list_are_all_different() -> None:
    names = ("a.png", "a.png (2)", "a.png", "a.png")
    brought = {str(n): uploads.Upload(name, Path(), 0, "") for n, name in enumerate(names)}
    assert list(uploads.labels(brought).values()) == [
        "a.png",
        "a.png (2)",
        "a.png (3)",
        "a.png (4)",
    ]


def test_a_file_called_like_markdown_is_shown_as_it_is_called() -> None:
    name = "*a*_b_[x](y)$x$:red[c].png"
    at = first_page(models="movenet-lightning")
    at.button_group(key="picture_source").set_value("upload").run()
    uploader = at.get("file_uploader")[0]
    uploader.upload(name, png((9, 0, 0)), "image/png")
    uploader.upload(name, b"these are words", "image/png")
    uploader.upload(name, png((0, 9, 0)), "image/png")
    at.run()
    wait_for(at)

    said = [
        at.error[0].value,
        *at.button_group(key=uploads.CHOSEN).options,
        next(caption.value for caption in at.caption if " kB" in caption.value),
        # The set's own file is called after none of its pictures.
        *(b.proto.help for b in at.get("download_button") if "Saves pictures" not in b.proto.help),
    ]
    assert len(said) >= 8
    assert [text for text in said if not re.search(r"\\\*a\\\*\\_b\\_\\\[x\\\]", text)] == []
    assert name.removesuffix(".png") in at.get("download_button")[0].proto.id


@pytest.mark.parametrize(
    ("name", "markdown"),
    [
        ("a_b-1.jpg", r"a\_b\-1\.jpg"),
        ("R&amp;B.png", r"R\&amp;B\.png"),
        ("photo@2x.png", "photo@\u20602x\\.png"),
        ("www.a.de.png", "www\u2060\\.a\\.de\\.png"),
    ],
)
def test_names_are_escaped(name: str, markdown: str) -> None:
    assert escaped(name) == markdown


def test_a_cleared_snapshot_is_gone() -> None:
    at = first_page(models="movenet-lightning")
    at.button_group(key="picture_source").set_value("camera").run()
    at.camera_input[0].set_value(("photo.jpg", jpeg(), "image/jpeg")).run()
    assert shown(at).startswith("Your snapshot.")
    wait_for(at)
    at.switch_page("pages/models.py").run()
    at.switch_page("streamlit_app.py").run()
    assert shown(at).startswith("Your snapshot.")

    at.camera_input[0].set_value(("photo.jpg", jpeg(), "image/jpeg")).run()
    at.camera_input[0].set_value(None).run()
    assert panels(at) == []
    at.switch_page("pages/models.py").run()
    at.switch_page("streamlit_app.py").run()
    assert panels(at) == []
    assert not at.exception


def test_the_sidebar_says_what_shows_in_the_browser_only() -> None:
    text = first_page(models="movenet-lightning").button_group(key="draw").help
    assert "not in live video and not in files" in text


def test_settings_come_from_the_address_and_go_back_into_it() -> None:
    at = wait_for(
        first_page(
            models="blazepose-lite,movenet-multipose,nonsense",
            threshold="blazepose-lite:0.8,movenet-multipose:9",
            draw="bones",
            sample="astronaut",
        )
    )

    assert [p["title"] for p in panels(at)] == ["BlazePose lite", "MoveNet MultiPose"]
    assert at.slider(key="joint_threshold_blazepose-lite").value == 0.8
    assert at.slider(key="joint_threshold_movenet-multipose").value == 1.0
    assert at.button_group(key="sample").value == "astronaut"
    at.slider(key="joint_threshold_blazepose-lite").set_value(0.25).run()
    at.multiselect(key="compare_models").set_value(["blazepose-lite"]).run()
    assert at.query_params == {
        "models": "blazepose-lite",
        "threshold": "blazepose-lite:0.25",
        "draw": "bones",
        "sample": "astronaut",
    }


def test_choices_that_the_browser_has_lost_are_put_back() -> None:
    at = wait_for(first_page(models="movenet-lightning,movenet-thunder", sample="astronaut"))
    at.slider(key="joint_threshold_movenet-thunder").set_value(0.55).run()
    for key, nothing in (("picture_source", None), ("layout", None), ("compare_models", [])):
        at.session_state[key] = nothing
    at.run()

    assert not at.exception
    assert [p["title"] for p in panels(at)] == ["MoveNet Lightning", "MoveNet Thunder"]
    assert at.button_group(key="picture_source").value == "sample"
    assert at.slider(key="joint_threshold_movenet-thunder").value == 0.55


def test_settings_travel_to_other_pages() -> None:
    at = first_page(models="movenet-thunder")
    at.slider(key="joint_threshold_movenet-thunder").set_value(0.55).run()

    at.switch_page("pages/models.py").run()
    at.switch_page("pages/video.py").run()

    assert not at.exception
    assert at.slider(key="joint_threshold_movenet-thunder").value == 0.55
    assert at.query_params["threshold"] == "movenet-thunder:0.55"


def test_no_models_chosen_is_said_and_nothing_else_happens() -> None:
    at = first_page()
    at.multiselect(key="compare_models").set_value([]).run()

    assert "at least one model" in at.info[0].value
    assert not at.exception


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(models=("blazepose-lite", "movenet-thunder"), draw=()),
        Settings(
            models=("keypointrcnn-fast",),
            joint_thresholds={"keypointrcnn-fast": -2.5},
            pose_thresholds={"keypointrcnn-fast": 0.35},
            draw=("boxes", "weak"),
        ),
    ],
)
def test_an_address_says_the_same_settings_again(settings: Settings) -> None:
    again = read(write(settings))

    assert (again.models, again.draw) == (settings.models, settings.draw)
    for model in settings.models:
        assert again.joint_threshold(model) == settings.joint_threshold(model)
        assert again.pose_threshold(model) == settings.pose_threshold(model)
    assert write(Settings()) == {}
    with_stand_in = default_models(lambda key: not key.startswith("keypointrcnn"))
    assert write(read({}, with_stand_in), with_stand_in) == {}


@pytest.mark.parametrize(
    ("address", "said", "heading"),
    [
        ({"models": "movenet-lightning"}, "None of the chosen models gives joints in 3-D", ""),
        (
            {"people": "blazepose-lite:1"},
            "BlazePose lite is not sure enough of anybody",
            "hidden by the person threshold",
        ),
        (
            {"threshold": "blazepose-lite:1"},
            "nobody with 3 joints or more over its visibility",
            "hidden by the joint threshold",
        ),
        ({"models": "blazepose-heavy"}, "BlazePose heavy has no weights on this machine yet", ""),
    ],
)
def test_3d_and_headings_tell_the_real_reason_why_there_is_none(
    address: dict[str, str], said: str, heading: str
) -> None:
    models = f"movenet-lightning,{address.get('models', 'blazepose-lite')}"
    at = wait_for(first_page(**{"view": "3-D", **address, "models": models}))
    assert any(said in info.value for info in at.info), [info.value for info in at.info]
    headings = {panel["title"]: panel["subtitle"] for panel in panels(at)}
    assert headings["MoveNet Lightning"] == "1 person"
    assert headings.get("BlazePose lite", "") == heading


def test_a_model_without_an_answer_is_not_said_to_see_nobody_in_space() -> None:
    asked = Settings(("movenet-lightning", "blazepose-lite", "blazepose-heavy"))
    answered = [MODELS["movenet-lightning"], MODELS["blazepose-lite"]]
    comparison = SimpleNamespace(settings=asked, specs=answered, groups=[None, None])
    assert _others(comparison, [0]) == (
        "Without person 2: only models without 3-D show them. BlazePose lite does not see them "
        "there."
    )
