"""What the Image page shows."""

from __future__ import annotations

import streamlit as st

from pages.ui import engine
from pages.ui.frame import open_page
from pages.ui.image.comparison import Comparison
from pages.ui.image.downloads import downloads
from pages.ui.image.picture_set import picture_set
from pages.ui.image.results import results
from pages.ui.image.stage import choose_layout, describe, stage
from pages.ui.image.verdict import picture_box, verdict_of
from pages.ui.image.waiting import rerun_when_done
from pages.ui.sources import brought, choose_picture, choose_source
from pages.ui.verdict_box import chosen_needs


def image_page() -> None:
    """The picture, what each model says about it, and how the answers compare."""
    settings = open_page("Image", "The same picture through every model, side by side.")
    if not settings.models:
        st.info("Choose at least one model in the sidebar.", icon=":material/checklist:")
        st.stop()

    with st.container(horizontal=True, horizontal_alignment="distribute"):
        source = choose_source()
        layout = choose_layout()
    picture = choose_picture(source)
    if picture is None:
        st.stop()

    outcomes = engine.estimates(picture, settings.specs())
    comparison = Comparison.of(picture, settings, outcomes)
    picked = stage(comparison, outcomes, layout)
    needs = chosen_needs()
    verdict = verdict_of([comparison], needs)
    left, right = st.columns([1, 6], vertical_alignment="center")
    with left:
        downloads(comparison, verdict)
    with right:
        describe(comparison, picked)
    if comparison.specs:
        picture_box(comparison, verdict)
        if source == "upload":
            outcomes += picture_set(brought(), settings, needs)
        results(comparison, picked)
    rerun_when_done(outcomes)
