"""What the overlays do not show: numbers, agreement, cost, the third dimension."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from estimators.media.picture_size import kept_size
from pages.ui import engine
from pages.ui.charts import latency_chart, matrix_chart, memory_chart
from pages.ui.columns import explained
from pages.ui.image.comparison import Comparison
from pages.ui.image.tables import (
    DEVICE,
    MEASURED,
    PICKED,
    TINTS,
    column_meanings,
    cost_table,
    joint_table,
    people_table,
    styled,
)
from pages.ui.image.world import world_view
from pages.ui.nobody import listed, why_nobody
from pages.ui.plotting import plot
from pages.ui.tabs import tabs
from pages.ui.viewer.panels import JointRef

if TYPE_CHECKING:
    import pandas as pd


def results(comparison: Comparison, picked: JointRef | None) -> None:
    """Tabs, of which only the open one is computed; which one that is, is kept in the address.

    Args:
        picked: the joint that is picked on the picture.
    """
    views: dict[str, Callable[[Comparison], None]] = {
        "Joints": partial(_joints, picked=picked),
        "Agreement": _agreement,
        "Speed and memory": _cost,
        "3-D": world_view,
    }
    tabs(views, comparison, "view")


def choose_person(comparison: Comparison, place: str) -> int | None:
    """Index of the person to look at; None where nobody was found."""
    people = len(comparison.groups)
    if people == 0:
        st.info(
            listed(
                "No model shows anybody in this picture.",
                why_nobody(comparison.settings, comparison.specs, comparison.estimates),
            ),
            icon=":material/person_off:",
        )
        return None
    if people == 1:
        return 0
    return st.pills(
        "Person",
        range(people),
        format_func=lambda n: f"Person {n + 1}",
        default=0,
        required=True,
        key=f"person_{place}_{people}",
        label_visibility="collapsed",
    )


def _joints(comparison: Comparison, picked: JointRef | None) -> None:
    person = choose_person(comparison, "joints")
    if person is None:
        return
    table = joint_table(comparison, person)
    st.dataframe(
        styled(comparison, table, person, picked),
        column_config=column_meanings(comparison, table),
        height=min(38 * (len(table) + 2), 640),
        placeholder="–",
        key="joints_table",
        alt="Score, position and agreement of every joint for each model",
    )
    st.html(_key_of_colours())
    _doubts(comparison, person)
    kinds = {spec.score_kind: spec.score_meaning for spec in comparison.specs}
    st.caption(
        "Scores are each model's own: "
        + "; ".join(f"{kind} is {meaning}" for kind, meaning in kinds.items())
        + ". Never compare them across models. *apart*: distance "
        "from where the other families put the joint, in torso lengths; empty where a joint is "
        "hidden by its threshold or no other model has it."
    )


def _key_of_colours() -> str:
    meanings = [(colour, f"{least:g} torso lengths apart or more") for least, colour in TINTS]
    meanings += [("#FFE14D59", "implausible, “?” on the picture")]
    meanings += [("#7C5CFF40", f"{PICKED}the joint picked on the picture")]
    boxes = "".join(
        f'<span style="white-space:nowrap"><span aria-hidden="true" style="display:inline-block;'
        f"width:1.6em;height:.9em;border-radius:.2em;border:1px solid #8A93A3;background:{colour};"
        f'margin-right:.4em;vertical-align:-.1em"></span>{text}</span>'
        for colour, text in meanings
    )
    grey = '<span style="color:#8A93A3">grey: under the threshold</span>'
    return (
        '<div class="key-of-colours" style="display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;'
        f'font-size:.85rem">{boxes}{grey}</div>'
    )


def _doubts(comparison: Comparison, person: int) -> None:
    """What is implausible about this person's poses, model by model."""
    found = [
        f"- {spec.title}: {text}"
        for spec in comparison.specs
        for text in dict.fromkeys(t for n, _, t in comparison.doubts(spec.key) if n == person + 1)
    ]
    if found:
        st.markdown("**Implausible, on yellow and marked “?” on the picture**\n" + "\n".join(found))


