"""Tables of an evaluation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from estimators.analysis.accuracy.bootstrap import Figure
from estimators.analysis.accuracy.headline import MEAN_KS, MEDIAN_ERROR, PCK, PCKH
from pages.ui.columns import explained
from pages.ui.evaluate.found import Found

if TYPE_CHECKING:
    import pandas as pd

    from estimators.workflows.evaluate.answers import ModelAnswers

# What is read first, and what stands behind latency and memory.
_FIRST = ("AP", "AP50", "AR", PCK, PCKH, MEAN_KS, MEDIAN_ERROR)
_LAST = ("AP75", "APm", "APl")
_HEADERS = {PCKH: "PCKh@0.5", MEAN_KS: "mean KS", MEDIAN_ERROR: "median error, torsos"}


def headline_table(found: Found) -> pd.DataFrame:
    """One row a model: every figure with its interval, latency and memory."""
    import pandas as pd

    rows = []
    for key, shown in found.models.items():
        answers = found.measured.outcome.models.get(key)
        figures = shown.accuracy.figures
        cost = None if answers is None else answers.cost
        busy = "*" if cost is not None and cost.busy else ""
        rows.append(
            {
                "model": shown.title,
                **{_HEADERS.get(m, m): in_brackets(figures[m]) for m in _FIRST},
                "latency, ms": "–" if cost is None else f"{number(cost.latency_ms, 1)}{busy}",
                "memory, MB": "–" if cost is None else number(cost.memory_mb, 0),
                "device": _device(answers),
                **{m: in_brackets(figures[m]) for m in _LAST},
            }
        )
    table = pd.DataFrame(rows).set_index("model")
    return table[[name for name in table if (table[name] != "–").any()]]


def _device(answers: ModelAnswers | None) -> str:
    return "–" if answers is None or answers.placement is None else answers.placement.computed


def in_brackets(figure: Figure, decimals: int = 2) -> str:
    """ "0.61 (0.52–0.70)"."""
    if math.isnan(figure.value):
        return "–"
    if not figure.known:
        return f"{figure.value:.{decimals}f}"
    return f"{figure.value:.{decimals}f} ({figure.low:.{decimals}f}–{figure.high:.{decimals}f})"


def number(value: float, decimals: int) -> str:
    return "–" if math.isnan(value) else f"{value:,.{decimals}f}"


def show_table(table: pd.DataFrame, key: str, alt: str) -> None:
    right = st.column_config.TextColumn(alignment="right")
    st.dataframe(
        table,
        key=f"evaluate_{key}",
        placeholder="–",
        column_config=explained(table.columns, dict.fromkeys(table.columns, right)),
        alt=alt,
    )
