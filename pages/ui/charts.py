"""Charts of a comparison.  Plotly is loaded when the first one is shown: it takes a second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from estimators.registry import ModelSpec
from estimators.runtime.api import RunResult
from pages.ui.colours import ink

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Of a family's variants, beside their shade.
DASHES = ("solid", "dash", "dot", "dashdot")
FILLS = ("", "/", "x", ".")
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
STAGES = {"preprocess": "/", "inference": "", "postprocess": "."}
_GREY = "#8A93A3"
# From no agreement to the same pose: most of the way lies where most values are, between 0.5 and 1.
AGREEMENT = (
    (0.0, "#F4F2FC"),
    (0.5, "#D5CEF2"),
    (0.75, "#A99DE6"),
    (0.9, "#5B45BE"),
    (1.0, "#24126F"),
)
_DARK_FROM = 0.84
# What Plotly takes at the edges for texts of 13 pixels, as far as that is known before.
_CHARACTER_PX, _LINE_PX, _TICKS_PX, _TITLE_PX = 7.5, 18, 21, 29
_BELOW_PX = 72


def legend_below() -> dict[str, Any]:
    """A legend at the bottom of all, where it may have several lines on a phone."""
    return {
        "orientation": "h",
        "traceorder": "normal",
        "yref": "container",
        "y": 0,
        "yanchor": "bottom",
        "x": 0,
        "xanchor": "left",
        "font": {"size": 12, "color": ink()},
    }


def latency_chart(
    specs: Sequence[ModelSpec], results: Mapping[str, RunResult], colours: Mapping[str, str]
) -> go.Figure:
    """One bar a model, stacked by stage; the total stands beside it."""
    import plotly.graph_objects as go

    titles = [spec.title for spec in specs]
    timings = [results[s.key].estimate.timings_ms for s in specs]
    traces: list[Any] = []
    for stage, pattern in STAGES.items():
        traces.append(
            go.Bar(
                y=titles,
                x=[getattr(timing, stage) for timing in timings],
                orientation="h",
                name=stage,
                showlegend=False,
                marker={
                    "color": [colours[s.key] for s in specs],
                    "pattern": {"shape": pattern, "fgcolor": "rgba(255,255,255,0.8)", "size": 6},
                },
                hovertemplate=f"%{{y}}: {stage} %{{x:.1f}} ms<extra></extra>",
            )
        )
        # In the legend the pattern stands alone: the colour belongs to the model.
        explained = {"color": _GREY, "pattern": {"shape": pattern, "size": 6}}
        traces.append(go.Bar(y=[None], x=[None], name=stage, marker=explained))
    totals = [timing.total for timing in timings]
    words = [_total_in_words(results[spec.key]) for spec in specs]
    layout = _layout("Latency of this picture by stage", "time, ms", titles, legend=True)
    layout["xaxis"] |= {"range": [0, 2.1 * max(totals)]}
    layout["barmode"] = "stack"
    return go.Figure([*traces, _labels(titles, words, totals)], layout)


def _total_in_words(result: RunResult) -> str:
    """The median, and below it its range, as a phone has no room beside it; what is against it."""
    total = result.estimate.timings_ms.total
    words = f" {total:.1f} ms"
    if result.least_ms is not None and result.most_ms is not None and result.calls > 1:
        words += f"<br> ({result.least_ms:.1f}–{result.most_ms:.1f})"
    return words + ", cold" * result.cold + ", busy" * result.busy


def _labels(titles: Sequence[str], words: Sequence[str], totals_ms: Sequence[float]) -> go.Scatter:
    """Beside the bars."""
    import plotly.graph_objects as go

    return go.Scatter(
        y=titles,
        x=totals_ms,
        mode="text",
        text=words,
        textposition="middle right",
        textfont={"size": 13, "color": ink()},
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )


def memory_chart(
    specs: Sequence[ModelSpec], memory_mb: Mapping[str, float], colours: Mapping[str, str]
) -> go.Figure:
    """Memory of each model's process, in megabytes."""
    import plotly.graph_objects as go

    known = [spec for spec in specs if spec.key in memory_mb]
    values = [memory_mb[spec.key] for spec in known]
    titles = [spec.title for spec in known]
    layout = _layout("Memory of each model's process", "memory, MB", titles)
    layout["xaxis"] |= {"range": [0, 1.4 * max(values, default=1.0)]}
    return go.Figure(
        go.Bar(
            y=titles,
            x=values,
            orientation="h",
            marker_color=[colours[spec.key] for spec in known],
            text=[f"{value:.0f} MB" for value in values],
            textposition="outside",
            textfont={"size": 13, "color": ink()},
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.0f} MB<extra></extra>",
        ),
        layout,
    )


