"""Everything about models on an annotated set: one call, and one function to write it as JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.bootstrap import DRAWS, SEED, Difference, Figure, picture_draws
from estimators.analysis.accuracy.coco_ap import matches
from estimators.analysis.accuracy.consensus import (
    CONSENSUS,
    AgreementWorth,
    agreement_worth,
    consensus,
)
from estimators.analysis.accuracy.corrected import Corrections, corrections
from estimators.analysis.accuracy.headline import (
    MEAN_KS,
    PCK,
    Headline,
    differences,
    headline,
    in_words,
)
from estimators.analysis.accuracy.kinds import JointKinds, KindCounts, joint_kinds, kind_counts
from estimators.analysis.accuracy.nearness import (
    JointAccuracy,
    Nearness,
    joint_accuracy,
    nearness,
)
from estimators.analysis.accuracy.protocol import Protocol
from estimators.analysis.accuracy.slices import Slice, slices
from estimators.analysis.accuracy.tables import Predictions, Results, Truth
from estimators.analysis.accuracy.trust import ScoreTrust, score_trust
from estimators.annotated import AnnotatedSet
from estimators.registry import get

# What two models are compared by.
COMPARED_BY = ("AP", PCK, MEAN_KS)


@dataclass(frozen=True)
class ModelAccuracy:
    """One model, or the consensus of the models.

    Attributes:
        figures: AP, AP50 … by name (`headline.METRICS`), each with interval and count.
        joints: each joint of COCO-17.
        kinds: kinds of mistakes.
        corrections: AP with the best ranking, and without each kind of mistake.
        trust: what its joint scores are worth.
        slices: the same numbers over parts of the set.
    """

    figures: Mapping[str, Figure]
    joints: tuple[JointAccuracy, ...]
    kinds: KindCounts
    corrections: Corrections
    trust: ScoreTrust
    slices: tuple[Slice, ...]


@dataclass(frozen=True, eq=False)
class ModelTables:
    """The arrays behind a `ModelAccuracy`: who was found, how far off, what kind of mistake.

    Attributes:
        predictions: in the order of the results that were given.
        near: by distance (PCK, errors, slices).
        kinds: by OKS (kinds of mistakes, scores).
    """

    predictions: Predictions
    near: Nearness
    kinds: JointKinds


@dataclass(frozen=True)
class AccuracyReport:
    """All numbers; `as_data` writes them as JSON.

    Attributes:
        protocol: what the models saw.
        pictures: in the set; `pictures_with_people` of them show somebody who is judged.
        people, joints: who and what is judged; `sizeless` people are not, as they have no area.
        areas: how many people's areas come from where (`AnnotatedPerson.area_from`); AP moves with
            them.
        draws, seed: of the intervals.
        models: by key, in the order given; the consensus last, as `consensus`.
        differences: of every two models by AP, PCK and mean KS, the better one first.
        sentences: what the differences in AP say.
        agreement: what the distance from the other models tells; empty with fewer than two voices.
    """

    protocol: Protocol
    pictures: int
    pictures_with_people: int
    people: int
    joints: int
    sizeless: int
    areas: Mapping[str, int]
    draws: int
    seed: int
    models: Mapping[str, ModelAccuracy]
    differences: tuple[Difference, ...]
    sentences: tuple[str, ...]
    agreement: tuple[AgreementWorth, ...]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The report, and the arrays to look up what is behind a number (`cases.cases`)."""

    report: AccuracyReport
    truth: Truth
    tables: Mapping[str, ModelTables]
    consensus: Results


