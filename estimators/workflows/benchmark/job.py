"""A benchmark in the background: models take turns, one call at a time, and nothing else runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from estimators.errors import InputError
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.api import Runner
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.workflows.background import BackgroundJob
from estimators.workflows.benchmark.asks import ROUNDS, BenchmarkSettings
from estimators.workflows.benchmark.measure import PATIENCE_S, Alone, Stopped
from estimators.workflows.benchmark.media import MOST_BYTES, BenchmarkMedia
from estimators.workflows.benchmark.passes import Pass, Work
from estimators.workflows.benchmark.progress import BenchmarkProgress, Steps
from estimators.workflows.benchmark.result import (
    FORMAT,
    Benchmark,
    Failed,
    Machine,
    Measured,
    Media,
)
from estimators.workflows.provenance import governor, instruction_sets, machine, versions
from estimators.workflows.room import DECODER_MB
from estimators.workflows.together import groups

_LOOK_S = 0.5
# What the measured models may take at least: one of them always runs.
_LEAST_MB = 300
_NOTHING_YET = Media("", "", 0, 0, 0, "")


@dataclass(frozen=True)
class Surroundings:
    """What is around a benchmark.

    Attributes:
        product: the settings of this server, or of the command line.
        app: hosts the models of this server's viewers, who are kept apart; None on a command line.
        wanted: asked before every call; when it says no, the job stops as if cancelled.
        turn: held while a benchmark runs, so that another one waits; None where there is none.
        patience_s: how long it waits for viewers' work to end, once in all.
        make: hosts the models that are measured, by the product's settings with what memory is
            left to them, and so many threads.
        models: those there are, by key.
    """

    product: Settings
    app: Runner | None = None
    wanted: Callable[[], bool] = lambda: True
    turn: threading.Lock | None = None
    patience_s: float = PATIENCE_S
    make: Callable[[Settings, int], Runner] = ProcessRunner
    models: Mapping[str, ModelSpec] = field(default_factory=lambda: MODELS)

    def memory_mb(self) -> int:
        """What the app's models leave of the memory for all models, `_LEAST_MB` at least."""
        if self.app is None:
            return self.product.memory_mb
        whole = self.app.memory_mb
        held = sum(s.memory_mb or 0.0 for s in self.app.status())  # a model on each device
        return max(min(_LEAST_MB, whole), int(whole - held))


class BenchmarkJob(BackgroundJob):
    """Measures each chosen model with each number of threads.

    It waits while another benchmark runs, and for room.

    Args:
        load: gives what is measured on; called when the turn has come, and kept until the end.

    Attributes:
        benchmark: what has been measured so far.

    Raises:
        InputError: there is no such model.
    """

    def __init__(
        self,
        load: Callable[[], BenchmarkMedia],
        settings: BenchmarkSettings,
        around: Surroundings,
    ) -> None:
        unknown = [key for key in settings.models if key not in around.models]
        if unknown:
            known = ", ".join(around.models)
            raise InputError(f"There is no model {unknown[0]!r}.", f"Choose from: {known}.")
        super().__init__("benchmark", around.wanted, DECODER_MB + MOST_BYTES / 1e6)
        self.settings = settings
        made = datetime.now(UTC).isoformat(timespec="seconds")
        here = Machine(**machine(), instruction_sets=instruction_sets(), governor=governor())
        self.benchmark = Benchmark(FORMAT, made, here, versions(), _NOTHING_YET, ())
        self._load, self._around = load, around
        self._specs = [around.models[key] for key in settings.models]
        self._steps = Steps(len(self._specs) * len(settings.threads), ROUNDS)
        self._alone = Alone(around.app, self._stopped, around.patience_s)

    @property
    def progress(self) -> BenchmarkProgress:
        """How far it is; from any thread."""
        return BenchmarkProgress(self.state, self._steps.share, self._steps.text)

    @contextmanager
    def between_rounds(self) -> Iterator[bool]:
        """For drawing: while inside no call is timed; False where the round was a long one."""
        held = self._alone.drawing.acquire(timeout=_LOOK_S)
        try:
            yield held
        finally:
            if held:
                self._alone.drawing.release()

    def run(self) -> None:
        """Does the work.

        Raises:
            InputError: what is measured on cannot be read.
            PoseError: it could not go on; what is measured is in `benchmark`.
        """
        with self._running(at_once=True), suppress(Stopped):
            self.state = "waiting"
            with self._turn(), self._in_room():
                self.state = "running"
                media = self._load()
                self.benchmark = replace(self.benchmark, media=media.about)
                work = Work(media, self.settings, self._alone, self._stopped, self._steps)
                for number in range(len(self.settings.threads)):
                    self._pass(work, number)

    def _left_s(self) -> float | None:
        return self._steps.left_s

    def _left(self) -> bool:
        known = len(self.benchmark.measured) + len(self.benchmark.failed)
        return known < len(self._specs) * len(self.settings.threads)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Waits for another benchmark to end."""
        turn = self._around.turn
        while turn is not None and not turn.acquire(timeout=_LOOK_S):
            if self._stopped():
                raise Stopped
        try:
            yield
        finally:
            if turn is not None:
                turn.release()

    def _pass(self, work: Work, number: int) -> None:
        threads, memory_mb = self.settings.threads[number], self._around.memory_mb()
        runner = self._around.make(replace(self._around.product, memory_mb=memory_mb), threads)
        try:
            models = Pass(work, runner, number, threads)
            for group, specs in enumerate(groups(self._specs, memory_mb, self._around.app)):
                for found in models.measure(group, specs):
                    self._keep(found)
                if len(specs) < len(self._specs):
                    for spec in specs:
                        runner.retire(spec.key)
        finally:
            runner.close()

    def _keep(self, found: Measured | Failed) -> None:
        known = self.benchmark
        if isinstance(found, Failed):
            self.benchmark = replace(known, failed=(*known.failed, found))
        else:
            self.benchmark = replace(known, measured=(*known.measured, found))
