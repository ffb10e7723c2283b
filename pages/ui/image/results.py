"""What the overlays do not show: numbers, agreement, cost, the third dimension."""

from __future__ import annotations

import streamlit as st

from estimators.media.picture_size import kept_size
from pages.ui import engine
from pages.ui.charts import CONFIG, latency_chart, matrix_chart, memory_chart
from pages.ui.image.comparison import Comparison
from pages.ui.image.tables import MEMORY, cost_table, joint_table, people_table, styled
from pages.ui.image.world import world_view


def results(comparison: Comparison) -> None:
    """Tabs, of which only the open one is computed; which one that is, is kept in the address."""
    views = {
        "Joints": _joints,
        "Agreement": _agreement,
        "Speed and memory": _cost,
        "3-D": world_view,
    }
    for tab, view in zip(
        st.tabs(list(views), key="view", bind="query-params"), views.values(), strict=True
    ):
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
    st.dataframe(
        styled(comparison, table, person),
        height=min(38 * (len(table) + 2), 640),
        placeholder="–",
        key="joints_table",
        alt="Score, position and agreement of every joint for each model",
    )
    _doubts(comparison, person)
    kinds = {spec.score_kind: spec.score_meaning for spec in comparison.specs}
    st.caption(
        "Scores are each model's own: "
        + "; ".join(f"{kind} is {meaning}" for kind, meaning in kinds.items())
        + ". Never compare them across models. Grey: under the threshold. *apart*: distance "
        "from where the other families put the joint, in torso lengths; empty where a joint is "
        "hidden by its threshold or no other model has it."
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
    distance_title = "Median distance, torso lengths (0 = the same)"
    distance = matrix_chart(titles, matrix.distance, distance_title, False)
    left, right = st.columns(2)
    left.plotly_chart(
        oks,
        config=CONFIG,
        key="oks_chart",
        alt="Heat map of the agreement of every model with every other, in OKS",
    )
    right.plotly_chart(
        distance,
        config=CONFIG,
        key="distance_chart",
        alt="Heat map of the median joint distance between every two models, in torso lengths",
    )
    _people(comparison)


def _people(comparison: Comparison) -> None:
    table = people_table(comparison)
    st.dataframe(
        table,
        column_config={name: st.column_config.NumberColumn(format="%.2f") for name in table},
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
        st.plotly_chart(
            latency_chart(comparison.specs, comparison.results, comparison.colours),
            config=CONFIG,
            key="latency_chart",
            alt="Stacked bars of each model's latency by stage, in milliseconds",
        )
    with right:
        st.plotly_chart(
            memory_chart(comparison.specs, engine.memory_mb(), comparison.colours),
            config=CONFIG,
            key="memory_chart",
            alt="Bars of the memory of each model's process, in megabytes",
        )
    table = cost_table(comparison, statuses)
    st.dataframe(
        table,
        column_config={
            name: st.column_config.NumberColumn(format="%.0f" if name == MEMORY else "%.1f")
            for name in table
        },
        placeholder="–",
        key="cost_table",
        alt="Time of every stage, transport, cold start and memory of each model",
    )
    _disturbed(comparison, [s.model for s in statuses if s.start_busy])
    size = comparison.picture.size
    given = kept_size(size)
    smaller = f", given to the models in {given[0]}×{given[1]}," if given != size else ""
    st.caption(
        f"One picture of {size[0]}×{size[1]} pixels{smaller} "
        "on the machine that runs this dashboard, one model at a time, the median of up to five "
        "calls. Times measured while other work ran are marked until it is quiet. Transport, the "
        "frame's way to the model's process and back, is not part of the total. The first call "
        "after loading is slower and stands apart. Memory counts shared pages by share."
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
