"""The sidebar's settings: models, thresholds, what is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from estimators.registry import MODELS, ModelSpec, default_models
from estimators.skeletons import COCO_17
from pages.ui import memory
from pages.ui import settings as address
from pages.ui.devices import choose_device
from pages.ui.engine import has_weights
from pages.ui.settings import DRAWABLE, MOST_MODELS, PERSON_RANGE, Settings
from pages.ui.tabs import page_too

_START = "settings_of_the_address"
_MODELS, _DRAW = "compare_models", "draw"


def _joint_key(model: str) -> str:
    return f"joint_threshold_{model}"


def _people_key(model: str) -> str:
    return f"people_threshold_{model}"


def set_joint_threshold(model: str, value: float) -> None:
    """Moves the slider of a model, as if by hand; for callbacks, which run before the sidebar."""
    low, high = MODELS[model].score_range
    step = _step(MODELS[model])
    value = min(max(round(value / step) * step, low), high)
    st.session_state[_joint_key(model)] = memory.keep(_joint_key(model), value)
    page_too()


def _step(spec: ModelSpec) -> float:
    low, high = spec.score_range
    return 0.01 if high - low <= 1 else 0.5


def _joint_slider(spec: ModelSpec, start: Settings) -> float:
    low, high = spec.score_range
    value = st.slider(
        f"{spec.title}: {spec.score_kind}",
        low,
        high,
        memory.recall(_joint_key(spec.key), start.joint_threshold(spec.key)),
        step=_step(spec),
        key=_joint_key(spec.key),
        help=f"Hides joints below it. {spec.score_kind.capitalize()} is {spec.score_meaning}.",
    )
    return memory.keep(_joint_key(spec.key), value)


def _people_threshold(spec: ModelSpec, start: Settings) -> float:
    return memory.unseen(_people_key(spec.key), start.pose_threshold(spec.key))


def _people_slider(spec: ModelSpec, start: Settings) -> float:
    value = st.slider(
        f"{spec.title}: person score",
        *PERSON_RANGE,
        memory.recall(_people_key(spec.key), start.pose_threshold(spec.key)),
        step=0.01,
        key=_people_key(spec.key),
        help="Hides people this model trusts less, on its own scale from 0 to 1.",
    )
    return memory.keep(_people_key(spec.key), value)


def sidebar(shows_poses: bool = True) -> Settings:
    """The settings as the person left them; the address is brought up to date.

    Args:
        shows_poses: whether thresholds and what is drawn matter on the page; else they are left
            out, and stay as they were.
    """
    # What the address says counts once; from then on the widgets lead.
    defaults = default_models(has_weights)
    start = st.session_state.setdefault(_START, address.read(st.query_params, defaults))
    models = _choose_models(start)
    choose_device()
    if not shows_poses:
        result = Settings(tuple(models))
        _publish(address.write(result, defaults))
        return result
    specs = [MODELS[key] for key in models]
    joints, people = _choose_thresholds(specs, start) if specs else ({}, {})
    result = Settings(tuple(models), joints, people, _choose_drawing(start))
    _publish(address.write(result, defaults))
    return result


def choose_models(models: Sequence[str]) -> None:
    """In a button's callback: the models to compare from now on."""
    st.session_state[_MODELS] = memory.keep(_MODELS, list(models))


def _choose_thresholds(
    specs: Sequence[ModelSpec], start: Settings
) -> tuple[dict[str, float], dict[str, float]]:
    """Of joints and of people, by model."""
    st.markdown("**Hide joints below**")
    joints = {spec.key: _joint_slider(spec, start) for spec in specs}
    # Made when somebody looks: each slider costs every page some ten milliseconds.
    folded = st.expander(
        "Hide people below", icon=":material/group:", key="hide_people", on_change="rerun"
    )
    with folded:
        one = _people_slider if folded.open else _people_threshold
        people = {spec.key: one(spec, start) for spec in specs}
    changed = Settings(tuple(joints), joints, people)
    if {"threshold", "people"} & address.write(changed).keys():
        st.button(
            "Reset thresholds",
            key="reset_thresholds",
            icon=":material/restart_alt:",
            on_click=_reset_thresholds,
            args=(specs,),
        )
    return joints, people


def _reset_thresholds(specs: Sequence[ModelSpec]) -> None:
    """In the button's callback: each model's own defaults."""
    for spec in specs:
        for key, value in (
            (_joint_key(spec.key), spec.default_threshold),
            (_people_key(spec.key), spec.default_pose_threshold),
        ):
            st.session_state[key] = memory.keep(key, value)


def _choose_models(start: Settings) -> list[str]:
    models = st.multiselect(
        "Models to compare",
        list(MODELS),
        memory.recall(_MODELS, list(start.models)),
        format_func=lambda key: MODELS[key].title,
        max_selections=MOST_MODELS,
        key=_MODELS,
        help="Up to four, two variants of one family included. Models whose weights are not "
        "here yet offer to fetch them.",
    )
    return memory.keep(_MODELS, models)


def _choose_drawing(start: Settings) -> tuple[str, ...]:
    chosen = st.pills(
        "Draw",
        list(DRAWABLE),
        default=memory.recall(_DRAW, list(start.draw)),
        format_func=DRAWABLE.__getitem__,
        selection_mode="multi",
        key=_DRAW,
        help=f"Face: nose, eyes, ears, mouth. Hands & feet: the joints that only {_richer()} has. "
        "Numbers: who is who, the same number for the same person in every model. "
        "Uncertain, faint: joints under the threshold stay visible, but faint. "
        "These two show on the Image and Video pages only, not in live video and not in files.",
    )
    memory.keep(_DRAW, chosen)
    return tuple(key for key in DRAWABLE if key in chosen)


def _publish(wanted: dict[str, str]) -> None:
    for key in address.ADDRESS_KEYS:
        if key in wanted and st.query_params.get(key) != wanted[key]:
            st.query_params[key] = wanted[key]
        elif key not in wanted and key in st.query_params:
            del st.query_params[key]


def _richer() -> str:
    """The families with more joints than those that all have."""
    families = dict.fromkeys(s.family for s in MODELS.values() if len(s.skeleton) > len(COCO_17))
    return " or ".join(families)
