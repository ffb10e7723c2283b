"""The pose in space, in metres, of the models that estimate it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from estimators.registry import MODELS, ModelSpec
from pages.ui.colours import ink
from pages.ui.image.comparison import Comparison
from pages.ui.nobody import listed, why_nobody
from pages.ui.plotting import CONFIG_3D, plot

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Where the viewer stands, in longest sides of the box that is drawn, and what is up on the screen.
_VIEWS = {
    "Three-quarter": ((0.95, -2.0, 0.35), (0, 0, 1)),
    "Front": ((0, -1.9, 0), (0, 0, 1)),
    "Side": ((1.9, 0, 0), (0, 0, 1)),
    "Above": ((0, 0, 1.7), (0, 1, 0)),
}
# A little air around the person, and no side of the box under half of the longest one.
_MARGIN, _NARROWEST = 1.1, 0.5
# Between ticks, the same in all directions: so wide that the longest side has four at most.
_STEPS_M, _MOST_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0), 4


def world_view(comparison: Comparison) -> None:
    """A figure that can be turned; one person at a time, all models that have world landmarks."""
    numbers = [n for n in range(len(comparison.groups)) if _in_space(comparison, n)]
    if not numbers:
        st.info(why_none(comparison), icon=":material/view_in_ar:")
        return
    if len(numbers) < len(comparison.groups):
        st.caption(_others(comparison, numbers))
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        person = _choose_person(numbers)
        view = st.segmented_control(
            "View",
            list(_VIEWS),
            default=next(iter(_VIEWS)),
            required=True,
            key="world_view",
            label_visibility="collapsed",
        )
    plot(
        world_chart(comparison, person, view),
        "world_chart",
        f"Joints of person {person + 1} in space, in metres around the middle of the hips",
        config=CONFIG_3D,
    )
    st.caption(
        "Metres around the middle of the hips, guessed from one camera: good for the shape of a "
        "pose, not for measuring. Drag to turn, scroll to zoom, or choose a view. Right limbs are "
        "dashed."
    )


def _in_space(comparison: Comparison, person: int) -> list[str]:
    """The models that give joints in metres of a person, an index into `comparison.groups`."""
    members = comparison.groups[person].members
    worlds = {key: comparison.people[key].world_m for key in members}
    return [
        key
        for key, world_m in worlds.items()
        if world_m is not None and np.isfinite(world_m[members[key]]).any()
    ]


def why_none(comparison: Comparison) -> str:
    """Why there is nobody to be seen in space, in words."""
    with_depth = [spec for spec in comparison.settings.specs() if spec.gives_3d]
    if not with_depth:
        return (
            f"None of the chosen models gives joints in 3-D. {_families_with_depth()} does: choose "
            "one in the sidebar."
        )
    reasons = why_nobody(comparison.settings, with_depth, comparison.estimates)
    flat = [s.title for s in with_depth if comparison.people.get(s.key)]
    reasons += [f"{title} gave no joints in metres for whom it found." for title in flat]
    return listed("Nobody can be shown in 3-D.", reasons)


def _others(comparison: Comparison, numbers: list[int]) -> str:
    """Who is not shown, and why."""
    flat = [str(n + 1) for n in range(len(comparison.groups)) if n not in numbers]
    models = [s.title for s in comparison.specs if s.gives_3d]
    return (
        f"Without person {', '.join(flat)}: only models without 3-D show them. "
        f"{' and '.join(models)} {'does' if len(models) == 1 else 'do'} not see them there."
    )


def _families_with_depth() -> str:
    return " or ".join(dict.fromkeys(spec.family for spec in MODELS.values() if spec.gives_3d))


def _choose_person(numbers: list[int]) -> int:
    if len(numbers) == 1:
        return numbers[0]
    return st.pills(
        "Person",
        numbers,
        format_func=lambda n: f"Person {n + 1}",
        default=numbers[0],
        required=True,
        key=f"person_world_{'_'.join(map(str, numbers))}",
        label_visibility="collapsed",
    )


def world_chart(comparison: Comparison, person: int, view: str) -> go.Figure:
    """Joints and bones of one person; z is up, x as in the picture, y away from the camera.

    Args:
        person: index into `comparison.groups`.
        view: a key of `_VIEWS`; the person turns on from there.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    group, drawn = comparison.groups[person], []
    for key in _in_space(comparison, person):
        world_m = comparison.people[key].world_m
        assert world_m is not None
        drawn.append(world_m[group.members[key]])
        _add_person(figure, MODELS[key], drawn[-1], comparison.colours[key])
    figure.update_layout(
        title={"text": f"Person {person + 1} in space", "font_size": 15},
        height=560,
        margin={"l": 0, "r": 0, "t": 44, "b": 0},
        legend={
            "orientation": "h",
            "x": 1,
            "xanchor": "right",
            "y": 1,
            "yanchor": "bottom",
            "itemsizing": "constant",
            "font": {"size": 13, "color": ink()},
        },
        scene=_scene(np.concatenate(drawn), view),
        uirevision=view,
    )
    return figure


