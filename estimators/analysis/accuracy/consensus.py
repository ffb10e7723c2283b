"""The models' consensus as one more row, and what the distance from it says about real errors.

People without ground truth see only how far a model is from the others; here that is held against
how far it is from the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.bootstrap import Figure, figure, once
from estimators.analysis.accuracy.nearness import Nearness
from estimators.analysis.accuracy.tables import COCO_SHIFT_PX, K, Predictions, Truth, of_found
from estimators.analysis.agreement import mean_of, median_over
from estimators.analysis.matching import PersonGroup, group_people
from estimators.analysis.scale import found, torso_length
from estimators.registry import get, voice
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

CONSENSUS = "consensus"
# Somebody whom one voice alone sees is no consensus.
FEWEST_VOICES = 2


@dataclass(frozen=True, eq=False)
class Consensus:
    """What the models have in common.

    Attributes:
        results: as `export.coco.coco_results` writes those of a model; without joint scores.
        distance: float64 [D, 17] a model: how far each joint of each of its people lies from the
            median of the other voices, in torso lengths; NaN where no other voice gives it.
    """

    results: list[dict[str, Any]]
    distance: Mapping[str, NDArray[np.float64]]


def consensus(truth: Truth, models: Mapping[str, Predictions]) -> Consensus | None:
    """The consensus of the models of a report; None with fewer than two voices.

    Who counts as found is decided by each variant's own thresholds (`scale.found`), as everywhere
    where models are compared; their joints then all count.  The same people are grouped
    (`matching.group_people`); of variants of one voice (`registry.voice`) the median is one voice.
    """
    voices = {model: voice(model) for model in models}
    if len(set(voices.values())) < FEWEST_VOICES:
        return None
    distance = {model: np.full((len(p), K), np.nan) for model, p in models.items()}
    results = []
    for picture, image in enumerate(truth.pictures):
        kept = {model: _found(model, p, picture) for model, p in models.items()}
        people = {model: _poses(models[model], at) for model, at in kept.items()}
        for group in group_people(people):
            xy = {m: models[m].xy[kept[m][i]] for m, i in group.members.items()}
            opinions = _opinions(xy, voices)
            if len(opinions) < FEWEST_VOICES:
                continue
            agreed = _median(opinions.values())
            share_of_voices = len(opinions) / len(set(voices.values()))
            score = share_of_voices * _agreement(group, voices)
            results.append(_result(image.image_id, agreed, score))
            torso = torso_length(agreed)
            for m, pose in xy.items():
                others = _median(p for v, p in opinions.items() if v != voices[m])
                far = np.linalg.norm(pose - others, axis=1) / torso
                distance[m][kept[m][group.members[m]]] = far
    return Consensus(results, distance)


def _opinions(
    xy: Mapping[str, NDArray[np.float64]], voices: Mapping[str, str]
) -> dict[str, NDArray[np.float64]]:
    """One pose [17, 2] for each voice that sees the person."""
    named = dict.fromkeys(voices[m] for m in xy)
    return {v: _median(pose for m, pose in xy.items() if voices[m] == v) for v in named}


def _found(model: str, predictions: Predictions, picture: int) -> NDArray[np.int64]:
    """The model's people in a picture who count as found, by number."""
    at = np.flatnonzero(predictions.picture == picture)
    spec = get(model)
    people = found(_poses(predictions, at), spec.default_threshold, spec.default_pose_threshold)
    return at[people]


def _poses(predictions: Predictions, people: NDArray[np.int64]) -> PoseSet:
    return PoseSet(
        COCO_17,
        predictions.xy[people].astype(np.float32),
        # Results without joint scores have no threshold to be under.
        np.nan_to_num(predictions.joint_score[people], nan=np.inf).astype(np.float32),
        predictions.score[people].astype(np.float32),
    )


def _median(poses: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Float64 [17, 2]: each coordinate's median over those that give the joint."""
    return median_over(np.stack(list(poses)))


def _agreement(group: PersonGroup, voices: Mapping[str, str]) -> float:
    """Mean OKS between members of different voices, 0 where they share too few joints."""
    pairs = [pair for pair in combinations(group.members, 2) if voices[pair[0]] != voices[pair[1]]]
    return float(np.nan_to_num(mean_of(np.array([group.oks[pair] for pair in pairs]), axis=0)))


def _result(image_id: int, xy: NDArray[np.float64], score: float) -> dict[str, Any]:
    present = np.isfinite(xy).all(axis=1, keepdims=True)
    points = np.where(present, np.round(xy - COCO_SHIFT_PX, 3), 0.0)
    return {
        "image_id": image_id,
        "category_id": 1,
        "keypoints": np.column_stack([points, present]).ravel().tolist(),
        "score": score,
    }


@dataclass(frozen=True)
class AgreementWorth:
    """How well the distance from the other models tells where a model is really wrong.

    Attributes:
        model: whose joints; "" for the joints of all models together.
        correlation: Spearman's rank correlation of distance from the others with distance from the
            truth; `count` is the joints.
    """

    model: str
    correlation: Figure


def agreement_worth(
    truth: Truth,
    agreed: Consensus,
    near: Mapping[str, Nearness],
    draws: NDArray[np.int64],
) -> tuple[AgreementWorth, ...]:
    """One entry a model, and one over all: all labelled joints that have both distances."""
    rows, pairs, pictures = [], [], []
    for model, distance in agreed.distance.items():
        from_others, error = of_found(distance, near[model].found), near[model].error
        both = np.isfinite(from_others) & np.isfinite(error)
        pair = np.stack([from_others[both], error[both]])
        picture = truth.picture[np.nonzero(both)[0]]
        rows.append(AgreementWorth(model, _correlation(pair, picture, draws)))
        pairs.append(pair)
        pictures.append(picture)
    joined = _correlation(np.concatenate(pairs, axis=1), np.concatenate(pictures), draws)
    return (AgreementWorth("", joined), *rows)


def _correlation(
    pair: NDArray[np.float64],
    picture: NDArray[np.int64],
    draws: NDArray[np.int64],
) -> Figure:
    """Spearman's rank correlation (C. Spearman 1904): Pearson's of the ranks, ties at their mean.

    The draws keep the ranks of the whole set, which makes a thousand of them cheap.

    Args:
        pair: [2, M], the two distances.
        picture: int64 [M].
    """
    x, y = (ranks(values) for values in pair)
    _, pictures = draws.shape
    sums = np.zeros((6, pictures))
    for row, values in zip(sums, (np.ones_like(x), x, y, x * x, y * y, x * y), strict=True):
        np.add.at(row, picture, values)
    weights = np.concatenate([once(pictures), draws])
    n, sx, sy, xx, yy, xy = sums @ weights.T
    spread = np.sqrt(np.maximum(n * xx - sx * sx, 0) * np.maximum(n * yy - sy * sy, 0))
    rho = np.full(spread.shape, np.nan)
    np.divide(n * xy - sx * sy, spread, out=rho, where=spread > 0)
    return figure(float(rho[0]), rho[1:], len(np.unique(picture)), len(x))


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks around 0, ties at their mean (scipy's `rankdata`, which takes a second to import)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return rank - (len(values) + 1) / 2
