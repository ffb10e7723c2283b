"""Pictures that a person brings; kept for the session, so that changing the page loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from estimators.errors import InputError
from estimators.media.limits import allowed
from estimators.media.names import printable
from pages.ui import memory
from pages.ui.folding import bringing
from pages.ui.server.files import arrived, received
from pages.ui.text import escaped, said

# Kept by Streamlit's file id, the newest last.
_KEPT, _LISTED, CHOSEN = "kept_uploads", "listed_uploads", "chosen_upload"
_REFUSED = "refused_uploads"
_WIDGET = "uploads"
_MOST, _MOST_MB = 16, 200


@dataclass(frozen=True, eq=False)
class Upload:
    """One file as it came, in the visitor's folder; `digest` is its SHA-256."""

    name: str
    path: Path
    size_bytes: int
    digest: str


def uploads() -> dict[str, Upload]:
    """The uploader, and all pictures brought in this session by Streamlit's id."""
    kept: dict[str, Upload] = st.session_state.setdefault(_KEPT, {})
    gone = [kept.pop(key).name for key in list(kept) if not kept[key].path.is_file()]
    names = [f"**{escaped(upload.name)}**" for upload in kept.values()]
    here = f"**{len(names)} pictures**" if len(names) > 1 else "".join(names)
    with bringing("Your pictures", here and f"{here} · more pictures"):
        listed = _uploader()
        if len(kept) > len(listed) and st.button("Remove these pictures", icon=":material/delete:"):
            for key in list(kept):
                _drop(kept, key)
            st.rerun()
    refused: dict[str, str] = st.session_state.setdefault(_REFUSED, {})
    for reason in refused.values():
        st.error(said(reason), icon=":material/block:")
    for name in gone:
        st.info(f"{escaped(name)} is no longer kept here: choose it again.")
    if not listed:
        # Empty without `_keep` having seen it: a new widget after a change of page.
        st.session_state[_LISTED] = set()
    left_out = sum(file.file_id not in kept and file.file_id not in refused for file in listed)
    if left_out:
        st.warning(
            f"Only the newest {_MOST} pictures and {_MOST_MB} MB are kept: {left_out} left out. "
            "For more use the command line (`python -m estimators compare`).",
            icon=":material/inventory_2:",
        )
    return kept


def _uploader() -> list[UploadedFile]:
    # Of any type: what is in a file counts, not its name, and what we cannot read is told in words.
    # Besides, an iPhone makes JPEGs of its pictures unless HEIC is among the types.
    return st.file_uploader(
        "Pictures: JPEG, PNG, WebP, BMP, TIFF, or the first frame of a GIF",
        accept_multiple_files=True,
        key=_WIDGET,
        max_upload_size=allowed().picture_mb,
        on_change=_keep,
        help="They stay in files of the machine that runs this dashboard, until you leave. "
        f"Up to {allowed().megapixels} megapixels and {_MOST} pictures; WebP up to 16 megapixels, "
        "progressive JPEG and TIFF less than others.",
    )


def kept_uploads() -> dict[str, Upload]:
    """The pictures of this session that are still there, without the uploader."""
    kept: dict[str, Upload] = st.session_state.get(_KEPT, {})
    return {key: upload for key, upload in kept.items() if upload.path.is_file()}


def _keep() -> None:
    listed = {file.file_id: file for file in arrived(_WIDGET)}
    before: set[str] = st.session_state.get(_LISTED, set())
    kept: dict[str, Upload] = st.session_state.setdefault(_KEPT, {})
    refused: dict[str, str] = st.session_state.setdefault(_REFUSED, {})
    for removed in before - set(listed):
        _drop(kept, removed)
        refused.pop(removed, None)
    # What was left out before is not new: it would push out others now.
    for key in [key for key in listed if key not in before and key not in kept]:
        try:
            file = received(listed[key], allowed().picture_mb)
        except InputError as error:
            refused[key] = str(error)
            continue
        kept[key] = Upload(printable(listed[key].name), file.path, file.size_bytes, file.digest)
    while len(kept) > 1 and (len(kept) > _MOST or _megabytes(kept) > _MOST_MB):
        _drop(kept, next(iter(kept)))
    st.session_state[_LISTED] = set(listed)
    new = [key for key in kept if key in set(listed) - before]
    if new:
        # Kept as well: the list of pictures may not have been on the page yet.
        st.session_state[CHOSEN] = memory.keep(CHOSEN, new[0])


def _drop(kept: dict[str, Upload], key: str) -> None:
    upload = kept.pop(key, None)
    if upload is not None:
        upload.path.unlink(missing_ok=True)


def labels(brought: Mapping[str, Upload]) -> dict[str, str]:
    """What each is called in a list: its name, numbered where another is called the same."""
    found: dict[str, str] = {}
    taken = set()
    for key, upload in brought.items():
        label, number = upload.name, 1
        while label in taken:
            number += 1
            label = f"{upload.name} ({number})"
        taken.add(label)
        found[key] = label
    return found


def _megabytes(kept: dict[str, Upload]) -> float:
    return sum(upload.size_bytes for upload in kept.values()) / 1e6
