"""Where TensorFlow is not installed, only the `-tfhub` variants are missing, and say so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from estimators.errors import ModelLoadError, WeightsError
from estimators.registry import get, load
from estimators.runtime.api import ModelStatus
from estimators.weights import fetch
from pages.ui import engine
from tests.unit.cli_process import ROOT, SAMPLES, environment, estimators

_ABSENT = """
import os
with open(os.environ["ASKED_FOR_TENSORFLOW"], "a") as asked:
    asked.write(__name__ + "\\n")
raise ModuleNotFoundError(f"No module named {__name__!r}", name=__name__)
"""
# One of each framework beside TensorFlow; the tiny network below is the third.
MODELS = ("movenet-lightning", "posenet", "blazepose-lite")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither package can be imported by processes that are started; who tries is written down."""
    blocked, told = tmp_path / "blocked", tmp_path / "asked"
    blocked.mkdir()
    for name in ("tensorflow", "tensorflow_hub"):
        (blocked / f"{name}.py").write_text(_ABSENT)
    told.touch()
    monkeypatch.setenv("ASKED_FOR_TENSORFLOW", str(told))
    monkeypatch.setenv("PYTHONPATH", str(blocked))
    return told


def test_every_other_framework_answers_and_nobody_asks_for_tensorflow(
    asked: Path, tmp_path: Path
) -> None:
    picture, out = SAMPLES / "two_people_outdoors.jpg", tmp_path / "out"
    arguments = ("compare", picture, "--models", ",".join(MODELS), "--output", out)
    done = estimators(*arguments, env=environment(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    results = json.loads((out / "results.json").read_text())["results"]
    assert [len(result["frames"][0]["people"]) > 0 for result in results] == [True] * 3
    assert asked.read_text() == ""


def test_keypoint_rcnn_loads_without_it(asked: Path) -> None:
    code = (
        "from tests.fixtures import tiny_keypoint_rcnn as tiny; from estimators import registry;"
        "registry.load(tiny.spec('fast'), tiny.WEIGHTS, 1); print('loaded')"
    )
    path = os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "loaded", done.stderr
    assert asked.read_text() == ""


def test_the_app_compares_without_it(
    asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path / "cache"))
    st.cache_resource.clear()
    try:
        at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        at.query_params["models"] = ",".join(MODELS)
        at.run()
        end = time.monotonic() + 60
        states: dict[str, ModelStatus] = {}
        while time.monotonic() < end:
            states = {status.model: status for status in engine.runner().status()}
            if all(key in states and states[key].calls for key in MODELS):
                break
            time.sleep(0.2)
            at.run()
        assert not at.exception
        assert {key: states[key].error for key in MODELS} == dict.fromkeys(MODELS)
        assert asked.read_text() == ""
    finally:
        engine.runner().close()
        st.cache_resource.clear()
        st.cache_data.clear()


def test_a_reference_runtime_says_what_to_install(
    asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ModelLoadError, match="Install tensorflow and tensorflow_hub"):
        load(get("movenet-lightning-tfhub"), tmp_path, 1)
    monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path / "cache"))
    # Where the modules of TF Hub lie on this machine, there is nothing to fetch.
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    with pytest.raises(WeightsError, match="Install tensorflow and tensorflow-hub") as told:
        fetch(get("movenet-lightning-tfhub").weights)
    assert "connection" not in str(told.value)
    assert asked.read_text() != "", "only the variant that needs it asks"
