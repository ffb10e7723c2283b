"""Files to keep: the annotated video, made on request, and the numbers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from estimators.devices import CUDA
from estimators.errors import InputError
from estimators.runtime.api import Runner
from estimators.workflows.clip.files import clip_files, write_clip_zip
from estimators.workflows.clip.video import Look, annotate
from estimators.workflows.file_task import FileTask, Progress
from estimators.workflows.verdicts import Verdicts
from pages.ui import engine
from pages.ui.drawing import pose_style
from pages.ui.polling import polled
from pages.ui.running import waits
from pages.ui.server.files import folder
from pages.ui.server.on_disk import content, made
from pages.ui.server.viewers import present, viewer
from pages.ui.text import escaped, said
from pages.ui.video.comparison import ClipComparison
from pages.ui.video.stage import LAYOUTS

_MADE = "annotated_clip"
_POLL_S = 0.5
_VIDEO_NAME = "annotated.mp4"
_LABELS = {
    "joints": "All joints",
    "frames": "Frames and times",
    "summary": "All figures",
    "agreement": "Agreement over time",
    "smoothed": "Smoothed lines",
    "results": "One document",
    "verdict": "Which to use",
    "manifest": "Settings and origins",
}
_OF_MODELS = {"coco.json": "COCO results, JSON", "coco-dataset.json": "To annotate, COCO"}
_MIME = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "zip": "application/zip",
    "mp4": "video/mp4",
}


@dataclass(frozen=True)
class _Made:
    """The annotated video that was asked for last, and what it shows."""

    shows: str
    task: FileTask


def exports(comparison: ClipComparison, verdict: Verdicts, layout: str) -> None:
    """A button that opens the list of files, one that makes the video, and the video.

    Args:
        layout: of the video, a key of `stage.LAYOUTS`.
    """
    made: _Made | None = st.session_state.get(_MADE)
    looks = sorted(comparison.colours.items()), sorted(comparison.variants.items())
    shows = f"{comparison.key}{comparison.settings.draw}{looks}{layout}"
    if made is not None and made.shows != shows:
        made.task.cancel()  # nobody would see it any more
        made = None
    gone = made is not None and made.task.state == "done" and not made.task.path.is_file()
    made = None if gone else made
    task = made.task if made is not None else None
    done = task if task is not None and task.state == "done" else None
    with st.container(horizontal=True, key="exports"):
        with st.popover("Download the numbers", icon=":material/download:"):
            _numbers(comparison, done, verdict)
        waiting = task is None or task.state in ("cancelled", "failed")
        if waiting and st.button(
            "Make the annotated video",
            key="make_video",
            icon=":material/movie_edit:",
            help=f"The models {LAYOUTS[layout].lower()}, as they are drawn now: H.264 in MP4.",
        ):
            try:
                _make(comparison, shows, layout == "one")
                st.rerun()
            except InputError as error:
                st.error(said(error), icon=":material/hard_disk:")
        if done is not None:
            _file(comparison, _VIDEO_NAME, "Annotated video, MP4", partial(content, done.path))
            _file(
                comparison,
                "zip",
                "Everything, ZIP",
                partial(_zip, comparison, folder(), done.path, verdict),
            )
    if gone:
        st.info("The annotated video is no longer kept here: make it again.")
    if task is not None:
        _video(comparison, task)


def _numbers(comparison: ClipComparison, video: FileTask | None, verdict: Verdicts) -> None:
    titles = {spec.key: spec.title for spec in comparison.specs}
    rows: dict[str, dict[str, str]] = {}
    writers = dict(clip_files(comparison.job, comparison.analysis, verdict=verdict))
    for name in writers:
        kind, _, rest = name.partition(".")
        rest = rest.removeprefix(f"{CUDA}.")
        label = titles.get(kind) or ("Parquet" if rest == "parquet" else rest.upper())
        title = _OF_MODELS[rest] if kind in titles else _LABELS[kind]
        rows.setdefault(title, {})[name] = label
    for title, files in rows.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(title, width=180)
            for name, label in files.items():
                _file(comparison, name, label, partial(made, writers[name], folder()))
    if video is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("All of these", width=180)
            _file(comparison, "zip", "ZIP", partial(_zip, comparison, folder(), None, verdict))
    st.caption(
        "Everything the models found, whatever the thresholds; figures, agreement and who is who "
        "follow the thresholds of the sidebar."
        + (" Make the annotated video first to have it in the ZIP, too." if video is None else "")
    )


def _file(comparison: ClipComparison, name: str, label: str, make: Callable[[], bytes]) -> None:
    kind = name.rsplit(".", 1)[-1]
    icons = {"zip": ":material/folder_zip:", "mp4": ":material/movie:"}
    st.download_button(
        label,
        make,
        f"{comparison.clip.stem}.{name}",
        _MIME[kind],
        key=f"download_{name}",
        on_click="ignore",
        icon=icons.get(kind, ":material/table:"),
        help=f"Saves {escaped(comparison.clip.stem)}.{name}",
    )


def _zip(comparison: ClipComparison, where: Path, video: Path | None, verdict: Verdicts) -> bytes:
    more = {} if video is None else {_VIDEO_NAME: video}
    job, analysis = comparison.job, comparison.analysis
    return made(lambda sink: write_clip_zip(job, analysis, sink, more, verdict), where)


def _make(comparison: ClipComparison, shows: str, together: bool) -> None:
    before: _Made | None = st.session_state.get(_MADE)
    if before is not None:
        before.task.cancel()
        before.task.path.unlink(missing_ok=True)
    session = viewer()
    # A name of its own: the one before may still be closing its file.
    path = folder() / f"{comparison.clip.digest[:16]}-{uuid.uuid4().hex[:8]}.mp4"
    make = partial(_annotate, comparison, together, engine.runner())
    task = FileTask(path, make, lambda: present(session))
    st.session_state[_MADE] = _Made(shows, task)


def _annotate(
    comparison: ClipComparison, together: bool, runner: Runner, path: Path, progress: Progress
) -> tuple[str, ...]:
    thresholds, colours = comparison.analysis.thresholds, comparison.colours
    look = Look(
        {key: t.joint for key, t in thresholds.items()},
        {key: t.pose for key, t in thresholds.items()},
        {
            s.key: pose_style(comparison.settings, colours[s.key], comparison.variants[s.key])
            for s in comparison.specs
        },
        together,
    )
    with runner.occupied():  # latencies measured meanwhile are not the models' own
        return annotate(comparison.job, path, look, progress, comparison.clip.info)


def _video(comparison: ClipComparison, task: FileTask) -> None:
    if not task.finished:
        _follow(task)
        return
    if task.state == "failed":
        st.error(f"The video could not be made. {escaped(task.error)}", icon=":material/error:")
        return
    if task.state == "done":
        with st.expander("The annotated video", icon=":material/movie:"):
            st.video(content(task.path), alt=f"{comparison.clip.alt}, with every model's poses")
        for note in task.notes:
            st.caption(note)


@polled(_POLL_S)
def _follow(task: FileTask) -> None:
    if task.finished:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key="video_progress"):
        place = task.place
        if place is not None:
            st.markdown(waits(place), width="content")
        else:
            st.progress(task.share, f"Drawing and encoding: {task.done:,} of {task.total:,} frames")
        if st.button("Cancel", icon=":material/stop:", key="cancel_video"):
            task.cancel()
