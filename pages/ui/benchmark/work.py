"""What to measure, how far it is, and what it has brought."""

from __future__ import annotations

import threading
from functools import partial

import streamlit as st

from estimators.errors import InputError
from estimators.registry import MODELS
from estimators.workflows.benchmark.asks import THREADS, BenchmarkSettings, threads_of
from estimators.workflows.benchmark.job import BenchmarkJob, Surroundings
from estimators.workflows.benchmark.media import load_media
from estimators.workflows.benchmark.result import Benchmark
from pages.ui import devices, engine, memory
from pages.ui.benchmark.sources import Source
from pages.ui.running import follow
from pages.ui.server.viewers import present, viewer
from pages.ui.server_settings import server_settings
from pages.ui.settings import Settings
from pages.ui.text import escaped

_MINE = "benchmark_work"
_SECONDS = {"3": "3 s, a first look", "10": "10 s", "30": "30 s, to send around"}


def choose_plan(settings: Settings) -> BenchmarkSettings | None:
    """What is measured of the chosen models; None where nothing can be."""
    left, right = st.columns(2)
    with left:
        threads = st.pills(
            "Threads",
            THREADS,
            selection_mode="multi",
            default=memory.recall("benchmark_threads", list(THREADS)),
            key="benchmark_threads",
            help="One pass over the models each. *all*: every core this server may use.",
        )
        memory.keep("benchmark_threads", threads)
    with right:
        seconds = st.segmented_control(
            "Time for each model and pass",
            list(_SECONDS),
            default=memory.recall("benchmark_seconds", "10"),
            format_func=_SECONDS.__getitem__,
            required=True,
            key="benchmark_seconds",
        )
        memory.keep("benchmark_seconds", seconds)
    ready = tuple(key for key in settings.models if engine.has_weights(key))
    try:
        device = next(filter(None, (devices.wanted(MODELS[key]) for key in ready)), "")
        return BenchmarkSettings(ready, threads_of(threads), float(seconds), device=device)
    except InputError as error:
        st.info(escaped(str(error)), icon=":material/checklist:")
        return None


def work(source: Source | None, plan: BenchmarkSettings | None) -> Benchmark | None:
    """The button or the progress, whichever it is time for; what has been measured last."""
    mine: BenchmarkJob | None = st.session_state.get(_MINE)
    if mine is not None and not mine.finished:
        follow(mine, "benchmark", partial(_how_far, mine), mine.cancel)
        st.caption(
            "Leave the machine alone meanwhile, this page too if you can: whatever else runs is "
            "waited for, and told where it went on."
        )
        return None
    if source is not None and plan is not None:
        _run_button(source, plan)
    if mine is None:
        return None
    _say_how_it_went(mine)
    return measured_last()


def running() -> bool:
    """A benchmark of this viewer is under way."""
    mine: BenchmarkJob | None = st.session_state.get(_MINE)
    return mine is not None and not mine.finished


def measured_last() -> Benchmark | None:
    """What this viewer has measured last, once that is over."""
    mine: BenchmarkJob | None = st.session_state.get(_MINE)
    return mine.benchmark if mine and mine.finished and mine.benchmark.measured else None


def _run_button(source: Source, plan: BenchmarkSettings) -> None:
    titles = ", ".join(MODELS[key].title for key in plan.models)
    # Two warm-ups, the rounds, and the starts of the process.
    least_s = len(plan.models) * len(plan.threads) * (plan.seconds + 4)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Measure", type="primary", icon=":material/speed:", key="run_benchmark"):
            _start(source, plan)
        about = f"{max(1, round(least_s / 60))} min" if least_s > 60 else "a minute"
        st.caption(f"{titles}: about {about}, slow models longer", width="content")


def _start(source: Source, plan: BenchmarkSettings) -> None:
    load = partial(load_media, source.path, source.name)
    wanted = partial(present, viewer())
    around = Surroundings(server_settings(), engine.runner(), wanted, _turn())
    try:
        job = BenchmarkJob(load, plan, around)
    except InputError as error:
        st.error(escaped(str(error)), icon=":material/error:")
        return
    job.start()
    st.session_state[_MINE] = job
    st.rerun()


@st.cache_resource(show_spinner=False)
def _turn() -> threading.Lock:
    """Of all benchmarks of this server: one runs at a time."""
    return threading.Lock()


def _how_far(job: BenchmarkJob) -> None:
    progress = job.progress
    with job.between_rounds():
        st.progress(progress.share, progress.text)


def _say_how_it_went(job: BenchmarkJob) -> None:
    if job.state == "failed":
        st.error(escaped(job.error), icon=":material/error:")
    elif job.state == "cancelled":
        text = (
            "Stopped: what is below was measured before." if job.benchmark.measured else "Stopped."
        )
        st.info(text, icon=":material/history:")
    for failed in job.benchmark.failed:
        title = escaped(MODELS[failed.model].title)
        threads = f"{failed.threads} thread{'s'[: failed.threads != 1]}"
        st.warning(f"**{title}**, {threads}: {escaped(failed.error)}", icon=":material/error:")
