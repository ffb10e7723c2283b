"""One variant as its viewers use it: whose turn it is, what their frames cost, who lost it."""

from __future__ import annotations

import threading
import time

from estimators.errors import PoseError
from estimators.registry import ModelSpec
from estimators.runtime.activity import Activity
from estimators.runtime.api import RunResult
from estimators.runtime.budget import MemoryBudget
from estimators.runtime.model_process import Limits, ModelProcess
from estimators.runtime.sessions import SessionKey
from estimators.types import Frame

__all__ = ["HostedModel", "Limits"]


class HostedModel(ModelProcess):
    """Implements `viewer_session.Host`; every method may be called from any thread."""

    def __init__(
        self,
        spec: ModelSpec,
        threads: int,
        limits: Limits,
        budget: MemoryBudget,
        activity: Activity,
    ) -> None:
        super().__init__(spec, threads, limits, budget, activity)
        self._warm_lock = threading.Lock()
        self._warmed: threading.Event | None = None

    def estimate(
        self, key: SessionKey, frame: Frame, viewer: str, timeout_s: float | None
    ) -> RunResult:
        """One frame, when it is this viewer's turn; see `viewer_session.Host`.

        Raises:
            ModelError, WeightsError: what went wrong with this model.
        """
        self._losses.check(frame, viewer)
        arrived = time.perf_counter()
        self._turns.take(viewer)
        try:
            self._check_open()
            self._losses.check(frame, viewer)  # others may have sent it meanwhile
            if self._worn():
                self._stop()
            process = self._started()
            self._forget_dropped(process)
            asked = time.perf_counter()
            with self._losses.of(frame, viewer), self._activity.work() as work:
                answer = self._ask(process, key, frame, timeout_s)
            busy = work.disturbed or self._giving_way.lowered
            estimate = answer.estimate(self.spec).in_full_size(frame)
            answered = time.perf_counter()
        finally:
            self.used_s = time.monotonic()
            if key.session and key.options.video:
                self._streams[key.session] = self.used_s
            self._turns.give()
        self._backoff.clear()
        self._stats.add(estimate.timings_ms.total, busy)
        self._budget.check(self)
        queue_ms = (asked - arrived) * 1000
        transport_ms = max(0.0, (answered - asked) * 1000 - answer.busy_ms)
        return RunResult(estimate, queue_ms, transport_ms, cold=answer.fresh, busy=busy)

    def warm(self) -> threading.Event:
        """Loads the model in the background if it is not loaded; errors are kept for `status`.

        Returns:
            What is set when that is done, well or not.
        """
        with self._warm_lock:
            if self._warmed is None or self._warmed.is_set():
                self._warmed = threading.Event()
                if self._ready and self._process is not None and self._process.alive():
                    self._warmed.set()
                else:
                    self._load_in_background(self._warmed)
            return self._warmed

    def give_way(self, holder: str, niceness: int) -> None:
        """See `api.Runner.give_way`."""
        self._giving_way.want(holder, niceness)
        process = self._process
        if process is not None:
            self._giving_way.apply(process.pid)
        self._replace_worn()

    def drop(self, session: str) -> None:
        self._streams.pop(session, None)
        self._dropped.append(session)

    def tidy(self) -> None:
        if self._turns.try_take():
            try:
                if self._process is not None and self._ready:
                    self._forget_dropped(self._process)
            finally:
                self._turns.give()
        self._replace_worn()

    # A process that gave way to a live video and cannot be raised again.

    def _worn(self) -> bool:
        """It is to be replaced, and nobody's clip would lose its person by that."""
        return self._process is not None and self._giving_way.stuck and not self.streaming()

    def _replace_worn(self) -> None:
        if self._worn():
            self._load_in_background(threading.Event())

    def _load_in_turn(self, done: threading.Event) -> None:
        self._turns.take("warm")
        try:
            self._check_open()
            if self._worn():
                self._stop()
            self._started()
        except PoseError:
            pass  # told by `status` and to whoever uses the model
        finally:
            self._turns.give()
            done.set()

    def _load_in_background(self, done: threading.Event) -> None:
        name = f"warm-{self.spec.key}"
        threading.Thread(target=self._load_in_turn, args=(done,), name=name, daemon=True).start()
