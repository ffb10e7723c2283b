"""Which annotated set is evaluated: the bundled samples, or what somebody brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from estimators.annotated import AnnotatedSet
from estimators.datasets.health import HealthReport, Level
from estimators.datasets.in_children import read_annotated_set as read_elsewhere
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError, TryAgainError
from estimators.media.samples import FOLDER
from estimators.workflows.evaluate.jobs import SetKey
from pages.ui.address import choose
from pages.ui.evaluate.files import Kept, files
from pages.ui.evaluate.followed import show_runs
from pages.ui.gone import forget_gone, tell_gone
from pages.ui.server.viewers import viewer
from pages.ui.server_settings import server_settings
from pages.ui.text import escaped, said

_SOURCES = {"sample": "Sample set", "upload": "Your own"}
_READ = "evaluate_read"
# JSON takes over ten times its size while it is read; COCO's val2017 has 10 MB.
_LARGEST_ANNOTATIONS = 25_000_000
_LEVELS: Mapping[Level, tuple[str, str]] = {
    "left out": (":material/block:", "Left out"),
    "changed": (":material/edit:", "Changed"),
    "note": (":material/info:", "Good to know"),
}


@dataclass(frozen=True, eq=False)
class Brought:
    """An annotated set with its health report; `key` tells it from others."""

    annotated: AnnotatedSet
    health: HealthReport
    key: SetKey


def choose_set() -> Brought | None:
    """The set to evaluate; None while there is none, the page says why."""
    results = server_settings().results_dir
    sources = _SOURCES if results is None else {**_SOURCES, "runs": "Runs elsewhere"}
    source = choose("Annotated pictures", sources, "set")
    if source == "sample":
        forget_gone("set")
        annotated, health = _samples()
        st.caption(
            f"{health.pictures} pictures and frames of the samples with {health.people} people, "
            "annotated by eye. That is few: it shows what this page does, and tells only large "
            "differences. Bring a hundred of your own to decide by."
        )
        return Brought(annotated, health, SetKey("samples", "samples"))
    if source == "runs" and results is not None:
        forget_gone("set")
        show_runs(results)
        return None
    known: tuple[str, Brought | InputError] | None = st.session_state.get(_READ)
    kept = files(known is not None and isinstance(known[1], Brought))
    tell_gone("set", kept)
    if not kept:
        st.info(
            "Bring pictures and the file that says where people's joints are in them. Without "
            "one, mark some people yourself: **Mark truth** on the Image page saves a COCO file.",
            icon=":material/upload_file:",
        )
        return None
    return _read(kept)


def _read(kept: Mapping[str, Kept]) -> Brought | None:
    """What the files hold; read once for each collection of files."""
    key = "|".join(sorted(f"{name}:{file.digest}" for name, file in kept.items()))
    known: tuple[str, Brought | InputError] | None = st.session_state.get(_READ)
    if known is None or known[0] != key:
        with st.spinner("Reading the annotations"):
            known = key, _set_of(kept, key)
        if not isinstance(known[1], TryAgainError):  # which is asked again in the next run
            st.session_state[_READ] = known
        if isinstance(known[1], Brought):
            st.rerun()  # what brings files stands above and folds away now
    found = known[1]
    if isinstance(found, InputError):
        st.error(said(found), icon=":material/error:")
        return None
    _health(found.health)
    return found


def _set_of(kept: Mapping[str, Kept], key: str) -> Brought | InputError:
    try:
        given = {f.name: f.path for f in kept.values()}
        # The files go with whoever brought them, and so does a job that reads them.
        mine = SetKey(f"{viewer()}|{key}", key)
        return Brought(*read_elsewhere(given, _LARGEST_ANNOTATIONS), mine)
    except InputError as error:
        return type(error)(error.message, error.advice)  # without the traceback's frames


def _health(report: HealthReport) -> None:
    """What was read and what is odd about it, before any model runs."""
    with st.container(border=True, key="health"):
        st.markdown(f"**{escaped(report.headline)}**")
        for level, (icon, title) in _LEVELS.items():
            found = report.of_level(level)
            if found:
                with st.expander(f"{title} · {len(found)}", icon=icon, expanded=level != "note"):
                    for finding in found:
                        st.markdown(f"- {said(finding.text)}")


@st.cache_resource(show_spinner="Reading the samples")
def _samples() -> tuple[AnnotatedSet, HealthReport]:
    return read_annotated_set(FOLDER, FOLDER / "annotations.json")