def _agreement(comparison: Comparison) -> None:
    titles = [spec.title for spec in comparison.specs]
    matrix = comparison.matrix
    oks = matrix_chart(titles, matrix.oks, "Agreement, OKS (1 = the same)", True)
    distance_title = "Median distance, torsos (0 = the same)"
    distance = matrix_chart(titles, matrix.distance, distance_title, False)
    left, right = st.columns(2)
    with left:
        alt = "Heat map of the agreement of every model with every other, in OKS"
        plot(oks, "oks_chart", alt)
    with right:
        alt = "Heat map of the median joint distance between every two models, in torso lengths"
        plot(distance, "distance_chart", alt)
    _people(comparison)


def _people(comparison: Comparison) -> None:
    table = people_table(comparison)
    st.dataframe(
        table,
        column_config=explained(
            table, {name: st.column_config.NumberColumn(format="%.2f") for name in table}
        ),
        placeholder="–",
        key="people_table",
        alt="The people of the picture, and which model found whom",
    )
    st.caption(
        "Who is the same person: people are matched so that the sum of their OKS is largest. The "
        "models' columns hold their own person scores (never compare them across models), – means "
        "not found. OKS (object keypoint similarity) is COCO's measure, 1 for the same pose, 0 for "
        "nothing in common. Agreement is not accuracy: all may be wrong together."
    )


def _cost(comparison: Comparison) -> None:
    left, right = st.columns([3, 2])
    statuses = engine.runner().status()
    with left:
        plot(
            latency_chart(comparison.specs, comparison.results, comparison.colours),
            "latency_chart",
            "Stacked bars of each model's latency by stage, in milliseconds",
        )
    with right:
        plot(
            memory_chart(comparison.specs, engine.memory_mb(), comparison.colours),
            "memory_chart",
            "Bars of the memory of each model's process, in megabytes",
        )
    _cost_table(cost_table(comparison, statuses))
    _disturbed(comparison, [s.model for s in statuses if s.start_busy])
    _explain_cost(comparison)


def _cost_table(table: pd.DataFrame) -> None:
    st.dataframe(
        table,
        column_config=explained(
            table,
            {
                name: st.column_config.NumberColumn(
                    format="%.0f" if name.endswith("MB") else "%.1f"
                )
                for name in table
                if name not in (DEVICE, MEASURED)
            },
        ),
        placeholder="–",
        key="cost_table",
        alt="Time of every stage, transport, cold start and memory of each model",
    )


def _explain_cost(comparison: Comparison) -> None:
    size = comparison.picture.size
    given = kept_size(size)
    smaller = f", given to the models in {given[0]}×{given[1]}," if given != size else ""
    st.caption(
        f"One picture of {size[0]}×{size[1]} pixels{smaller} "
        "on the machine that runs this dashboard, one model at a time, the median of up to five "
        "warm calls; least and most are their range. Times measured while other work ran are "
        "marked until it is quiet. Transport, the frame's way to the model's process and back, is "
        "not part of the total. The first call "
        "after loading is slower and stands apart. Memory is what the process held right after its "
        "first call, shared pages by share; peak is the most it ever held, shared pages in full."
    )


def _disturbed(comparison: Comparison, starts: list[str]) -> None:
    """What was measured while busy, and the button that measures anew."""
    busy = [spec.title for spec in comparison.specs if comparison.results[spec.key].busy]
    started = [spec.title for spec in comparison.specs if spec.key in starts]
    if busy:
        st.caption(f":material/timer_off: Measured while busy: {', '.join(busy)}.")
    if started:
        titles = ", ".join(started)
        st.caption(f":material/timer_off: Load and first call measured while busy: {titles}.")
    if st.button("Measure again", icon=":material/timer:"):
        engine.forget(comparison.picture, comparison.specs)
        st.rerun()
