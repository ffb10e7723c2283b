"""One model following a stream in a thread of its own, always at the newest frame."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from estimators.analysis.latency import RollingLatency
from estimators.errors import PoseError
from estimators.registry import ModelSpec
from estimators.runtime.api import Runner, RunResult, Session
from estimators.runtime.priority import BEHIND_VIDEO, LAST
from estimators.types import EstimatorOptions, Frame, PoseSet
from estimators.workflows.live.slot import NewestSlot

FollowerState = Literal["loading", "following", "failed"]
# A model that failed is tried again: its weights may have come, or its process started anew.
_RETRY_S = 3.0
# A model that takes longer than this, again and again, cannot follow anybody anyway; the others go
# first.  One slow answer may be the machine's doing, and a process that gave way does so for good.
_SLOW_MS = 500.0
_SLOW_ANSWERS = 3
# Nothing but a slow model takes so long, its first answer included.
_VERY_SLOW_MS = 2000.0
_VIDEO = EstimatorOptions(video=True)


@dataclass(frozen=True, eq=False)
class Overlay:
    """The newest answer of one model.

    Attributes:
        poses: in pixels of the frame, nothing hidden.
        size: (width, height) of that frame; cameras change theirs in mid-stream.
        arrived_s: when the frame came from the camera, on `time.monotonic`'s clock.
    """

    poses: PoseSet
    size: tuple[int, int]
    frame_index: int
    arrived_s: float

    def age_ms(self, now_s: float) -> float:
        """How long ago the world looked as the overlay says."""
        return (now_s - self.arrived_s) * 1000


class Follower:
    """Estimates the newest frame again and again until it is closed.

    Args:
        answered: told of every answer, in this follower's thread.
        options: how the model is used, for video.
    """

    def __init__(
        self,
        runner: Runner,
        spec: ModelSpec,
        viewer: str,
        answered: Callable[[str, RunResult], None] = lambda model, result: None,
        options: EstimatorOptions = _VIDEO,
    ) -> None:
        self.spec, self.options = spec, options
        self.latency = RollingLatency()
        self.state: FollowerState = "loading"
        self.error = ""
        self.overlay: Overlay | None = None
        self._runner, self._viewer, self._answered = runner, viewer, answered
        self._slow = 0
        self._holder = f"live-{uuid.uuid4().hex}"
        self._slot: NewestSlot[tuple[Frame, float]] = NewestSlot()
        self._thread = threading.Thread(target=self._run, name=f"live-{spec.key}", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames this model never saw because a newer one came first."""
        return self._slot.dropped

    def offer(self, frame: Frame, arrived_s: float) -> None:
        """Hands over the newest frame; never waits."""
        if self._slot.put((frame, arrived_s)):
            self.latency.drop(arrived_s)

    def close(self) -> None:
        """Ends as soon as the model has answered; does not wait for it."""
        self._slot.close()

    def join(self, timeout_s: float | None = None) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._slot.closed:
            try:
                # Before it loads, which takes all cores for seconds.
                self._give_way(BEHIND_VIDEO)
                with self._runner.open(self.spec.key, self.options, self._viewer) as session:
                    self._follow(session)
            except PoseError as error:
                self._fail(str(error))
            except Exception as error:  # noqa: BLE001  # a thread's last chance to say what happened
                self._fail(f"{type(error).__name__}: {error}")
        with suppress(PoseError):
            self._give_way(0)

    def _follow(self, session: Session) -> None:
        while (newest := self._slot.take()) is not None:
            frame, arrived_s = newest
            asked_s = time.monotonic()
            result = session.estimate(frame)
            now_s = time.monotonic()
            self.latency.add(now_s, (now_s - asked_s) * 1000)
            size = (frame.width, frame.height)
            self.overlay = Overlay(result.estimate.poses, size, frame.index, arrived_s)
            self.state, self.error = "following", ""
            self._answered(self.spec.key, result)
            self._mind_priority(result)

    def _mind_priority(self, result: RunResult) -> None:
        took_ms = result.estimate.timings_ms.total
        if result.cold:  # perhaps a new process
            self._slow = 0
            self._give_way(BEHIND_VIDEO if took_ms < _VERY_SLOW_MS else LAST)
            return
        self._slow = self._slow + 1 if took_ms > _SLOW_MS else 0
        if self._slow == _SLOW_ANSWERS:
            self._give_way(LAST)

    def _give_way(self, niceness: int) -> None:
        self._runner.give_way(self.spec.key, self._holder, niceness)

    def _fail(self, message: str) -> None:
        self.state, self.error, self.overlay = "failed", message, None
        self._slot.wait_closed(_RETRY_S)
