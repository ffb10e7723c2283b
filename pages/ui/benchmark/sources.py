"""The picture or clip that models are measured on: a sample, or a file of the person's own."""

from __future__ import annotations

import streamlit as st

from estimators.errors import InputError
from estimators.media import samples
from estimators.media.names import printable
from estimators.workflows.benchmark.jobs import MediaFile
from pages.ui.address import publish, recall
from pages.ui.folding import bringing
from pages.ui.gone import forget_gone, tell_gone
from pages.ui.sample import sample_digest
from pages.ui.server.files import arrived_one, received
from pages.ui.text import escaped, said

_OWN = "own"
_KEPT, _REFUSED = "benchmark_file", "benchmark_refused"


def choose_media() -> MediaFile | None:
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
        forget_gone("measured")
        path = every[chosen].path
        return MediaFile(path, path.name, sample_digest(path))
    return _own()


def _own() -> MediaFile | None:
    kept: MediaFile | None = st.session_state.get(_KEPT)
    if kept is not None and not kept.path.is_file():
        kept = None
    here = f"**{escaped(kept.name)}** · another one" if kept else ""
    with bringing("Your picture or clip", here):
        st.file_uploader(
            "A picture or a clip",
            key="benchmark_upload",
            max_upload_size=_largest_mb(),
            on_change=_keep,
            help="It stays on the machine that runs this dashboard, until you leave.",
        )
    if reason := st.session_state.get(_REFUSED):
        st.error(said(reason), icon=":material/block:")
    tell_gone("measured", [kept.name] if kept else [])
    if kept is None:
        st.info("Add a picture or a clip to measure on.", icon=":material/upload:")
    return kept


def _largest_mb() -> int:
    return int(st.get_option("server.maxUploadSize"))


def _keep() -> None:
    file = arrived_one("benchmark_upload")
    if file is None:  # taken back: what was kept stays
        return
    st.session_state[_REFUSED] = ""
    try:
        came = received(file, _largest_mb())
    except InputError as error:
        st.session_state[_REFUSED] = str(error)
        return
    before: MediaFile | None = st.session_state.pop(_KEPT, None)
    if before is not None:
        before.path.unlink(missing_ok=True)
    st.session_state[_KEPT] = MediaFile(came.path, printable(file.name), came.digest)
