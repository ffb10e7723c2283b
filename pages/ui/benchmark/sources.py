"""The picture or clip that models are measured on: a sample, or a file of the person's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from estimators.errors import InputError
from estimators.media import samples
from pages.ui.address import publish, recall
from pages.ui.server.files import received
from pages.ui.text import escaped

_OWN = "own"
_KEPT, _REFUSED = "benchmark_file", "benchmark_refused"


@dataclass(frozen=True)
class Source:
    """A file, and what the person calls it."""

    path: Path
    name: str


def choose_media() -> Source | None:
    """What to measure on; None while nothing is there."""
    every = {sample.path.stem: sample for sample in (*samples.pictures(), *samples.clips())}
    names = [*every, _OWN]
    titles = {key: f"{sample.title} ({sample.kind})" for key, sample in every.items()}
    titles[_OWN] = "Your own picture or clip …"
    recall("measured_on", names)
    chosen = st.selectbox(
        "Measured on",
        names,
        format_func=titles.__getitem__,
        key="measured_on",
        help="A clip is taken to the memory first, up to 120 frames; models that follow their "
        "person do so.",
    )
    publish("measured_on", chosen, names[0])
    if chosen != _OWN:
        return Source(every[chosen].path, every[chosen].path.name)
    return _own()


def _own() -> Source | None:
    st.file_uploader(
        "A picture or a clip",
        key="benchmark_upload",
        max_upload_size=_largest_mb(),
        on_change=_keep,
        help="It stays on the machine that runs this dashboard, until you leave.",
    )
    if reason := st.session_state.get(_REFUSED):
        st.error(escaped(reason), icon=":material/block:")
    kept: Source | None = st.session_state.get(_KEPT)
    if kept is None or not kept.path.is_file():
        st.info("Add a picture or a clip to measure on.", icon=":material/upload:")
        return None
    st.caption(f"Kept: {escaped(kept.name)}")
    return kept


def _largest_mb() -> int:
    return int(st.get_option("server.maxUploadSize"))


def _keep() -> None:
    file = st.session_state["benchmark_upload"]
    if file is None:  # taken back: what was kept stays
        return
    st.session_state[_REFUSED] = ""
    try:
        came = received(file, _largest_mb())
    except InputError as error:
        st.session_state[_REFUSED] = str(error)
        return
    before: Source | None = st.session_state.pop(_KEPT, None)
    if before is not None:
        before.path.unlink(missing_ok=True)
    st.session_state[_KEPT] = Source(came.path, file.name)
