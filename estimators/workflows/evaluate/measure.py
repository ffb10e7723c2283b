"""From what the models answered to every number of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.cases import NOBODY, Case
from estimators.analysis.accuracy.consensus import CONSENSUS
from estimators.analysis.accuracy.headline import too_few
from estimators.analysis.accuracy.invented import InventedJoints, invented_joints
from estimators.analysis.accuracy.protocol import Protocol
from estimators.analysis.accuracy.report import (
    AccuracyReport,
    Evaluation,
    as_data,
    evaluate_predictions,
)
from estimators.analysis.facts import Cost
from estimators.analysis.recommend import Recommendation
from estimators.analysis.thresholds import Thresholds
from estimators.datasets.annotated_pixels import AnnotatedPixels
from estimators.datasets.health import HealthReport
from estimators.export.coco import ImageIds, coco_results
from estimators.media.names import printable
from estimators.numerals import counted, people
from estimators.registry import get
from estimators.render.style import model_colours
from estimators.workflows import provenance
from estimators.workflows.benchmark.document import as_report
from estimators.workflows.benchmark.result import Benchmark
from estimators.workflows.evaluate.answers import Evaluated, ModelAnswers
from estimators.workflows.evaluate.verdict import verdict

FORMAT = "pose-evaluation/1"
PROTOCOLS: Mapping[Protocol, str] = {
    "whole": "Whole picture: each model as it is",
    "crop": "One person, cropped: the model sees a window around one annotated person at a time, "
    "the box a quarter larger; of several people it finds there, the one whose place fits the box "
    "best is meant",
}
_CONSENSUS_COLOURS = {"light": "#5A6472", "dark": "#A3ADBC"}


@dataclass(frozen=True, eq=False)
class Measured:
    """What a run came to, in numbers and words.

    Attributes:
        outcome: of the run.
        evaluation: every number, and the arrays behind them.
        invented: by model, what it does with joints that its picture does not show.
        verdict: which model to use.
        thresholds: by model, from which scores on people and joints count as shown.
    """

    outcome: Evaluated
    evaluation: Evaluation
    invented: Mapping[str, InventedJoints]
    verdict: Recommendation
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)

    def quality(self, model: str) -> NDArray[np.float64]:
        """How good a model (or the consensus) is on each picture, float64 [I], 0 to 1.

        The sum of the OKS of people found over annotated people and those found who are nobody
        (as in `analysis.quality`); NaN where there is neither.  Pictures are in the order of
        `evaluation.truth.pictures`.
        """
        truth, tables = self.evaluation.truth, self.evaluation.tables[model]
        oks = np.nan_to_num(tables.kinds.similarity).sum(axis=1) / truth.labelled.sum(axis=1)
        found = truth.a_picture(oks)
        nobody = np.bincount(
            tables.predictions.picture[tables.kinds.nobody], minlength=len(truth.pictures)
        )
        total = truth.a_picture(np.ones(len(truth))) + nobody
        quality: NDArray[np.float64] = np.full(len(total), np.nan)
        return np.divide(found, total, out=quality, where=total > 0)


def picture_cases(measured: Measured, model: str) -> list[Case]:
    """Every picture with somebody annotated or found, the one the model is worst on first."""
    quality, pictures = measured.quality(model), measured.evaluation.truth.pictures
    return [
        Case(pictures[i].image_id, NOBODY, NOBODY, "", float(quality[i]))
        for i in np.argsort(quality, kind="stable").tolist()
        if np.isfinite(quality[i])
    ]


def measure(outcome: Evaluated, thresholds: Mapping[str, Thresholds] | None = None) -> Measured:
    """Holds the answers against the truth; a second or so for a hundred pictures.

    Args:
        thresholds: for models whose own are not to be taken.  AP and all that `pycocotools` tells
            is over everything that a model returned, whatever they are.
    """
    limits = {m: (thresholds or {}).get(m) or Thresholds.of(get(m)) for m in outcome.models}
    ids = image_ids(outcome, as_annotated=False)
    results = {m: coco_results(answers.estimates, ids) for m, answers in outcome.models.items()}
    evaluation = evaluate_predictions(outcome.annotated, results, outcome.settings.protocol)
    invented = {
        model: invented_joints(
            [cut for cut, _ in answers.invented],
            [poses for _, poses in answers.invented],
            limits[model].joint,
        )
        for model, answers in outcome.models.items()
        if answers.invented
    }
    said = about_the_best(evaluation.report)
    return Measured(outcome, evaluation, invented, verdict(outcome, limits, said), limits)


def about_the_best(report: AccuracyReport) -> list[str]:
    """What the differences in AP say about the model that has the highest."""
    by_ap = [d for d in report.differences if d.metric == "AP"]
    sentences = zip(by_ap, report.sentences, strict=True)
    worse = {d.other for d in by_ap}
    best = [(d, sentence) for d, sentence in sentences if d.better not in worse]
    told = [sentence for d, sentence in best if not np.isnan(d.low)]
    untold = [d for d, _ in best if np.isnan(d.low)]
    if untold:  # of too few pictures: of all in one sentence
        others = [get(d.other).title for d in untold]
        told.insert(0, too_few(get(untold[0].better).title, others))
    return told


def image_ids(outcome: Evaluated, as_annotated: bool) -> ImageIds:
    """Each picture's `image_id`, for `export.coco`.

    Args:
        as_annotated: in the pixels that the annotations count in, which may be those of the picture
            as it is stored or scaled; else in those of the upright picture.
    """
    images = outcome.annotated.images
    pixels = {
        image.file: AnnotatedPixels("scaled", matrix=image.to_annotated)
        for image in images
        if as_annotated and image.to_annotated is not None
    }
    return ImageIds({image.file: image.image_id for image in images}, "annotations", pixels)


def report_data(
    measured: Measured, health: HealthReport, benchmark: Benchmark | None = None
) -> dict[str, Any]:
    """What `report.json` holds, JSON-ready; docs/formats.md describes it.

    Args:
        benchmark: how fast models are, where that was measured.
    """
    outcome, report = measured.outcome, measured.evaluation.report
    data: dict[str, Any] = as_data(report)
    for model, numbers in data["models"].items():
        numbers |= _about(measured, model)
    about = outcome.annotated
    # Where it lay says something about a person, and nothing about the set.
    name = printable(PurePath(about.name).name)
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "complete": outcome.complete,
        "set": {"name": name, "format": about.format, "sha256": about.sha256},
        "protocol_title": PROTOCOLS[report.protocol],
        **data,
        "failed": dict(outcome.failed),
        "notes": notes(outcome),
        "verdict": measured.verdict.as_data(),
        "health": {**health.as_json(), "name": name},
        "picture_list": _pictures(measured),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "benchmark": None if benchmark is None else as_report(benchmark),
    }


def _about(measured: Measured, model: str) -> dict[str, Any]:
    """What a model is, and what it cost."""
    if model == CONSENSUS:
        return {"title": "The models' consensus", "colours": _CONSENSUS_COLOURS} | _cost(None)
    outcome, answers = measured.outcome, measured.outcome.models[model]
    colours = {
        theme: model_colours(list(outcome.models), theme)[model] for theme in ("light", "dark")
    }
    limits, invented = measured.thresholds[model], measured.invented.get(model)
    return {
        **provenance.models([model])[model],
        "colours": colours,
        "threshold": as_data(limits.joint),
        "people_asked": get(model).people_limit(outcome.settings.options(model)),
        "failures": {printable(file): why for file, why in answers.failures.items()},
        "known": answers.known,
        "device": None if answers.placement is None else answers.placement.as_data(),
        "invented": None if invented is None else as_data(invented),
    } | _cost(answers)


def _cost(answers: ModelAnswers | None) -> dict[str, Any]:
    cost = Cost() if answers is None else answers.cost
    numbers = {"latency_ms": as_data(cost.latency_ms), "memory_mb": as_data(cost.memory_mb)}
    return {**numbers, "latency_busy": cost.busy}


def _pictures(measured: Measured) -> list[dict[str, Any]]:
    truth = measured.evaluation.truth
    quality = {model: measured.quality(model) for model in measured.evaluation.tables}
    people = truth.a_picture(np.ones(len(truth))).astype(int).tolist()
    return [
        {
            "image_id": image.image_id,
            "file": printable(image.file),
            "people": people[i],
            "quality": {model: as_data(float(values[i])) for model, values in quality.items()},
        }
        for i, image in enumerate(truth.pictures)
    ]


def notes(outcome: Evaluated) -> list[str]:
    """What a person must know about the run, in sentences."""
    said = []
    if outcome.unreached:
        all_of_them = len(outcome.unreached) + len(outcome.annotated.images)
        said.append(
            f"The run was stopped: {len(outcome.annotated.images):,} of {all_of_them:,} pictures "
            "were reached by every model; nothing here is about the others."
        )
    for model, why in outcome.failed.items():
        said.append(f"{get(model).title} gave no answer: {why}")
    for model, answers in outcome.models.items():
        if answers.failures:
            said.append(
                f"{get(model).title} failed on {counted(len(answers.failures), 'picture')}: there "
                "it counts as having found nobody."
            )
        if (most := outcome.settings.held_to(model)) is not None:
            said.append(f"{get(model).title} was asked for {people(most)} at most.")
    if outcome.unreadable:
        said.append(
            f"Left out, since they cannot be read: {counted(len(outcome.unreadable), 'picture')}."
        )
    single = [m for m in outcome.models if get(m).single_person]
    if single and outcome.settings.protocol == "whole":
        names = ", ".join(get(m).title for m in single)
        said.append(
            f"{names}: one person a picture, whoever else is there counts as missed. The protocol "
            "“one person, cropped” judges such models fairly."
        )
    return [*said, *outcome.notes]
