"""Models in the tests' own process: quick to start, and tests can reach into them.

Load models of one framework only: two of them in one process crash each other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from estimators import registry
from estimators.devices import Placement, placement_of
from estimators.errors import ModelError, ModelLoadError, PoseError
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.messages import Answer, Load
from estimators.runtime.runner import ProcessRunner
from estimators.runtime.sessions import EstimatorPool, SessionKey
from estimators.settings import Settings
from estimators.types import Frame


class InProcess:
    """A `transport.Transport`: no time limits, no crash survived, no memory of its own."""

    pid = None

    def __init__(self, title: str, threads: int) -> None:
        self._title = title
        self._lock = threading.Lock()
        self._load: Load | None = None
        self._pool: EstimatorPool | None = None
        self._ended = False
        self._asked: list[tuple[SessionKey, Frame]] = []

    def load(self, load: Load, timeout_s: float) -> Placement:
        try:
            model = registry.load(load.spec, load.weights, load.threads)
        except PoseError:
            raise
        except Exception as error:
            raise ModelLoadError(f"{self._title} could not be loaded: {error!r}.") from error
        self._load, self._pool = load, EstimatorPool(model, load.sessions, load.idle_s)
        return placement_of(model)

    def hand_over(self, key: SessionKey, frames: Sequence[Frame]) -> None:
        self._asked = [(key, frame) for frame in frames]

    def answers(self, timeout_s: float) -> list[Answer | PoseError]:
        return [self._answer(key, frame) for key, frame in self._asked]

    def _answer(self, key: SessionKey, frame: Frame) -> Answer | PoseError:
        with self._lock:
            if self._load is None or self._pool is None:
                return ModelError(f"{self._title} is not loaded.")
            started = time.perf_counter()
            try:
                estimate, fresh = self._pool.estimate(key, frame)
            except PoseError as error:
                return error
            except Exception as error:  # noqa: BLE001 - told as the runner's own are
                return ModelError(f"{self._title} failed on this frame: {error!r}.")
            busy_ms = (time.perf_counter() - started) * 1000
            return Answer.of(estimate, self._load.spec, busy_ms, fresh)

    def forget(self, session: str) -> None:
        with self._lock:
            if self._pool is not None:
                self._pool.forget(session)

    def alive(self) -> bool:
        return not self._ended

    def memory(self) -> None:
        return None

    def end(self) -> None:
        with self._lock:
            pool, self._pool, self._ended = self._pool, None, True
            if pool is not None:
                pool.close()


class InProcessRunner(ProcessRunner):
    """The app's own runner with its models in this process."""

    def __init__(
        self, threads: int | None = None, models: Mapping[str, ModelSpec] = MODELS
    ) -> None:
        super().__init__(Settings(), threads, models, start=InProcess)
