"""Which should I use?  The answer in words, from what was measured on this picture."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from estimators.analysis.verdict import Cost, picture_facts, verdict
from pages.ui import engine, memory
from pages.ui.comparison import Comparison
from pages.ui.engine import Outcome


def verdict_box(comparison: Comparison, outcomes: Sequence[Outcome]) -> None:
    """The verdict with its reasons, for a person who needs 3-D or not."""
    held_mb = engine.memory_mb()
    costs = {
        key: Cost(result.estimate.timings_ms.total, held_mb.get(key, float("nan")), result.busy)
        for key, result in comparison.results.items()
    }
    with st.container(border=True, key="verdict"):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.subheader("Which should I use?", anchor=False, width="content")
            wanted = memory.recall("need_3d", False)
            need_3d = memory.keep("need_3d", st.toggle("I need 3-D", wanted, key="need_3d"))
        answer = verdict(
            picture_facts(comparison.shown, comparison.groups, costs),
            sum(len(group.members) > 1 for group in comparison.groups),
            need_3d=need_3d,
            failed=[o.spec.key for o in outcomes if o.error is not None],
        )
        st.markdown(f"**{answer.headline}**")
        st.markdown("\n".join(f"- {reason}" for reason in answer.reasons))
