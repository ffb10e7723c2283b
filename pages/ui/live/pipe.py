"""Frames on their way through one connection: camera in, a thread that draws, mosaics out.

streamlit-webrtc offers a frame callback for this.  Its results wait for the next camera frame
before they leave, and its queue hands them out in order, so that one slow frame makes all later
ones late.  Its sources and sinks have no such queue: a mosaic leaves as soon as it is drawn.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable

import av
import cv2
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from estimators.workflows.live.slot import NewestSlot

_LOG = logging.getLogger(__name__)
Draw = Callable[[NDArray[np.uint8], NDArray[np.uint8] | None], NDArray[np.uint8]]


def for_encoder(picture: NDArray[np.uint8]) -> av.VideoFrame:
    """The picture in the encoder's own form: the event loop's threads have less to do.

    OpenCV converts with the same coefficients as FFmpeg (BT.601, limited range), several times
    faster (`benchmarks/render.py`).

    Args:
        picture: uint8 [H, W, 3] RGB of even height and width.
    """
    planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
    return av.VideoFrame.from_ndarray(planes, "yuv420p")


class Mosaics(MediaStreamTrack):
    """What goes back to the browser: always the newest picture, none twice."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._ready = asyncio.Event()
        self._newest: av.VideoFrame | None = None

    def put(self, frame: av.VideoFrame) -> None:
        """Offers a picture; on the event loop."""
        if self.readyState == "live":
            self._newest = frame
            self._ready.set()

    async def recv(self) -> av.VideoFrame:
        """The next picture; raises MediaStreamError at the end, as every track does."""
        while self.readyState == "live":
            await self._ready.wait()
            self._ready.clear()
            frame, self._newest = self._newest, None
            if frame is not None and self.readyState == "live":
                return frame
        raise MediaStreamError

    def stop(self) -> None:
        super().stop()
        self._newest = None
        self._ready.set()


class Pipe:
    """One connection's way from camera to browser; implements streamlit-webrtc's `MediaSink`.

    Args:
        draw: camera's frame and the last mosaic, which may be drawn over, in; mosaic out; all uint8
            [H, W, 3] RGB.  Runs in a thread of its own.
        ended: called when the camera or the connection is gone, perhaps twice; must not wait.
    """

    def __init__(self, draw: Draw, ended: Callable[[], None]) -> None:
        self.mosaics = Mosaics()
        self.finished = False
        self._draw, self._ended = draw, ended
        self._slot: NewestSlot[av.VideoFrame] = NewestSlot()
        self._track: MediaStreamTrack | None = None
        self._reading: asyncio.Task[None] | None = None
        self._told = ""

    def addTrack(self, track: MediaStreamTrack) -> None:  # noqa: N802  # streamlit-webrtc's name
        self._track = track

    def hasTrack(self) -> bool:  # noqa: N802  # streamlit-webrtc's name
        return self._track is not None

    def start(self) -> None:
        """On the event loop, when both ends have agreed."""
        loop = asyncio.get_running_loop()
        if self._reading is not None:
            self._reading.cancel()
        self._reading = loop.create_task(self._read())
        thread = threading.Thread(target=self._work, args=(loop,), name="live-draw", daemon=True)
        thread.start()

    def stop(self) -> None:
        """Safe to call twice and from any thread; does not wait."""
        if self.finished:
            return
        self.finished = True
        self._slot.close()
        self.mosaics.stop()
        self._ended()

    async def _read(self) -> None:
        track = self._track
        try:
            while track is not None and not self.finished:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)  # the track is a camera's
                self._slot.put(frame)
        except MediaStreamError:
            pass  # the usual end
        finally:
            self.stop()
            self._track = None
            if track is not None:
                track.stop()  # nobody takes its frames any more

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        canvas = None
        while (frame := self._slot.take()) is not None:
            drawn, canvas = self._drawn(frame, canvas)
            drawn.pts, drawn.time_base = frame.pts, frame.time_base
            with contextlib.suppress(RuntimeError):  # the server is going down
                loop.call_soon_threadsafe(self.mosaics.put, drawn)
        # A frame that was being drawn at the end may have started the stream again.
        self._ended()

    def _drawn(
        self, frame: av.VideoFrame, canvas: NDArray[np.uint8] | None
    ) -> tuple[av.VideoFrame, NDArray[np.uint8] | None]:
        try:
            canvas = self._draw(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), canvas)
            return for_encoder(canvas), canvas
        except Exception as error:  # noqa: BLE001  # the camera's own picture goes on
            words = f"{type(error).__name__}: {error}"
            if words != self._told:  # thirty times a second would fill the disk
                self._told = words
                _LOG.exception("A frame of the live stream could not be drawn")
            return frame, None
