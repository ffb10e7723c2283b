"""The runner that hosts the models in this very process: for tests and for a single framework."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from estimators import registry, weights
from estimators.errors import ModelError, ModelLoadError, PoseError
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.activity import Activity
from estimators.runtime.api import HostState, ModelStatus, RunResult, Session
from estimators.runtime.hosted import Limits
from estimators.runtime.machine import available_cores
from estimators.runtime.sessions import EstimatorPool, SessionKey
from estimators.runtime.stats import CallStats
from estimators.runtime.turns import Turns
from estimators.runtime.viewer_session import ViewerSession, closed, find
from estimators.types import EstimatorOptions, Frame

_PICTURES = EstimatorOptions()


class LocalModel:
    """One variant in this process; see `viewer_session.Host`."""

    def __init__(self, spec: ModelSpec, threads: int, activity: Activity) -> None:
        self.spec = spec
        self._activity = activity
        self._threads = threads
        self._turns = Turns()
        self._stats = CallStats()
        self._pool: EstimatorPool | None = None
        self._load_s: float | None = None
        self._error: str | None = None
        self._closed = False
        self._dropped: deque[str] = deque()

    def estimate(
        self, key: SessionKey, frame: Frame, viewer: str, timeout_s: float | None
    ) -> RunResult:
        """One frame; nothing can be timed out here, so `timeout_s` has no effect."""
        arrived = time.perf_counter()
        self._turns.take(viewer)
        try:
            pool = self._loaded()
            asked = time.perf_counter()
            with self._activity.work() as work:
                estimate, fresh = pool.estimate(key, frame)
        except PoseError:
            raise
        except Exception as error:
            raise ModelError(f"{self.spec.title} failed on this frame: {error!r}.") from error
        finally:
            self._turns.give()
        self._stats.add(estimate.timings_ms.total, work.disturbed)
        in_full, queue_ms = estimate.in_full_size(frame), (asked - arrived) * 1000
        return RunResult(in_full, queue_ms, 0.0, cold=fresh, busy=work.disturbed)

    def warm(self, done: threading.Event) -> None:
        """Loads the model if it is not loaded; errors are kept for `status`."""
        self._turns.take("warm")
        try:
            self._loaded()
        except PoseError:
            pass  # told by `status` and to whoever uses the model
        finally:
            self._turns.give()
            done.set()

    def drop(self, session: str) -> None:
        self._dropped.append(session)

    def tidy(self) -> None:
        if self._turns.try_take():
            try:
                self._forget_dropped()
            finally:
                self._turns.give()

    def status(self) -> ModelStatus:
        median_ms, p95_ms = self._stats.median_p95()
        state: HostState
        state = "ready" if self._pool is not None else "failed" if self._error else "stopped"
        return ModelStatus(
            model=self.spec.key,
            state=state,
            load_s=self._load_s,
            first_call_ms=self._stats.first_call_ms,
            start_busy=self._stats.start_busy,
            median_ms=median_ms,
            p95_ms=p95_ms,
            calls=self._stats.calls,
            error=self._error,
        )

    def close(self) -> None:
        self._closed = True
        self.retire()

    def retire(self) -> None:
        self._turns.take("retire")
        try:
            if self._pool is not None:
                self._pool.close()
            self._pool = None
        finally:
            self._turns.give()

    def _loaded(self) -> EstimatorPool:
        if self._closed:
            raise closed()
        if self._pool is None:
            started = time.perf_counter()
            try:
                path = weights.path(self.spec.weights) if self.spec.weights else Path()
                with self._activity.work() as work:
                    model = registry.load(self.spec, path, self._threads)
            except PoseError as error:
                self._error = str(error)
                raise
            except Exception as error:
                self._error = f"{self.spec.title} could not be loaded: {error!r}."
                raise ModelLoadError(self._error) from error
            limits = Limits()
            self._pool = EstimatorPool(model, limits.sessions, limits.idle_s)
            self._load_s = time.perf_counter() - started
            self._error = None
            self._stats.loaded(work.disturbed)
        self._forget_dropped()
        return self._pool

    def _forget_dropped(self) -> None:
        while self._dropped:
            session = self._dropped.popleft()
            if self._pool is not None:
                self._pool.forget(session)


class InProcessRunner:
    """Implements `api.Runner` without child processes: no timeouts, no crashes survived.

    Load models of one framework only: two of them in one process crash each other.
    """

    def __init__(
        self, threads: int | None = None, models: Mapping[str, ModelSpec] = MODELS
    ) -> None:
        self._threads = threads or available_cores()
        self._models = models
        self._activity = Activity()
        self._local: dict[str, LocalModel] = {}
        self._lock = threading.Lock()
        self._closed = False

    def warm(self, model: str) -> threading.Event:
        local, done = self._model(model), threading.Event()
        threading.Thread(target=local.warm, args=(done,), daemon=True).start()
        return done

    def estimate(
        self,
        model: str,
        frame: Frame,
        options: EstimatorOptions = _PICTURES,
        viewer: str = "",
    ) -> RunResult:
        key = SessionKey("", replace(options, video=False))
        return self._model(model).estimate(key, frame, viewer, None)

    def open(self, model: str, options: EstimatorOptions = _PICTURES, viewer: str = "") -> Session:
        return ViewerSession(self._model(model), options, viewer)

    def give_way(self, model: str, holder: str, niceness: int) -> None:
        """The models have no priority of their own here."""
        self._model(model)

    def occupied(self) -> AbstractContextManager[object]:
        return self._activity.work()

    def wait_quiet(self, timeout_s: float) -> bool:
        return self._activity.wait_quiet(timeout_s)

    def status(self) -> tuple[ModelStatus, ...]:
        with self._lock:
            return tuple(model.status() for model in self._local.values())

    def retire(self, model: str) -> None:
        self._model(model).retire()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            models = tuple(self._local.values())
        for model in models:
            model.close()

    def _model(self, model: str) -> LocalModel:
        with self._lock:
            if self._closed:
                raise closed()
            if model not in self._local:
                self._local[model] = LocalModel(
                    find(self._models, model), self._threads, self._activity
                )
            return self._local[model]
