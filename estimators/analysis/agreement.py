"""How far the models agree with each other.  Agreement is not accuracy: all may be wrong together.

Measured on the joints of COCO-17 after matching people, in OKS (`matching`) and in fractions of
torso length (`scale.torso_length`).  Thresholds come in through `scale.shown`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.matching import (
    DEFAULT_MIN_OKS,
    Matching,
    PersonGroup,
    match_people,
)
from estimators.analysis.scale import coco_xy, torso_length
from estimators.skeletons import COCO_17
from estimators.types import PoseSet


@dataclass(frozen=True, eq=False)
class PairAgreement:
    """What two models share on one picture.

    Attributes:
        matching: who is whom; `matched`, `only_a` and `only_b` count.
        mean_oks: mean OKS of the matched people, NaN without any.
        median_distance: median over all shared joints of matched people of the distance between the
            two models, in torso lengths (mean of both models' torsos); NaN without any.
        joint_distance: float64 [17], the same a COCO-17 joint.
    """

    matching: Matching
    mean_oks: float
    median_distance: float
    joint_distance: NDArray[np.float64]

    @property
    def matched(self) -> int:
        return len(self.matching.matches)

    @property
    def only_a(self) -> int:
        return len(self.matching.only_a)

    @property
    def only_b(self) -> int:
        return len(self.matching.only_b)


def pair_agreement(a: PoseSet, b: PoseSet, min_oks: float = DEFAULT_MIN_OKS) -> PairAgreement:
    """Matches the people of two models and measures how far apart their joints lie."""
    matching = match_people(a, b, min_oks)
    xy_a = coco_xy(a)[[m.a for m in matching.matches]]
    xy_b = coco_xy(b)[[m.b for m in matching.matches]]
    distance = relative_distance(xy_a, xy_b)
    oks = [m.oks for m in matching.matches]
    return PairAgreement(
        matching,
        float(np.mean(oks)) if oks else float("nan"),
        median_of(distance),
        np.array([median_of(distance[:, k]) for k in range(len(COCO_17))]),
    )


def relative_distance(xy_a: NDArray[np.float64], xy_b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each joint in torso lengths, [..., 17], from two poses [..., 17, 2]."""
    torso = mean_of(np.stack([torso_length(xy_a), torso_length(xy_b)]), axis=0)
    distance: NDArray[np.float64] = np.linalg.norm(xy_a - xy_b, axis=-1) / torso[..., None]
    return distance


@dataclass(frozen=True, eq=False)
class AgreementMatrix:
    """Agreement of every model with every other, symmetric [M, M] arrays in the order of `models`.

    Attributes:
        oks: mean OKS of the people both found; 1 on the diagonal of models that found somebody,
            NaN where nobody was matched.
        distance: median joint distance in torso lengths; 0 on that diagonal, NaN likewise.
        matched: int, people both found; on the diagonal the people the model found.
        pairs: details by (model, model), in the order of `models`.
    """

    models: tuple[str, ...]
    oks: NDArray[np.float64]
    distance: NDArray[np.float64]
    matched: NDArray[np.int64]
    pairs: Mapping[tuple[str, str], PairAgreement]


def agreement_matrix(
    people: Mapping[str, PoseSet], min_oks: float = DEFAULT_MIN_OKS
) -> AgreementMatrix:
    """Compares all models on one picture; `people` maps a model's key to what it found there."""
    models = tuple(people)
    found = np.array([len(people[model]) for model in models], np.int64)
    oks = np.full((len(models), len(models)), np.nan)
    np.fill_diagonal(oks, np.where(found > 0, 1.0, np.nan))
    distance = np.full_like(oks, np.nan)
    np.fill_diagonal(distance, np.where(found > 0, 0.0, np.nan))
    matched = np.diag(found)
    pairs = {}
    for i, j in combinations(range(len(models)), 2):
        pair = pair_agreement(people[models[i]], people[models[j]], min_oks)
        pairs[models[i], models[j]] = pair
        oks[i, j] = oks[j, i] = pair.mean_oks
        distance[i, j] = distance[j, i] = pair.median_distance
        matched[i, j] = matched[j, i] = pair.matched
    return AgreementMatrix(models, oks, distance, matched, pairs)


def joint_agreement(
    people: Mapping[str, PoseSet], groups: Sequence[PersonGroup]
) -> dict[str, NDArray[np.float64]]:
    """`distance_from_others` of the people of one picture, float64 [len(groups), 17] a model."""
    models = tuple(people)
    xy = np.full((len(models), len(groups), len(COCO_17), 2), np.nan)
    for m, model in enumerate(models):
        mapped = coco_xy(people[model])
        for g, group in enumerate(groups):
            if model in group.members:
                xy[m, g] = mapped[group.members[model]]
    return dict(zip(models, distance_from_others(xy), strict=True))


def distance_from_others(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each model's joints lie from where the other models put them, [M, ..., 17].

    The distance of each joint from the median position of the *other* models that have it (each
    coordinate apart), in torso lengths of that person (median over the models).  NaN where this
    model or all others lack the joint.  With two models it is the same for both; with three or more
    the one that lies apart stands out.

    Args:
        xy: the same people as each model sees them, [M, ..., 17, 2]; NaN where absent.
    """
    out = np.full(xy.shape[:-1], np.nan)
    if len(xy):
        torso = median_over(torso_length(xy))
        for m in range(len(xy)):
            others = median_over(np.delete(xy, m, axis=0))
            out[m] = np.linalg.norm(xy[m] - others, axis=-1) / torso[..., None]
    return out


def median_of(values: NDArray[np.float64]) -> float:
    """Median of the finite values; NaN when there are none (numpy warns instead)."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def mean_of(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Mean of the finite values along `axis`; NaN where there are none."""
    finite = np.isfinite(values)
    count = finite.sum(axis=axis)
    total = np.where(finite, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def median_over(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of the finite values along the first axis; NaN where there are none."""
    if len(values) == 0:
        return np.full(values.shape[1:], np.nan)
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=0)  # NaN sorts last
    count = np.isfinite(ordered).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(values) - 1)[None], axis=0)[0]
    return np.where(count > 0, (low + high) / 2, np.nan)
