"""What the overlays do not show: numbers, agreement, cost, the third dimension."""

from __future__ import annotations

import streamlit as st

from pages.ui import engine
from pages.ui.charts import CONFIG, latency_chart, matrix_chart, memory_chart
from pages.ui.comparison import Comparison
from pages.ui.tables import DISTANCE, cost_table, joint_table, people_table

_SCORE_FORMAT = {"confidence": "%.2f", "visibility": "%.2f", "logit": "%.1f"}


def results(comparison: Comparison) -> None:
    """Tabs, of which only the open one is computed."""
    names = ["Joints", "Agreement", "Speed and memory"]
    views = [_joints, _agreement, _cost]
    if any(r.estimate.poses.world_m is not None for r in comparison.results.values()):
        from pages.ui.world import world_view

        names.append("3-D")
        views.append(world_view)
    tabs = st.tabs(names, key="view", on_change="rerun")
    for tab, view in zip(tabs, views, strict=True):
        if tab.open:
            with tab:
                view(comparison)


def choose_person(comparison: Comparison, place: str) -> int | None:
    """Index of the person to look at; None where nobody was found."""
    people = len(comparison.groups)
    if people == 0:
        st.info(
            "No model found anybody above its thresholds. Lower them in the sidebar, or try "
            "another picture.",
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


def _joints(comparison: Comparison) -> None:
    person = choose_person(comparison, "joints")
    if person is None:
        return
    table = joint_table(comparison, person)
    config = {}
    for column, (_title, quantity) in enumerate(table.columns, 1):
        form = _SCORE_FORMAT.get(quantity, "%.2f" if quantity == DISTANCE else "%.1f")
        config[column] = st.column_config.NumberColumn(format=form)
    st.dataframe(
        table,
        column_config=config,
        height=460,
        key="joints_table",
        alt="Score, position and agreement of every joint for each model",
    )
    st.caption(
        "Scores are each model's own: "
        + "; ".join(
            f"{kind} is {meaning}"
            for kind, meaning in {s.score_kind: s.score_meaning for s in comparison.specs}.items()
        )
        + ". Never compare them across models. *apart*: distance from where the other models put "
        "the joint, in torso lengths; empty where a joint is hidden by its threshold or no other "
        "model has it."
    )


def _agreement(comparison: Comparison) -> None:
    left, right = st.columns(2)
    titles = [spec.title for spec in comparison.specs]
    matrix = comparison.matrix
    with left:
        st.plotly_chart(
            matrix_chart(titles, matrix.oks, "Agreement, OKS (1 = the same)", True),
            config=CONFIG,
            key="oks_chart",
        )
    with right:
        st.plotly_chart(
            matrix_chart(
                titles, matrix.distance, "Median distance, torso lengths (0 = the same)", False
            ),
            config=CONFIG,
            key="distance_chart",
        )
    st.dataframe(people_table(comparison), key="people_table")


def _cost(comparison: Comparison) -> None:
    left, right = st.columns([3, 2])
    statuses = {status.model: status for status in engine.runner().status()}
    memory = {
        key: status.pss_mb or status.rss_mb
        for key, status in statuses.items()
        if status.pss_mb or status.rss_mb
    }
    with left:
        st.plotly_chart(
            latency_chart(comparison.specs, comparison.results, comparison.colours),
            config=CONFIG,
            key="latency_chart",
        )
    with right:
        st.plotly_chart(
            memory_chart(comparison.specs, memory, comparison.colours),
            config=CONFIG,
            key="memory_chart",
        )
    st.dataframe(cost_table(comparison, statuses), key="cost_table")
