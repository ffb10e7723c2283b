"""What the tests of clusters share: models that answer by a picture's shade, and where they run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from estimators.annotated import AnnotatedSet
from estimators.cluster.job import ClusterJob, Hiring
from estimators.cluster.schedule import AHEAD, BATCH, WorkerLostError
from estimators.cluster.worker import Host, Job, Worker
from estimators.errors import ModelError
from estimators.runtime.api import Runner
from estimators.types import Frame, PoseSet
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.shard import Merged, job_of, settings_of
from estimators.workflows.shards import WHOLE, ShardRun, find_parts
from tests.unit.evaluate_stand import LIGHTNING, MULTI, StandInRunner, at, found

MODELS = (LIGHTNING, MULTI)
# Pictures by their shade: MultiPose fails on one, and no worker survives the other.
DARK, DEADLY = 3, 9


def poses(model: str, frame: Frame) -> PoseSet:
    """Each picture another answer."""
    shade = int(frame.image[0, 0, 0])
    if model == MULTI and shade == DARK:
        raise ModelError("It is too dark.")
    return found(model, at(30 + shade % 7, 12), score=0.3 + shade / 400)


def slow_poses(model: str, frame: Frame) -> PoseSet:
    """The same, with time for something to happen meanwhile."""
    time.sleep(0.02)
    return poses(model, frame)


def deadly_poses(model: str, frame: Frame) -> PoseSet:
    """The same; whoever looks at one picture dies."""
    if model == MULTI and int(frame.image[0, 0, 0]) == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return poses(model, frame)


def stand_in(threads: int) -> Runner:
    """A `worker.Host`."""
    return StandInRunner(poses)  # type: ignore[return-value]


def slow(threads: int) -> Runner:
    """A `worker.Host`."""
    return StandInRunner(slow_poses)  # type: ignore[return-value]


def deadly(threads: int) -> Runner:
    """A `worker.Host`."""
    return StandInRunner(deadly_poses)  # type: ignore[return-value]


class HereWorkers:
    """A `schedule.Workers` of workers in this process, each question answered when awaited.

    Args:
        lost: says of (worker, asks) whether the worker is lost over them.
    """

    batch, ahead = BATCH, AHEAD
    kind: type = Worker

    def __init__(
        self,
        job: Any,
        count: int = 3,
        lost: Callable[[int, Sequence[Any]], bool] = lambda worker, asks: False,
    ) -> None:
        self.count, self._job, self._lost = count, job, lost
        self.started = 0
        self.ended: list[int] = []
        self.asked: list[str] = []

    def start(self) -> int:
        self.started += 1
        return self.started

    def ready(self, worker: int) -> tuple[int, None]:
        return worker, None

    def ask(self, worker: int, asks: Sequence[Any]) -> tuple[int, Sequence[Any]]:
        return worker, asks

    def wait(self, tickets: Sequence[Any], timeout_s: float) -> list[Any]:
        # The last one first: no order can be relied on.  Copies: a client of Ray gives new objects.
        return [(worker, asks) for worker, asks in tickets[-1:]]

    def result(self, ticket: Any) -> Any:
        worker, asks = ticket
        if asks is None:
            return True
        if worker in self.ended or self._lost(worker, asks):
            self.ended.append(worker)
            raise WorkerLostError("Killed")
        self.asked += [self.name(ask) for ask in asks]
        return self.kind(self._job).answer(asks)

    def end(self, worker: int) -> None:
        self.ended.append(worker)

    def name(self, ask: Any) -> str:
        """What `asked` calls a question."""
        return str(ask.image.file)


class Hired(list[HereWorkers]):
    """Hires workers in this process, and knows whom."""

    def __call__(self, job: Job) -> HereWorkers:
        self.append(HereWorkers(job))
        return self[-1]


def settings() -> EvaluateSettings:
    return EvaluateSettings(MODELS)


def on_one_machine(truth: AnnotatedSet) -> Evaluated:
    """What a cluster's answers are held against."""
    job = EvaluateJob(StandInRunner(poses), truth, settings())
    job.run()
    assert job.outcome is not None
    return job.outcome


def on_cluster(
    hire: Callable[[Job], Any], truth: AnnotatedSet, folder: Path, host: Host = stand_in
) -> ClusterJob:
    """A job that is described in `folder` and waits to be run."""
    folder.mkdir(parents=True, exist_ok=True)
    ShardRun(WHOLE, "evaluate", job_of(truth, settings(), {}), ("evaluate",)).write(folder)
    return ClusterJob(Hiring(hire, host=host), truth, settings(), folder)


def merged(truth: AnnotatedSet, folder: Path) -> Merged:
    parts = find_parts([folder])
    return Merged(truth, settings_of(parts.run.job)[0], parts)


def whole(truth: AnnotatedSet, folder: Path) -> Evaluated:
    """What the parts in `folder` come to, of which none is missing."""
    together = merged(truth, folder)
    assert together.problems == []
    outcome = together.outcome()
    assert outcome is not None
    return outcome


def told(outcome: Evaluated | None) -> list[object]:
    """All that a report is made from, to the last bit, but times."""
    assert outcome is not None
    said: list[object] = [dict(outcome.failed), dict(outcome.unreadable)]
    for model, answers in outcome.models.items():
        said += [model, dict(answers.failures), answers.cost.memory_mb]
        said += [(e.file, e.errors, e.xy.tobytes(), e.score.tobytes()) for e in answers.estimates]
        said += [poses.xy.tobytes() for _, poses in (*answers.windows, *answers.invented)]
    return said
