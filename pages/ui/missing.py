"""Models whose weights are not here: an offer each, while the others go on."""

from __future__ import annotations

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import engine
from pages.ui.colours import colours, heading, variants
from pages.ui.fetching import invitation
from pages.ui.settings import Settings


def missing(settings: Settings) -> None:
    """A card for each chosen model that cannot run yet."""
    absent = [spec for spec in settings.specs() if not engine.has_weights(spec.key)]
    if not absent:
        return
    shades, forms = colours(settings.specs()), variants(settings.specs())
    for column, spec in zip(st.columns(len(absent)), absent, strict=True):
        with column, st.container(border=True, key=f"card_{spec.key}"), _row():
            with st.container(width="content"):
                heading(spec.title, shades[spec.key], forms[spec.key])
            invitation(spec, f"missing_{spec.key}", write=partial(st.markdown, width="content"))


def _row() -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="center")
