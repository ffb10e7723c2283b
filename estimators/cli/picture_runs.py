"""Models on the pictures of `compare`: the first few one by one, the rest side by side."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from functools import partial

from tqdm import tqdm

from estimators.analysis.clip import ClipEstimates
from estimators.cli.inputs import Pictures
from estimators.cli.model_run import ModelRun
from estimators.cli.streams import complain
from estimators.errors import ModelError, PoseError, WeightsError
from estimators.runtime.api import Runner, RunResult
from estimators.workflows.together import (
    QUIET,
    Pace,
    ahead,
    at_once,
    exhaust,
    groups,
    room_mb,
    side_by_side,
)


class PictureRuns:
    """Asks every model about every picture; what each says is in its `ModelRun`.

    Args:
        runner: hosts the models; nobody else uses it, and it is closed when this is interrupted.
        runs: of the models, in their order.

    Attributes:
        begun: those that were asked anything.
    """

    def __init__(self, runner: Runner, runs: Sequence[ModelRun], pictures: Pictures) -> None:
        self.begun: list[ModelRun] = []
        self._runner, self._runs, self._pictures = runner, runs, pictures
        self._names = list(pictures.paths)
        self._over = threading.Event()
        self._pace = Pace(())

    def ask(self) -> None:
        """Does the work.

        Raises:
            KeyboardInterrupt: somebody wants no more; pictures that were not reached say so.
        """
        specs = [run.spec for run in self._runs]
        left = iter(self._runs)
        try:
            room = room_mb(self._runner, [spec.key for spec in specs])
            for group in groups(specs, room, self._runner):
                self._together([next(left) for _ in group])
        except KeyboardInterrupt:
            for run in self.begun:
                self._fill_up(run)
            raise

    def _together(self, runs: Sequence[ModelRun]) -> None:
        self._pace = Pace(run.spec.key for run in runs)
        with ExitStack() as stack:
            paused = []
            for run in runs:
                self.begun.append(run)
                asking = stack.enter_context(closing(self._asking(run)))
                if next(asking, False) is None:
                    paused.append((run.spec, partial(exhaust, asking)))
            side_by_side(self._runner, paused, self._stop)

    def _stop(self) -> None:
        self._over.set()
        self._runner.close()  # what a model is working on is not waited for

    def _asking(self, run: ModelRun) -> Generator[None]:
        """Asks one model everything; gives None once others may work beside it."""
        key, names = run.spec.key, self._names
        try:
            # The first call is slow (the cold start, told apart); its answer is given again below.
            self._runner.estimate(key, self._pictures[names[0]], run.options)
        except (ModelError, WeightsError) as error:
            self._pace.left(key)
            _report(run, error, "")
            run.estimates = [self._failed(run, name, error) for name in names]
            return
        with tqdm(total=len(names), desc=key, unit="picture", leave=False, disable=None) as bar:
            for name in names[:QUIET]:
                self._take(run, name, self._answer(run, name))
                bar.update()
            if len(names) > QUIET:
                yield None
                self._rest(run, bar)
        run.status = next((s for s in self._runner.status() if s.model == key), None)
        self._runner.retire(key)

    def _rest(self, run: ModelRun, bar: tqdm[None]) -> None:
        def answer(number: int) -> RunResult | PoseError:
            self._pace.wait(number)
            return self._answer(run, self._names[number])

        numbers = range(QUIET, len(self._names))
        together = at_once(self._runner, run.spec.key, run.options.device)
        with closing(ahead(numbers, answer, together)) as answers:
            for number, given in zip(numbers, answers, strict=True):
                if self._over.is_set():
                    return
                self._take(run, self._names[number], given)
                self._pace.reached(run.spec.key, number + 1)
                bar.update()
        self._pace.left(run.spec.key)

    def _answer(self, run: ModelRun, name: str) -> RunResult | PoseError:
        try:
            return self._runner.estimate(run.spec.key, self._pictures[name], run.options)
        except (ModelError, WeightsError) as error:
            return error

    def _take(self, run: ModelRun, name: str, given: RunResult | PoseError) -> None:
        if isinstance(given, PoseError):
            _report(run, given, f" on {name}")
            run.estimates.append(self._failed(run, name, given))
            return
        answer = ClipEstimates(run.spec.key, run.spec.skeleton, name, self._pictures.sizes[name])
        answer.held_to = run.spec.held_to(run.options)
        answer.computed(given.placement)
        answer.append(given.estimate, given.queue_ms, given.transport_ms, busy=given.busy)
        run.estimates.append(answer)

    def _fill_up(self, run: ModelRun) -> None:
        """Says of each picture that was not reached why it has no answer."""
        error = ModelError(f"{run.spec.title} was interrupted before this picture.")
        for name in self._names[len(run.estimates) :]:
            run.estimates.append(self._failed(run, name, error))

    def _failed(self, run: ModelRun, name: str, error: PoseError) -> ClipEstimates:
        answer = ClipEstimates(run.spec.key, run.spec.skeleton, name, self._pictures.sizes[name])
        answer.append_failed(0, 0.0, str(error))
        return answer


def _report(run: ModelRun, error: PoseError, where: str) -> None:
    run.error = error
    with tqdm.external_write_mode():
        complain(f"error: {run.spec.key}{where}: {error}")
