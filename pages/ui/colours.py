"""One colour a model, everywhere."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from estimators.registry import ModelSpec, Theme
from estimators.render import style


def colours(specs: Sequence[ModelSpec]) -> dict[str, str]:
    """#rrggbb a model: its family's colour, shades of it where a family is compared with itself."""
    return style.model_colours([spec.key for spec in specs], _theme())


def family_colour(family: str) -> str:
    """#rrggbb of a family's first model."""
    return style.family_colour(family, theme=_theme())


def variants(specs: Sequence[ModelSpec]) -> dict[str, int]:
    """Which of its family each model of one comparison is, from 0: the form of its joints."""
    return style.model_variants([spec.key for spec in specs])


def ink() -> str:
    """#rrggbb of axis labels and ticks: Streamlit's own are too pale to read on white."""
    return "#C9D0DC" if _theme() == "dark" else "#434B59"


def faint() -> str:
    """#rrggbb of what counts less, and has to be read all the same."""
    return "#9AA3B2" if _theme() == "dark" else "#5F6878"


def _theme() -> Theme:
    """The theme of the person's browser."""
    return "dark" if st.context.theme.type == "dark" else "light"


def heading(title: str, colour: str) -> None:
    """A model's name with its colour beside it."""
    st.html(
        f'<div style="font-weight:600;line-height:1.4"><span aria-hidden="true" '
        f'style="display:inline-block;width:.75em;height:.75em;border-radius:50%;'
        f'background:{colour};margin-right:.45em"></span>{html.escape(title)}</div>'
    )
