"""The job that a visitor follows on a page: how far it is, the button that stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

import streamlit as st

from estimators.errors import InputError
from estimators.workflows.background import BackgroundJob
from estimators.workflows.room import Place
from estimators.workflows.watched import WatchedJobs
from pages.ui.polling import polled
from pages.ui.server.viewers import viewer
from pages.ui.text import duration, said

_POLL_S = 0.5
Job = TypeVar("Job", bound=BackgroundJob)


@dataclass(frozen=True)
class Mine(Generic[Job]):
    """The job that this viewer started or joined last.

    Attributes:
        on: tells what it is about from other clips, pictures or sets.
        left: they wait for it no longer while others do.
    """

    on: str
    job: Job
    left: bool = False


class Following(Generic[Job]):
    """What a page does with the jobs of its kind; made anew in every run.

    Args:
        name: of the work, for keys.
        shared: all jobs of the kind on this server.
        how_far: draws how far one is, inside its box.
    """

    def __init__(
        self, name: str, shared: WatchedJobs[Any, Job], how_far: Callable[[Job], None]
    ) -> None:
        self._name, self._shared, self._how_far = name, shared, how_far

    @property
    def mine(self) -> Mine[Job] | None:
        """What this viewer started or joined last."""
        return mine(self._name)

    def on(self, what: str) -> Job | None:
        """The job that this viewer started or joined last, where it is about that."""
        known = self.mine
        return known.job if known is not None and known.on == what else None

    def draw(self) -> bool:
        """The box of the job that this viewer waits for; False where there is none."""
        known = self.mine
        if known is None or known.left or known.job.finished:
            return False
        draw = partial(self._how_far, known.job)
        follow(known.job, self._name, draw, partial(self._leave, known))
        return True

    def take(self, what: str, job: Job) -> Job:
        """From now on this is what they follow."""
        st.session_state[_key(self._name)] = Mine(what, job)
        return job

    def start(self, what: str, watch: Callable[[], Job]) -> None:
        """Takes what `watch` gives and draws the page anew, or says why there is none."""
        try:
            job = watch()
        except InputError as error:
            st.error(said(error), icon=":material/error:")
            return
        except OSError as error:
            st.error(f"Answers cannot be kept. {error.strerror}.", icon=":material/hard_disk:")
            return
        self.take(what, job)
        st.rerun()

    def others(
        self, jobs: Iterable[Job], words: Callable[[Job], str], watch: Callable[[Job], None]
    ) -> None:
        """Work that this page does not follow, and the way to it."""
        for job in jobs:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f":material/sync: {words(job)}", width="content")
                # Not by its place: when another one ends, a press would be taken for the next.
                key = f"watch_{self._name}_{job.number}"
                if st.button("Watch", key=key, icon=":material/visibility:"):
                    watch(job)

    def _leave(self, known: Mine[Job]) -> None:
        """The job stops, unless others watch it: then this page lets go of it."""
        if self._shared.leave(known.job, viewer()):
            kept = replace(known, job=known.job.so_far(), left=True)
            st.session_state[_key(self._name)] = kept


def mine(name: str) -> Mine[Any] | None:
    """What this viewer started or joined last of the work that is called so."""
    return st.session_state.get(_key(name))


def _key(name: str) -> str:
    return f"{name}_work"


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
    known = mine(name)
    if job.finished or (known is not None and known.left):
        st.rerun()
    with st.container(border=True, key=f"{name}_progress"):
        place = job.place
        if place is None:
            show()
        else:
            st.markdown(waits(place))
        st.button(
            "Stopping…" if job.stopping else "Cancel",
            icon=":material/stop:",
            key=f"cancel_{name}",
            disabled=job.stopping,
            on_click=cancel,
        )


def waits(place: Place) -> str:
    """Of work that the server has no room for yet, for Markdown."""
    before = f"{place.before} before it" if place.before else "it is next"
    about = duration(max(1.0, place.wait_s))
    return f":material/hourglass_empty: Waits for room on this server: {before}, about {about}."


def pace(rate: float, left_s: float) -> str:
    """ "12.3 a second · 3 min 20 s left"."""
    return f"{rate:.1f} a second · {duration(left_s)} left"
