"""One variant's child process: started on demand, restarted after a crash, ended to make room."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from estimators import weights
from estimators.errors import (
    MemoryBudgetError,
    ModelCrashedError,
    ModelError,
    ModelTimeoutError,
    PoseError,
)
from estimators.registry import ModelSpec
from estimators.runtime.activity import Activity
from estimators.runtime.api import HostState, ModelStatus
from estimators.runtime.backoff import Backoff
from estimators.runtime.budget import MemoryBudget
from estimators.runtime.losses import Losses
from estimators.runtime.machine import ProcessMemory, process_memory
from estimators.runtime.messages import Answer, Load
from estimators.runtime.priority import GivingWay
from estimators.runtime.process import HostProcess
from estimators.runtime.sessions import SessionKey
from estimators.runtime.stats import CallStats
from estimators.runtime.turns import Turns
from estimators.runtime.viewer_session import closed
from estimators.types import Frame

_STREAMING_S = 10.0


@dataclass(frozen=True)
class Limits:
    """Seconds a model may take to load and to answer, and what it may remember.

    Attributes:
        sessions: most sequences one model remembers; the least recently used one is forgotten.
        idle_s: a sequence unused for so long is forgotten (its next frame says `restarted`).
    """

    load_s: float = 180.0
    call_s: float = 60.0
    sessions: int = 32
    idle_s: float = 300.0


class ModelProcess:
    """A variant, its child process when it has one, what is known about it; a `budget.Tenant`."""

    def __init__(
        self,
        spec: ModelSpec,
        threads: int,
        limits: Limits,
        budget: MemoryBudget,
        activity: Activity,
    ) -> None:
        self.spec = spec
        self.used_s = time.monotonic()
        self._threads = threads
        self._limits = limits
        self._budget = budget
        self._activity = activity
        self._giving_way = GivingWay()
        self._turns = Turns()
        self._backoff = Backoff()
        self._losses = Losses()
        self._stats = CallStats()
        self._process: HostProcess | None = None
        self._ready = False
        self._loading = False
        self._closed = False
        self._restarts = 0
        self._load_s: float | None = None
        self._error: str | None = None
        self._measured_mb: float | None = None
        self._dropped: deque[str] = deque()
        self._streams: dict[str, float] = {}

    def status(self) -> ModelStatus:
        process, memory = self._process, self._memory()
        median_ms, p95_ms = self._stats.median_p95()
        running = memory is not None and process is not None
        return ModelStatus(
            model=self.spec.key,
            state=self._state(running),
            pid=process.pid if running and process is not None else None,
            rss_mb=memory.rss_mb if memory else None,
            pss_mb=memory.pss_mb if memory else None,
            load_s=self._load_s,
            first_call_ms=self._stats.first_call_ms,
            start_busy=self._stats.start_busy,
            median_ms=median_ms,
            p95_ms=p95_ms,
            calls=self._stats.calls,
            restarts=self._restarts,
            error=self._error,
        )

    def close(self) -> None:
        """Ends the process at once, whoever is waiting for it."""
        self._closed = True
        process = self._process
        if process is not None:
            process.end()

    # What the memory budget asks for.

    @property
    def title(self) -> str:
        return self.spec.title

    @property
    def expected_mb(self) -> float:
        return self._measured_mb or self.spec.expected_mb

    def memory_mb(self) -> float:
        memory = self._memory()
        if memory is not None and self._ready:
            self._measured_mb = memory.share_mb
            return memory.share_mb
        return self.expected_mb if self._loading else 0.0

    def reserve(self) -> None:
        self._loading = True

    def streaming(self) -> bool:
        since_s = time.monotonic() - _STREAMING_S
        for session, used_s in tuple(self._streams.items()):
            if used_s < since_s:
                self._streams.pop(session, None)
        return bool(self._streams)

    def retire(self, viewer: str, timeout_s: float | None) -> bool:
        taken = self._turns.try_take() if timeout_s == 0 else self._turns.take(viewer, timeout_s)
        if taken:
            try:
                self._backoff.clear()
                self._losses.forgive()
                self._stop()
            finally:
                self._turns.give()
        return taken

    # The process; only by whoever has the turn.

    def _started(self) -> HostProcess:
        """The loaded process, a new one where there is none."""
        if self._process is not None:
            if self._process.alive():
                return self._process
            self._restarts += 1
            self._stop()
        self._backoff.check()
        try:
            path = weights.path(self.spec.weights) if self.spec.weights else Path()
            self._budget.make_room(self)
            process = self._load(path.resolve())
        except PoseError as error:
            self._error = str(error)
            self._stop()
            self._check_open()
            if isinstance(error, ModelError) and not isinstance(error, MemoryBudgetError):
                self._backoff.failed(error, loading=True)
            raise
        finally:
            self._loading = False
        self._error = None
        return process

    def _load(self, path: Path) -> HostProcess:
        limits = self._limits
        load = Load(self.spec, path, self._threads, limits.sessions, limits.idle_s)
        with self._activity.work() as work:
            process = self._process = HostProcess(self.spec.title, self._threads)
            if self._closed:  # `close` may have come before it could see the process
                process.end()
            self._giving_way.started()
            self._giving_way.apply(process.pid)
            process.load(load, limits.load_s)
        self._load_s = time.monotonic() - process.started_s
        self._stats.loaded(work.disturbed or self._giving_way.lowered)
        self._dropped.clear()
        self._ready = True
        return process

    def _ask(
        self,
        process: HostProcess,
        key: SessionKey,
        frame: Frame,
        timeout_s: float | None,
    ) -> Answer:
        try:
            return process.ask(key, frame, timeout_s or self._limits.call_s)
        except (ModelCrashedError, ModelTimeoutError) as error:
            self._stop()
            self._check_open()
            self._restarts += 1
            self._error = str(error)
            raise

    def _stop(self) -> None:
        process, self._process, self._ready = self._process, None, False
        if process is not None:
            process.end()

    def _check_open(self) -> None:
        if self._closed:
            raise closed()

    def _forget_dropped(self, process: HostProcess) -> None:
        while self._dropped:
            process.forget(self._dropped.popleft())

    def _memory(self) -> ProcessMemory | None:
        process = self._process
        return process_memory(process.pid) if process is not None and process.alive() else None

    def _state(self, running: bool) -> HostState:
        if self._loading:
            return "loading"
        if running and self._ready:
            return "ready"
        return "failed" if self._error else "stopped"
