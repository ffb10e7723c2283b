"""`streamlit-webrtc`, wrapped once: the browser's camera in, the mosaic out."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import av
import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit_webrtc import WebRtcMode, webrtc_streamer
from streamlit_webrtc.component import WebRtcStreamerContext

from estimators.workflows.live import LiveStream
from estimators.workflows.live_slot import NewestSlot
from pages.ui.live.ice import Server

_LOG = logging.getLogger(__name__)
KEY = "live_camera"
# streamlit-webrtc 0.79 decides by Streamlit's count of finished script runs whether its component
# was left out of a run, and then ends the stream.  Streamlit counts on its event loop, a moment
# after a run has ended: when two runs follow each other quickly, the second one reads the count
# too early, the third one finds it two higher, and a healthy stream dies ("was not rendered for 1
# script runs").  A short wait before the count is read lets the event loop count first.
_LET_THE_LOOP_COUNT_S = 0.03
# A stream whose end nobody told of: its thread goes, and comes back with the next frame.
_FORGOTTEN_S = 60.0
_WORDS = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose camera",
    "media_api_not_available": "This browser gives pages no camera here",
    "device_ask_permission": "Allow the camera in the browser's question",
    "device_not_available": "No camera can be used",
    "device_access_denied": "The camera was refused",
}


class _Frames:
    """The callbacks of one stream; nothing that happens in them may reach streamlit-webrtc.

    An exception in its frame callback would freeze the video for good, without a word.

    The callback runs on the server's event loop (`async_processing=False`) and only exchanges
    frames: the newest one goes to a thread that draws, what was drawn last comes back.  The
    library's own thread would do, too, but hands out results in order: after one slow frame
    every later one is a frame late.
    """

    def __init__(self, stream: LiveStream) -> None:
        self._stream = stream
        self._told = ""
        self._slot: NewestSlot[av.VideoFrame] = NewestSlot()
        self._drawn: NDArray[np.uint8] | None = None
        self._drawing: threading.Thread | None = None

    def show(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Exchanges the camera's newest frame for the newest mosaic."""
        try:
            if self._drawing is None or not self._drawing.is_alive():
                self._slot = NewestSlot()
                self._drawing = threading.Thread(
                    target=self._draw, args=(self._slot,), name="live-draw", daemon=True
                )
                self._drawing.start()
            self._slot.put(frame)
            picture = self._drawn
            return frame if picture is None else av.VideoFrame.from_ndarray(picture, "rgb24")
        except Exception as error:  # noqa: BLE001  # see above; the camera's own picture goes on
            self._log(error)
            return frame

    def ended(self) -> None:
        """Called on the server's event loop, so it must be short; stopping does not wait."""
        self._slot.close()
        self._drawn = None
        self._stream.stop()

    def _draw(self, slot: NewestSlot[av.VideoFrame]) -> None:
        while (frame := slot.take(_FORGOTTEN_S)) is not None:
            try:
                picture = self._stream.show(frame.to_ndarray(format="rgb24"))
            except Exception as error:  # noqa: BLE001  # the next frame may do better
                self._log(error)
                picture = None
            if slot.closed:
                self._stream.stop()  # the end came while this frame was being drawn
            else:
                self._drawn = picture

    def _log(self, error: Exception) -> None:
        words = f"{type(error).__name__}: {error}"
        if words != self._told:  # thirty times a second would fill the disk
            self._told = words
            _LOG.exception("A frame of the live stream could not be drawn")


def streamer(
    stream: LiveStream, servers: Sequence[Server], size: tuple[int, int]
) -> WebRtcStreamerContext:
    """The camera with its Start and Stop buttons; shows `stream`'s mosaics of width × height."""
    time.sleep(_LET_THE_LOOP_COUNT_S)
    frames = _callbacks(stream)
    return webrtc_streamer(
        KEY,
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": list(servers)},
        media_stream_constraints={
            "video": {
                "width": {"ideal": 640},
                "height": {"ideal": 480},
                "frameRate": {"ideal": 30},
            },
            "audio": False,
        },
        video_frame_callback=frames.show,
        async_processing=False,
        on_video_ended=frames.ended,
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


def _callbacks(stream: LiveStream) -> _Frames:
    """The same object in every run: a run must not exchange the callbacks of a live stream."""
    if "live_frames" not in st.session_state:
        st.session_state["live_frames"] = _Frames(stream)
    return st.session_state["live_frames"]
