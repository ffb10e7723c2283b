"""Charts of the last 30 seconds, drawn in the browser from a few hundred numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from estimators.analysis.latency import WINDOW_S
from estimators.workflows.live.figures import ModelFigures, StreamFigures
from pages.ui.scripts import script, texts

# 30 answers a second would be 900 points a model, more than the chart has pixels for.
_MOST_POINTS = 150
_FIGURE = (
    '<figure><canvas role="img"></canvas>'
    '<button title="Saves the chart as a picture (PNG)">Save</button></figure>'
)
_HERE = Path(__file__).parent
_charts = st.components.v2.component(
    "pose_comparison.live_charts",
    html=f'<div class="charts">{_FIGURE}{_FIGURE}</div>',
    css=texts(_HERE / "charts.css"),
    js=script(_HERE / "charts.js"),
)


def live_charts(figures: StreamFigures, now_s: float) -> None:
    """The time to each answer (logarithmic, as models differ a hundredfold) and the rate."""
    with st.container(key="live_charts_frame"):
        _charts(key="live_charts", data={"charts": chart_data(figures, now_s)})


def chart_data(figures: StreamFigures, now_s: float) -> list[dict[str, Any]]:
    """What both charts show; times in seconds before `now_s`."""
    answers = [_series(f, *_thinned(*f.latency.latencies(now_s))) for f in figures.models]
    rate = [_series(f, *f.latency.rates(now_s)) for f in figures.models]
    return [
        {
            "title": "Time to each answer, beside the video",
            "y": "time to the answer, ms",
            "log": True,
            "alt": _alt(
                "Median time to an answer",
                "ms",
                [f.summary.median_ms for f in figures.models],
                figures,
            ),
            "file": "live-answers.png",
            "series": answers,
            "window_s": WINDOW_S,
        },
        {
            "title": "Rate",
            "y": "estimates a second",
            "log": False,
            "alt": _alt("Rate", "a second", [f.summary.rate for f in figures.models], figures),
            "file": "live-rate.png",
            "series": rate,
            "window_s": WINDOW_S,
        },
    ]


def _series(
    figures: ModelFigures, ago_s: NDArray[np.float64], values: NDArray[np.float64]
) -> dict[str, Any]:
    points = np.round(np.stack([ago_s, values], axis=1), 2).tolist()
    style = figures.model.style
    return {
        "title": figures.model.spec.title,
        "colour": "rgb({}, {}, {})".format(*style.colour),
        "variant": style.variant,
        "points": points,
    }


def _alt(what: str, unit: str, values: list[float | None], figures: StreamFigures) -> str:
    series = [
        f"{f.model.spec.title} {value:.1f} {unit}"
        for f, value in zip(figures.models, values, strict=True)
        if value is not None
    ]
    return f"{what} over the last {WINDOW_S:.0f} seconds: {', '.join(series)}"


def _thinned(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    step = max(1, -(-len(x) // _MOST_POINTS))
    return x[::step], y[::step]
