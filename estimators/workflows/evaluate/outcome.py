"""What a run comes to, from the answers that are there: of one machine, or of many together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from estimators.analysis.clip_latency import summarise
from estimators.analysis.facts import Cost
from estimators.annotated import AnnotatedSet
from estimators.devices import Placement
from estimators.registry import ModelSpec
from estimators.workflows.evaluate.answers import (
    Evaluated,
    ModelAnswers,
    failures,
    in_cuts,
    in_windows,
    of_picture,
)
from estimators.workflows.evaluate.asks import Plan
from estimators.workflows.evaluate.run import Answer


@dataclass
class AskedModel:
    """One model and what it has said.

    Attributes:
        answers: to the first so many questions of the plan.
        error: why it did not answer, at last.
        memory_mb: what its process held, None where that is not known.
        placement: where it computed, at last.
    """

    spec: ModelSpec
    answers: list[Answer] = field(default_factory=list)
    error: str = ""
    memory_mb: float | None = None
    placement: Placement | None = None

    def take(self, answer: Answer) -> None:
        """Adds the answer to the next question."""
        self.answers.append(answer)
        self.placement = answer.placement or self.placement
        if answer.estimate is None and not answer.unreadable:
            self.error = answer.error

    @property
    def answered(self) -> bool:
        """Whether it said anything."""
        return any(answer.estimate is not None for answer in self.answers)


def outcome(
    plan: Plan,
    models: Sequence[AskedModel],
    unreadable: Mapping[int, str],
    notes: tuple[str, ...] = (),
) -> Evaluated | None:
    """What is there of those pictures that every model has reached; None where nobody answered.

    Args:
        models: in the order of the settings.
        unreadable: by `image_id`, why a picture cannot be read.
        notes: what else a person should know.
    """
    answered = [model for model in models if model.answered]
    if not answered:
        return None
    every = plan.annotated.images
    reached = set.intersection(*(_reached(plan, model) for model in answered))
    images = [i for i in every if i.image_id in reached and i.image_id not in unreadable]
    files = {image.image_id: image.file for image in every}
    kept = replace(plan.annotated, images=tuple(images))
    return Evaluated(
        kept,
        plan.settings,
        {m.spec.key: _of_model(plan, m, kept) for m in answered},
        {m.spec.key: m.error for m in models if m not in answered and m.error},
        {files[i]: why for i, why in sorted(unreadable.items())},
        tuple(f for i, f in files.items() if i not in reached and i not in unreadable),
        notes,
    )


def _reached(plan: Plan, model: AskedModel) -> set[int]:
    """The pictures about which everything was asked that the protocol asks."""
    left = {a.image.image_id for a in plan.asks[len(model.answers) :] if a.cut is None}
    return {image.image_id for image in plan.annotated.images} - left


def _of_model(plan: Plan, model: AskedModel, kept: AnnotatedSet) -> ModelAnswers:
    by_image: dict[int, list[Answer]] = {image.image_id: [] for image in kept.images}
    given = [a for a in model.answers if a.ask.image.image_id in by_image]
    for answer in given:
        if answer.ask.cut is None:
            by_image[answer.ask.image.image_id].append(answer)
    estimates = tuple(
        of_picture(model.spec, image, by_image[image.image_id], plan.settings)
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
        placement=model.placement,
    )


def _cost(answers: Sequence[Answer], memory_mb: float | None) -> Cost:
    given = [(a.estimate.timings_ms.total, a.busy) for a in answers if a.estimate is not None]
    times = np.array([ms for ms, _ in given])
    latency = summarise(times, np.array([busy for _, busy in given], np.bool_))
    memory = math.nan if memory_mb is None else memory_mb
    return Cost(latency.median_ms, memory, latency.busy)