def evaluate_predictions(
    annotated: AnnotatedSet,
    results: Mapping[str, Results],
    protocol: Protocol = "whole",
    draws: int = DRAWS,
) -> Evaluation:
    """Holds models against an annotated set.

    Args:
        annotated: the pictures and who is in them; pictures without people count too.
        results: by model, its people in all of these pictures as `export.coco.coco_results` writes
            them, with the set's `image_id`, in pixels of the upright picture: no threshold applied.
        protocol: what the models saw; it is told, and changes no formula.
        draws: of the bootstrap.

    Raises:
        InputError: there is no such model.
        ValueError: a result is of no picture of the set, or has no score.
    """
    truth = Truth.of(annotated.images)
    drawn = _draws(truth, draws)
    predictions = {model: Predictions.of(found, truth) for model, found in results.items()}
    agreed = consensus(truth, predictions)
    if agreed is not None:
        predictions[CONSENSUS] = Predictions.of(agreed.results, truth)
    tables = {model: model_tables(truth, found) for model, found in predictions.items()}
    heads = {model: _headline(truth, t, drawn) for model, t in tables.items()}
    between = {model: heads[model] for model in results}
    found = [d for metric in COMPARED_BY for d in differences(between, metric)]
    near = {model: t.near for model, t in tables.items()}
    titles = {model: get(model).title for model in results}
    report = AccuracyReport(
        protocol,
        len(truth.pictures),
        len(np.unique(truth.picture)),
        len(truth),
        int(truth.labelled.sum()),
        sum(p.judged for i in truth.pictures for p in i.people) - len(truth),
        dict(Counter(p.area_from for i in truth.pictures for p in i.people if p.judged)),
        draws,
        SEED,
        {m: model_accuracy(m, truth, tables[m], heads[m], drawn) for m in tables},
        tuple(found),
        tuple(in_words(d, titles) for d in found if d.metric == "AP"),
        () if agreed is None else agreement_worth(truth, agreed, near, drawn),
    )
    return Evaluation(report, truth, tables, () if agreed is None else agreed.results)


def _draws(truth: Truth, draws: int) -> NDArray[np.int64]:
    """`picture_draws`, in which pictures are told apart by their names: the numbers that a file
    gives them, or that we give where it has none, change no interval."""
    names = [(image.file, image.frame_index or 0) for image in truth.pictures]
    by_name = sorted(range(len(names)), key=names.__getitem__)
    drawn = np.zeros((draws, len(names)), np.int64)
    drawn[:, by_name] = picture_draws(len(names), draws)
    return drawn


def model_tables(truth: Truth, predictions: Predictions) -> ModelTables:
    """Who of the annotated people is whom, by distance and by OKS."""
    return ModelTables(predictions, nearness(truth, predictions), joint_kinds(truth, predictions))


def _headline(truth: Truth, tables: ModelTables, draws: NDArray[np.int64]) -> Headline:
    return headline(truth, matches(truth, tables.predictions), tables.near, draws)


def model_accuracy(
    model: str, truth: Truth, tables: ModelTables, head: Headline, draws: NDArray[np.int64]
) -> ModelAccuracy:
    """Every number of one model; `draws` are those of `head`."""
    kind = None if model == CONSENSUS else get(model).score_kind
    return ModelAccuracy(
        head.figures(),
        joint_accuracy(truth, tables.near),
        kind_counts(truth, tables.kinds, draws),
        corrections(truth, tables.predictions, tables.kinds, draws),
        score_trust(truth, tables.predictions, tables.kinds, draws, kind),
        slices(truth, tables.near, draws),
    )


def as_data(value: Any) -> Any:
    """A report, or any part of it, as JSON-ready data.

    A `Figure` becomes `value`, `interval` (two numbers, or null) and `count`; numbers that cannot
    be told become null; a model's figures stand beside its other parts (`models` → key → `AP`).
    """
    if isinstance(value, Figure):
        both = [value.low, value.high] if value.known else None
        return {"value": as_data(value.value), "interval": both, "count": value.count}
    if isinstance(value, ModelAccuracy):
        parts = {f.name: getattr(value, f.name) for f in fields(value) if f.name != "figures"}
        return as_data({**value.figures, **parts})
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_data(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_data(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [as_data(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
