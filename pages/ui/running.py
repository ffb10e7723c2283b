"""The box of a job that runs: how far it is, and the button that stops it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from estimators.workflows.background import BackgroundJob
from estimators.workflows.room import Place
from pages.ui.polling import polled
from pages.ui.text import duration

_POLL_S = 0.5


@polled(_POLL_S)
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
        place = job.place
        if place is None:
            show()
        else:
            st.markdown(waits(place))
        if st.button("Cancel", icon=":material/stop:", key=f"cancel_{name}"):
            cancel()


def waits(place: Place) -> str:
    """Of work that the server has no room for yet, for Markdown."""
    before = f"{place.before} before it" if place.before else "it is next"
    about = duration(max(1.0, place.wait_s))
    return f":material/hourglass_empty: Waits for room on this server: {before}, about {about}."


def pace(rate: float, left_s: float) -> str:
    """ "12.3 a second · 3 min 20 s left"."""
    return f"{rate:.1f} a second · {duration(left_s)} left"
