"""What somebody brought is gone after a reload, and is not behind a link: the page says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.visits import visit

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "sample_media" / "grace_hopper.jpg"


def page(script: str, **address: str) -> AppTest:
    at = visit(script, **{"models": "movenet-lightning", **address}).run()
    assert not at.exception
    return at


def told(at: AppTest) -> str:
    return " ".join(info.value for info in at.info)


@pytest.mark.parametrize(
    ("script", "source", "kind"),
    [
        ("", "picture_source", "picture"),
        ("video", "clip_source", "clip"),
        ("evaluate", "set", "set"),
    ],
)
def test_what_a_link_or_a_reload_leads_to_in_vain_is_named(
    script: str, source: str, kind: str
) -> None:
    at = page(script, **{source: "upload", f"{kind}_file": "my holiday.jpg"})
    assert at.button_group(key=source).value == "upload"
    assert "my holiday" in told(at)
    assert "is not here" in told(at)
    at.run()
    assert "is not here" in told(at), "until something else is chosen"
    at.button_group(key=source).set_value("sample").run()
    assert "is not here" not in told(at)
    assert f"{kind}_file" not in at.query_params
    assert source not in at.query_params


def test_the_address_names_what_was_brought() -> None:
    at = page("", picture_source="upload")
    assert "is not here" not in told(at)
    at.file_uploader(key="uploads").upload("one.jpg", PHOTO.read_bytes(), "image/jpeg").run()
    assert at.query_params["picture_file"] == "one.jpg"
    assert "is not here" not in told(at)
    again = page("", **{key: at.query_params[key] for key in ("picture_source", "picture_file")})
    assert "one" in told(again)


def test_a_link_to_a_frame_of_the_camera_says_that_it_is_not_there() -> None:
    at = page("", picture_source="live")
    assert "frame of the camera" in told(at.run())
    assert at.button_group(key="picture_source").value == "sample"


def test_a_file_to_measure_on_is_named_until_another_one_is_chosen() -> None:
    at = page("benchmark", measured_on="own", measured_file="my holiday.jpg")
    assert "my holiday" in told(at)
    at.selectbox(key="measured_on").set_value("astronaut").run()
    assert "is not here" not in told(at)
    assert "measured_file" not in at.query_params
