"""Reruns the page when the next model is done, so that nothing on it ever waits."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui.engine import Outcome
from pages.ui.polling import polled

# For an answer; and where all are there and only their times are taken anew, in a quiet moment.
_POLL_S, _RARELY_S = 0.2, 2.0


def rerun_when_done(outcomes: Sequence[Outcome]) -> None:
    """Put it last on a page that shows outcomes; it draws nothing."""
    # Only while there is something to wait for: every run of a fragment makes Streamlit forget
    # files that are offered for download and have not been fetched yet.
    if any(_awaited(outcome) for outcome in outcomes):
        pending = any(outcome.pending for outcome in outcomes)
        polled(_POLL_S if pending else _RARELY_S)(_poll)(outcomes)


def _poll(outcomes: Sequence[Outcome]) -> None:
    if any(_awaited(o) and o.job is not None and o.job.done() for o in outcomes):
        st.rerun()


def _awaited(outcome: Outcome) -> bool:
    """It is not there yet, or is being timed again."""
    return outcome.error is None and outcome.job is not None
