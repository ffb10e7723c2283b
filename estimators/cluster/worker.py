"""What runs on a node: one model that is loaded once and asked about pictures by their names.

Pictures never travel: a worker is given where they lie and reads them itself.  What goes back are
the lines that a shard keeps, some hundred bytes a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from estimators import settings
from estimators.registry import get
from estimators.runtime.api import Runner, memory_by_model
from estimators.runtime.runner import ProcessRunner
from estimators.types import EstimatorOptions
from estimators.workflows.evaluate.asks import Ask
from estimators.workflows.evaluate.pictures import PictureFacts, SetPictures
from estimators.workflows.evaluate.records import CollectedRecords
from estimators.workflows.evaluate.run import ModelRun, answers

# What gives a worker its models, told how many threads each may use.
Host = Callable[[int], Runner]


def in_processes(threads: int) -> Runner:
    """Each model in a process of its own, as everywhere; by the settings of this node."""
    return ProcessRunner(settings.current(), threads)


@dataclass(frozen=True)
class Job:
    """What a worker is started for.

    Attributes:
        threads: CPU threads of the model: a node has more cores than a worker may use.
        host: another than `in_processes` in tests and benchmarks.
    """

    model: str
    options: EstimatorOptions
    threads: int = 1
    host: Host = in_processes


@dataclass(frozen=True)
class Done:
    """What came of some questions.

    Attributes:
        lines: for `Records.add`.
        facts: of each picture that was read, or could not be.
        settled: how many of the questions, from the first on, have an answer or a failure.
        failed: how many of them have no answer.
        gave_up: why the model is not asked any more, "" where it is.
    """

    lines: tuple[dict[str, Any], ...] = ()
    facts: tuple[tuple[str, PictureFacts], ...] = ()
    settled: int = 0
    failed: int = 0
    gave_up: str = ""


def light(ask: Ask) -> Ask:
    """A question without what only a report needs: whom the picture shows."""
    return Ask(replace(ask.image, people=(), to_annotated=None), ask.window)


class Worker:
    """One model on one node."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._runner = job.host(job.threads)

    def ready(self) -> bool:
        """That it has been started."""
        return True

    def answer(self, asks: Sequence[Ask]) -> Done:
        """Asks the model; what fails is told, never raised."""
        facts: list[tuple[str, PictureFacts]] = []
        pictures = SetPictures(kept_bytes=0, note=lambda im, fact: facts.append((im.file, fact)))
        model, options = self._job.model, self._job.options
        kept = CollectedRecords(get(model), options)
        run = ModelRun(self._runner, model, options, pictures, quiet=0)
        settled = failed = 0
        with self._runner.occupied():  # others may use the node: no times of the model's own
            for answer in answers(run, asks, kept):
                if kept.gave_up and not answer.unreadable and answer.estimate is None:
                    break
                settled += 1
                failed += answer.estimate is None and not answer.unreadable
        held = memory_by_model(self._runner.status()).get(model)
        if held is not None:
            kept.put_memory(held)
        return Done(tuple(kept.lines), tuple(facts), settled, failed, kept.gave_up)
