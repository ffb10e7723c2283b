"""Shows a chart in the look of the pages, and has it drawn once.

Streamlit hands each figure to Plotly once more, as a copy, as soon as its chart is there.  Plotly
takes a copy of a template for a new one, and so it does with copies of data unless a revision says
otherwise: it would draw everything again.  So there is no template, which is how Streamlit brings
its own look, and one revision: a figure with other data is another element, which starts anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.colours import ink, of_theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

# A saved chart is drawn without the page's own font: in another, wider one words that were measured
# on the page would overprint each other.  A machine has one of these, or what it takes for them.
_FONT = {"family": "Arial, Helvetica, sans-serif"}
# The camera button of the chart saves a picture; nothing else of the tool bar is needed.
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtons": [["toImage", "resetScale2d"]],
    "toImageButtonOptions": {"format": "png", "scale": 2},
    "responsive": True,
}
CONFIG_3D = CONFIG | {"modeBarButtons": [["toImage", "resetCameraDefault3d"]]}


def plot(figure: go.Figure, key: str, alt: str, **how: Any) -> None:
    """`st.plotly_chart`; what the figure says of its look counts more than the pages' look.

    Args:
        alt: what is to be seen, in words.
        how: further arguments of `st.plotly_chart`.
    """
    own = figure.layout.to_plotly_json()
    own.pop("template", None)  # plotly.py gives one to every figure
    figure.layout = over(_look("scene" in own), own)
    figure.layout.template = None
    # A pattern lies over a bar's colour; without a template it would stand in its place.
    figure.update_traces(
        marker_pattern={"fillmode": "overlay", "solidity": 0.2}, selector={"type": "bar"}
    )
    if any(t.type in ("bar", "box") and t.orientation == "h" for t in figure.data):
        # Lines are to read values by: not needed where these stand there, and never along the rows,
        # each of which has its name however low the chart.
        told = any(getattr(trace, "text", None) is not None for trace in figure.data)
        figure.update_xaxes(showgrid=not told).update_yaxes(showgrid=False, dtick=1)
    st.plotly_chart(figure, theme=None, key=key, alt=alt, **{"config": CONFIG} | how)


def over(general: Mapping[str, Any], special: Mapping[str, Any]) -> dict[str, Any]:
    """Both, with `special` where they differ, in all depths."""
    both = dict(general) | dict(special)
    for key in general.keys() & special.keys():
        if isinstance(general[key], Mapping) and isinstance(special[key], Mapping):
            both[key] = over(general[key], special[key])
    return both


def _look(in_space: bool) -> dict[str, Any]:
    ground, lines = of_theme("backgroundColor"), of_theme("borderColor")
    small = {"size": 11, "color": ink()}
    axis = {
        "gridcolor": lines,
        "zerolinecolor": lines,
        "tickcolor": lines,
        "tickfont": small,
        "title": {"font": {"size": 13, "color": ink()}, "standoff": 20},
        "automargin": True,
    }
    flat = {} if in_space else {"xaxis": {"showgrid": False, "zeroline": False}, "yaxis": {}}
    return {
        "font": small | _FONT,
        "datarevision": 1,
        "autotypenumbers": "strict",
        "paper_bgcolor": ground,
        "plot_bgcolor": ground,
        "title": {
            "font": {"size": 15, "color": of_theme("textColor"), "weight": 700},
            "pad": {"l": 4},
            "xanchor": "left",
            "x": 0,
        },
        "legend": {"valign": "top", "font": small},
        "margin": {"pad": 8},
        "hoverlabel": {"bgcolor": ground, "bordercolor": lines, "font": small},
        **{name: axis | own for name, own in flat.items()},
    }
