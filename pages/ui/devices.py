"""Where models compute: a choice where there is a GPU, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from estimators.devices import AUTO, CPU, CUDA, gpu_seen, settled
from estimators.errors import ModelError
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.api import ModelStatus
from estimators.runtime.gpus import gpus
from estimators.types import EstimatorOptions
from pages.ui import memory
from pages.ui.server_settings import server_settings

_KEY, _SERVERS = "device", ""


def choose_device() -> None:
    """Where the models compute that can use a GPU, for this viewer; nothing without a GPU."""
    choices = _choices()
    if not choices:
        return
    chosen = st.selectbox(
        "Device",
        list(choices),
        list(choices).index(_kept(choices)),
        format_func=choices.__getitem__,
        key=_KEY,
        help=f"Of {_families(cuda=True)}, for you alone. {_families(cuda=False)} compute on the "
        "CPU always.",
    )
    memory.keep(_KEY, chosen)


def wanted(spec: ModelSpec) -> str:
    """The wish for a model, as `EstimatorOptions.device` takes it."""
    if not spec.cuda:
        return _SERVERS
    chosen: str = st.session_state.get(_KEY) or _SERVERS
    return chosen if chosen in _choices() else _SERVERS


def options(spec: ModelSpec) -> EstimatorOptions:
    """How this viewer wants a picture estimated."""
    return EstimatorOptions(device=wanted(spec))


def told(spec: ModelSpec, statuses: Sequence[ModelStatus] = ()) -> str:
    """Where a model computes, or will as far as that is known, in a few words.

    Args:
        statuses: of the runner: a model that was loaded has said it.
    """
    wish = wanted(spec) or server_settings().device
    known = [s.placement for s in statuses if s.model == spec.key and s.placement is not None]
    for said in known:
        if wish in (AUTO, said.device, said.kind):
            return said.sentence.removesuffix(".")
    try:
        where = settled(spec.title, spec.cuda, wish, gpu_seen())
    except ModelError as error:
        return error.message
    if where is None:
        return "GPU where a trial on it works, else CPU" if wish == AUTO else wish
    return f"{where.words}: {where.reason}"


def _choices() -> dict[str, str]:
    """What may be wished, in words; empty where there is nothing to choose."""
    if not gpu_seen():
        return {}
    usual = server_settings().device
    found = {gpu.device: f"{gpu.name} ({gpu.device})" for gpu in gpus()} or {CUDA: "GPU"}
    servers = "Automatic" if usual == AUTO else f"As the server: {usual}"
    return {_SERVERS: servers, CPU: "CPU", **found}


def _kept(choices: dict[str, str]) -> str:
    kept = memory.recall(_KEY, _SERVERS)
    return kept if kept in choices else _SERVERS


def _families(cuda: bool) -> str:
    return ", ".join(dict.fromkeys(s.family for s in MODELS.values() if s.cuda == cuda))
