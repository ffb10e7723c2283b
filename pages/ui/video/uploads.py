"""A clip that a person brings: kept in a file of the session, not in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from estimators.errors import InputError
from estimators.media.limits import allowed
from estimators.media.listing import FORMATS
from estimators.media.names import printable
from pages.ui.folding import bringing
from pages.ui.server.files import arrived_anew, folder, next_key, received
from pages.ui.text import escaped, said

_KEPT, _WIDGET = "kept_clip", "clip_upload"


@dataclass(frozen=True)
class Upload:
    """An uploaded clip: where it is kept, its name, and the SHA-256 of its content."""

    path: Path
    name: str
    digest: str
    size_bytes: int


def largest_mb() -> int:
    """Megabytes that a clip may have; it goes to the disk as it comes, not into memory."""
    return int(st.get_option("server.maxUploadSize"))


def _length(seconds: int) -> str:
    return f"{seconds // 3600:,} hours" if seconds >= 7200 else f"{seconds:,} seconds"


def uploaded() -> Upload | None:
    """The uploader, and the clip that was brought last in this session."""
    kept: Upload | None = st.session_state.get(_KEPT)
    if kept is not None and not kept.path.is_file():
        st.info(f"{escaped(kept.name)} is no longer kept here: choose it again.")
        kept = None
    here = ""
    if kept is not None:
        here = f"**{escaped(kept.name)}**, {kept.size_bytes / 1e6:.1f} MB · another clip"
    with bringing("Your clip", here):
        st.file_uploader(
            # Its content decides, not the ending of its name: cameras have many of their own.
            f"A clip: {FORMATS}",
            key=next_key(_WIDGET),
            max_upload_size=largest_mb(),
            on_change=_keep,
            args=(next_key(_WIDGET),),
            help="It is kept in a file on the machine that runs this dashboard, until you leave. "
            f"Up to {allowed().clip_frames:,} frames and {_length(allowed().clip_s)}, frames up to "
            "4096×2304.",
        )
        if kept is not None:
            st.button("Remove", key="remove_clip", icon=":material/delete:", on_click=_remove)
    return kept


def _keep(widget: str) -> None:
    for file in arrived_anew(_WIDGET, widget):
        _take(file)


def _take(file: UploadedFile) -> None:
    try:
        came = received(file, largest_mb())
        _remove()
        path = came.path.rename(folder() / came.digest[:16])
        st.session_state[_KEPT] = Upload(path, printable(file.name), came.digest, came.size_bytes)
    except InputError as error:  # the clip before stays
        st.error(said(error), icon=":material/block:")
    _let_go(file.file_id)


def _let_go(file_id: str) -> None:
    """Takes the file out of Streamlit's memory, as `st.chat_input` does with its own files."""
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def _remove() -> None:
    kept: Upload | None = st.session_state.pop(_KEPT, None)
    if kept is not None:
        for file in folder().glob(f"{kept.path.stem}*"):
            file.unlink(missing_ok=True)
