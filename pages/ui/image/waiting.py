"""Reruns the page when the next model is done, so that nothing on it ever waits."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui.engine import Outcome

_POLL_S = 0.2


def rerun_when_done(outcomes: Sequence[Outcome]) -> None:
    """Put it last on a page that shows outcomes; it draws nothing."""
    # Only while there is something to wait for: every run of a fragment makes Streamlit forget
    # files that are offered for download and have not been fetched yet.
    if any(_awaited(outcome) for outcome in outcomes):
        _poll(outcomes)


@st.fragment(run_every=_POLL_S)
def _poll(outcomes: Sequence[Outcome]) -> None:
    if any(_awaited(o) and o.job is not None and o.job.done() for o in outcomes):
        st.rerun()


def _awaited(outcome: Outcome) -> bool:
    """It is not there yet, or is being timed again."""
    return outcome.error is None and outcome.job is not None
