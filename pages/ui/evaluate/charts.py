"""Charts of an evaluation; a click on a bar leads to the pictures behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from estimators.analysis.accuracy.bootstrap import Figure
from estimators.analysis.accuracy.kinds import KINDS
from estimators.analysis.accuracy.report import ModelAccuracy
from pages.ui.charts import DASHES, FILLS, legend_below
from pages.ui.colours import ink

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Okabe and Ito's colours, none of them a family's; what is right is grey.
# What a click may lead to, beside kinds of mistakes and joints.
PICTURES, SCORES = "pictures", "scores"
KIND_COLOURS = {
    "good": "#9AA3B2",
    "jitter": "#56B4E9",
    "inversion": "#CC79A7",
    "swap": "#F0E442",
    "miss": "#D55E00",
}


@dataclass(frozen=True)
class Shown:
    """A model of an evaluation as it is shown; `variant` is which of its family it is."""

    title: str
    colour: str
    variant: int
    accuracy: ModelAccuracy


Models = Mapping[str, Shown]


def headline_chart(models: Models, metrics: Sequence[str]) -> go.Figure:
    """One group of bars a metric, one bar a model, with its 95 % interval."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for key, shown in models.items():
        figures = [shown.accuracy.figures[name] for name in metrics]
        figure.add_bar(
            x=[metric.replace("_", " ") for metric in metrics],
            y=[f.value for f in figures],
            name=shown.title,
            marker=_filled(shown),
            error_y=_intervals(figures),
            customdata=[[key, PICTURES]] * len(metrics),
            hovertemplate=f"{shown.title}: %{{x}} %{{y:.3f}}<extra></extra>",
        )
    return laid_out(figure, "Accuracy, with 95 % intervals", "", "0 to 1", 380)


def kinds_chart(models: Models) -> go.Figure:
    """What the labelled joints of people found are, as shares; one bar a model."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for kind in KINDS:
        shares = [shown.accuracy.kinds.shares[kind] for shown in models.values()]
        figure.add_bar(
            y=[shown.title for shown in models.values()],
            x=[share.value for share in shares],
            orientation="h",
            name=kind,
            marker_color=KIND_COLOURS[kind],
            customdata=[[key, kind] for key in models],
            text=[f"{share.value:.0%}" if share.value >= 0.1 else "" for share in shares],
            textposition="inside",
            insidetextfont={"color": "#10151F"},
            insidetextanchor="middle",
            textangle=0,
            hovertemplate="%{y}: " + kind + " %{x:.1%}<extra></extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(tickformat=".0%", range=[0, 1])
    height = 150 + 46 * len(models)
    return laid_out(
        figure, "What the joints are", "share of the joints of people found", "", height
    )


def gains_chart(models: Models) -> go.Figure:
    """AP that correcting one kind of mistake alone would add."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for key, shown in models.items():
        gains = shown.accuracy.corrections.gains
        figure.add_bar(
            y=[gain.kind.replace("_", " ") for gain in gains],
            x=[gain.alone for gain in gains],
            orientation="h",
            name=shown.title,
            marker=_filled(shown),
            customdata=[[key, gain.kind] for gain in gains],
            hovertemplate=f"{shown.title}: correcting %{{y}} +%{{x:.3f}} AP<extra></extra>",
        )
    height = 130 + (14 * len(models) + 20) * 7
    return laid_out(figure, "What correcting would gain", "AP gained, alone", "", height)


