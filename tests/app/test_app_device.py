"""The choice of a device: none without a GPU, one viewer's own where there is one."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from estimators.devices import Placement
from estimators.registry import MODELS
from estimators.runtime.api import ModelStatus
from estimators.runtime.gpus import Gpu
from pages.ui import devices

FAST, LIGHTNING = MODELS["keypointrcnn-fast"], MODELS["movenet-lightning"]
A100 = Gpu("cuda:0", "NVIDIA A100", 80_000.0, 79_000.0)


def choice() -> None:
    import streamlit as st

    from estimators.registry import MODELS
    from pages.ui import devices, memory

    memory.begin("Test")
    devices.choose_device()
    for key in ("keypointrcnn-fast", "movenet-lightning"):
        spec = MODELS[key]
        st.text(f"{key}: {devices.options(spec).device!r}; {devices.told(spec)}")


def told(at: AppTest) -> dict[str, str]:
    assert not at.exception
    return dict(line.value.replace("\\", "").split(": ", 1) for line in at.text)


def test_without_a_gpu_there_is_nothing_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpu_seen", lambda: False)
    at = AppTest.from_function(choice, default_timeout=60).run()
    assert not at.selectbox
    assert told(at) == {
        FAST.key: "''; CPU: there is no GPU on this machine",
        LIGHTNING.key: "''; CPU: its runtime computes on the CPU only",
    }


def test_a_gpu_is_chosen_for_the_models_that_can_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpu_seen", lambda: True)
    monkeypatch.setattr(devices, "gpus", lambda: (A100,))
    at = AppTest.from_function(choice, default_timeout=60).run()
    (box,) = at.selectbox
    assert box.options == ["Automatic", "CPU", "NVIDIA A100 (cuda:0)"]
    assert "MoveNet" in box.help
    assert told(at)[FAST.key] == "''; GPU where a trial on it works, else CPU"
    told_by_device = {}
    for device in ("cpu", "cuda:0"):
        box.set_value(device).run()
        told_by_device[device] = told(at)
        (box,) = at.selectbox
    assert told_by_device["cpu"][FAST.key] == "'cpu'; CPU: as was asked for"
    assert told_by_device["cuda:0"][FAST.key].startswith("'cuda:0'; cuda:0")
    assert {each[LIGHTNING.key].split(";")[0] for each in told_by_device.values()} == {"''"}
    monkeypatch.setattr(devices, "gpus", lambda: ())  # gone, or its driver tells nothing any more
    at.run()
    assert told(at)[FAST.key].startswith("''; ")


def test_a_model_that_was_loaded_has_said_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpu_seen", lambda: True)
    where = Placement("cpu", "a trial on cuda:0 (NVIDIA A100) failed: out of memory", "", "float32")
    statuses = [ModelStatus(FAST.key, "ready", placement=where)]
    monkeypatch.setattr(devices, "wanted", lambda spec: "")
    said = devices.told(FAST, statuses).replace("\\", "")
    assert said.startswith("CPU, float32: a trial on")
    assert devices.told(FAST, ()).startswith("GPU where a trial")
