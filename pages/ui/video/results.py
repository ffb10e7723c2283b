"""What the overlays do not show: scores, agreement, motion, steadiness and speed over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from estimators.skeletons import COCO_17
from estimators.workflows.clip.series import (
    agreement_series,
    latency_series,
    people_worth_listing,
    position_series,
    score_map,
    seen_spans,
)
from pages.ui import memory
from pages.ui.columns import explained
from pages.ui.nobody import listed
from pages.ui.tabs import tabs
from pages.ui.video.absent import why_no_agreement, why_nobody_shown
from pages.ui.video.charts import (
    Ink,
    agreement_chart,
    agreement_lines,
    latency_chart,
    position_chart,
    score_chart,
)
from pages.ui.video.comparison import ClipComparison
from pages.ui.video.linked import linked
from pages.ui.video.stage import go_to
from pages.ui.video.tables import disputed_table, latency_table, not_its_own, steadiness_table
from pages.ui.video.truth import truth
from pages.ui.video.work import how_fast

# People seen in a few frames only are many in a crowd, and of little interest.
_MOST_PEOPLE = 8
_MOST_PARTS = 2
_TIMES = tuple(
    f"{name}, ms"
    for name in ("median", "95th percentile", "least", "most", "first frame", "transport")
)


def results(comparison: ClipComparison) -> None:
    """Tabs, of which only the open one is computed; which one that is, is kept in the address."""
    views = {
        "Agreement": _agreement,
        "Scores": _scores,
        "Motion": _motion,
        "Steadiness": _steadiness,
        "Speed": _speed,
        "Truth": truth,
    }
    tabs(views, comparison, "clip_view")


def _choose_person(comparison: ClipComparison, place: str) -> int | None:
    people = people_worth_listing(comparison.analysis)[:_MOST_PEOPLE]
    if not people:
        st.info(
            listed("No model shows anybody in this clip.", why_nobody_shown(comparison)),
            icon=":material/person_off:",
        )
        return None
    if len(people) == 1:
        return people[0]
    key = f"clip_person_{comparison.job.id[:8]}_{place}"
    if st.session_state.get(key) not in people:
        st.session_state[key] = people[0]
    person: int = st.pills(
        "Person",
        people,
        default=st.session_state[key],
        format_func=lambda n: f"Person {n} · {_when(seen_spans(comparison.analysis, n))}",
        required=True,
        key=key,
        label_visibility="collapsed",
    )
    return person


def _when(spans: Sequence[tuple[float, float]]) -> str:
    """ "0.0-4.2 and 8.0 s"; of many parts only from when to when."""
    if len(spans) > _MOST_PARTS:
        return f"{spans[0][0]:.1f}–{spans[-1][1]:.1f} s, in {len(spans)} parts"
    ends = ([f"{first:.1f}", f"{last:.1f}"] for first, last in spans)
    return " and ".join("–".join(dict.fromkeys(each)) for each in ends) + " s"


def _agreement(comparison: ClipComparison) -> None:
    over_time = comparison.analysis.report.over_time
    if not over_time.pairs or not over_time.people:
        st.info(why_no_agreement(comparison), icon=":material/group_off:")
        return
    person = _choose_person(comparison, "agreement")
    if person is None:
        return
    specs = comparison.specs
    series = {s.key: agreement_series(comparison.analysis, person, s.key) for s in specs}
    lines = agreement_lines(specs, series, _inks(comparison))
    linked(
        comparison,
        agreement_chart(lines, comparison.disputed, person),
        key="agreement_chart",
        alt=f"Agreement of the models on person {person} over time",
    )
    _disputes(comparison)
    st.caption(
        "Click a point of the chart or a row, and the player goes to that frame. OKS (object "
        "keypoint similarity) is COCO's measure, 1 for the same pose, 0 for nothing in common or "
        "where one model loses a person whom it follows before and after. Agreement is not "
        "accuracy: all may be wrong together."
    )


def _disputes(comparison: ClipComparison) -> None:
    if not comparison.disputed:
        st.caption("No frame stands out: in none do the models differ enough to be worth a look.")
        return
    table = disputed_table(comparison.disputed)
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        key="disputed_table",
        on_select=_go_to_row(comparison),
        selection_mode="single-row",
        column_config=explained(
            table,
            {
                "time, s": st.column_config.NumberColumn(format="%.3f"),
                "dispute, 1 − OKS": st.column_config.NumberColumn(format="%.2f"),
                "apart, torsos": st.column_config.NumberColumn(format="%.2f"),
            },
        ),
        alt="The frames in which the models differ most",
    )


def _inks(comparison: ClipComparison) -> dict[str, Ink]:
    colours, variants = comparison.colours, comparison.variants
    return {s.key: Ink(colours[s.key], variants[s.key]) for s in comparison.specs}


def _go_to_row(comparison: ClipComparison) -> Callable[[], None]:
    frames = [frame.frame_index for frame in comparison.disputed]

    def go() -> None:
        rows = st.session_state["disputed_table"].selection.rows
        if rows and rows[0] < len(frames):
            go_to(frames[rows[0]])

    return go


def _scores(comparison: ClipComparison) -> None:
    person = _choose_person(comparison, "scores")
    if person is None:
        return
    dark = st.context.theme.type == "dark"
    blind = []
    for spec in comparison.specs:
        scores = score_map(comparison.analysis, spec.key, person)
        if np.isnan(scores.score).all():
            blind.append(spec.title)
            continue
        linked(
            comparison,
            score_chart(spec, scores, comparison.colours[spec.key], dark),
            key=f"scores_{spec.key}",
            alt=f"{spec.score_kind} of each joint of person {person} over time, {spec.title}",
        )
    if blind:
        st.info(f"Person {person} is not seen by {', '.join(blind)}.", icon=":material/person_off:")
    kinds = {spec.score_kind: spec.score_meaning for spec in comparison.specs}
    st.caption(
        "; ".join(f"{kind.capitalize()} is {meaning}" for kind, meaning in kinds.items())
        + ". Each chart has its model's own scale: never compare them. Where a chart is empty, the "
        "person is not seen."
    )


def _choose_joint() -> tuple[str, bool]:
    """A joint of COCO's, and whether its smoothed way is shown, too."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        joint = st.selectbox(
            "Joint",
            COCO_17.joints,
            COCO_17.index(memory.recall("motion_joint", "left_wrist")),
            format_func=lambda name: name.replace("_", " "),
            key="motion_joint",
            width=220,
        )
        memory.keep("motion_joint", joint)
        smooth = st.toggle(
            "Smoothed (One Euro filter) as a line of its own",
            memory.recall("motion_smooth", False),
            key="motion_smooth",
        )
        memory.keep("motion_smooth", smooth)
    return joint, smooth