def joints_chart(models: Models) -> go.Figure:
    """PCK@0.2 of every joint that it counts, one bar a model: it has none of the face."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for key, shown in models.items():
        joints = [joint for joint in shown.accuracy.joints if np.isfinite(joint.pck)]
        figure.add_bar(
            y=[joint.joint.replace("_", " ") for joint in joints],
            x=[joint.pck for joint in joints],
            orientation="h",
            name=shown.title,
            marker=_filled(shown),
            customdata=[[key, j.joint, j.labelled, j.median_error] for j in joints],
            hovertemplate=(
                f"{shown.title}, %{{y}}: %{{x:.0%}} of %{{customdata[2]}}, median error "
                "%{customdata[3]:.2f} torsos<extra></extra>"
            ),
        )
    figure.update_xaxes(tickformat=".0%", range=[0, 1])
    rows = len({name for bars in figure.data for name in bars.y})
    height = 130 + rows * (8 * len(models) + 14)
    return laid_out(figure, "PCK@0.2 of each joint", "share within 0.2 of the torso", "", height)


def reliability_chart(model: str, shown: Shown, kind: str) -> go.Figure:
    """How many joints are right against the score that the model gives them."""
    import plotly.graph_objects as go

    trust = shown.accuracy.trust
    steps = [[model, f"{b.low!r} {b.high!r}", SCORES] for b in trust.reliability]
    figure = go.Figure()
    figure.add_bar(
        x=[b.score for b in trust.reliability],
        y=[b.joints / max(1, trust.joints) for b in trust.reliability],
        width=[0.8 * (b.high - b.low) for b in trust.reliability],
        name="share of the joints",
        customdata=steps,
        marker_color="#9AA3B2",
        opacity=0.35,
        hovertemplate="score %{x:.2f}: %{y:.1%} of the joints<extra></extra>",
    )
    if trust.curve:
        score, right = np.array(trust.curve).T
        figure.add_scatter(
            x=score,
            y=right,
            mode="lines",
            line={"shape": "hv", "color": shown.colour, "dash": "dot"},
            name="monotone fit",
        )
    figure.add_scatter(
        x=[b.score for b in trust.reliability],
        y=[b.right for b in trust.reliability],
        mode="markers+lines",
        line={"color": shown.colour},
        marker={"size": 8},
        name="right",
        customdata=steps,
        hovertemplate="score %{x:.2f}: %{y:.0%} right<extra></extra>",
    )
    if np.isfinite(trust.recommended.value):
        figure.add_vline(trust.recommended.value, line_dash="dash", line_color=ink())
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return laid_out(figure, f"{shown.title}: trust in the score", kind, "within KS 0.5", 340)


def coverage_chart(models: Models) -> go.Figure:
    """Precision against coverage as the threshold moves."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for shown in models.values():
        rows = shown.accuracy.trust.thresholds
        figure.add_scatter(
            x=[row.coverage for row in rows],
            y=[row.precision for row in rows],
            mode="lines",
            line={"color": shown.colour, "dash": DASHES[shown.variant], "width": 2.5},
            name=shown.title,
            customdata=[[row.threshold, row.f1] for row in rows],
            hovertemplate=(
                f"{shown.title}: threshold %{{customdata[0]:.2f}}, precision %{{y:.0%}}, "
                "coverage %{x:.0%}, F1 %{customdata[1]:.2f}<extra></extra>"
            ),
        )
    figure.update_xaxes(tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(tickformat=".0%")
    return laid_out(
        figure,
        "Precision against coverage",
        "coverage: joints shown",
        "precision: of them right",
        360,
    )


def _filled(shown: Shown) -> dict[str, Any]:
    """A bar's colour, and the pattern that tells variants of a family apart beside their shade."""
    pattern = {"shape": FILLS[shown.variant], "fgcolor": "rgba(255,255,255,0.8)", "size": 6}
    return {"color": shown.colour, "pattern": pattern}


def _intervals(figures: Sequence[Figure]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [f.high - f.value if f.known else 0 for f in figures],
        "arrayminus": [f.value - f.low if f.known else 0 for f in figures],
        "thickness": 1.5,
        "color": ink(),
    }


def laid_out(figure: go.Figure, title: str, x: str, y: str, height: int) -> go.Figure:
    """The chart with its title, axes and legend where every chart has them."""
    font = {"size": 13, "color": ink()}
    figure.update_layout(
        title={"text": title, "font_size": 15, "y": 1, "yanchor": "top", "pad": {"t": 12}},
        height=height,
        margin={"l": 8, "r": 8, "t": 48, "b": 8},
        xaxis_title={"text": x, "font": font},
        yaxis_title={"text": y, "font": font},
        legend=legend_below(),
        bargap=0.2,
    )
    figure.update_xaxes(automargin=True, tickfont=font)
    figure.update_yaxes(automargin=True, tickfont=font)
    if any(getattr(trace, "orientation", None) == "h" for trace in figure.data):
        figure.update_yaxes(autorange="reversed")  # from the top, as one reads
    return figure
