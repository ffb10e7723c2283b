"""Charts of a benchmark: boxes and curves of latency, stages, memory, accuracy, machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from estimators.registry import MODELS
from estimators.workflows.benchmark import figures
from estimators.workflows.benchmark.result import STAGES, Benchmark, Measured
from estimators.workflows.benchmark.tradeoff import Choice
from pages.ui.benchmark.tables import row_names
from pages.ui.charts import STAGES as PATTERNS
from pages.ui.colours import colours, ink
from pages.ui.evaluate.charts import laid_out

if TYPE_CHECKING:
    import plotly.graph_objects as go

_GREY = "#8A93A3"
_PATTERNS = PATTERNS | {"transport": "x"}
# Where the slowest takes so many times as long as the quickest, the axis is logarithmic.
_FAR_APART = 12.0
_MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
_MACHINES = ("#4C78A8", "#E0873D", "#54A24B", "#B279A2", "#9D755D", "#72B7B2", "#EECA3B", "#D4636F")
_ROW = 46
# Of the longest bar, with room for its number on a narrow screen.
_LABEL = 1.4


def box_chart(models: Sequence[Measured]) -> go.Figure:
    """One box a model: quartiles, whiskers to the last call within 1.5 of their distance."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for one, name, colour in _coloured(models):
        figure.add_box(
            x=one.calls.latency(),
            name=name,
            orientation="h",
            marker={"color": colour, "size": 4},
            line={"color": colour},
            boxpoints="outliers",
            showlegend=False,
        )
    _time_axis(figure, [one.calls.latency() for one in models])
    return laid_out(figure, "Latency", "latency, ms", "", 110 + _ROW * len(models))


