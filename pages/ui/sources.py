"""Where the picture comes from: samples, uploads, the camera."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from estimators.errors import InputError, TryAgainError
from estimators.media import samples
from estimators.types import Frame
from pages.ui import memory
from pages.ui.address import choose
from pages.ui.frames import frames
from pages.ui.gone import forget_gone, tell_gone
from pages.ui.sample import choose_sample, sample_digest
from pages.ui.server.files import Received, folder, received, write
from pages.ui.server.viewers import viewer
from pages.ui.text import escaped, said
from pages.ui.uploads import CHOSEN, Upload, kept_uploads, labels, uploads

if TYPE_CHECKING:
    from estimators.media.pictures import PictureFile
    from estimators.runtime.api import RunResult

_SNAPSHOT, _SNAPSHOT_MB = "kept_snapshot", 20
_CAMERA_WIDTH = 480  # the overlays below are what one wants to see
_LIVE_FRAME, _LINKED = "kept_live_frame", "linked_picture_source"
_SOURCES = {
    "sample": (":material/photo_library:", "Samples"),
    "upload": (":material/upload:", "Your pictures"),
    "camera": (":material/photo_camera:", "Camera"),
}
_WITH_LIVE = _SOURCES | {"live": (":material/videocam:", "Live frame")}


class NotLentError(InputError):
    """A viewer's file cannot be read (any more).

    Its words name that file: whoever else has the same content has a file of their own.
    """

    def __init__(self, error: InputError, viewer: str) -> None:
        super().__init__(error.message, error.advice)
        self.viewer = viewer


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture to compare the models on.  Its pixels are not here: `lent` gives them.

    Attributes:
        name: file name or title.
        digest: SHA-256 of the file, the key of everything cached about it.
        path: the file.
        size: width and height in pixels.
        alt: what is to be seen, for those who cannot see it; Markdown.
        note: where it comes from, "" where nothing needs to be said; Markdown.
        viewer: who looks at it.
    """

    name: str
    digest: str
    path: Path
    size: tuple[int, int]
    alt: str
    note: str = ""
    viewer: str = ""

    @property
    def stem(self) -> str:
        """Its name without extension, for the names of downloads."""
        return self.name.rsplit(".", 1)[0]

    def is_anothers(self, job: Future[RunResult]) -> bool:
        """Whether an estimate of it failed on a file that is another viewer's."""
        error = job.exception() if job.done() else None
        return isinstance(error, NotLentError) and error.viewer != self.viewer

    @contextmanager
    def lent(self) -> Iterator[Frame]:
        """The picture as the models are given it, decoded now if need be; see `Frames.lent`.

        Raises:
            NotLentError: it cannot be read.
        """
        with ExitStack() as stack:
            try:
                lent = _lent(self.digest, self.path, self.name, self.viewer)
                file = stack.enter_context(lent)
            except InputError as error:
                raise NotLentError(error, self.viewer) from None
            yield file.frame


def _lent(digest: str, path: Path, name: str, whose: str) -> AbstractContextManager[PictureFile]:
    from estimators.decode.pictures import open_picture

    return frames().lent(digest, lambda: open_picture(path, name), whose)


class _Looked(NamedTuple):
    """What is known of a picture file; `fault` says why it cannot be shown, "" where it can."""

    size: tuple[int, int] = (0, 0)
    note: str = ""
    fault: str = ""


def _looked_at(digest: str, name: str, path: Path, whose: str) -> _Looked:
    try:
        return _known(digest, name, path, whose)
    except TryAgainError as error:  # asked again in the next run
        return _Looked(fault=str(error))


# Asked of every upload in every run, far more often than pictures stay decoded.
@st.cache_data(max_entries=512, show_spinner="Reading the picture …")
def _known(digest: str, name: str, _path: Path, _whose: str) -> _Looked:
    try:
        with _lent(digest, _path, name, _whose) as file:
            return _Looked(file.frame.full_size, " ".join(file.notes))
    except TryAgainError:
        raise
    except InputError as error:
        if not _path.is_file():  # removed meanwhile; another viewer's file may be there
            raise TryAgainError(error.message, error.advice) from None
        return _Looked(fault=str(error))


def _fault(upload: Upload) -> str:
    return _looked_at(upload.digest, upload.name, upload.path, viewer()).fault


