"""The Models page without a browser: every variant has its card, with its weights' state."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from estimators import weights
from estimators.registry import FAMILIES, MODELS
from pages.ui import engine
from pages.ui.about import about
from pages.ui.menu import PAGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def models_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "tfhub"))
    monkeypatch.delenv("POSE_WEIGHTS_DIR", raising=False)
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    for family in FAMILIES:
        at.session_state[f"references_{family}"] = True
    yield at.switch_page("pages/models.py").run()
    engine.runner().close()
    st.cache_resource.clear()
    st.cache_data.clear()


def words(at: AppTest) -> str:
    """All text of the page."""
    kinds = ("markdown", "caption", "html", "header", "title")
    return "\n".join(str(element.value) for kind in kinds for element in at.get(kind))


def test_every_variant_says_what_it_is_and_what_it_cannot_do(models_page: AppTest) -> None:
    assert not models_page.exception
    text = words(models_page)
    for spec in MODELS.values():
        html = "\n".join(str(element.proto.body) for element in models_page.get("html"))
        assert spec.title in html
        for said in (spec.summary, spec.score_meaning, spec.training_data, spec.licence):
            assert said in text
        for limit in spec.limits:
            assert limit in text


def test_published_figures_carry_test_set_and_source(models_page: AppTest) -> None:
    text = words(models_page)
    for spec in MODELS.values():
        for figure in spec.figures:
            cells = (figure.metric, f"{figure.value:.1f}", figure.test_set)
            assert f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" in text
            assert figure.source in text
    assert str(ROOT) not in text, "where files lie on the server is nobody's business"


def test_weights_offer_what_can_be_done_about_them(models_page: AppTest) -> None:
    offered = {
        button.key.split("_")[2] for button in models_page.button if button.key.startswith("fetch_")
    }

    absent = {
        key for key, spec in MODELS.items() if weights.state(spec.weights).state == "to_download"
    }
    assert absent >= {"keypointrcnn-fast", "keypointrcnn-reference", "blazepose-heavy"}
    assert offered == absent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_every_page_of_the_menu_exists(page: object) -> None:
    assert (ROOT / page.script).is_file()


def test_a_card_puts_its_model_into_the_comparison_and_takes_it_out(models_page: AppTest) -> None:
    at = models_page
    first, *others = at.multiselect(key="compare_models").value
    assert len(others) == 3
    assert at.button(key="compare_movenet-thunder").disabled, "four are the most"
    at.button(key=f"compare_{first}").click().run()
    assert at.multiselect(key="compare_models").value == others
    at.button(key="compare_movenet-thunder").click().run()
    assert at.multiselect(key="compare_models").value == [*others, "movenet-thunder"]


def test_no_control_stands_there_that_does_nothing(models_page: AppTest) -> None:
    assert not models_page.slider
    assert "draw" not in {group.key for group in models_page.button_group}


def test_thresholds_outlast_the_models_page_and_are_reset_at_once(models_page: AppTest) -> None:
    at = models_page.switch_page("streamlit_app.py").run()
    assert "reset_thresholds" not in {button.key for button in at.button}
    key = "joint_threshold_movenet-lightning"
    usual = at.slider(key=key).value
    at.slider(key=key).set_value(0.8).run()
    at.switch_page("pages/models.py").run()
    at.switch_page("streamlit_app.py").run()
    assert at.slider(key=key).value == 0.8
    at.button(key="reset_thresholds").click().run()
    assert at.slider(key=key).value == usual
    assert "threshold" not in at.query_params


def test_thresholds_of_people_outlast_being_folded_away(models_page: AppTest) -> None:
    at, key = models_page, "people_threshold_movenet-lightning"
    at.switch_page("streamlit_app.py").run()
    assert not [slider for slider in at.slider if slider.key == key], "nobody has unfolded it"
    for opened in (True, False, False, True):
        at.session_state["hide_people"] = opened
        at.run()
        if opened and "people" not in at.query_params:
            at.slider(key=key).set_value(0.77).run()
        assert "movenet-lightning:0.77" in at.query_params["people"]
    assert at.slider(key=key).value == 0.77
    at.button(key="reset_thresholds").click().run()
    assert at.slider(key=key).value == MODELS["movenet-lightning"].default_pose_threshold


def test_the_menu_tells_version_and_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] in about()
    assert "Apache-2.0" in about()
