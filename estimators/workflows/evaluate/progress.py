"""How far an evaluation is: told by page and command line alike."""

from __future__ import annotations

import time
from dataclasses import dataclass

from estimators.workflows.background import RunState


@dataclass(frozen=True)
class ModelProgress:
    """How far one model is.

    Attributes:
        state: `failed` where it gave no answer to anything; `done` also where it failed on some.
        done: questions that are settled: answered, failed, or known from an earlier run.
        failed: of them without an answer.
        known: of them whose answers an earlier run has kept.
        total: questions in all: pictures, or windows of pictures.
        elapsed_s: since it was first asked.
        error: why it failed, at last; a sentence.
    """

    model: str
    state: RunState
    done: int
    failed: int
    known: int
    total: int
    elapsed_s: float
    error: str = ""

    @property
    def rate(self) -> float:
        """Questions a second, without those known before; 0 before the first."""
        return (self.done - self.known) / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds to its end at that rate; None before its first answer."""
        if self.done == self.total:
            return 0.0
        return (self.total - self.done) / self.rate if self.rate > 0 else None


@dataclass
class ModelWork:
    """One model while a job runs: what `ModelProgress` tells, and its clock.

    Attributes:
        unreadable: questions of `done` without an answer that are no fault of the model.
    """

    model: str
    total: int
    state: RunState = "waiting"
    done: int = 0
    failed: int = 0
    known: int = 0
    unreadable: int = 0
    error: str = ""
    _begun_s: float = 0.0
    _elapsed_s: float = 0.0

    def begin(self) -> None:
        """It is asked from now on."""
        self._begun_s = time.monotonic()
        self.state = "running"

    def pause(self) -> None:
        """Nothing more is asked; its state says later what became of it."""
        self._elapsed_s = time.monotonic() - self._begun_s

    def end(self) -> None:
        """All is settled, or it was given up (`error`): failed where it answered nothing."""
        silent = self.done == self.failed + self.unreadable
        self.state = "failed" if silent and (self.failed or self.error) else "done"

    def cut_off(self, state: RunState) -> None:
        """The job has ended so; a model that had not ended by itself did not get through."""
        if self.state in ("waiting", "running"):
            self.state = "failed" if state == "failed" else "cancelled"

    @property
    def progress(self) -> ModelProgress:
        """How far it is; from any thread."""
        running = self.state == "running"
        elapsed_s = time.monotonic() - self._begun_s if running else self._elapsed_s
        counts = (self.done, self.failed, self.known, self.total)
        return ModelProgress(self.model, self.state, *counts, elapsed_s, self.error)


@dataclass(frozen=True)
class EvaluateProgress:
    """How far the whole evaluation is.

    Attributes:
        state: of the run; `cancelled` and `failed` keep what is done.
        models: one entry a model, in the order in which they run.
        error: why it failed as a whole; a sentence.
    """

    state: RunState
    models: tuple[ModelProgress, ...]
    error: str = ""

    @property
    def done(self) -> int:
        """Questions that are settled, over all models."""
        return sum(model.done for model in self.models)

    @property
    def failed(self) -> int:
        """Questions without an answer, over all models."""
        return sum(model.failed for model in self.models)

    @property
    def total(self) -> int:
        """Questions in all, over all models."""
        return sum(model.total for model in self.models)

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return self.done / self.total if self.total else 1.0

    @property
    def slowest(self) -> ModelProgress | None:
        """Of the models that run now and have answered, the one that takes longest from now on."""
        running = [m for m in self.models if m.state == "running" and m.left_s is not None]
        return max(running, key=lambda m: m.left_s or 0.0, default=None)