def ecdf_chart(models: Sequence[Measured]) -> go.Figure:
    """The share of the calls that took at most so long, one curve a model."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for one, name, colour in _coloured(models):
        times = np.sort(one.calls.latency())
        figure.add_scatter(
            x=times,
            y=np.arange(1, len(times) + 1) / len(times),
            mode="lines",
            line={"shape": "hv", "color": colour, "width": 2.5},
            name=name,
            hovertemplate=f"{name}: %{{y:.0%}} within %{{x:.1f}} ms<extra></extra>",
        )
    _time_axis(figure, [one.calls.latency() for one in models])
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return laid_out(figure, "How many calls are done by then", "latency, ms", "", 330)


def stages_chart(models: Sequence[Measured]) -> go.Figure:
    """One bar a model, stacked by stage."""
    import plotly.graph_objects as go

    stages = [figures.stages(one.calls) for one in models]
    names = [name for _, name, _ in _coloured(models)]
    tints = [colour for _, _, colour in _coloured(models)]
    figure = go.Figure()
    for stage in STAGES:
        pattern = {"shape": _PATTERNS[stage], "fgcolor": "rgba(255,255,255,0.8)", "size": 6}
        figure.add_bar(
            y=names,
            x=[times[stage] for times in stages],
            orientation="h",
            showlegend=False,
            marker={"color": tints, "pattern": pattern},
            hovertemplate=f"%{{y}}: {stage} %{{x:.2f}} ms<extra></extra>",
        )
        figure.add_bar(
            y=[None],
            x=[None],
            orientation="h",
            name=stage,
            marker={"color": _GREY, "pattern": {"shape": _PATTERNS[stage], "size": 6}},
        )
    totals = [sum(times.values()) for times in stages]
    _label(figure, names, totals, "{:.1f} ms")
    figure.update_layout(barmode="stack", xaxis_range=[0, _LABEL * max(totals)])
    return laid_out(figure, "Stages of the whole", "time, ms", "", 190 + _ROW * len(models))


def memory_chart(models: Sequence[Measured]) -> go.Figure:
    """Two bars a model: after warm-up, and the most it ever held."""
    import plotly.graph_objects as go

    titles = [name for _, name, _ in _coloured(models)]
    tints = [colour for _, _, colour in _coloured(models)]
    now = [one.pss_mb or 0.0 for one in models]
    peak = [one.peak_mb or 0.0 for one in models]
    figure = go.Figure()
    for name, values, shape in (("after warm-up", now, ""), ("peak", peak, "/")):
        pattern = {"shape": shape, "fgcolor": "rgba(255,255,255,0.8)", "size": 6}
        figure.add_bar(
            y=titles,
            x=values,
            orientation="h",
            showlegend=False,
            marker={"color": tints, "pattern": pattern},
            text=[f"{value:.0f} MB" if value else "" for value in values],
            textposition="outside",
            textfont={"color": ink()},
            cliponaxis=False,
            hovertemplate=f"%{{y}}: {name} %{{x:.0f}} MB<extra></extra>",
        )
        figure.add_bar(
            y=[None],
            x=[None],
            orientation="h",
            name=name,
            marker={"color": _GREY, "pattern": {"shape": shape, "size": 6}},
        )
    figure.update_layout(barmode="group", xaxis_range=[0, _LABEL * max([*now, *peak, 1.0])])
    return laid_out(figure, "Memory of the process", "memory, MB", "", 140 + 60 * len(models))


def tradeoff_chart(choices: Sequence[Choice]) -> go.Figure:
    """AP against latency: one mark a test set, those nobody beats ringed and joined."""
    import plotly.graph_objects as go

    figure = go.Figure()
    tints = _tints([choice.model for choice in choices])
    for mark, test_set in zip(_MARKS * 9, dict.fromkeys(c.test_set for c in choices), strict=False):
        of_set = [choice for choice in choices if choice.test_set == test_set]
        front = sorted((c for c in of_set if c.front), key=lambda c: c.latency_ms)
        figure.add_scatter(
            x=[c.latency_ms for c in front],
            y=[c.accuracy.value for c in front],
            mode="lines",
            line={"color": ink(), "width": 1.5, "dash": "dot"},
            showlegend=False,
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=[c.latency_ms for c in of_set],
            y=[c.accuracy.value for c in of_set],
            mode="markers+text",
            name=_plain(test_set),
            text=[_plain(c.title).replace(" ", "<br>", 1) for c in of_set],
            textposition="top center",
            textfont={"size": 12, "color": ink()},
            cliponaxis=False,
            marker={
                "symbol": mark,
                "size": 14,
                "color": [tints[c.model] for c in of_set],
                "line": {"color": ink(), "width": [3 if c.front else 0 for c in of_set]},
            },
            error_y=_intervals(of_set),
            hovertemplate="%{text}: %{x:.1f} ms, AP %{y:.3f}<extra></extra>",
        )
    _time_axis(figure, [np.array([c.latency_ms for c in choices])], room=1.35)
    highest = max(c.accuracy.value for c in choices)
    figure.update_yaxes(range=[0, min(1.0, 1.25 * highest + 0.05)])
    return laid_out(figure, "Accuracy against latency", "latency, ms", "AP", 440)


def machines_chart(every: Mapping[str, Benchmark]) -> go.Figure:
    """Each model's median on each machine, with the number of threads that was fastest there.

    What was measured while other work ran has the tables' mark.
    """
    import plotly.graph_objects as go

    titles = list(dict.fromkeys(_plain(m.title) for b in every.values() for m in b.measured))
    figure, slowest = go.Figure(), 0.0
    for (name, benchmark), colour in zip(every.items(), _MACHINES * 2, strict=False):
        best: dict[str, tuple[float, str]] = {}
        for one in benchmark.measured:
            title, busy = _plain(one.title), "*" if benchmark.busy(one) else ""
            found = (figures.latency(one.calls).median_ms, busy)
            best[title] = min(found, best.get(title, found))
        known = [title for title in titles if title in best]
        slowest = max(slowest, *(ms for ms, _ in best.values()))
        figure.add_bar(
            y=known,
            x=[best[title][0] for title in known],
            orientation="h",
            name=_plain(name),
            marker_color=colour,
            text=[f"{ms:.1f}{busy}" for ms, busy in map(best.__getitem__, known)],
            textposition="outside",
            textfont={"color": ink()},
            cliponaxis=False,
            hovertemplate=f"%{{y}}: %{{x:.1f}} ms<extra>{_plain(name)}</extra>",
        )
    figure.update_xaxes(range=[0, _LABEL * slowest])
    height = 140 + len(titles) * (24 * len(every) + 20)
    heading = "Median latency with the threads that are fastest"
    return laid_out(figure, heading, "latency, ms", "", height)


def _intervals(choices: Sequence[Choice]) -> dict[str, object]:
    known = [c.accuracy if c.accuracy.known else None for c in choices]
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if f is None else f.high - f.value for f in known],
        "arrayminus": [0 if f is None else f.value - f.low for f in known],
        "thickness": 1.2,
        "color": ink(),
    }


def _label(figure: go.Figure, titles: Sequence[str], values: Sequence[float], shown: str) -> None:
    figure.add_scatter(
        y=titles,
        x=values,
        mode="text",
        text=[" " + shown.format(value) for value in values],
        textposition="middle right",
        textfont={"size": 13, "color": ink()},
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )


def _time_axis(figure: go.Figure, times: Sequence[np.ndarray], room: float = 1.1) -> None:
    """From nothing, or logarithmic where models are far apart."""
    medians = [float(np.median(each)) for each in times] if len(times) > 1 else list(times[0])
    low, high = min(float(t.min()) for t in times), max(float(t.max()) for t in times)
    if max(medians) > _FAR_APART * min(medians):
        low, high = low / room, high * room
        steps = [step * 10.0**power for power in range(-2, 6) for step in (1, 2, 5)]
        ticks = [tick for tick in steps if low <= tick <= high]
        span = [np.log10(low), np.log10(high)]
        texts = [f"{tick:g}" for tick in ticks]
        figure.update_xaxes(type="log", range=span, tickvals=ticks, ticktext=texts)
    else:
        figure.update_xaxes(range=[0, high * room])


def _coloured(models: Sequence[Measured]) -> list[tuple[Measured, str, str]]:
    """Each with its name as a row and its colour."""
    tints = _tints([one.model for one in models])
    named = zip(models, row_names(models), strict=True)
    return [(one, _plain(name), tints[one.model]) for one, name in named]


def _tints(models: Sequence[str]) -> dict[str, str]:
    """Each model's colour; grey for one that only another machine's file knows."""
    known = colours([MODELS[model] for model in models if model in MODELS])
    return {model: known.get(model, _GREY) for model in models}


def _plain(text: str) -> str:
    """What a file says, or is called, where Plotly would take it for markup."""
    return text.replace("<", "‹").replace(">", "›").replace("%{", "% {")