def matrix_chart(
    titles: Sequence[str], values: NDArray[np.float64], title: str, best_high: bool
) -> go.Figure:
    """A heat map of models against models, every cell with its number.

    Args:
        values: float [M, M], NaN where two models share nobody.
        best_high: whether large values mean agreement.
    """
    import plotly.graph_objects as go

    text = [["–" if np.isnan(v) else f"{v:.2f}" for v in row] for row in values]
    best = 1 if best_high else max(0.3, float(np.nanmax(values, initial=0.0)))
    layout = _layout(title, "model", titles, row=64)
    layout["annotations"] = list(_numbers(values / best, text, best_high))
    layout["yaxis"] |= {"title": {"text": "model", "font": {"color": ink()}}, "showgrid": False}
    layout["margin"]["l"] += _TITLE_PX
    layout["margin"]["b"] += _LINE_PX  # names are broken once
    layout["xaxis"] |= {"showgrid": False}
    # Given at once: every change of a figure takes as long as to make it.
    return go.Figure(
        go.Heatmap(
            x=[title.replace(" ", "<br>", 1) for title in titles],
            y=list(titles),
            z=values,
            text=text,
            colorscale=AGREEMENT if best_high else [(1 - at, c) for at, c in AGREEMENT[::-1]],
            zmin=0,
            zmax=best,
            xgap=2,
            ygap=2,
            showscale=False,
            customdata=[list(titles)] * len(titles),
            hovertemplate="%{y} and %{customdata}: %{text}<extra></extra>",
        ),
        layout,
    )


def _numbers(
    shares: NDArray[np.float64], text: Sequence[Sequence[str]], high_is_dark: bool
) -> Iterator[dict[str, Any]]:
    """Each cell's number, in white on dark cells, in black on light ones.

    Args:
        shares: where each cell lies on the scale of colours, from 0 to 1.
    """
    for (row, column), share in np.ndenumerate(shares):
        dark = (share if high_is_dark else 1 - share) >= _DARK_FROM
        yield {
            "x": column,
            "y": row,
            "text": text[row][column],
            "showarrow": False,
            "font": {"size": 15, "color": "white" if dark else "#10151F"},
        }


def _room_for(names: Sequence[str]) -> float:
    """Pixels that the names of an axis take at its left; Plotly makes more where it is too few."""
    return _TICKS_PX + _CHARACTER_PX * max(map(len, names), default=0)


def _layout(
    title: str, x_title: str, names: Sequence[str], row: int = 46, legend: bool = False
) -> dict[str, Any]:
    """One row for each of `names`, which stand at the left."""
    # The legend has lines of its own, three on a phone: beside the title it would lie over it.
    top = 104 if legend else 44
    font = {"size": 13, "color": ink()}
    axis = {"automargin": True, "tickfont": font}  # names turn where they would overprint
    return {
        "title": {
            "text": title,
            "font": {"size": 15},
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 12},
        },
        "xaxis": axis | {"title": {"text": x_title, "font": font}},
        "yaxis": axis | {"autorange": "reversed"},
        "height": 76 + top + row * max(len(names), 1),
        # A chart that Plotly has to make room in is drawn once more.
        "margin": {"l": _room_for(names), "r": 8, "t": top, "b": _BELOW_PX},
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "y": 1.0,
            "yanchor": "bottom",
            "x": 1,
            "xanchor": "right",
            "font": {"size": 12, "color": ink()},
        },
    }
