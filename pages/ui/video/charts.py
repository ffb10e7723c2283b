"""Charts over the time of a clip.  Plotly is loaded when the first one is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.over_time import DisputedFrame
from estimators.registry import ModelSpec
from estimators.render.style import rgb
from estimators.workflows.clip.series import ScoreMap, Series
from pages.ui.charts import DASHES, SYMBOLS, legend_below
from pages.ui.colours import ink

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Of a pair of models, which has no colour of its own.
_BOTH = "#8178DD"
_DISPUTED = "#D33A3A"
_ROW_PX = 17
TIME_TITLE = "time, s"
# Beyond this ratio of medians the faster model's line would lie on the axis.
_LOG_FROM = 8.0
# Of a score, and how much of its colour the model has there.
SCORE_STOPS = ((0.0, 0.0), (0.5, 0.22), (0.75, 0.45), (0.9, 0.7), (1.0, 1.0))
# Places of a heat map that can be clicked: more are more elements than a browser likes to draw.
_MOST_PLACES = 1500


@dataclass(frozen=True)
class Ink:
    """How a model's line is drawn: #rrggbb, and which of its family it is."""

    colour: str
    variant: int = 0

    def line(self, smoothed: bool = False) -> dict[str, Any]:
        """Plotly's description of its line."""
        return {
            "color": self.colour,
            "dash": "longdashdot"
            if smoothed and self.variant
            else "dash"
            if smoothed
            else DASHES[self.variant],
            "width": 1.5,
        }

    def points(self, size: int = 4) -> dict[str, Any]:
        """Plotly's description of its points, which can be clicked."""
        return {"color": self.colour, "symbol": SYMBOLS[self.variant], "size": size}


def cursor(figure: go.Figure, time_s: float) -> go.Figure:
    """`figure` with a line at the frame that the player shows."""
    figure.add_vline(time_s, line={"color": "#7C5CFF", "width": 2}, opacity=0.9)
    return figure


def time_axis(figure: go.Figure, times_s: NDArray[np.float64]) -> go.Figure:
    """`figure` over all frames that were processed, whatever is seen when: all charts alike.

    Args:
        times_s: float64 [N], ascending, of those frames; one frame has its own time alone.
    """
    first, last = float(times_s[0]), float(times_s[-1])
    if first == last:
        figure.update_xaxes(range=[first - 0.5, last + 0.5], tickvals=[first])
    elif figure.layout.xaxis.range is None:
        margin = 0.01 * (last - first)
        figure.update_xaxes(range=[first - margin, last + margin])
    return figure


def score_chart(spec: ModelSpec, scores: ScoreMap, colour: str, dark: bool) -> go.Figure:
    """One model's scores, joint × time, on this model's own scale alone."""
    import plotly.graph_objects as go

    low, high = spec.score_range
    figure = go.Figure(
        go.Heatmap(
            x=scores.time_s,
            y=[joint.replace("_", " ") for joint in scores.joints],
            z=scores.score,
            colorscale=_scale("#2C3440" if dark else "#E2E5EC", colour, bounded=high - low <= 1),
            zmin=low,
            zmax=high,
            colorbar={"title": {"text": spec.score_kind, "side": "right"}, "thickness": 12},
            hoverinfo="skip",
        )
    )
    _add_places(figure, spec, scores)
    _layout(
        figure,
        f"{spec.title}: {spec.score_kind}",
        TIME_TITLE,
        "",
        108 + _ROW_PX * len(scores.joints),
    )
    rows, half = len(scores.joints), _half_column(scores)
    figure.update_yaxes(range=[rows - 0.5, -0.5], tickfont_size=11, showgrid=False, nticks=40)
    ends = [scores.time_s[0] - half, scores.time_s[-1] + half] if rows and half else None
    figure.update_xaxes(showgrid=False, range=ends)
    return figure


def _half_column(scores: ScoreMap) -> float:
    times = scores.time_s
    return float(times[-1] - times[0]) / (len(times) - 1) / 2 if len(times) > 1 else 0.0


def _scale(ground: str, colour: str, bounded: bool) -> list[list[Any]]:
    """From `ground` to `colour`; scores up to 1 change most where most of them are, near 1."""
    if not bounded:
        return [[0, ground], [1, colour]]
    ends = np.array([rgb(ground), rgb(colour)], float)
    return [
        [at, "#{:02X}{:02X}{:02X}".format(*np.round(ends[0] * (1 - s) + ends[1] * s).astype(int))]
        for at, s in SCORE_STOPS
    ]


def _add_places(figure: go.Figure, spec: ModelSpec, scores: ScoreMap) -> None:
    """Unseen points that are told about and clicked: cells of a heat map cannot be."""
    every = max(1, math.ceil(scores.score.size / _MOST_PLACES))
    times, values = scores.time_s[::every], scores.score[:, ::every]
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=[t for _ in scores.joints for t in times],
        y=[joint.replace("_", " ") for joint in scores.joints for _ in times],
        customdata=values.ravel(),
        mode="markers",
        marker={"opacity": 0, "size": 12},
        selected=unseen,
        unselected=unseen,
        showlegend=False,
        hovertemplate=f"%{{y}}, %{{x:.2f}} s: {spec.score_kind} %{{customdata:.2f}}<extra></extra>",
    )