def _scene(world_m: NDArray[np.float32], view: str) -> dict[str, Any]:
    """A box to scale around everybody drawn, so that no end of a pose is cut off."""
    low, high = np.nanmin(world_m, axis=0), np.nanmax(world_m, axis=0)
    middle, half = (low + high) / 2, _MARGIN * (high - low) / 2
    half = np.maximum(half, _NARROWEST * half.max())
    widest = float(2 * half.max())
    step = next((s for s in _STEPS_M if widest < s * _MOST_STEPS), widest / 2)
    axes, share = {}, {}
    # Ours is z up, the models' is y down and z away.
    for axis, title, k, sign in (("x", "right", 0, 1), ("y", "depth", 2, 1), ("z", "up", 1, -1)):
        centre = sign * float(middle[k])
        axes[f"{axis}axis"] = {
            "title": {"text": f"{title}, m", "font": {"color": ink()}},
            "range": [centre - float(half[k]), centre + float(half[k])],
            "tickfont": {"color": ink()},
            "dtick": step,
        }
        share[axis] = float(half[k] / half.max())
    eye, up = (dict(zip("xyz", vector, strict=True)) for vector in _VIEWS[view])
    return {"aspectmode": "manual", "aspectratio": share, "camera": {"eye": eye, "up": up}, **axes}


def _add_person(
    figure: go.Figure, spec: ModelSpec, world_m: NDArray[np.float32], colour: str
) -> None:
    x, y, z = world_m.T
    right = {name for _, name in spec.skeleton.mirror}
    for dash, bones in _by_side(spec.skeleton.bones, right).items():
        ends = [spec.skeleton.index(joint) for bone in bones for joint in bone]
        figure.add_scatter3d(
            x=_gapped(x[ends]),
            y=_gapped(z[ends]),
            z=_gapped(-y[ends]),
            mode="lines",
            line={"color": colour, "width": 6, "dash": dash},
            showlegend=False,
            hoverinfo="skip",
        )
    figure.add_scatter3d(
        x=x,
        y=z,
        z=-y,
        mode="markers",
        marker={"color": colour, "size": 4},
        name=spec.title,
        text=[joint.replace("_", " ") for joint in spec.skeleton.joints],
        hovertemplate="%{text}<br>%{x:.2f}, %{y:.2f}, %{z:.2f} m<extra></extra>",
        showlegend=True,
    )


def _by_side(
    bones: tuple[tuple[str, str], ...], right: set[str]
) -> dict[str, list[tuple[str, str]]]:
    dashed = [bone for bone in bones if set(bone) <= right]
    return {"solid": [bone for bone in bones if bone not in dashed], "dash": dashed}


def _gapped(ends: NDArray[np.float32]) -> list[float | None]:
    """Pairs of ends with a gap behind each, so that bones are not joined by lines."""
    pairs = ends.astype(float).reshape(-1, 2).tolist()
    return [value for a, b in pairs for value in (a, b, None)]
