"""What the chosen clip is: a strip of its frames, and its data in a line."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from estimators.decode.pool import pool
from estimators.errors import InputError
from estimators.media.clip_info import ClipInfo
from estimators.workflows.clip.film_strip import film_strip
from pages.ui.server.leaving import when_empty
from pages.ui.text import escaped, said
from pages.ui.video.clips import ChosenClip
from pages.ui.video.plan import describe

_FILM_STRIP = "estimators.workflows.clip.film_strip:film_strip"


def facts(clip: ChosenClip) -> None:
    """The strip, the line, and what a person should know about the file."""
    try:
        with st.container(key="film_strip"):
            st.image(_strip(clip.digest, clip.info), width="stretch", alt=clip.alt)
    except InputError as error:
        st.error(said(error), icon=":material/broken_image:")
        st.stop()
    st.caption(escaped(" · ".join(filter(None, [describe(clip.info), clip.note]))))
    for note in clip.info.notes:
        st.warning(said(note), icon=":material/info:")


@st.cache_data(max_entries=32, show_spinner="Reading the clip …")
def _strip(digest: str, _info: ClipInfo) -> NDArray[np.uint8]:
    decoders = pool()
    if decoders is None:
        return film_strip(_info)
    strip: NDArray[np.uint8] = decoders.call(_FILM_STRIP, (_info,), _info.name)
    return strip


when_empty(_strip.clear)
