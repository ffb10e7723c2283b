"""One pass of a benchmark: every model with one number of threads, alone, then taking turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from estimators import weights
from estimators.devices import Placement
from estimators.errors import ModelError, PoseError, WeightsError
from estimators.media.names import printable
from estimators.runtime.api import ModelStatus, Runner
from estimators.runtime.cores import OtherWork, hold_to_cores
from estimators.runtime.machine import peak_mb
from estimators.specs import ModelSpec
from estimators.workflows.benchmark.asks import ROUNDS, BenchmarkSettings
from estimators.workflows.benchmark.measure import (
    Alone,
    Asking,
    Call,
    WarmUp,
    columns,
    measured_round,
    warm_up,
)
from estimators.workflows.benchmark.media import BenchmarkMedia
from estimators.workflows.benchmark.progress import Steps
from estimators.workflows.benchmark.result import LONGEST_TEXT, Failed, HeldBy, Measured


@dataclass(frozen=True)
class Work:
    """What every pass needs."""

    media: BenchmarkMedia
    settings: BenchmarkSettings
    alone: Alone
    stopped: Callable[[], bool]
    steps: Steps


@dataclass
class _Turn:
    """One model of a pass."""

    spec: ModelSpec
    status: ModelStatus
    peak_mb: float | None
    held_by: HeldBy
    first_call_ms: float
    warm: WarmUp
    alone: bool
    ask: Asking | None = None
    others: OtherWork | None = None


class Pass:
    """Measures models with one number of threads.

    Args:
        runner: hosts them, with that many threads.
        number: of this pass.
    """

    def __init__(self, work: Work, runner: Runner, number: int, threads: int) -> None:
        self._work, self._runner = work, runner
        self._number, self._threads = number, threads

    def measure(self, group: int, specs: Sequence[ModelSpec]) -> Iterator[Measured | Failed]:
        """Each of `specs`, which fit into memory together.

        Raises:
            measure.Stopped: somebody wants no more.
        """
        turns: list[_Turn] = []
        for spec in specs:
            try:
                turns.append(self._cold(spec, len(specs) > 1))
            except (ModelError, WeightsError) as error:
                yield self._failed(spec, error, ROUNDS)
            self._work.steps.warmed()
        with ExitStack() as stack:
            ready: list[_Turn] = []
            for turn in turns:
                try:
                    self._start_again(turn, stack, len(specs) > 1)
                    ready.append(turn)
                except (ModelError, WeightsError) as error:
                    yield self._failed(turn.spec, error, ROUNDS)
            yield from self._rounds(ready, group)

    def _cold(self, spec: ModelSpec, others: bool) -> _Turn:
        """One model with no other loaded: cold start, warm-up, memory."""
        work, runner = self._work, self._runner
        work.steps.warming(spec.title, self._threads)
        work.alone.wait()
        with (
            work.alone.work() as busy,
            self._asking(spec) as ask,
        ):
            first = ask()
            held_by = self._held(spec)
            warm = warm_up(ask, work.settings.seconds)
            status = self._status(spec)
        peak = None if status.pid is None else peak_mb(status.pid)
        if others:  # their shared pages would make each look smaller
            runner.retire(spec.key)
        return _Turn(spec, status, peak, held_by, first.latency, warm, not busy.disturbed)

    def _start_again(self, turn: _Turn, stack: ExitStack, retired: bool) -> None:
        work, spec = self._work, turn.spec
        turn.ask = stack.enter_context(self._asking(spec))
        if retired:
            work.alone.wait()
            with work.alone.work():  # what others are answered meanwhile is no figure of its own
                turn.ask()
                self._held(spec)
                turn.warm = warm_up(turn.ask, work.settings.seconds)
        pid = self._status(spec).pid
        turn.others = OtherWork([] if pid is None else [pid])

    def _asking(self, spec: ModelSpec) -> Asking:
        work = self._work
        device = work.settings.device if spec.cuda else ""  # the others know one place only
        return Asking(self._runner, spec.key, work.media, work.stopped, device)

    def _rounds(self, turns: Sequence[_Turn], group: int) -> Iterator[Measured | Failed]:
        """Each model makes a few calls, then the next one, again and again."""
        taken: dict[str, list[tuple[Call, ...]]] = {turn.spec.key: [] for turn in turns}
        going = list(turns)
        for number in range(ROUNDS):
            for turn in tuple(going):
                self._work.steps.round(turn.spec.title, self._threads, number)
                try:
                    taken[turn.spec.key].append(self._round(turn))
                    self._work.steps.measured()
                except ModelError as error:
                    going.remove(turn)
                    yield self._failed(turn.spec, error, ROUNDS - number)
        for turn in going:
            yield self._measured(turn, group, taken[turn.spec.key])

    def _round(self, turn: _Turn) -> tuple[Call, ...]:
        settings, work = self._work.settings, self._work
        assert turn.ask is not None  # both made by `_start_again`
        assert turn.others is not None
        fitting = int(1000 * settings.seconds / ROUNDS / max(turn.warm.now_ms, 1e-3))
        calls = max(1, min(fitting, settings.calls // ROUNDS))
        taken, alone = measured_round(turn.ask, calls, work.alone, turn.others)
        turn.alone &= alone
        return taken

    def _measured(self, turn: _Turn, group: int, rounds: Sequence[Sequence[Call]]) -> Measured:
        spec, status = turn.spec, turn.status
        return Measured(
            model=spec.key,
            title=spec.title,
            family=spec.family,
            runtime=spec.runtime,
            threads=self._threads,
            held_by=turn.held_by,
            pass_number=self._number,
            group=group,
            device=(status.placement or Placement()).device,
            weights_bytes=_size(weights.path(spec.weights)) if spec.weights else 0,
            load_s=status.load_s or 0.0,
            first_call_ms=turn.first_call_ms,
            pss_mb=status.now_mb,
            peak_mb=turn.peak_mb,
            warm_up_calls=len(turn.warm.latency_ms),
            settled=turn.warm.settled,
            alone=turn.alone,
            other_cores=None if turn.others is None else turn.others.cores,
            calls=columns(rounds),
            where=status.placement,
        )

    def _failed(self, spec: ModelSpec, error: PoseError, rounds: int) -> Failed:
        self._work.steps.skipped(rounds)
        with suppress(PoseError):
            self._runner.retire(spec.key)
        return Failed(spec.key, self._threads, printable(str(error))[:LONGEST_TEXT])

    def _status(self, spec: ModelSpec) -> ModelStatus:
        return next(status for status in self._runner.status() if status.model == spec.key)

    def _held(self, spec: ModelSpec) -> HeldBy:
        """Keeps a model without a setting for threads to as many cores, where that can be done."""
        if not spec.fixed_threads:
            return "setting"
        pid = self._status(spec).pid
        return "cores" if pid is not None and hold_to_cores(pid, self._threads) else "nothing"


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
