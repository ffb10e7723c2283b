"""Which should I use?  The answer in words, from what was measured on this clip."""

from __future__ import annotations

import streamlit as st

from estimators.workflows import verdicts
from pages.ui import engine
from pages.ui.verdict_box import heading, show
from pages.ui.video import truth
from pages.ui.video.comparison import ClipComparison
from pages.ui.video.stage import go_to


def verdict_box(comparison: ClipComparison) -> None:
    """The verdict with its reasons, for what a person needs."""
    with st.container(border=True, key="verdict"):
        needs = heading()
        errors = truth.errors(comparison)
        answer = verdicts.of_clip(comparison.analysis, engine.memory_mb(), needs, errors)
        show(answer, lambda place: go_to(place.frame or 0))
