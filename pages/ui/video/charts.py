"""Charts over the time of a clip.  Plotly is loaded when the first one is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from estimators.analysis.over_time import DisputedFrame
from estimators.registry import ModelSpec
from estimators.workflows.clip.series import ScoreMap, Series
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


def score_chart(spec: ModelSpec, scores: ScoreMap, colour: str, dark: bool) -> go.Figure:
    """One model's scores, joint × time, on this model's own scale alone."""
    import plotly.graph_objects as go

    low, high = spec.score_range
    figure = go.Figure(
        go.Heatmap(
            x=scores.time_s,
            y=[joint.replace("_", " ") for joint in scores.joints],
            z=scores.score,
            colorscale=[[0, "#2C3440" if dark else "#E2E5EC"], [1, colour]],
            zmin=low,
            zmax=high,
            colorbar={"title": {"text": spec.score_kind, "side": "right"}, "thickness": 12},
            hovertemplate=f"%{{y}}, %{{x:.2f}} s: {spec.score_kind} %{{z:.2f}}<extra></extra>",
        )
    )
    _layout(
        figure,
        f"{spec.title}: {spec.score_kind}",
        TIME_TITLE,
        "",
        108 + _ROW_PX * len(scores.joints),
    )
    figure.update_yaxes(autorange="reversed", tickfont_size=11, showgrid=False, nticks=40)
    figure.update_xaxes(showgrid=False)
    return figure


def latency_chart(
    specs: Sequence[ModelSpec], lines: Mapping[str, Series], colours: Mapping[str, str]
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
            mode="lines",
            name=spec.title,
            line={"color": colours[spec.key], "width": 1.5},
            hovertemplate=f"{spec.title}, %{{x:.2f}} s: %{{y:.1f}} ms<extra></extra>",
        )
        figure.add_scatter(
            x=line.time_s[:1],
            y=line.values[:1],
            mode="markers",
            marker={"color": colours[spec.key], "symbol": "circle-open", "size": 9},
            showlegend=False,
            hovertemplate=f"{spec.title}, first frame: %{{y:.1f}} ms<extra></extra>",
        )
    _layout(figure, "Latency of each frame (rings: the first one)", TIME_TITLE, "time, ms", 340)
    usual = [t for line in lines.values() if (t := line.after_first().typical) > 0]
    if usual and max(usual) > _LOG_FROM * min(usual):
        figure.update_yaxes(type="log", title="time, ms, logarithmic")
    else:
        figure.update_yaxes(rangemode="tozero")
    return figure


def agreement_chart(
    lines: Mapping[str, tuple[str, Series]], disputed: Sequence[DisputedFrame], person: int
) -> go.Figure:
    """Agreement on one person; triangles mark the most disputed frames.

    Args:
        lines: by title: colour, and OKS in each frame.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for title, (colour, line) in lines.items():
        shown = line.thinned()
        figure.add_scatter(
            x=shown.time_s,
            y=shown.values,
            customdata=shown.frame_index,
            mode="lines+markers",
            marker={"size": 3},
            name=title,
            line={"color": colour, "width": 1.5},
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
    specs: Sequence[ModelSpec], lines: Mapping[str, Series], colours: Mapping[str, str]
) -> dict[str, tuple[str, Series]]:
    """A line a model, its agreement with the others; of two models one line says it all."""
    if len(specs) == 2:
        first, second = specs
        return {f"{first.title} and {second.title}": (_BOTH, lines[first.key])}
    return {f"{s.title} with the others": (colours[s.key], lines[s.key]) for s in specs}


def position_chart(
    title: str,
    axis: str,
    lines: Mapping[str, tuple[str, str, Series, Series | None]],
) -> go.Figure:
    """One coordinate of a joint over time, raw and, where asked for, smoothed as another line.

    Args:
        lines: by model: title, colour, raw and smoothed series.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, colour, raw, smooth in lines.values():
        for series, label, dash in ((raw, name, "solid"), (smooth, f"{name}, smoothed", "dash")):
            if series is None:
                continue
            shown = series.thinned()
            figure.add_scatter(
                x=shown.time_s,
                y=shown.values,
                customdata=shown.frame_index,
                mode="lines",
                name=label,
                line={"color": colour, "dash": dash, "width": 1.5},
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
        legend={"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0, "xanchor": "left"},
        showlegend=len(figure.data) > 1,
    )
    figure.update_yaxes(automargin=True, tickfont_color=ink(), title_font_color=ink())
    figure.update_xaxes(automargin=True, tickfont_color=ink(), title_font_color=ink())
