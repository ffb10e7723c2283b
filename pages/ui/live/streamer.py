"""`streamlit-webrtc`, wrapped once: the browser's camera in, the mosaic out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer
from streamlit_webrtc.component import WebRtcStreamerContext
from streamlit_webrtc.config import Translations

from estimators.workflows.live.ice_settings import Server
from estimators.workflows.live.memory import tidy_soon
from estimators.workflows.live.stream import LiveStream
from pages.ui import memory
from pages.ui.live.connection import CAMERA
from pages.ui.live.pipe import Pipe
from pages.ui.live.relay import patch_global_relay

KEY = "live_camera"
_PIPE, _VISIT = "live_pipe", "live_visit"
_WORDS: Translations = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose camera",
    "media_api_not_available": "This browser gives pages no camera here",
    "device_ask_permission": "Allow the camera in the browser's question",
    "device_not_available": "No camera can be used",
    "device_access_denied": "The camera was refused",
}


def streamer(
    stream: LiveStream, servers: Sequence[Server], size: tuple[int, int]
) -> WebRtcStreamerContext[Any, Any]:
    """The camera with its Start and Stop buttons; shows `stream`'s mosaics of width × height."""
    _still_here()
    patch_global_relay()
    pipe = _pipe(stream)
    return webrtc_streamer(
        KEY,
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": list(servers)},
        media_stream_constraints={
            "video": {
                "width": {"ideal": CAMERA[0]},
                "height": {"ideal": CAMERA[1]},
                "frameRate": {"ideal": 30},
            },
            "audio": False,
        },
        sink_video_track=pipe,
        source_video_track=pipe.mosaics,
        video_html_attrs={
            "autoPlay": True,
            "controls": True,
            "muted": True,
            "playsInline": True,
            "style": {
                "width": "100%",
                # Without it the page below jumps when the first mosaic comes.
                "aspectRatio": f"{size[0]} / {size[1]}",
                "background": "#18191f",
                "borderRadius": "8px",
            },
        },
        translations=_WORDS,
        media_toggle_controls=False,
        sendback_audio=False,
    )


def _still_here() -> None:
    """Keeps streamlit-webrtc from ending the stream of a page that was not left.

    Its version 0.79 decides by Streamlit's count of finished script runs whether its component was
    left out of a run, and resets it then.  Streamlit counts on its event loop, a while after a run
    has ended, longer on a busy machine: the next run reads the count too early, the one after it
    finds it two higher, and a healthy stream or the answer to an offer is lost.  Without a count of
    the run before it does not compare.
    """
    context = st.session_state.get(KEY)
    if context is not None and st.session_state.get(_VISIT) == memory.visits():
        context._last_rendered_run_count = None  # private: the version is pinned
    st.session_state[_VISIT] = memory.visits()


def _pipe(stream: LiveStream) -> Pipe:
    """The one that is in use or waits for a connection; a new one after the end of the last."""
    pipe = st.session_state.get(_PIPE)
    if pipe is None or pipe.finished:
        pipe = st.session_state[_PIPE] = Pipe(stream.show, partial(_ended, stream))
    return pipe


def hang_up() -> None:
    """Ends this viewer's connection, if there is one; for a page without the camera."""
    pipe = st.session_state.pop(_PIPE, None)
    if pipe is not None:
        pipe.stop()


def _ended(stream: LiveStream) -> None:
    stream.stop()
    tidy_soon()
