"""Pictures that a person brings; kept for the session, so that changing the page loses nothing."""

from __future__ import annotations

import streamlit as st

# Kept by Streamlit's file id, the newest last: (name, content).
_KEPT, _LISTED, CHOSEN = "kept_uploads", "listed_uploads", "chosen_upload"
_WIDGET = "uploads"
_MOST = 16
_TYPES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff")
_LARGEST_MB = 50


def uploads() -> dict[str, tuple[str, bytes]]:
    """The uploader, and the name and content of all pictures brought in this session by id."""
    listed = st.file_uploader(
        "Pictures: JPEG, PNG, WebP, BMP, TIFF, or the first frame of a GIF",
        _TYPES,
        accept_multiple_files=True,
        key=_WIDGET,
        max_upload_size=_LARGEST_MB,
        on_change=_keep,
        help="They stay in the memory of the machine that runs this dashboard.",
    )
    kept: dict[str, tuple[str, bytes]] = st.session_state.setdefault(_KEPT, {})
    if not listed:
        # Empty without `_keep` having seen it: a new widget after a change of page.
        st.session_state[_LISTED] = set()
    if len(kept) > len(listed) and st.button("Remove these pictures", icon=":material/delete:"):
        kept.clear()
        st.rerun()
    return kept


def _keep() -> None:
    listed = {file.file_id: file for file in st.session_state[_WIDGET]}
    kept: dict[str, tuple[str, bytes]] = st.session_state.setdefault(_KEPT, {})
    for removed in st.session_state.get(_LISTED, set()) - set(listed):
        kept.pop(removed, None)
    new = [key for key in listed if key not in kept]
    kept |= {key: (listed[key].name, listed[key].getvalue()) for key in new}
    for oldest in list(kept)[:-_MOST]:
        del kept[oldest]
    st.session_state[_LISTED] = set(listed)
    if new:
        st.session_state[CHOSEN] = new[0]
