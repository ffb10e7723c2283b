"""What stands beside the video: controls, figures and charts, each in a fragment of its own.

A fragment runs by itself, so that reading figures twice a second leaves the stream alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from estimators.registry import ModelSpec
from estimators.workflows.live.stream import LiveStream
from pages.ui.live.charts import live_charts
from pages.ui.live.figures import (
    STYLE,
    joint_table,
    meanings,
    model_table,
    people_found,
    stream_line,
)
from pages.ui.live.session import seats

_FIGURES_S, _CHARTS_S = 0.5, 1.0
_OTHER_SHAPE = 0.05
_BEFOREHAND = """\
**What you will see**

- One tile a model. Each model works on the newest picture only, and its tile tells how many
  milliseconds old the overlay is.
- Here: how fast each model answers, what it leaves out, and how sure it is of your joints.

**What helps**

- One to three metres from the camera, head to feet in view, light from the front.
- A slow model makes its own tile late, never the video.
"""


def figures(stream: LiveStream, playing: bool, specs: Sequence[ModelSpec]) -> None:
    """Rates, latencies, ages, drops and the joints' scores, twice a second while playing.

    Args:
        specs: the models that the sidebar names.
    """
    every_s = _FIGURES_S if playing else None
    st.fragment(_figures, run_every=every_s)(stream, stream.mosaic_size(), bool(specs))
    if specs:
        # Not in the fragment: what is open would close with every new figure.
        with st.expander("What these figures mean", icon=":material/help:"):
            st.markdown(meanings(specs))


def charts(stream: LiveStream, playing: bool) -> None:
    """The last 30 seconds."""
    st.fragment(_charts, run_every=_CHARTS_S if playing else None)(stream)


def _figures(stream: LiveStream, size: tuple[int, int], chosen: bool) -> None:
    if seats().full_for(stream.viewer):
        st.rerun()  # the last place was taken since the page looked
    width, height = stream.mosaic_size()
    if abs(width / height - size[0] / size[1]) > _OTHER_SHAPE:
        st.rerun()  # the camera has turned, or shown itself: its place on the page changes
    if not chosen:
        st.info("Choose at least one model in the sidebar.", icon=":material/checklist:")
        return
    figures = stream.figures()
    if not figures.models:
        st.markdown(_BEFOREHAND)
        return
    st.caption(stream_line(figures))
    st.html(STYLE + model_table(figures))
    st.html(STYLE + joint_table(figures))
    st.caption(people_found(figures.models))


def _charts(stream: LiveStream) -> None:
    figures = stream.figures()
    if not any(model.summary.count for model in figures.models):
        return
    live_charts(figures, time.monotonic())
