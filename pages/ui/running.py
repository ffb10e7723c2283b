"""The box of a job that runs: how far it is, and the button that stops it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from estimators.workflows.background import BackgroundJob
from pages.ui.text import duration

_POLL_S = 0.5


@st.fragment(run_every=_POLL_S)
def follow(
    job: BackgroundJob, name: str, show: Callable[[], None], cancel: Callable[[], None]
) -> None:
    """Looks after `job` until it ends, then has the page drawn anew.

    Args:
        name: of the work, for the keys of the box and its button.
        show: draws how far it is, inside the box.
        cancel: what the button does.
    """
    if job.finished:
        st.rerun()
    with st.container(border=True, key=f"{name}_progress"):
        show()
        if st.button("Cancel", icon=":material/stop:", key=f"cancel_{name}"):
            cancel()


def pace(rate: float, left_s: float) -> str:
    """ "12.3 a second · 3 min 20 s left"."""
    return f"{rate:.1f} a second · {duration(left_s)} left"
