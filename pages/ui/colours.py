"""One colour a model, everywhere."""

from __future__ import annotations

import base64
import html
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from estimators.registry import ModelSpec, Theme
from estimators.render import style
from estimators.render.marks import CORNERS


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


def of_theme(option: str) -> str:
    """#rrggbb that the person's theme has in `.streamlit/config.toml`, such as "textColor".

    Streamlit reads that file only where the app was started from its folder; else it is read here.
    """
    known = st.get_option(f"theme.{_theme()}.{option}")
    return str(known or _own_themes()[_theme()][option])


@cache
def _own_themes() -> dict[str, Any]:
    file = Path(__file__).resolve().parents[2] / ".streamlit/config.toml"
    themes: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))["theme"]
    return themes


def _theme() -> Theme:
    """The theme of the person's browser."""
    return "dark" if st.context.theme.type == "dark" else "light"


def swatch(colour: str, variant: int = 0) -> str:
    """A piece of a limb with its joint, as `viewer/forms.js` draws it for the overlays; HTML.

    Streamlit takes SVG out of HTML, but leaves pictures.
    """
    core = style.CORES[variant % len(style.CORES)]
    line = 'x1="2" x2="32" y1="7" y2="7"'
    dots = ' stroke-dasharray="1.4 4"' if core == "light dots" else ""
    shade = "#10141b" if core == "dark" else "#ffffff"
    middle = f'<line {line} stroke="{shade}" stroke-width="1.4"{dots}/>' if core else ""
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 34 14" width="34" height="14"><line '
        f'{line} stroke="{colour}" stroke-width="4"/>{middle}{_joint(variant, colour)}</svg>'
    )
    data = base64.b64encode(drawing.encode()).decode()
    return f'<img class="swatch" alt="" src="data:image/svg+xml;base64,{data}">'


def _joint(variant: int, colour: str) -> str:
    form = style.JOINT_FORMS[variant % len(style.JOINT_FORMS)]
    if form == "circle":
        return f'<circle cx="17" cy="7" r="5" fill="{colour}"/>'
    corners = " ".join(f"{17 + 5 * x:g},{7 + 5 * y:g}" for x, y in CORNERS[form].tolist())
    return f'<polygon points="{corners}" fill="{colour}"/>'


def heading(title: str, colour: str, variant: int = 0) -> None:
    """A model's name with its mark beside it, as on the overlays."""
    st.html(heading_html(title, colour, variant))


def heading_html(title: str, colour: str, variant: int = 0) -> str:
    """`heading` as HTML, for a text that begins with it."""
    return f'<div class="model-heading">{swatch(colour, variant)}{html.escape(title)}</div>'
