"""The files that somebody brings: pictures, ZIPs and annotations, kept for the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from estimators.errors import InputError
from estimators.media.limits import allowed
from estimators.media.names import printable
from pages.ui.folding import bringing
from pages.ui.server.files import arrived_anew, next_key, received
from pages.ui.text import escaped, said

_KEPT, _REFUSED, _WIDGET = "evaluate_files", "evaluate_refused", "evaluate_upload"


@dataclass(frozen=True)
class Kept:
    """A file in the visitor's folder, under the name that they know it by."""

    name: str
    path: Path
    digest: str
    size_bytes: int


def files(complete: bool = False) -> Mapping[str, Kept]:
    """The uploader, and what has been brought in this session, by name.

    Args:
        complete: what is here makes a set: the uploader is folded away.
    """
    kept: dict[str, Kept] = st.session_state.setdefault(_KEPT, {})
    for name in [name for name, file in kept.items() if not file.path.is_file()]:
        st.info(f"{escaped(name)} is no longer kept here: choose it again.")
        del kept[name]
    here = f"{_counted(kept)} · other files" if complete and kept else ""
    with bringing("Your pictures and their annotations", here):
        st.file_uploader(
            "Pictures and their annotations: files, or a ZIP with both",
            accept_multiple_files=True,
            key=next_key(_WIDGET),
            max_upload_size=_largest_mb(),
            on_change=_keep,
            args=(next_key(_WIDGET),),
            help="COCO keypoints (also from CVAT or Label Studio), YOLO-pose (a ZIP with "
            "data.yaml) or MPII. They stay in files of the machine that runs this dashboard, until "
            f"you leave. A ZIP may hold {allowed().files:,} files and "
            f"{allowed().unpacked_mb / 1000:g} GB, a set {allowed().people:,} people.",
        )
        if kept:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f":material/folder: {_counted(kept)}", width="content")
                key = "evaluate_remove"
                st.button("Remove", key=key, icon=":material/delete:", on_click=_remove)
    for reason in st.session_state.setdefault(_REFUSED, []):
        st.error(said(reason), icon=":material/block:")
    return kept


def _counted(kept: Mapping[str, Kept]) -> str:
    megabytes = sum(file.size_bytes for file in kept.values()) / 1e6
    return f"**{len(kept):,} file{'s'[: len(kept) > 1]}**, {megabytes:.1f} MB"


def _largest_mb() -> int:
    return int(st.get_option("server.maxUploadSize"))


def _keep(widget: str) -> None:
    kept: dict[str, Kept] = st.session_state[_KEPT]
    if widget == next_key(_WIDGET):  # else it is more of what was just looked at
        st.session_state[_REFUSED] = []
    refused = st.session_state[_REFUSED]
    for file in arrived_anew(_WIDGET, widget):
        try:
            came = received(file, _largest_mb())
        except InputError as error:
            refused.append(str(error))
            continue
        before = kept.pop(file.name, None)
        if before is not None:
            before.path.unlink(missing_ok=True)
        kept[file.name] = Kept(printable(file.name), came.path, came.digest, came.size_bytes)


def _remove() -> None:
    for file in st.session_state[_KEPT].values():
        file.path.unlink(missing_ok=True)
    st.session_state[_KEPT] = {}
    st.session_state[_REFUSED] = []
