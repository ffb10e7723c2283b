"""One model over pictures or windows of them: several on their way at once, answers in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from estimators.devices import Placement
from estimators.errors import (
    InputError,
    MemoryBudgetError,
    ModelCrashedError,
    ModelError,
    ModelLoadError,
    ModelTimeoutError,
    PoseError,
    WeightsError,
)
from estimators.runtime.api import Runner, RunResult
from estimators.types import Estimate, EstimatorOptions, Frame
from estimators.workflows.evaluate.asks import Ask, cut_out, moved
from estimators.workflows.evaluate.keys import machine_digest
from estimators.workflows.evaluate.pictures import SetPictures
from estimators.workflows.evaluate.records import Records
from estimators.workflows.together import QUIET, ahead, at_once

# A model whose process is lost so often in a row is given up.
MOST_LOST = 4
# Nothing will be different with the next picture.
_FOR_GOOD = (WeightsError, ModelLoadError, MemoryBudgetError)


@dataclass(frozen=True, eq=False)
class Answer:
    """What became of one question.

    Attributes:
        estimate: in pixels of the whole picture; None where there is none.
        error: why, in a sentence.
        unreadable: it is the picture's fault: no model can answer.
        busy: the times are no figures of the model's own on this machine.
        known: kept from an earlier run.
        placement: where the model computed; None where it gave no answer.
    """

    ask: Ask
    estimate: Estimate | None = None
    error: str = ""
    unreadable: bool = False
    busy: bool = False
    known: bool = False
    placement: Placement | None = None


@dataclass(frozen=True, eq=False)
class ModelRun:
    """How one model is asked.

    Attributes:
        stopped: whether to end before the next question.
        quiet: how many are asked one by one, with nothing beside them.
        near: waits until other models are near the question with this number.
    """

    runner: Runner
    model: str
    options: EstimatorOptions
    pictures: SetPictures
    stopped: Callable[[], bool] = lambda: False
    quiet: int = QUIET
    near: Callable[[int], None] = lambda number: None


def answers(run: ModelRun, asks: Sequence[Ask], records: Records) -> Generator[Answer]:
    """What the model says to each of `asks`, in their order; what is known is not asked again.

    Every answer is kept in `records` before it is given.  When the model cannot run at all, or is
    lost `MOST_LOST` times in a row, all that is left fails for the same reason.
    """
    lost, final = 0, ""
    over = threading.Event()
    for answer, error in _in_order(run, asks, records, over.is_set):
        if isinstance(error, (ModelCrashedError, ModelTimeoutError)):
            lost += 1
        elif not answer.known and not answer.unreadable:
            lost = 0
        if isinstance(error, PoseError) and not isinstance(error, _FOR_GOOD):
            records.put_error(run.pictures.digest(answer.ask.image), answer.ask.window, str(error))
        if not over.is_set() and (isinstance(error, _FOR_GOOD) or lost >= MOST_LOST):
            final = str(error)
            records.put_gave_up(final)
            over.set()
        unasked = answer.estimate is None and not answer.error
        yield Answer(answer.ask, error=final) if unasked else answer


_Outcome = tuple[Answer, PoseError | None]


def _in_order(
    run: ModelRun, asks: Sequence[Ask], records: Records, over: Callable[[], bool]
) -> Generator[_Outcome]:
    def settle(number: int) -> _Outcome:
        run.near(number)
        return _settled(run, asks[number], records, over)

    number = asked = 0
    while number < len(asks) and asked < run.quiet and not run.stopped():
        answer, error = _settled(run, asks[number], records, over)
        number, asked = number + 1, asked + (not answer.known)
        if error is not None and run.stopped():
            return  # whoever stops may end the model's process, too
        yield answer, error
    together = at_once(run.runner, run.model, run.options.device)
    with closing(ahead(range(number, len(asks)), settle, together)) as rest:
        while not run.stopped() and (settled := next(rest, None)) is not None:
            if settled[1] is not None and run.stopped():
                return
            yield settled


def _settled(run: ModelRun, ask: Ask, records: Records, over: Callable[[], bool]) -> _Outcome:
    try:
        digest = run.pictures.digest(ask.image)
        kept = records.get(digest, ask.window)
        if kept is not None:
            busy = kept.busy or kept.machine != machine_digest()
            where = records.placement
            return Answer(ask, kept.estimate, busy=busy, known=True, placement=where), None
        if over():
            return Answer(ask), None
        with run.runner.occupied():  # what another picture's answer takes meanwhile is disturbed
            frame, corner = cut_out(run.pictures.frame(ask.image), ask.window)
    except InputError as error:
        return Answer(ask, error=str(error), unreadable=True), None
    try:
        done = _estimated(run, frame, lambda: run.stopped() or over())
    except PoseError as error:
        return Answer(ask, error=str(error)), error
    estimate, busy = moved(done.estimate, corner), done.busy or done.cold
    if done.placement.kind == records.placement.kind:  # else it was moved meanwhile
        records.put_placement(done.placement)
        records.put(digest, ask.window, estimate, busy)
    return Answer(ask, estimate, busy=busy, placement=done.placement), None


def _estimated(run: ModelRun, frame: Frame, ended: Callable[[], bool]) -> RunResult:
    """Asks once more where the process was lost, after the rest that the runner prescribes."""
    for last in (False, True):
        try:
            return run.runner.estimate(run.model, frame, run.options)
        except (ModelCrashedError, ModelTimeoutError) as error:
            if last:
                raise
            _wait(error.retry_after_s, ended)
        except ModelError as error:
            if last or not error.retry_after_s:
                raise
            _wait(error.retry_after_s, ended)
    raise AssertionError("the last try either returns or raises")


def _wait(seconds: float, stopped: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stopped():
        time.sleep(0.05)
