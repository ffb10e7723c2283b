"""What to run on the annotated set, how far it is, and what it has brought."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

import streamlit as st

from estimators.analysis.accuracy.protocol import Protocol
from estimators.numerals import counted
from estimators.registry import MODELS
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.jobs import EvaluateJobs
from estimators.workflows.evaluate.progress import EvaluateProgress, ModelProgress
from pages.ui import devices, engine
from pages.ui.address import publish, recall
from pages.ui.evaluate.sources import Brought
from pages.ui.running import Following, pace
from pages.ui.server.leaving import when_empty
from pages.ui.server.status import tells
from pages.ui.server.viewers import present, viewer
from pages.ui.settings import Settings
from pages.ui.text import escaped, said

_PROTOCOLS: Mapping[Protocol, str] = {"whole": "Whole picture", "crop": "One person, cropped"}
_STATES = {
    "waiting": ":material/hourglass_empty: waits",
    "running": ":material/play_arrow: runs",
    "done": ":material/check: done",
    "cancelled": ":material/stop: stopped",
    "failed": ":material/error: failed",
}


@st.cache_resource(show_spinner=False)
def shared() -> EvaluateJobs:
    """The evaluations of this server."""
    jobs = EvaluateJobs(engine.runner(), present)
    when_empty(jobs.forget)
    tells("evaluations", lambda: {"running": jobs.running})
    return jobs


def choose_plan(settings: Settings) -> EvaluateSettings:
    """How the chosen models are asked; the address keeps the protocol."""
    default = cast(Protocol, recall("protocol", list(_PROTOCOLS)))
    protocol = st.segmented_control(
        "Protocol",
        list(_PROTOCOLS),
        default=default,
        format_func=_PROTOCOLS.__getitem__,
        required=True,
        key="protocol",
        help="**Whole picture**: each model as it is; a model for one person misses the others, "
        "and is held responsible for it. **One person, cropped**: each annotated person by "
        "themselves, their box enlarged by a quarter; the fair comparison with models for one "
        "person.",
    )
    publish("protocol", protocol, "whole")
    ready = tuple(key for key in settings.models if engine.has_weights(key))
    chosen = {key: wish for key in ready if (wish := devices.wanted(MODELS[key]))}
    return EvaluateSettings(ready, protocol, devices=chosen)


def work(brought: Brought, plan: EvaluateSettings) -> Evaluated | None:
    """The button or the progress, whichever it is time for; what there is to show."""
    following, files = Following("evaluate", shared(), _how_far), brought.key.files
    if following.draw():
        st.caption("You can look at other pages meanwhile; the work goes on. What is done is kept.")
        return None
    mine = following.on(files)
    if mine is None or mine.settings != plan:
        known = shared().find(brought.key, plan)
        if known is not None and not known.finished:
            _start(following, brought, plan)  # begun before this page was loaded anew, or elsewhere
        if known is not None:
            mine = following.take(files, known)
    same = mine is not None and mine.settings == plan
    if not same or (mine is not None and mine.state != "done"):
        following.others(
            shared().running_on(brought.key),
            _others,
            lambda job: _start(following, brought, job.settings),
        )
        _run_button(following, brought, plan, same)
    if mine is None:
        return None
    _say_what_it_is(mine, plan)
    return mine.outcome


def _others(job: EvaluateJob) -> str:
    titles = ", ".join(MODELS[key].title for key in job.settings.models)
    done, total = job.progress.done, job.progress.total
    return f"This set is being evaluated with {titles}: {done:,} of {total:,} answers."


def _run_button(
    following: Following[EvaluateJob], brought: Brought, plan: EvaluateSettings, again: bool
) -> None:
    if not plan.models:
        st.info("None of the chosen models has its weights here yet.", icon=":material/download:")
        return
    titles = ", ".join(MODELS[key].title for key in plan.models)
    with st.container(horizontal=True, vertical_alignment="center"):
        pictures = len(brought.annotated.images)
        label = "Go on" if again else f"Evaluate on {counted(pictures, 'picture')}"
        if st.button(label, type="primary", icon=":material/play_arrow:", key="run_evaluate"):
            _start(following, brought, plan)
        st.caption(f"with {titles}", width="content")


def _start(following: Following[EvaluateJob], brought: Brought, plan: EvaluateSettings) -> None:
    watch = partial(shared().watch, brought.key, brought.annotated, plan, viewer())
    following.start(brought.key.files, watch)


def _how_far(job: EvaluateJob) -> None:
    progress = job.progress
    st.progress(progress.share, _in_words(progress))
    for model in progress.models:
        st.markdown(_line(model))


def _in_words(progress: EvaluateProgress) -> str:
    running = progress.slowest
    if running is None or running.left_s is None:
        return f"Starting the model, {counted(progress.total - progress.done, 'answer')} to go"
    return (
        f"{progress.done:,} of {progress.total:,} answers · "
        f"{pace(running.rate, running.left_s)} for {MODELS[running.model].title}"
    )


def _line(model: ModelProgress) -> str:
    failed = f" · {model.failed:,} failed" if model.failed else ""
    known = f" · {model.known:,} kept from before" if model.known else ""
    error = f" · {escaped(model.error)}" if model.error else ""
    return (
        f"{_STATES[model.state]} **{MODELS[model.model].title}** "
        f"{model.done:,} of {counted(model.total, 'answer')}{failed}{known}{error}"
    )


def _say_what_it_is(job: EvaluateJob, plan: EvaluateSettings) -> None:
    """Why the results below are not those of the settings above, and what went wrong."""
    progress, outcome = job.progress, job.outcome
    if job.state == "failed":
        st.error(said(job.error), icon=":material/error:")
    if job.settings != plan:
        st.info("These are the results of the settings before.", icon=":material/history:")
    elif job.state == "cancelled":
        text = f"Stopped after {progress.done:,} of {progress.total:,} answers"
        below = ": what is below is of the pictures that every model saw" if outcome else ""
        st.info(f"{text}{below}.", icon=":material/history:")
    if outcome is None:
        return
    for key, why in outcome.failed.items():
        st.warning(f"**{MODELS[key].title}**: {said(why)}", icon=":material/error:")
    for file, why in outcome.unreadable.items():
        st.warning(f"{escaped(file)}: {said(why)}", icon=":material/broken_image:")
    for note in outcome.notes:
        st.info(said(note), icon=":material/info:")
