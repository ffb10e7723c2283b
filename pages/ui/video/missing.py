"""Models whose weights are not here: an offer each, while the others go on."""

from __future__ import annotations

import streamlit as st

from estimators import weights
from estimators.registry import ModelSpec
from pages.ui import engine
from pages.ui.colours import colours, heading
from pages.ui.fetching import megabytes, weights_control
from pages.ui.settings import Settings


def missing(settings: Settings) -> None:
    """A card for each chosen model that cannot run yet."""
    absent = [spec for spec in settings.specs() if not engine.has_weights(spec.key)]
    if not absent:
        return
    shades = colours(settings.specs())
    for column, spec in zip(st.columns(len(absent)), absent, strict=True):
        with column, st.container(border=True, key=f"card_{spec.key}"):
            _invitation(spec, shades[spec.key])


def _invitation(spec: ModelSpec, colour: str) -> None:
    size = weights.entry(spec.weights).size_bytes
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="content"):
            heading(spec.title, colour)
        known = f": **{megabytes(size)}**" if size else ""
        st.markdown(
            f"Needs its weights{known}, fetched once and kept on this machine.", width="content"
        )
        weights_control(spec.weights, f"video_{spec.key}")
