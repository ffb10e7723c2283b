"""Where the picture comes from: samples, uploads, the camera."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from estimators.errors import InputError
from estimators.media import samples
from estimators.types import Frame
from pages.ui import memory
from pages.ui.address import publish, recall
from pages.ui.text import escaped
from pages.ui.uploads import CHOSEN, Upload, labels, uploads

if TYPE_CHECKING:
    from estimators.media.pictures import PictureFile

_SNAPSHOT = "kept_snapshot"
_CAMERA_WIDTH = 480  # the overlays below are what one wants to see
_LIVE_FRAME = "kept_live_frame"
_SOURCES = {
    "sample": (":material/photo_library:", "Samples"),
    "upload": (":material/upload:", "Your pictures"),
    "camera": (":material/photo_camera:", "Camera"),
}
_WITH_LIVE = _SOURCES | {"live": (":material/videocam:", "Live frame")}


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture to compare the models on.

    Attributes:
        name: file name or title.
        digest: SHA-256 of the file, the key of everything cached about it.
        alt: what is to be seen, for those who cannot see it; Markdown.
        note: where it comes from, "" where nothing needs to be said; Markdown.
    """

    name: str
    digest: str
    frame: Frame
    alt: str
    note: str = ""

    @property
    def stem(self) -> str:
        """Its name without extension, for the names of downloads."""
        return self.name.rsplit(".", 1)[0]


# Shared, not copied: a frame cannot be changed, and a phone's picture has 36 MB.
@st.cache_resource(max_entries=8, show_spinner=False)
def _decoded(digest: str, name: str, _data: bytes) -> PictureFile:
    from estimators.media.pictures import open_picture

    return open_picture(_data, name)


# Asked of every upload in every run, far more often than pictures stay decoded.
@st.cache_data(max_entries=512, show_spinner=False)
def _fault(digest: str, name: str, _data: bytes) -> str:
    """Why it cannot be shown, "" where it can."""
    try:
        _decoded(digest, name, _data)
    except InputError as error:
        return str(error)
    return ""


def _picture(data: bytes, name: str, alt: str, note: str = "") -> Picture:
    """Raises InputError when `data` is no picture we can read."""
    digest = hashlib.sha256(data).hexdigest()
    return Picture(name, digest, _decoded(digest, name, data).frame, alt, note)


def _uploaded(upload: Upload) -> Picture:
    file = _decoded(upload.digest, upload.name, upload.data)
    frame = file.frame
    size = f"{len(upload.data) / 1e3:,.0f} kB"
    about = f"{escaped(upload.name)}: {frame.width}×{frame.height} pixels, {size}."
    return Picture(upload.name, upload.digest, frame, about, " ".join(file.notes))


def choose_source() -> str:
    """Where the picture comes from: a key of `_WITH_LIVE`, "live" once a frame was kept there."""
    source = st.segmented_control(
        "Picture from",
        list(_WITH_LIVE if kept_frame() else _SOURCES),
        default=memory.recall("picture_source", "sample"),
        format_func=lambda key: " ".join(_WITH_LIVE[key]),
        required=True,
        key="picture_source",
        label_visibility="collapsed",
    )
    return memory.keep("picture_source", source)


def choose_picture(source: str) -> Picture | None:
    """The picture to show; None while there is none (and the page says what to do)."""
    sources = {
        "sample": _from_samples,
        "upload": _from_uploads,
        "camera": _from_camera,
        "live": _from_live,
    }
    return sources[source]()


def keep_frame(data: bytes, name: str) -> None:
    """Takes a picture file from the Live page; the Image page shows it when it is opened next."""
    st.session_state[_LIVE_FRAME] = (data, name)
    memory.keep("picture_source", "live")


def kept_frame() -> tuple[bytes, str] | None:
    """The picture file kept last on the Live page, and its name."""
    return st.session_state.get(_LIVE_FRAME)


def _from_samples() -> Picture | None:
    by_name = {sample.path.stem: sample for sample in samples.pictures()}
    names = list(by_name)
    name = st.pills(
        "Sample picture",
        names,
        default=recall("sample", names),
        format_func=lambda key: by_name[key].title,
        required=True,
        key="sample",
        label_visibility="collapsed",
    )
    publish("sample", name, names[0])
    sample = by_name[name]
    note = f"Source: {sample.source}; {sample.licence}."
    return _picture(sample.path.read_bytes(), sample.path.name, sample.alt, note)


def _from_uploads() -> Picture | None:
    pictures: dict[str, Upload] = {}
    brought = uploads()
    for key, upload in brought.items():
        fault = _fault(upload.digest, upload.name, upload.data)
        if fault:
            st.error(escaped(fault), icon=":material/broken_image:")
        else:
            pictures[key] = upload
    if not brought:
        st.info("Add one or more pictures to compare the models on.", icon=":material/upload:")
    if not pictures:
        return None
    if len(pictures) == 1:
        return _uploaded(next(iter(pictures.values())))
    names, newest = labels(pictures), next(reversed(pictures))
    if memory.recall(CHOSEN, newest) not in pictures:
        st.session_state[CHOSEN] = newest
    chosen = st.pills(
        "Picture",
        list(pictures),
        default=st.session_state[CHOSEN],
        format_func=lambda key: escaped(names[key]),
        required=True,
        key=CHOSEN,
        label_visibility="collapsed",
    )
    return _uploaded(pictures[memory.keep(CHOSEN, chosen)])


def _from_camera() -> Picture | None:
    snapshot = st.camera_input(
        "Take a picture, from head to feet if there is room",
        key="snapshot",
        on_change=_keep_snapshot,
        width=_CAMERA_WIDTH,
        help="The browser asks for your permission; the picture stays in memory only.",
    )
    if snapshot is None and _SNAPSHOT not in st.session_state:
        return None
    try:
        return _picture(st.session_state[_SNAPSHOT], "snapshot.jpg", "Your snapshot.")
    except InputError as error:
        st.error(f"{error.message} {error.advice}", icon=":material/broken_image:")
        return None


def _keep_snapshot() -> None:
    """The last snapshot outlives its widget, so that changing the page does not lose it."""
    snapshot = st.session_state["snapshot"]
    if snapshot is None:  # cleared by the person: a widget that goes and comes calls nothing
        st.session_state.pop(_SNAPSHOT, None)
    else:
        st.session_state[_SNAPSHOT] = snapshot.getvalue()


def _from_live() -> Picture | None:
    data, name = st.session_state[_LIVE_FRAME]
    return _picture(data, name, "A frame of your camera, kept on the Live page.")
