"""One viewer's camera through several models: frames in, mosaics out, at the camera's own rate.

The video never waits for a model.  Each model follows the newest frame in a thread of its own; a
frame is drawn with whatever each model said last, and with how old that is.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.latency import RollingLatency
from estimators.runtime.api import Runner, RunResult
from estimators.types import Frame
from estimators.workflows.live.figures import StreamFigures, StreamState, of_model
from estimators.workflows.live.follower import Follower
from estimators.workflows.live.mosaic import (
    LiveSettings,
    View,
    draw_live,
    draw_notice,
    live_layout,
)
from estimators.workflows.live.recorder import LiveRecorder
from estimators.workflows.live.seats import Seats

# Frames that stop coming without an end (a closed lid, a frozen tab) free everything after so long;
# it starts anew with the next frame.
IDLE_S = 8.0
# After so long without a frame the rates are measured anew: they tell how the video runs.
PAUSE_S = 3.0
FULL = (
    "All {limit} live places of this server are taken. The page opens again as soon as somebody "
    "stops."
)
RESIZED = "The recording ended when the camera's pictures changed from {} × {} to {} × {} pixels."


class LiveStream:
    """The frames of one viewer; every method may be called from any thread.

    Args:
        runner: hosts the models, shared by all viewers.
        seats: limits how many streams run at once.
        idle_s: seconds without a frame after which everything is freed.
    """

    def __init__(self, runner: Runner, seats: Seats, idle_s: float = IDLE_S) -> None:
        self.viewer = f"live-{uuid.uuid4().hex}"
        self.video = RollingLatency()
        self._runner, self._seats, self._idle_s = runner, seats, idle_s
        self._lock = threading.RLock()
        self._occupied = ExitStack()
        self._settings = LiveSettings()
        self._followers: dict[str, Follower] = {}
        self._recorder: LiveRecorder | None = None
        self._newest: NDArray[np.uint8] | None = None
        self._camera = (640, 480)
        self._state: StreamState = "idle"
        self._stopped = threading.Event()
        self._index, self._started_s, self._last_s = 0, time.monotonic(), -np.inf

    @property
    def state(self) -> StreamState:
        return self._state

    @property
    def recorder(self) -> LiveRecorder | None:
        """The recording that is running, or the last one."""
        return self._recorder

    def configure(self, settings: LiveSettings) -> None:
        """Takes effect with the next frame; models that are no longer followed end."""
        with self._lock:
            self._settings = settings
            if self._state == "running":
                self._reconcile()

    def show(
        self, image: NDArray[np.uint8], out: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """The mosaic for the camera's newest frame, uint8 [H, W, 3] RGB; never waits for a model.

        Args:
            image: uint8 [H, W, 3] RGB; must not be changed afterwards.
            out: an earlier mosaic that nobody needs any more; may be drawn over.
        """
        arrived_s = time.monotonic()
        with self._lock:
            frame = self._take_in(image, arrived_s)
            settings, followers, recorder = self._begin(), self._followers, self._recorder
            views = [
                View(
                    m,
                    followers[m.spec.key].state,
                    followers[m.spec.key].overlay,
                    followers[m.spec.key].error,
                )
                for m in settings.models
                if m.spec.key in followers
            ]
            for follower in followers.values():
                follower.offer(frame, arrived_s)
        if self._state == "full":
            message = FULL.format(limit=self._seats.limit)
            return draw_notice(image, "No place left", message, settings.width)
        picture = draw_live(image, views, settings, time.monotonic(), out)
        if recorder is not None:
            recorder.add_picture(picture, frame)
        now_s = time.monotonic()
        self.video.add(now_s, (now_s - arrived_s) * 1000)
        return picture

    def stop(self) -> None:
        """Frees threads, sessions, recording and seat at once; the next frame starts anew."""
        with self._lock:
            for follower in self._followers.values():
                follower.close()
            self._followers = {}
            if self._recorder is not None:
                self._recorder.finish()
            self._seats.give(self.viewer)
            self._occupied.close()
            self._state, self._newest = "idle", None
            self._stopped.set()

    def newest_frame(self) -> NDArray[np.uint8] | None:
        """The camera's newest frame as it came, uint8 [H, W, 3] RGB; None when nothing runs."""
        return self._newest

    def mosaic_size(self) -> tuple[int, int]:
        """(width, height) of the mosaics; for a camera of 4:3 where none has shown itself yet."""
        width, height = self._camera
        layout = live_layout(self._settings, width, height)
        return layout.width, layout.height

    def record(self, name: str, longest_s: float) -> None:
        """Starts a recording; one that is running goes on instead."""
        with self._lock:
            if self._newest is None or self._state != "running":
                return
            if self._recorder is not None and self._recorder.state == "recording":
                return
            specs = [m.spec for m in self._settings.models]
            held_to = {m.spec.key: m.spec.held_to(m.options) for m in self._settings.models}
            height, width = self._newest.shape[:2]
            self._recorder = LiveRecorder(name, specs, (width, height), longest_s, held_to)

    def stop_recording(self) -> None:
        with self._lock:
            if self._recorder is not None:
                self._recorder.finish()

    def figures(self) -> StreamFigures:
        """What there is to tell now."""
        now_s = time.monotonic()
        with self._lock:
            models = [(m, self._followers.get(m.spec.key)) for m in self._settings.models]
            newest, state = self._newest, self._state
        size = None if newest is None else (newest.shape[1], newest.shape[0])
        figures = tuple(
            of_model(m, follower, now_s) for m, follower in models if follower is not None
        )
        return StreamFigures(state, self.video.summary(now_s), size, figures)

    def _take_in(self, image: NDArray[np.uint8], arrived_s: float) -> Frame:
        """The camera's newest frame; ends what cannot go on with it."""
        size = (image.shape[1], image.shape[0])
        if size != self._camera and self._recorder is not None:
            self._recorder.finish(RESIZED.format(*self._camera, *size))
        if arrived_s - self._last_s > PAUSE_S:
            self.video = RollingLatency()
            for follower in self._followers.values():
                follower.latency = RollingLatency()
        self._last_s, self._newest, self._camera = arrived_s, image, size
        self._index += 1
        return Frame(image, self._index, arrived_s - self._started_s)

    def _begin(self) -> LiveSettings:
        """Starts the followers if this is the first frame (for a while)."""
        if self._state != "running":
            self._state = "running" if self._seats.take(self.viewer) else "full"
            if self._state == "running":
                self.video = RollingLatency()
                # Drawing and encoding take the models' cores, whoever uses the models.
                self._occupied.enter_context(self._runner.occupied())
                self._reconcile()
                # One event a run, so that the watch of an earlier run cannot live on.
                self._stopped = threading.Event()
                watch = threading.Thread(
                    target=self._watch, args=(self._stopped,), name="live-watch", daemon=True
                )
                watch.start()
        return self._settings

    def _reconcile(self) -> None:
        wanted = {m.spec.key: m for m in self._settings.models}
        for key, follower in list(self._followers.items()):
            if key not in wanted or follower.options != wanted[key].options:
                self._followers.pop(key).close()
        for key, model in wanted.items():
            if key not in self._followers:
                self._followers[key] = Follower(
                    self._runner, model.spec, self.viewer, self._answered, model.options
                )

    def _answered(self, model: str, result: RunResult) -> None:
        recorder = self._recorder
        if recorder is not None:
            recorder.add_answer(model, result)

    def _watch(self, stopped: threading.Event) -> None:
        """Ends with the stream, or ends it when the frames have stopped coming."""
        while not stopped.wait(min(1.0, self._idle_s / 4)):
            if time.monotonic() - self._last_s > self._idle_s:
                self.stop()
                return