def latency_chart(
    specs: Sequence[ModelSpec], lines: Mapping[str, Series], inks: Mapping[str, Ink]
) -> go.Figure:
    """Each model's time a frame; the first frame, which may warm up, stands apart."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for spec in specs:
        line = lines[spec.key]
        rest = line.after_first().thinned()
        figure.add_scatter(
            x=rest.time_s,
            y=rest.values,
            mode="lines+markers",
            name=spec.title,
            line=inks[spec.key].line(),
            marker=inks[spec.key].points(),
            hovertemplate=f"{spec.title}, %{{x:.2f}} s: %{{y:.1f}} ms<extra></extra>",
        )
        figure.add_scatter(
            x=line.time_s[:1],
            y=line.values[:1],
            mode="markers",
            name=f"{spec.title}, first frame",
            marker={"color": inks[spec.key].colour, "symbol": "circle-open", "size": 9},
            showlegend=len(line.time_s) == 1,  # nothing else tells whose it is
            hovertemplate=f"{spec.title}, first frame: %{{y:.1f}} ms<extra></extra>",
        )
    _layout(figure, "Latency (ringed: the first frame)", TIME_TITLE, "time, ms", 340)
    usual = [t for line in lines.values() if (t := line.after_first().typical) > 0]
    if usual and max(usual) > _LOG_FROM * min(usual):
        # Ticks at 1, 2 and 5: all nine of a decade would overprint each other.
        figure.update_yaxes(type="log", title="time, ms, logarithmic", dtick="D2")
    else:
        figure.update_yaxes(rangemode="tozero")
    return figure


def agreement_chart(
    lines: Mapping[str, tuple[Ink, Series]], disputed: Sequence[DisputedFrame], person: int
) -> go.Figure:
    """Agreement on one person; triangles mark the most disputed frames.

    Args:
        lines: by title: look, and OKS in each frame.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for title, (look, line) in lines.items():
        shown = line.thinned()
        figure.add_scatter(
            x=shown.time_s,
            y=shown.values,
            customdata=shown.frame_index,
            mode="lines+markers",
            marker=look.points(),
            name=title,
            line=look.line(),
            hovertemplate=f"{title}, frame %{{customdata}}: OKS %{{y:.2f}}<extra></extra>",
        )
    marked = [frame for frame in disputed if frame.person == person]
    figure.add_scatter(
        x=[frame.time_s for frame in marked],
        y=[1.06] * len(marked),
        customdata=[frame.frame_index for frame in marked],
        mode="markers",
        name="most disputed",
        marker={"symbol": "triangle-down", "size": 12, "color": _DISPUTED},
        hovertemplate="frame %{customdata}, %{x:.2f} s<extra></extra>",
    )
    title = f"Agreement on person {person} (1 = the same)"
    _layout(figure, title, TIME_TITLE, "OKS", 360)
    figure.update_yaxes(range=[-0.03, 1.12])
    return figure


def agreement_lines(
    specs: Sequence[ModelSpec], lines: Mapping[str, Series], inks: Mapping[str, Ink]
) -> dict[str, tuple[Ink, Series]]:
    """A line a model, its agreement with the others; of two models one line says it all."""
    if len(specs) == 2:
        first, second = specs
        return {f"{first.title} and {second.title}": (Ink(_BOTH), lines[first.key])}
    return {f"{s.title} with the others": (inks[s.key], lines[s.key]) for s in specs}


def position_chart(
    title: str,
    axis: str,
    lines: Mapping[str, tuple[str, Ink, Series, Series | None]],
) -> go.Figure:
    """One coordinate of a joint over time, raw and, where asked for, smoothed as another line.

    Args:
        lines: by model: title, look, raw and smoothed series.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, look, raw, smooth in lines.values():
        for series, label in ((raw, name), (smooth, f"{name}, smoothed")):
            if series is None:
                continue
            shown = series.thinned()
            figure.add_scatter(
                x=shown.time_s,
                y=shown.values,
                customdata=shown.frame_index,
                mode="lines+markers",
                name=label,
                line=look.line(smoothed=series is smooth),
                marker=look.points(),
                opacity=1.0 if smooth is None or series is smooth else 0.45,
                hovertemplate=f"{label}, frame %{{customdata}}: %{{y:.1f}} px<extra></extra>",
            )
    _layout(figure, title, TIME_TITLE, f"{axis}, px", 300)
    if axis == "y":
        figure.update_yaxes(autorange="reversed")
    return figure


def _layout(figure: go.Figure, title: str, x_title: str, y_title: str, height: int) -> None:
    figure.update_layout(
        title={"text": title, "font_size": 15, "y": 0.98, "yanchor": "top"},
        xaxis_title=x_title,
        yaxis_title=y_title,
        height=height,
        margin={"l": 8, "r": 8, "t": 44, "b": 8},
        legend=legend_below(),
        showlegend=sum(trace.showlegend is not False for trace in figure.data) > 1,
    )
    figure.update_yaxes(automargin=True, tickfont_color=ink(), title_font_color=ink())
    figure.update_xaxes(automargin=True, tickfont_color=ink(), title_font_color=ink())
