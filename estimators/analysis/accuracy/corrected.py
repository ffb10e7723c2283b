"""The AP that a model would have without one kind of mistake: what is worth mending.

Source: Ronchi and Perona, ICCV 2017 (see `kinds`).  Their code puts a corrected joint at
σ·√(−2·area·ln t) from its place, which is KS = t^¼; here it is 2σ·√(−2·area·ln t), as KS is defined
(`distance_at`).  They correct at one threshold of OKS, here AP is the mean over COCO's ten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.bootstrap import Figure, figure, once
from estimators.analysis.accuracy.coco_ap import matches, stats
from estimators.analysis.accuracy.kinds import (
    GOOD_KS,
    INVERSION,
    JITTER,
    KINDS,
    MISS,
    ROUGH_KS,
    SWAP,
    JointKinds,
)
from estimators.analysis.accuracy.tables import COCO_SHIFT_PX, K, Predictions, Truth
from estimators.analysis.matching import COCO_SIGMAS, assign, joint_similarity

SCORE, BACKGROUND, MISSED = "score", "background", "missed_people"
# In which they are corrected one after the other.
ORDER = (KINDS[MISS], KINDS[SWAP], KINDS[INVERSION], KINDS[JITTER], SCORE, BACKGROUND, MISSED)
# Rounding must not put a joint that was corrected to a threshold under it.
_JUST_INSIDE = 1 - 1e-9


@dataclass(frozen=True)
class Gain:
    """What correcting one kind of mistake is worth.

    Attributes:
        kind: one of `ORDER`.
        alone: AP gained by correcting it and nothing else.
        in_order: AP gained by correcting it after those before it in `ORDER`.
        after: AP when it and those before it are corrected.
    """

    kind: str
    alone: float
    in_order: float
    after: float


@dataclass(frozen=True)
class Corrections:
    """AP as it is and as it could be.

    Attributes:
        ap: as it is.
        optimal_scores: with the best possible ranking of the same people.
        gains: in `ORDER`.
    """

    ap: float
    optimal_scores: Figure
    gains: tuple[Gain, ...]


def distance_at(similarity: NDArray[np.float64], area: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels at which a joint has this KS: 2σ·√(−2·area·ln KS), float64 [..., 17].

    KS = exp(−d² / (2·area·(2σ)²)) solved for d (pycocotools `COCOeval.computeOks`).

    Args:
        similarity: [..., 17], over 0 and at most 1.
        area: [...] in square pixels.
    """
    squared = -2 * area[..., None] * np.log(similarity)
    distance: NDArray[np.float64] = 2 * COCO_SIGMAS * np.sqrt(squared)
    return distance


def corrections(
    truth: Truth, predictions: Predictions, kinds: JointKinds, draws: NDArray[np.int64]
) -> Corrections:
    """Corrects each kind of mistake alone, and all in their order."""
    ranked = matches(truth, with_optimal_scores(truth, predictions), 1)
    best = stats(ranked, np.concatenate([once(len(truth.pictures)), draws]))[:, 0]
    as_is = ap = _ap(truth, predictions)
    shown, people = truth, predictions
    gains = []
    for kind in ORDER:
        shown, people = _without(kind, shown, people, kinds)
        after = _ap(shown, people)
        alone = _ap(*_without(kind, truth, predictions, kinds))
        gains.append(Gain(kind, alone - as_is, after - ap, after))
        ap = after
    pictures = len(np.unique(truth.picture))
    return Corrections(as_is, figure(float(best[0]), best[1:], pictures, len(truth)), tuple(gains))


def _ap(truth: Truth, predictions: Predictions) -> float:
    return stats(matches(truth, predictions, 1), once(len(truth.pictures)))[:, 0].item()


def _without(
    kind: str, truth: Truth, predictions: Predictions, kinds: JointKinds
) -> tuple[Truth, Predictions]:
    """Both sides without one kind of mistake; joints first, as `kinds` tells people by number."""
    if kind == SCORE:
        return truth, with_optimal_scores(truth, predictions)
    if kind == BACKGROUND:
        return truth, predictions.select(~kinds.nobody)
    if kind == MISSED:
        missed = set(truth.annotation[kinds.found < 0].tolist())
        rest = tuple(e for e in truth.entries if e["id"] not in missed)
        return replace(truth, entries=rest), predictions
    return truth, _with_joints(truth, predictions, kinds, KINDS.index(kind))


def _with_joints(
    truth: Truth, predictions: Predictions, kinds: JointKinds, kind: int
) -> Predictions:
    """Joints of one kind put where they would count as what they are, on the right of their place.

    A jitter is put at KS 0.85 and a miss at 0.5; inversions and swaps are as far from their own
    place as they are from the one they were taken for.
    """
    reached = {JITTER: GOOD_KS, MISS: ROUGH_KS}.get(kind, kinds.reached)
    similarity = np.where(kinds.kind == kind, reached, 1.0)
    right = distance_at(similarity, truth.area) * _JUST_INSIDE
    place = truth.xy - COCO_SHIFT_PX
    place[..., 0] += right
    points = predictions.keypoints.reshape(len(predictions), K, 3).copy()
    who, joint = np.nonzero(kinds.kind == kind)
    points[kinds.found[who], joint, :2] = place[who, joint]
    return replace(predictions, keypoints=points.reshape(len(predictions), 3 * K))


def with_optimal_scores(truth: Truth, predictions: Predictions) -> Predictions:
    """The same people with the best ranking there is: each scored by its OKS.

    In each picture people are matched so that the sum of OKS is largest (Hungarian method); whoever
    is matched with nobody gets 0.
    """
    score = np.zeros(len(predictions))
    points = predictions.keypoints.reshape(len(predictions), K, 3)[..., :2] + COCO_SHIFT_PX
    for picture in np.unique(truth.picture):
        there = np.flatnonzero(truth.picture == picture)
        found = np.flatnonzero(predictions.picture == picture)
        near = joint_similarity(points[found, None], truth.xy[None, there], truth.area[there])
        oks = np.nanmean(near, axis=2)
        for i, j in assign(oks, np.finfo(float).tiny):
            score[found[i]] = oks[i, j]
    return replace(predictions, score=score)
