"""Which model to use, by the annotations: the rule of every other verdict, on its best evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from estimators.analysis.recommend import Evidence, Recommendation, recommend
from estimators.analysis.requirements import ANYTHING, Needs
from estimators.analysis.scale import above_thresholds
from estimators.analysis.seen import Seen
from estimators.analysis.sentences import Reason
from estimators.analysis.thresholds import Thresholds
from estimators.analysis.truth import truth_errors
from estimators.annotated import AnnotatedImage
from estimators.media.names import printable
from estimators.registry import get
from estimators.types import PoseSet
from estimators.workflows.evaluate.answers import Evaluated, ModelAnswers

# Pictures whose poses are compared with each other; the truth is taken from all of them.
_MOST_SEEN = 40

_Scene = tuple[AnnotatedImage, Mapping[str, PoseSet]]


def verdict(
    outcome: Evaluated,
    thresholds: Mapping[str, Thresholds],
    said: Sequence[str] = (),
    needs: Needs = ANYTHING,
) -> Recommendation:
    """The recommendation for pictures like these.

    Pictures, in the protocol `crop` windows, that some model failed on are left out.

    Args:
        thresholds: of models for which others than their own hold.
        said: sentences about the models' accuracy, put before the reasons.
    """
    models = outcome.models
    costs = {key: answers.cost for key, answers in models.items()}
    held_to = {m: most for m in models if (most := outcome.settings.held_to(m)) is not None}
    scenes = _scenes(outcome, thresholds)
    spread = np.linspace(0, max(len(scenes) - 1, 0), min(_MOST_SEEN, len(scenes)))
    seen = [
        Seen(people, max(image.width, image.height), printable(image.file))
        for image, people in (scenes[i] for i in np.unique(spread.astype(int)).tolist())
    ]
    judged = [(image, people) for image, people in scenes if image.keypoints]
    evidence = Evidence(
        seen,
        costs,
        tuple(outcome.failed),
        truth_errors(judged),
        subject="picture" if len(outcome.annotated.images) == 1 else "set of pictures",
        held_to=held_to,
        apart=bool(models) and not seen,
    )
    answer = recommend(evidence, needs)
    return replace(answer, reasons=(*map(Reason, said), *answer.reasons))


def _scenes(outcome: Evaluated, thresholds: Mapping[str, Thresholds]) -> list[_Scene]:
    """Each picture or window that all models answered, with who they show there."""
    limits = {m: thresholds.get(m) or Thresholds.of(get(m)) for m in outcome.models}

    def visible(model: str, poses: PoseSet) -> PoseSet:
        return above_thresholds(poses, limits[model].joint, limits[model].pose)

    if outcome.settings.protocol == "crop":
        windows = {m: _by_person(answers) for m, answers in outcome.models.items()}
        return [
            (
                replace(image, people=(person,)),
                {m: visible(m, found[person.annotation_id]) for m, found in windows.items()},
            )
            for image, person in outcome.annotated.people()
            if all(person.annotation_id in found for found in windows.values())
        ]
    rows = zip(*(answers.estimates for answers in outcome.models.values()), strict=True)
    return [
        (image, {e.model: visible(e.model, e.poses(0)) for e in row})
        for image, row in zip(outcome.annotated.images, rows, strict=True)
        if not any(e.errors for e in row)
    ]


def _by_person(answers: ModelAnswers) -> dict[int, PoseSet]:
    return {ask.person: poses for ask, poses in answers.windows}
