"""The recording that was made on the Live page last: a clip like any other on the Video page."""

from __future__ import annotations

import io
from dataclasses import dataclass

import streamlit as st

from pages.ui import memory
from pages.ui.server.files import Received, folder, write

_KEPT = "kept_recording"


@dataclass(frozen=True)
class KeptClip:
    """The camera's pictures in a file of the visitor's folder."""

    file: Received
    name: str


def keep_recording(clip: bytes, name: str) -> KeptClip:
    """Takes a clip from the Live page; the Video page shows it when it is opened next.

    The same one is taken once.

    Args:
        clip: a file, as `estimators.workflows.live.recorder.Recording.camera` is.
        name: of the file; tells recordings apart.

    Raises:
        OSError: it cannot be written.
        InputError: the disk is full.
    """
    before = kept_recording()
    if before is not None and before.name == name:
        return before
    kept = KeptClip(write(io.BytesIO(clip), folder()), name)
    st.session_state[_KEPT] = kept
    memory.keep("clip_source", "live")
    if before is not None:
        before.file.path.unlink(missing_ok=True)
    return kept


def kept_recording() -> KeptClip | None:
    """What was recorded last in this session and is still there."""
    kept: KeptClip | None = st.session_state.get(_KEPT)
    return kept if kept is not None and kept.file.path.is_file() else None
