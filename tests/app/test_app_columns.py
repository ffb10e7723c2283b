"""Every table says behind its headings what its columns hold."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.ui import engine
from pages.ui.columns import HELP, explained, meaning
from tests.app.visits import visit

PATIENCE_S = 120.0
MODELS = "movenet-lightning,blazepose-lite"
SELF_EVIDENT = ("model", "Model", "person", "frame", "picture", "file", "joint")


@pytest.fixture(scope="module", autouse=True)
def end_the_models() -> Iterator[None]:
    yield
    engine.runner().close()
    st.cache_resource.clear()


def page(script: str, **address: str) -> AppTest:
    at = visit(script, **{"models": MODELS, **address}).run()
    ends = time.monotonic() + PATIENCE_S
    # One model may have answered before the other.
    while len(list(helps(at))) <= 2 and time.monotonic() < ends:
        time.sleep(0.2)
        at.run()
    assert not at.exception
    return at


def helps(at: AppTest) -> Iterator[tuple[str, str]]:
    """Each column of the tables on a page with the text behind its heading."""
    for table in at.dataframe:
        config = json.loads(table.proto.columns)
        for number, name in enumerate(table.value.columns, 1):
            told = config.get(f"_pos:{number}" if isinstance(name, tuple) else name, {})
            yield (name[1] if isinstance(name, tuple) else str(name)), told.get("help") or ""


@pytest.mark.parametrize("view", ["Joints", "Agreement", "Speed and memory"])
def test_no_heading_of_the_image_page_leaves_anybody_guessing(view: str) -> None:
    columns = dict(helps(page("", view=view)))
    assert len(columns) > 2
    silent = [name for name, text in columns.items() if not text and name not in SELF_EVIDENT]
    assert silent == []
    if view == "Joints":
        assert (
            "MoveNet Lightning's own confidence of each joint: how sure"
            in columns["score, confidence"]
            or "BlazePose" in columns["score, visibility"]
        )


def test_scores_are_never_headed_by_their_kind_alone() -> None:
    names = [name for name, _ in helps(page("", view="Joints"))]
    assert "score, confidence" in names
    assert not {"confidence", "visibility", "logit", "score"} & set(names)


def test_a_models_column_is_explained_like_the_quantity_in_it() -> None:
    assert meaning("BlazePose full, person score") == HELP["person score"]
    assert meaning("Nobody's model, person score") == ""
    assert meaning("BlazePose full") == meaning("person") == ""


def test_what_is_more_than_text_stays_that() -> None:
    number = st.column_config.NumberColumn(format="%.2f")
    found = explained(["OKS", "model"], {"OKS": number})
    assert found["OKS"]["type_config"] == number["type_config"]
    assert found["OKS"]["help"] == HELP["OKS"]
    assert found["model"]["help"] is None
