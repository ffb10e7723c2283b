"""The overlays, and a card for each model that has none yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from estimators import weights
from estimators.errors import PoseError
from estimators.registry import ModelSpec
from pages.ui import engine
from pages.ui.address import publish, seed
from pages.ui.colours import heading
from pages.ui.comparison import Comparison
from pages.ui.drawing import view_options
from pages.ui.engine import Outcome
from pages.ui.fetching import megabytes, weights_control
from pages.ui.viewer.panels import Layer, Panel
from pages.ui.viewer.picture import picture_viewer

LAYOUTS = {"side": "Side by side", "one": "All in one"}
_TALLEST, _NARROWEST = 720, 320


def choose_layout() -> str:
    """A key of `LAYOUTS`; kept in the address."""
    seed("layout", list(LAYOUTS))
    layout = st.segmented_control(
        "Overlays",
        list(LAYOUTS),
        format_func=LAYOUTS.get,
        required=True,
        key="layout",
        label_visibility="collapsed",
        persist_state="session",
    )
    publish("layout", layout, "side")
    return layout


def stage(comparison: Comparison, outcomes: Sequence[Outcome], layout: str) -> None:
    """Overlays of the models that have answered; beside them a card for each of the others.

    Args:
        layout: a key of `LAYOUTS`.
    """
    others = [outcome for outcome in outcomes if outcome.result is None]
    ready = len(comparison.specs)
    if not others:
        _overlays(comparison, layout)
        return
    columns = st.columns([ready, *[1] * len(others)] if ready else len(others), gap="small")
    if ready:
        with columns.pop(0):
            _overlays(comparison, layout)
    for column, outcome in zip(columns, others, strict=True):
        with column:
            _card(outcome, comparison.colours)


def _overlays(comparison: Comparison, layout: str) -> None:
    layers = [_layer(comparison, spec) for spec in comparison.specs]
    panels = [Panel(x.title, comparison.count(x.key), [x], x.colour) for x in layers]
    if layout == "one":
        panels = [Panel("All models", " · ".join(x.title for x in layers), layers)]
    with st.container(key="stage", width=_width(comparison) if layout == "one" else "stretch"):
        picture_viewer(
            "overlays", comparison.picture.frame.image, panels, view_options(comparison.settings)
        )


def _width(comparison: Comparison) -> int:
    """Of the single large picture in pixels, so that it fits on a screen from head to foot."""
    frame = comparison.picture.frame
    return max(_NARROWEST, round(_TALLEST * frame.width / frame.height))


def _layer(comparison: Comparison, spec: ModelSpec) -> Layer:
    return Layer(
        spec.key,
        spec.title,
        comparison.colours[spec.key],
        comparison.people[spec.key],
        spec.score_kind,
        comparison.settings.joint_threshold(spec.key),
        comparison.person_ids(spec.key),
    )


def _card(outcome: Outcome, colours: Mapping[str, str]) -> None:
    spec = outcome.spec
    with st.container(border=True, key=f"card_{spec.key}"):
        heading(spec.title, colours[spec.key])
        if outcome.missing:
            _invitation(spec)
        elif outcome.error is not None:
            _failure(spec, outcome.error)
        else:
            st.caption(f":material/hourglass_top: {_progress(outcome)}")


def _progress(outcome: Outcome) -> str:
    state = engine.host_state(outcome.spec.key)
    if state == "ready":
        return "Estimating…"
    return "Loading the model, a few seconds the first time…"


def _invitation(spec: ModelSpec) -> None:
    """Weights that were never fetched are an offer, not an error."""
    entry = weights.entry(spec.weights)
    size = f": **{megabytes(entry.size_bytes)}**" if entry.size_bytes else ""
    st.markdown(f"Needs its weights{size}, fetched once and kept on this machine.")
    weights_control(spec.weights, spec.key)
    st.caption(f"{spec.summary} It joins the comparison as soon as they are here.")


def _failure(spec: ModelSpec, error: PoseError) -> None:
    """What happened and what to do; the other models go on."""
    st.error(f"**{error.message}**\n\n{error.advice}", icon=":material/error:")
    if st.button("Try again", key=f"retry_{spec.key}", icon=":material/refresh:"):
        engine.jobs().forget_failures(spec.key)
        st.rerun()
