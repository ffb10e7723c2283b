"""What to measure, how far it is, and what it has brought."""

from __future__ import annotations

from functools import partial

import streamlit as st

from estimators.errors import InputError
from estimators.registry import MODELS
from estimators.workflows.benchmark.asks import THREADS, BenchmarkSettings, threads_of
from estimators.workflows.benchmark.job import BenchmarkJob, Surroundings
from estimators.workflows.benchmark.jobs import BenchmarkJobs, MediaFile
from estimators.workflows.benchmark.progress import in_words
from estimators.workflows.benchmark.result import Benchmark
from pages.ui import devices, engine, memory
from pages.ui.address import publish
from pages.ui.running import Following, Mine, mine
from pages.ui.server.leaving import when_empty
from pages.ui.server.status import tells
from pages.ui.server.viewers import present, viewer
from pages.ui.server_settings import server_settings
from pages.ui.settings import Settings
from pages.ui.text import escaped, said

_SECONDS = {"3": "3 s, a first look", "10": "10 s", "30": "30 s, to send around"}
_USUAL_S = "10"


def choose_plan(settings: Settings) -> BenchmarkSettings | None:
    """What is measured of the chosen models, kept in the address; None where nothing can be."""
    left, right = st.columns(2)
    with left:
        threads = _choose_threads("benchmark_threads")
    with right:
        key = "benchmark_seconds"
        addressed = st.query_params.get(key, _USUAL_S)
        seconds = st.segmented_control(
            "Time for each model and pass",
            list(_SECONDS),
            default=memory.recall(key, addressed if addressed in _SECONDS else _USUAL_S),
            format_func=_SECONDS.__getitem__,
            required=True,
            key=key,
        )
        publish(key, seconds, _USUAL_S)
    ready = tuple(key for key in settings.models if engine.has_weights(key))
    if not ready:
        st.info("None of the chosen models has its weights here yet.", icon=":material/download:")
        return None
    try:
        device = next(filter(None, (devices.wanted(MODELS[key]) for key in ready)), "")
        return BenchmarkSettings(ready, threads_of(threads), float(seconds), device=device)
    except InputError as error:
        st.info(said(error), icon=":material/checklist:")
        return None


def _choose_threads(key: str) -> list[str]:
    addressed = [n for n in st.query_params.get(key, "").split(",") if n in THREADS]
    threads = st.pills(
        "Threads",
        THREADS,
        selection_mode="multi",
        default=memory.recall(key, addressed or list(THREADS)),
        key=key,
        help="One pass over the models each. *all*: every core this server may use.",
    )
    publish(key, ",".join(n for n in THREADS if n in threads), ",".join(THREADS))
    return memory.keep(key, threads)  # as the list that the widget takes


@st.cache_resource(show_spinner=False)
def shared() -> BenchmarkJobs:
    """The benchmarks of this server."""
    jobs = BenchmarkJobs(Surroundings(server_settings(), engine.runner()), present)
    when_empty(jobs.forget)
    tells("benchmarks", lambda: {"running": jobs.running})
    return jobs


def work(source: MediaFile | None, plan: BenchmarkSettings | None) -> Benchmark | None:
    """The button or the progress, whichever it is time for; what has been measured last."""
    following = Following("benchmark", shared(), _how_far)
    if following.draw():
        st.caption(
            "Leave the machine alone meanwhile, this page too if you can: whatever else runs is "
            "waited for, and told where it went on."
        )
        return None
    if source is not None and plan is not None:
        _offer(following, source, plan)
    if following.mine is None:
        return None
    _say_how_it_went(following.mine.job)
    return measured_last()


def _offer(following: Following[BenchmarkJob], source: MediaFile, plan: BenchmarkSettings) -> None:
    """Takes what was measured before this page was loaded anew, or by somebody else; the button."""
    known = shared().find(source, plan) if following.mine is None else None
    if known is not None and known.finished:
        following.take(source.key, known)
    elif known is not None:
        _start(following, source, plan)
    following.others(
        shared().running_on(source),
        _others,
        lambda job: _start(following, source, job.settings),
    )
    _run_button(following, source, plan)


def running() -> bool:
    """A benchmark of this viewer is under way."""
    known = mine("benchmark")
    return known is not None and not known.left and not known.job.finished


def measured_last() -> Benchmark | None:
    """What this viewer has measured last, once that is over."""
    known: Mine[BenchmarkJob] | None = mine("benchmark")
    if known is None or not known.job.finished:
        return None
    return known.job.benchmark if known.job.benchmark.measured else None


def _others(job: BenchmarkJob) -> str:
    titles = ", ".join(MODELS[key].title for key in job.settings.models)
    return f"This is being measured with {titles}: {job.progress.text}."


def _run_button(
    following: Following[BenchmarkJob], source: MediaFile, plan: BenchmarkSettings
) -> None:
    titles = ", ".join(MODELS[key].title for key in plan.models)
    # Two warm-ups, the rounds, and the starts of the process.
    least_s = len(plan.models) * len(plan.threads) * (plan.seconds + 4)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Measure", type="primary", icon=":material/speed:", key="run_benchmark"):
            _start(following, source, plan)
        about = f"{max(1, round(least_s / 60))} min" if least_s > 60 else "a minute"
        st.caption(f"{titles}: about {about}, slow models longer", width="content")


def _start(following: Following[BenchmarkJob], source: MediaFile, plan: BenchmarkSettings) -> None:
    following.start(source.key, partial(shared().watch, source, plan, viewer()))


def _how_far(job: BenchmarkJob) -> None:
    progress = job.progress
    with job.between_rounds():
        st.progress(progress.share, progress.text)


def _say_how_it_went(job: BenchmarkJob) -> None:
    if job.state == "failed":
        st.error(said(job.error), icon=":material/error:")
    elif job.state == "cancelled":
        text = (
            "Stopped: what is below was measured before." if job.benchmark.measured else "Stopped."
        )
        st.info(text, icon=":material/history:")
    for failed in job.benchmark.failed:
        title = escaped(MODELS[failed.model].title)
        threads = in_words(failed.threads)
        st.warning(f"**{title}**, {threads}: {said(failed.error)}", icon=":material/error:")
