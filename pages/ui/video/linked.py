"""Charts over the time of a clip, each linked with the player."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.ui.plotting import plot
from pages.ui.video.charts import cursor, time_axis
from pages.ui.video.comparison import ClipComparison
from pages.ui.video.stage import go_to

if TYPE_CHECKING:
    import plotly.graph_objects as go


def linked(comparison: ClipComparison, figure: go.Figure, key: str, alt: str) -> None:
    """A chart over time: the player's frame is a line in it, and a click leads the player there."""
    # All models of a job are given the same frames.
    estimates = comparison.analysis.estimates[comparison.specs[0].key]
    frames, times = estimates.frame_index, estimates.time_s
    player = st.session_state.get("clip_player") or {}

    def go() -> None:
        points = st.session_state[key].selection.points
        if points and "x" in points[0]:
            go_to(int(frames[np.abs(times - float(points[0]["x"])).argmin()]))

    if len(frames):
        at = int(player.get("frame") or 0)
        figure = cursor(time_axis(figure, times), float(np.interp(at, frames, times)))
    plot(figure, key, alt, on_select=go, selection_mode="points")