def _motion(comparison: ClipComparison) -> None:
    person = _choose_person(comparison, "motion")
    if person is None:
        return
    joint, smooth = _choose_joint()
    analysis, specs = comparison.analysis, comparison.specs
    raw = {s.key: position_series(analysis, s.key, person, joint) for s in specs}
    smoothed = {
        s.key: position_series(analysis, s.key, person, joint, True) if smooth else (None, None)
        for s in specs
    }
    name, inks = joint.replace("_", " "), _inks(comparison)
    if all(np.isnan(x.values).all() for x, _ in raw.values()):
        st.info(f"No model shows the {name} of person {person}.", icon=":material/visibility_off:")
        return
    for i, (axis, side) in enumerate((("x", "to the right"), ("y", "downwards"))):
        lines = {
            s.key: (s.title, inks[s.key], raw[s.key][i], smoothed[s.key][i])
            for s in comparison.specs
        }
        linked(
            comparison,
            position_chart(f"{name} of person {person}, {side}", axis, lines),
            key=f"motion_{axis}",
            alt=f"{axis} of the {name} of person {person} over time",
        )


def _steadiness(comparison: ClipComparison) -> None:
    table = steadiness_table(comparison)
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        key="steadiness_table",
        column_config=explained(
            table,
            dict.fromkeys(
                ("jitter, torsos/s²", "dropout, %"), st.column_config.NumberColumn(format="%.1f")
            ),
        ),
        alt="Jitter, dropouts, identity switches, swaps and limb jumps of each model and person",
    )
    st.caption(
        "Jitter: median acceleration of the joints in torso lengths per s²; real motion adds to "
        "it, so compare models on the same clip only. Dropout: share of the joints hidden or "
        "missing between a person's first and last sighting by any model. Switches: times a model "
        "went over "
        "to this person from another one. Side swaps: frames in which left and right change "
        "places. Limb jumps: frames in which a limb does what no limb can. All at the thresholds "
        "of the sidebar, without ground truth."
    )


def _speed(comparison: ClipComparison) -> None:
    lines = {s.key: latency_series(comparison.analysis, s.key) for s in comparison.specs}
    linked(
        comparison,
        latency_chart(comparison.specs, lines, _inks(comparison)),
        key="clip_latency_chart",
        alt="Latency of each frame over the clip for each model",
    )
    table = latency_table(comparison)
    st.dataframe(
        table,
        placeholder="–",
        key="clip_latency_table",
        column_config=explained(
            table, dict.fromkeys(_TIMES, st.column_config.NumberColumn(format="%.1f"))
        ),
        alt="Median and 95th percentile of the latency of each model",
    )
    st.caption(
        f"{how_fast(comparison.job)}The model's own time: preparing the frame, the network, its "
        "output. Median and 95th percentile leave the first frame out, in which a model may warm "
        "up or look for people anew. Models took turns. Frames measured while this machine was "
        "busy with other work count only where there are no others; the chart shows all."
        f"{not_its_own(comparison)}"
    )
