"""Reruns the page when the next model is done, so that nothing on it ever waits."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui.engine import Outcome

_POLL_S = 0.2


@st.fragment(run_every=_POLL_S)
def rerun_when_done(waiting: Sequence[Outcome]) -> None:
    """Put it anywhere on a page that shows outcomes; it draws nothing."""
    if any(o.error is None and o.job is not None and o.job.done() for o in waiting):
        st.rerun()
