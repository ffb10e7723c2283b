"""The overlays, and a card for each model that has none yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from estimators.errors import PoseError
from estimators.registry import ModelSpec
from estimators.render.style import ALL_IN_ONE
from pages.ui import engine, memory
from pages.ui.address import choose
from pages.ui.colours import heading
from pages.ui.drawing import Drawn, Ink, pose_layer, view_options
from pages.ui.engine import Outcome
from pages.ui.fetching import invitation
from pages.ui.image.comparison import Comparison
from pages.ui.image.stage_picture import stage_picture
from pages.ui.image.tables import joint_in_words
from pages.ui.text import said
from pages.ui.truth import Scene, mark_truth
from pages.ui.viewer.panels import JointRef, Layer, Panel, Pick
from pages.ui.viewer.picture import Command, picture_viewer
from pages.ui.viewer.room import room
from pages.ui.votes import blind_vote

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

LAYOUTS = {
    "side": "Side by side",
    "one": ALL_IN_ONE,
    "truth": "Mark truth",
    "vote": "Vote",
}
_PICK, _COME = "stage_pick", "stage_come"


def choose_layout() -> str:
    """A key of `LAYOUTS`; kept in the address."""
    return choose("Overlays", LAYOUTS, "layout")


def show_layout(layout: str) -> None:
    """In a button's callback: that layout from now on, and the page scrolled to it."""
    kept = memory.recall("layout", "side")
    if not (layout == "side" and kept == "one"):
        st.session_state["layout"] = memory.keep("layout", layout)
    st.session_state[_COME] = st.session_state.get(_COME, 0) + 1


def stage(comparison: Comparison, outcomes: Sequence[Outcome], layout: str) -> JointRef | None:
    """The picture once a model; beside it a card for each that has failed or lacks its weights.

    Models that still load have their place among the pictures already, so that nothing jumps when
    they answer.

    Args:
        layout: a key of `LAYOUTS`.

    Returns:
        The joint that the person picked, if any.
    """
    picked = None
    if layout in ("truth", "vote") and comparison.specs:
        _settle(comparison, layout)
        return None
    drawn = [outcome for outcome in outcomes if outcome.result is not None or outcome.pending]
    others = [outcome for outcome in outcomes if outcome not in drawn]
    columns: list[DeltaGenerator] = []
    if others:
        columns = st.columns([len(drawn)] * bool(drawn) + [1] * len(others), gap="small")
    if drawn:
        with columns.pop(0) if others else st.container():
            picked = _pictures(comparison, drawn, layout)
    for column, outcome in zip(columns, others, strict=True):
        with column:
            _card(comparison, outcome)
    return picked


def _settle(comparison: Comparison, layout: str) -> None:
    """The person says what is right, in place of the overlays."""
    picture, come = comparison.picture, st.session_state.get(_COME, 0)
    members = {n: group.members for n, group in enumerate(comparison.groups, 1)}
    layers = [_layer(comparison, spec) for spec in comparison.specs]
    shown = comparison.shown
    scene = Scene(picture.name, picture.digest, stage_picture(picture), shown, members, layers)
    if layout == "vote":
        blind_vote(scene, come)
    else:
        mark_truth(scene, lambda _: comparison.shown, come)


def describe(comparison: Comparison, picked: JointRef | None) -> None:
    """In words: what the models say about the picked joint, else what is to be seen."""
    if picked is not None and 1 <= picked.person <= len(comparison.groups):
        st.markdown(joint_in_words(comparison, picked.person - 1, picked.joint))
    else:
        picture = comparison.picture
        st.caption(f"{picture.alt} {picture.note}")


def _pictures(comparison: Comparison, drawn: Sequence[Outcome], layout: str) -> JointRef | None:
    layers = {spec.key: _layer(comparison, spec) for spec in comparison.specs}
    width, height = comparison.picture.size
    if layout == "one":
        panels = [Panel(ALL_IN_ONE, "", list(layers.values()))]
    else:
        panels = [_panel(comparison, outcome, layers.get(outcome.spec.key)) for outcome in drawn]
        if len(panels) == 3 and width > height:  # a block with a place left
            panels.append(Panel(ALL_IN_ONE, "", list(layers.values())))
    share = len(drawn) / len(comparison.settings.models)  # the rest is for cards
    with room(len(panels), (width, height), share), st.container(key="stage"):
        picture, options = comparison.picture, view_options(comparison.settings)
        pick = st.session_state.get(_PICK)
        command = Command(pick)
        return picture_viewer("overlays", stage_picture(picture), panels, options, command)


def point_at(ref: JointRef) -> None:
    """Makes the overlays pick a joint."""
    before: Pick | None = st.session_state.get(_PICK)
    st.session_state[_PICK] = Pick(ref, before.seq + 1 if before else 1)


def _panel(comparison: Comparison, outcome: Outcome, layer: Layer | None) -> Panel:
    spec = outcome.spec
    colour, variant = comparison.colours[spec.key], comparison.variants[spec.key]
    if layer is not None:
        count = comparison.count(spec.key)
        return Panel(spec.title, count, [layer], colour, variant=variant)
    loaded = engine.host_state(spec.key) == "ready"
    message = "Estimating…" if loaded else "Loading the model, a few seconds the first time…"
    return Panel(spec.title, "", [], colour, message, "waiting", variant)


def _layer(comparison: Comparison, spec: ModelSpec) -> Layer:
    drawn = Drawn(*comparison.drawn(spec.key), comparison.doubts(spec.key))
    ink = Ink(comparison.colours[spec.key], comparison.variants[spec.key])
    return pose_layer(spec, comparison.settings, ink, drawn)


def _card(comparison: Comparison, outcome: Outcome) -> None:
    key = outcome.spec.key
    with st.container(border=True, key=f"card_{key}"):
        heading(outcome.spec.title, comparison.colours[key], comparison.variants[key])
        if outcome.error is None:
            invitation(outcome.spec, outcome.spec.key)
            st.caption(f"{outcome.spec.summary} It joins the comparison as soon as they are here.")
        else:
            _failure(outcome.spec, outcome.error)


def _failure(spec: ModelSpec, error: PoseError) -> None:
    """What happened and what to do; the other models go on."""
    st.error(f"**{said(error.message)}**\n\n{said(error.advice)}", icon=":material/error:")
    if st.button("Try again", key=f"retry_{spec.key}", icon=":material/refresh:"):
        engine.try_again(spec.key)
        st.rerun()
