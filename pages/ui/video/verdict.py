"""Which should I use?  The answer in words, from what was measured on this clip."""

from __future__ import annotations

import streamlit as st

from estimators.analysis.verdict import Cost, verdict
from pages.ui import engine, memory
from pages.ui.video.comparison import ClipComparison


def verdict_box(comparison: ClipComparison) -> None:
    """The verdict with its reasons, for a person who needs 3-D or not."""
    report, held_mb = comparison.analysis.report, engine.memory_mb()
    costs = {
        key: Cost(latency.median_ms, held_mb.get(key, float("nan")), latency.busy)
        for key, latency in report.latency.items()
    }
    failed = [key for key in report.shown if comparison.failed(key)]
    with st.container(border=True, key="verdict"):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.subheader("Which should I use?", anchor=False, width="content")
            wanted = memory.recall("need_3d", False)
            need_3d = memory.keep("need_3d", st.toggle("I need 3-D", wanted, key="need_3d"))
        answered = [fact for fact in report.facts(costs) if fact.model not in failed]
        answer = verdict(answered, report.agreed_people, "clip", need_3d, failed)
        st.markdown(f"**{answer.headline}**")
        st.markdown("\n".join(f"- {reason}" for reason in answer.reasons))
