"""Charts of the last 30 seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.latency import WINDOW_S, RollingLatency
from estimators.workflows.live import StreamFigures

if TYPE_CHECKING:
    import plotly.graph_objects as go

_HEIGHT = 230
# 30 answers a second would be 900 points a model, more than the chart has pixels for.
_MOST_POINTS = 150
_Series = tuple[NDArray[np.float64], NDArray[np.float64]]


def latency_chart(figures: StreamFigures, now_s: float) -> go.Figure:
    """Every answer's latency; logarithmic, because models differ a hundredfold."""
    figure = _chart(figures, lambda rolling: _thinned(rolling.latencies(now_s)), "markers")
    figure.update_yaxes(type="log", title="latency, ms", dtick="D2", minallowed=0)
    return _titled(figure, "Latency of each answer")


def rate_chart(figures: StreamFigures, now_s: float) -> go.Figure:
    """Answers a second."""
    figure = _chart(figures, lambda rolling: rolling.rates(now_s), "lines")
    figure.update_yaxes(title="estimates a second", rangemode="tozero")
    return _titled(figure, "Rate")


def _chart(
    figures: StreamFigures, series: Callable[[RollingLatency], _Series], mode: str
) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    for model in figures.models:
        ago_s, values = series(model.latency)
        figure.add_scatter(
            x=np.round(ago_s, 2),
            y=np.round(values, 2),
            mode=mode,
            name=model.model.spec.title,
            marker={"size": 4, "color": f"rgb{model.model.style.colour}"},
            line={"width": 2, "color": f"rgb{model.model.style.colour}"},
        )
    return figure


def _titled(figure: go.Figure, title: str) -> go.Figure:
    figure.update_layout(
        title={"text": title, "font_size": 15},
        height=_HEIGHT,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        showlegend=False,
        uirevision="live",
    )
    figure.update_xaxes(title="seconds ago", range=[-WINDOW_S, 0], automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def _thinned(series: _Series) -> _Series:
    x, y = series
    step = max(1, -(-len(x) // _MOST_POINTS))
    return x[::step], y[::step]