def _picture(path: Path, digest: str, name: str, alt: str, note: str = "") -> Picture:
    """Raises InputError when `path` is no picture we can read."""
    looked = _looked_at(digest, name, path, viewer())
    if looked.fault:
        raise InputError(looked.fault)
    return Picture(name, digest, path, looked.size, alt, note or looked.note, viewer())


def _uploaded(upload: Upload) -> Picture:
    picture = _picture(upload.path, upload.digest, upload.name, "")
    size = f"{upload.size_bytes / 1e3:,.0f} kB"
    about = f"{escaped(upload.name)}: {picture.size[0]}×{picture.size[1]} pixels, {size}."
    return replace(picture, alt=about)


def choose_source() -> str:
    """Where the picture comes from: a key of `_WITH_LIVE`, "live" once a frame was kept there."""
    linked = st.session_state.setdefault(_LINKED, st.query_params.get("picture_source"))
    options = _WITH_LIVE if kept_frame() else _SOURCES
    named = {key: " ".join(words) for key, words in options.items()}
    source = choose("Picture from", named, "picture_source")
    if source != "upload":
        forget_gone("picture")
    if linked == "live" and source == "sample":
        st.info(
            "The frame of the camera that this address leads to is not here: it is kept for one "
            "visit. Keep another one on the Live page.",
            icon=":material/link_off:",
        )
    return source


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
    before = kept_frame()
    st.session_state[_LIVE_FRAME] = (write(io.BytesIO(data), folder()), name)
    if before is not None:
        before[0].path.unlink(missing_ok=True)
    memory.keep("picture_source", "live")


def kept_frame() -> tuple[Received, str] | None:
    """The picture file kept last on the Live page, and its name."""
    return st.session_state.get(_LIVE_FRAME)


def _from_samples() -> Picture | None:
    sample = choose_sample("Sample picture", samples.pictures(), "sample")
    note = f"Source: {sample.source}; {sample.licence}."
    return _picture(sample.path, sample_digest(sample.path), sample.path.name, sample.alt, note)


def _from_uploads() -> Picture | None:
    pictures: dict[str, Upload] = {}
    brought = uploads()
    tell_gone("picture", [upload.name for upload in brought.values()])
    for key, upload in brought.items():
        fault = _fault(upload)
        if fault:
            st.error(said(fault), icon=":material/broken_image:")
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


def brought() -> dict[str, Picture]:
    """All pictures of this session that can be read, by the key of their upload."""
    kept: dict[str, Upload] = {k: u for k, u in kept_uploads().items() if not _fault(u)}
    names = labels(kept)
    return {key: replace(_uploaded(upload), name=names[key]) for key, upload in kept.items()}


def _from_camera() -> Picture | None:
    snapshot = st.camera_input(
        "Take a picture, from head to feet if there is room",
        key="snapshot",
        on_change=_keep_snapshot,
        width=_CAMERA_WIDTH,
        help="The browser asks for your permission; the picture is kept until you leave.",
    )
    if snapshot is None and _SNAPSHOT not in st.session_state:
        return None
    try:
        kept: Received = st.session_state[_SNAPSHOT]
        return _picture(kept.path, kept.digest, "snapshot.jpg", "Your snapshot.")
    except InputError as error:
        st.error(said(error), icon=":material/broken_image:")
        return None


def _keep_snapshot() -> None:
    """The last snapshot outlives its widget, so that changing the page does not lose it."""
    snapshot = st.session_state["snapshot"]
    before: Received | None = st.session_state.pop(_SNAPSHOT, None)
    if before is not None:
        before.path.unlink(missing_ok=True)
    if snapshot is None:  # cleared by the person: a widget that goes and comes calls nothing
        return
    try:
        st.session_state[_SNAPSHOT] = received(snapshot, _SNAPSHOT_MB)
    except InputError as error:
        st.error(said(error), icon=":material/block:")


def _from_live() -> Picture | None:
    kept, name = st.session_state[_LIVE_FRAME]
    picture = _picture(kept.path, kept.digest, name, "")
    size = f"{picture.size[0]} × {picture.size[1]} pixels"
    return replace(picture, alt=f"A frame of your camera, {size}, kept on the Live page.")
