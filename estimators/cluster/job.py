"""An evaluation on a cluster: the driver that deals out what is missing and keeps what comes back.

It alone writes, the lines that a shard writes, so that nothing but what was on its way is lost with
a worker, a node or the driver itself, and the same command goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from estimators.annotated import AnnotatedSet
from estimators.cluster.schedule import Outcome, Schedule, Workers
from estimators.cluster.worker import Host, Job, in_processes, light
from estimators.registry import get
from estimators.workflows.background import BackgroundJob, RunState
from estimators.workflows.evaluate.asks import Ask, EvaluateSettings, Plan
from estimators.workflows.evaluate.pictures import SetPictures
from estimators.workflows.evaluate.progress import EvaluateProgress, ModelWork
from estimators.workflows.evaluate.records import Records, by_name
from estimators.workflows.evaluate.seen import SeenPictures, stamp_of

# Starts the workers of one model.
Hire = Callable[[Job], Workers]


@dataclass(frozen=True)
class Hiring:
    """How workers are come by.

    Attributes:
        hire: on a cluster.
        threads: CPU threads of each worker's model.
        host: see `worker.Job`.
        tell: is given sentences for whoever watches.
    """

    hire: Hire
    threads: int = 1
    host: Host = in_processes
    tell: Callable[[str], None] = lambda _: None


class ClusterJob(BackgroundJob):
    """Models over pictures, one model after the other, each on many workers; as `EvaluateJob`.

    Args:
        hiring: how workers are come by.
        annotated: the pictures.
        settings: what to run.
        folder: where the lines are kept, and taken from where they are known.

    Raises:
        InputError: no models, or no pictures.
    """

    def __init__(
        self, hiring: Hiring, annotated: AnnotatedSet, settings: EvaluateSettings, folder: Path
    ) -> None:
        self._plan = Plan.of(annotated, settings)
        super().__init__("cluster-job", lambda: True)
        self.annotated, self.settings = self._plan.annotated, settings
        self.pictures = SetPictures()  # none is read here
        self._hiring, self._folder = hiring, folder
        self._ids = {image.file: image.image_id for image in self.annotated.images}
        self._stamps: dict[str, str] = {}
        self._current: set[str] = set()  # pictures whose SHA-256 is that of the file as it is
        self._models = [ModelWork(key, len(self._plan.asks)) for key in settings.models]

    @property
    def progress(self) -> EvaluateProgress:
        """How far it is; from any thread."""
        return EvaluateProgress(self.state, tuple(m.progress for m in self._models), self.error)

    def run(self) -> None:
        """Does the work.

        Raises:
            PoseError: it could not go on; what is done is kept.
        """
        with self._running():
            seen = SeenPictures(self._folder)
            try:
                self._look(seen)
                for model in self._models:
                    if not self._stopped():
                        self._run_model(model, seen)
            finally:
                seen.close()

    def _look(self, seen: SeenPictures) -> None:
        """Which pictures are still those that an earlier run knew; before any is read elsewhere."""
        for image in self.annotated.images:
            if self._stopped():
                return
            stamp = self._stamps[image.file] = stamp_of(image.picture)
            if seen.is_current(image, stamp):
                self._current.add(image.file)

    def _left(self) -> bool:
        return any(model.done < model.total and not model.error for model in self._models)

    def _ended(self, state: RunState) -> None:
        for model in self._models:
            model.cut_off(state)

    def _run_model(self, model: ModelWork, seen: SeenPictures) -> None:
        options = self.settings.options(model.model)
        model.begin()
        with Records(self._folder, get(model.model), options) as records:
            missing = [light(a) for a in self._plan.asks if not self._known(a, records, seen)]
            model.known = model.done = model.total - len(missing)
            if missing:
                job = Job(model.model, options, self._hiring.threads, self._hiring.host)
                workers = self._hiring.hire(job)
                schedule = Schedule(workers, missing, self._stopped, self._hiring.tell)
                for outcome in schedule.outcomes():
                    self._keep(outcome, records, seen)
                    self._count(model, outcome)
                if schedule.gave_up:
                    model.error = schedule.gave_up
                    records.put_gave_up(schedule.gave_up)
            if records.unkept:
                self._hiring.tell(records.unkept)
        model.pause()
        if model.done == model.total or model.error:
            model.end()

    def _keep(self, outcome: Outcome, records: Records, seen: SeenPictures) -> None:
        for file, facts in outcome.done.facts:
            seen.put(file, facts, self._stamps[file])
            self._current.add(file)
            if facts.unreadable:
                self.pictures.unreadable[self._ids[file]] = facts.unreadable
        for line in outcome.done.lines:
            if "gave_up" not in line:  # that was one worker's; the schedule tells of all
                records.add(line)
        if outcome.error:
            for ask in outcome.asks:
                records.put_error(by_name(ask.image.file), ask.window, outcome.error)

    def _count(self, model: ModelWork, outcome: Outcome) -> None:
        asked = [ask.image.image_id for ask in outcome.asks]
        model.done += len(asked)
        model.failed += len(asked) if outcome.error else outcome.done.failed
        if not outcome.error:  # else they are counted already
            model.unreadable += sum(image in self.pictures.unreadable for image in asked)

    def _known(self, ask: Ask, records: Records, seen: SeenPictures) -> bool:
        file = ask.image.file
        current = file in self._current
        return current and records.knows(seen.known.facts[file].sha256, ask.window)
