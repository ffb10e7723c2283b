"""Starting, following and cancelling the work on a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import streamlit as st

from estimators.errors import InputError
from estimators.numerals import counted
from estimators.registry import MODELS
from estimators.workflows.clip.job import ClipJob, ClipProgress
from estimators.workflows.clip.jobs import ClipJobs
from estimators.workflows.clip.run import ClipSettings
from pages.ui import engine
from pages.ui.running import Following, pace
from pages.ui.server.leaving import when_empty
from pages.ui.server.status import tells
from pages.ui.server.viewers import present, viewer
from pages.ui.text import escaped, said
from pages.ui.video.clips import ChosenClip
from pages.ui.video.plan import frames_wanted


@st.cache_resource(show_spinner=False)
def shared() -> ClipJobs:
    """The clip jobs of this server."""
    jobs = ClipJobs(engine.runner(), present)
    when_empty(jobs.forget)
    tells("clips", lambda: {"running": jobs.running})
    return jobs


def work(clip: ChosenClip, plan: ClipSettings) -> ClipJob | None:
    """The button or the progress, whichever it is time for.

    Returns:
        The job to show: of exactly this plan where it is done, else what there is of this clip.
    """
    following = Following("clip", shared(), _how_far)
    if following.draw():
        st.caption("You can look at other pages meanwhile; the work goes on.")
        return None
    start = partial(_start, following, clip)
    done = shared().find(clip.digest, clip.info, plan) if plan.models else None
    if done is not None:
        _say_what_failed(done, partial(start, plan, afresh=True))
        return done
    mine = following.on(clip.digest)
    running = shared().running_on(clip.digest, clip.info)
    if plan in running and (mine is None or mine.settings != plan):
        start(plan)  # begun before this page was loaded anew, or by somebody else
    following.others(running.values(), _others, lambda job: start(job.settings))
    known = shared().so_far(clip.digest, clip.info, plan) if plan.models else None
    _run_button(clip, plan, known, partial(start, plan))
    if known is None and mine is not None and mine.progress.done:
        known = mine
    if known is not None:
        _say_what_it_is(known, plan)
    return known


def _others(job: ClipJob) -> str:
    done, total = job.progress.done, job.progress.total
    return (
        f"This clip is being processed with {_titles(job.settings.models)}: "
        f"{done:,} of {counted(total, 'frame')}."
    )


def _run_button(
    clip: ChosenClip, plan: ClipSettings, known: ClipJob | None, start: Callable[[], None]
) -> None:
    """Starts the work, or goes on with what is `known`."""
    try:
        frames = frames_wanted(clip.info, plan)
    except InputError as error:
        st.warning(said(error), icon=":material/content_cut:")
        return
    if not plan.models:
        st.info("None of the chosen models has its weights here yet.", icon=":material/download:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        label, models = f"Process {counted(frames, 'frame')}", plan.models
        if known is not None:
            models = tuple(m for m in models if m in known.ran or m not in known.estimates)
            if models == known.ran:
                label = f"Go on: {frames - known.progress.done:,} of {frames:,} frames left"
        if st.button(label, type="primary", icon=":material/play_arrow:", key="run_clip"):
            start()
        st.caption(f"with {_titles(models)}", width="content")


def _start(
    following: Following[ClipJob], clip: ChosenClip, plan: ClipSettings, afresh: bool = False
) -> None:
    watch = partial(shared().watch, clip.digest, clip.info, plan, viewer(), afresh)
    following.start(clip.digest, watch)


def _how_far(job: ClipJob) -> None:
    progress = job.progress
    st.markdown(f"**{_titles(job.settings.models)}** on **{escaped(job.clip.name)}**")
    st.progress(progress.done / max(1, progress.total), _in_words(progress))


def _in_words(progress: ClipProgress) -> str:
    if not progress.done or progress.left_s is None:
        return f"Starting the models, {counted(progress.total, 'frame')} to do"
    return f"Frame {progress.done:,} of {progress.total:,} · {pace(progress.rate, progress.left_s)}"


def _titles(models: Iterable[str]) -> str:
    return ", ".join(MODELS[key].title for key in models)


def _say_what_it_is(job: ClipJob, plan: ClipSettings) -> None:
    """Why the results below are not those of the settings above."""
    progress = job.progress
    if job.state == "failed":
        st.error(said(job.error), icon=":material/error:")
    missing = [model for model in plan.models if model not in job.estimates]
    if job.state != "done" and progress.done < progress.total:
        whose = f"{_titles(job.ran)}: stopped" if job.ran != job.settings.models else "Stopped"
        text = (
            f"{whose} after {progress.done:,} of {progress.total:,} frames; this is what is done."
        )
    elif job.state == "cancelled":
        text = f"This is what is known; {_titles(missing)} did not run yet."
    else:
        text = "These are the results of the settings before."
    st.info(text, icon=":material/history:")


def how_fast(job: ClipJob) -> str:
    """In words; "" where some of the answers were known before."""
    progress = job.progress
    if job.ran != job.settings.models or progress.known:
        return ""
    return (
        f"{counted(progress.done, 'frame')} in {progress.elapsed_s:.1f} s, "
        f"{progress.rate:.1f} a second for all models together. "
    )


def _say_what_failed(job: ClipJob, again: Callable[[], None]) -> None:
    for note in job.notes:
        st.warning(said(note), icon=":material/error:")
    if job.notes and st.button("Try again", icon=":material/refresh:", key="retry_clip"):
        again()
