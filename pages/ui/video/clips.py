"""Which clip: samples, an upload, what was recorded on the Live page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from estimators.decode.clips import open_clip
from estimators.errors import InputError
from estimators.media import samples
from estimators.media.clip_info import ClipInfo
from pages.ui.address import choose
from pages.ui.gone import forget_gone, tell_gone
from pages.ui.recorded import kept_recording
from pages.ui.sample import choose_sample, sample_digest
from pages.ui.text import said
from pages.ui.video.kept import made
from pages.ui.video.uploads import uploaded

_SOURCES = {
    "sample": (":material/video_library:", "Samples"),
    "upload": (":material/upload:", "Your clip"),
}
_WITH_LIVE = _SOURCES | {"live": (":material/videocam:", "Recording")}
_LINKED = "linked_clip_source"


@dataclass(frozen=True, eq=False)
class ChosenClip:
    """A clip to compare the models on.

    Attributes:
        info: what it holds, and where it is.
        digest: SHA-256 of the file, the key of everything that is computed from it.
        alt: what is to be seen, for those who cannot see it.
        note: where it comes from, "" where nothing needs to be said.
    """

    info: ClipInfo
    digest: str
    alt: str
    note: str = ""

    @property
    def stem(self) -> str:
        """Its name without extension, for the names of downloads."""
        return Path(self.info.name).stem


def choose_source() -> str:
    """Where the clip comes from, a key of `_WITH_LIVE`, "live" once one was recorded there."""
    linked = st.session_state.setdefault(_LINKED, st.query_params.get("clip_source"))
    options = _WITH_LIVE if kept_recording() else _SOURCES
    named = {key: " ".join(words) for key, words in options.items()}
    source = choose("Clip from", named, "clip_source")
    if source != "upload":
        forget_gone("clip")
    if linked == "live" and source == "sample" and "live" not in options:
        st.info(
            "The recording that this address leads to is not here: it is kept for one visit. Make "
            "another one on the Live page.",
            icon=":material/link_off:",
        )
    return source


def choose_clip(source: str) -> ChosenClip | None:
    """The clip to show; None while there is none (and the page says what to do)."""
    try:
        return _FROM[source]()
    except InputError as error:
        st.error(
            f"**{said(error.message)}**\n\n{said(error.advice)}",
            icon=":material/broken_image:",
        )
        return None


def _from_samples() -> ChosenClip:
    sample = choose_sample("Sample clip", samples.clips(), "clip")
    info = _opened(sample.path, sample.path.name)
    return ChosenClip(info, sample_digest(sample.path), sample.alt, _source(sample))


def _source(sample: samples.Sample) -> str:
    return f"{sample.source} · {sample.licence}"


def _from_upload() -> ChosenClip | None:
    kept = uploaded()
    tell_gone("clip", [kept.name] if kept else [])
    if kept is None:
        return None
    return ChosenClip(_opened(kept.path, kept.name), kept.digest, f"Uploaded clip {kept.name}")


def _from_live() -> ChosenClip | None:
    kept = kept_recording()
    if kept is None:  # its file went meanwhile
        return None
    info = _opened(kept.file.path, kept.name)
    return ChosenClip(info, kept.file.digest, "What your camera saw, recorded on the Live page")


_FROM = {"sample": _from_samples, "upload": _from_upload, "live": _from_live}


def _opened(path: Path, name: str) -> ClipInfo:
    return made(("clip", path, name), lambda: open_clip(path, name=name), "Reading the clip …")
