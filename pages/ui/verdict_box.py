"""Which should I use?  The answer in words, from what was measured on this picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from estimators.analysis.agreement import median_of
from estimators.analysis.facts import Cost
from estimators.analysis.recommend import Evidence, Needs, Recommendation, recommend
from estimators.analysis.seen import Seen
from estimators.analysis.sentences import Place, Reason
from estimators.runtime.api import RunResult
from pages.ui import engine, memory, truth
from pages.ui.engine import Outcome
from pages.ui.image.comparison import Comparison
from pages.ui.image.stage import point_at
from pages.ui.viewer.panels import JointRef

Go = Callable[[Place], None]
_MOST_PEOPLE, _LONGEST_MS, _MOST_MB = 50, 10_000, 10_000


def verdict_box(comparison: Comparison, outcomes: Sequence[Outcome]) -> Needs:
    """The verdict with its reasons, for what a person needs; gives back what that is."""
    costs = {key: cost_of(key, [result]) for key, result in comparison.results.items()}
    seen = Seen(comparison.shown, max(comparison.picture.size))
    failed = [o.spec.key for o in outcomes if o.error is not None]
    with st.container(border=True, key="verdict"):
        needs = heading()
        given = [seen] if comparison.shown else []
        errors = truth.errors_of(comparison.picture.digest, lambda image: comparison.shown)
        show(recommend(Evidence(given, costs, failed, errors), needs), _go)
    return needs


def _go(place: Place) -> None:
    if place.joint and place.person is not None:
        point_at(JointRef(place.model, place.person, place.joint))


def cost_of(model: str, results: Sequence[RunResult]) -> Cost:
    """Median latency of a model's answers, quiet ones where there are any, and its memory."""
    quiet = [result for result in results if not result.busy]
    latency = median_of(np.array([r.estimate.timings_ms.total for r in quiet or results]))
    return Cost(latency, engine.memory_mb().get(model, float("nan")), not quiet)


def heading() -> Needs:
    """The title of the box, and the controls of what a person needs."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.subheader("Which should I use?", anchor=False, width="content")
        with st.popover("What I need", icon=":material/tune:"):
            return _needs()


def _needs() -> Needs:
    wanted = memory.recall("need_3d", False)
    need_3d = memory.keep("need_3d", st.toggle("Joints in 3-D", wanted, key="need_3d"))
    people = _number("need_people", "People at once", 1, _MOST_PEOPLE)
    latency = _number("need_ms", "At most so many ms a picture or frame (0: any)", 0, _LONGEST_MS)
    held = _number("need_mb", "At most so many MB of memory (0: any)", 0, _MOST_MB)
    return Needs(people, need_3d, latency or None, held or None)


def _number(key: str, label: str, low: int, high: int) -> int:
    value = memory.recall(key, low)
    return int(memory.keep(key, st.number_input(label, low, high, value, key=key)))


def show(answer: Recommendation, go: Go | None = None, key: str = "verdict") -> None:
    """The headline, the reasons, and where the rule is written down.

    Args:
        go: shows the place that a reason is about; None where there is nothing to go to.
        key: unique on the page.
    """
    st.markdown(f"**{answer.headline}**")
    with st.container(gap=None):
        for number, reason in enumerate(answer.reasons):
            _reason(reason, f"{key}_reason_{number}", go)
    st.caption(
        "How this is decided: requirements put models out; of the rest the best by the best "
        "evidence there is (truth that was marked, else what independent families agree on, else "
        "how plausible each pose is); of those about as good the cheapest; no model where the "
        "evidence singles none out. More in docs/verdict.md."
    )


def _reason(reason: Reason, key: str, go: Go | None) -> None:
    place = reason.place
    if go is None or place is None or not (place.joint or place.frame or place.picture):
        st.markdown(f"- {reason}")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"- {reason}", width="content")
        st.button(
            "Show",
            key=key,
            type="tertiary",
            icon=":material/my_location:",
            help="Shows where this is",
            on_click=go,
            args=(place,),
        )
