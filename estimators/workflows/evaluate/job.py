"""An evaluation: models over an annotated set, how far it is, and a way to stop it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from estimators.analysis.clip_latency import summarise
from estimators.analysis.facts import Cost
from estimators.annotated import AnnotatedSet
from estimators.errors import InputError
from estimators.registry import ModelSpec, get
from estimators.runtime.api import Runner, memory_by_model
from estimators.workflows.background import BackgroundJob, RunState
from estimators.workflows.evaluate.answers import (
    Evaluated,
    ModelAnswers,
    failures,
    in_cuts,
    in_windows,
    of_picture,
)
from estimators.workflows.evaluate.asks import EvaluateSettings, all_asks
from estimators.workflows.evaluate.pictures import SetPictures
from estimators.workflows.evaluate.progress import EvaluateProgress, ModelProgress
from estimators.workflows.evaluate.records import Records
from estimators.workflows.evaluate.run import Answer, ModelRun, answers


@dataclass
class _Model:
    """One model while the job runs."""

    spec: ModelSpec
    total: int
    state: RunState = "waiting"
    answers: list[Answer] = field(default_factory=list)
    failed: int = 0
    known: int = 0
    error: str = ""
    started_s: float | None = None
    elapsed_s: float = 0.0
    memory_mb: float | None = None

    def progress(self) -> ModelProgress:
        elapsed = self.elapsed_s
        if self.state == "running" and self.started_s is not None:
            elapsed = time.monotonic() - self.started_s
        return ModelProgress(
            self.spec.key,
            self.state,
            len(self.answers),
            self.failed,
            self.known,
            self.total,
            elapsed,
            self.error,
        )

    def take(self, answer: Answer) -> None:
        self.answers.append(answer)
        self.known += answer.known
        if answer.estimate is None and not answer.unreadable:
            self.failed += 1
            self.error = answer.error


class EvaluateJob(BackgroundJob):
    """Models over an annotated set, one model after the other.

    `start` and `join` run it in the background; `run` does so in the calling thread.  When it has
    stopped, however it did, `outcome` has what is there.

    Args:
        runner: hosts the models.
        annotated: the pictures and the people marked in them.
        settings: what to run.
        folder: where estimates are kept, and taken from where they are known; None for nowhere.
        wanted: asked between pictures; when it says no, the job stops as if cancelled (a viewer who
            closed the page cannot press Cancel any more).

    Attributes:
        state: `waiting`, `running`, `done`, `cancelled` or `failed`.
        pictures: those that were read, as far as they are kept.
        outcome: None until it has stopped, and where nothing could be evaluated.

    Raises:
        InputError: an unknown model, no models, or no pictures.
    """

    def __init__(
        self,
        runner: Runner,
        annotated: AnnotatedSet,
        settings: EvaluateSettings,
        folder: Path | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        if not settings.models:
            raise InputError("No model is chosen.", "Choose one or more.")
        super().__init__("evaluate-job", wanted)
        self.annotated, self.settings = annotated, settings
        self.outcome: Evaluated | None = None
        self._asks = all_asks(annotated.images, settings)
        if not any(ask.cut is None for ask in self._asks):
            raise InputError("There is nobody to evaluate models by.", "Annotate some pictures.")
        self._models = [_Model(get(key), len(self._asks)) for key in settings.models]
        self._runner, self._folder = runner, folder
        self.pictures = SetPictures()
        self._notes: list[str] = []

    @property
    def progress(self) -> EvaluateProgress:
        """How far it is; from any thread."""
        return EvaluateProgress(self.state, tuple(m.progress() for m in self._models), self.error)

    def run(self) -> None:
        """Does the work.

        Raises:
            PoseError: it could not go on; what is done is in `outcome`.
        """
        with self._running():
            for model in self._models:
                if not self._stopped():
                    self._run_model(model)

    def _left(self) -> bool:
        return any(len(model.answers) < model.total for model in self._models)

    def _run_model(self, model: _Model) -> None:
        options, key = self.settings.options(model.spec.key), model.spec.key
        model.state, model.started_s = "running", time.monotonic()
        run = ModelRun(self._runner, key, options, self.pictures, self._stopped)
        try:
            with Records(self._folder, model.spec, options) as records:
                for answer in answers(run, self._asks, records):
                    model.take(answer)
                self._note(model.spec, records)
                model.memory_mb = self._measured(key, records)
        finally:
            model.elapsed_s = time.monotonic() - model.started_s
        if len(model.answers) == model.total:
            answered = any(answer.estimate is not None for answer in model.answers)
            model.state = "done" if answered or not model.failed else "failed"

    def _measured(self, key: str, records: Records) -> float | None:
        """What the model's process holds, or held in the run that started it last."""
        held = memory_by_model(self._runner.status()).get(key)
        if held is None:
            return records.memory_mb
        records.put_memory(held)
        return held

    def _note(self, spec: ModelSpec, records: Records) -> None:
        if records.damaged:
            lines = "record was" if records.damaged == 1 else "records were"
            self._notes.append(
                f"{spec.title}: {records.damaged} kept {lines} damaged; what was in there was "
                "computed again."
            )
        if records.unkept:
            self._notes.append(f"{spec.title}: {records.unkept}")

    def _ended(self, state: RunState) -> None:
        for model in self._models:
            if model.state in ("waiting", "running"):
                model.state = "failed" if state == "failed" else "cancelled"
        self.outcome = self._outcome()

    def _outcome(self) -> Evaluated | None:
        answered = [m for m in self._models if any(a.estimate is not None for a in m.answers)]
        if not answered:
            return None
        unreadable = self.pictures.unreadable
        reached = set.intersection(*(self._reached(model) for model in answered))
        images = [
            image
            for image in self.annotated.images
            if image.image_id in reached and image.image_id not in unreadable
        ]
        files = {image.image_id: image.file for image in self.annotated.images}
        kept = replace(self.annotated, images=tuple(images))
        return Evaluated(
            kept,
            self.settings,
            {m.spec.key: self._of_model(m, kept) for m in answered},
            {m.spec.key: m.error for m in self._models if m not in answered and m.error},
            {files[i]: why for i, why in sorted(unreadable.items())},
            tuple(f for i, f in files.items() if i not in reached and i not in unreadable),
            tuple(self._notes),
        )

    def _reached(self, model: _Model) -> set[int]:
        """The pictures about which everything was asked that the protocol asks."""
        left = {a.image.image_id for a in self._asks[len(model.answers) :] if a.cut is None}
        return {image.image_id for image in self.annotated.images} - left

    def _of_model(self, model: _Model, kept: AnnotatedSet) -> ModelAnswers:
        by_image: dict[int, list[Answer]] = {image.image_id: [] for image in kept.images}
        given = [a for a in model.answers if a.ask.image.image_id in by_image]
        for answer in given:
            if answer.ask.cut is None:
                by_image[answer.ask.image.image_id].append(answer)
        estimates = tuple(
            of_picture(model.spec, image, by_image[image.image_id], self.settings)
            for image in kept.images
        )
        windows = [w for im in kept.images for w in in_windows(im, by_image[im.image_id])]
        return ModelAnswers(
            model.spec.key,
            estimates,
            tuple(windows),
            tuple(in_cuts(given)),
            failures(a for a in given if a.ask.cut is None),
            _cost([a for a in given if a.ask.cut is None], model.memory_mb),
            known=sum(answer.known for answer in given),
        )


def _cost(answers: Sequence[Answer], memory_mb: float | None) -> Cost:
    given = [(a.estimate.timings_ms.total, a.busy) for a in answers if a.estimate is not None]
    times = np.array([ms for ms, _ in given])
    latency = summarise(times, np.array([busy for _, busy in given], np.bool_))
    memory = math.nan if memory_mb is None else memory_mb
    return Cost(latency.median_ms, memory, latency.busy)
