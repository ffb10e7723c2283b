"""How far each joint is from where it was marked: PCK, PCKh, errors in torso lengths and in KS.

The scale is the annotated person's torso (`scale.torso_length`), and who is whom is decided by
distance, not by OKS: so nothing here depends on the annotation's area, nor on joints of the face,
and the same pictures give the same PCK whether they come as COCO, YOLO-pose or MPII.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.tables import K, Predictions, Truth, of_found
from estimators.analysis.agreement import mean_of
from estimators.analysis.matching import assign, joint_similarity
from estimators.analysis.scale import torso_length
from estimators.analysis.truth import MATCH_WITHIN_TORSOS
from estimators.skeletons import COCO_17

# Y. Yang, D. Ramanan, "Articulated Human Detection with Flexible Mixtures of Parts", PAMI 35
# (2013): a keypoint is right within a share of the person's size; 0.2 of the torso is usual.
PCK_TORSOS = 0.2
# M. Andriluka et al., "2D Human Pose Estimation: New Benchmark and State of the Art Analysis", CVPR
# 2014 (MPII): within half the length of the head.
PCKH_HEADS = 0.5

# The twelve joints that COCO, YOLO-pose and MPII all label.
BODY = np.array([joint.split("_")[-1] not in ("nose", "eye", "ear") for joint in COCO_17.joints])


@dataclass(frozen=True, eq=False)
class Nearness:
    """What a model makes of the G annotated people.

    Attributes:
        found: int64 [G], the prediction that is this person, -1 where there is none.
        error: float64 [G, 17], distance in torso lengths; NaN where not labelled, not found, or the
            person has no size.
        similarity: float64 [G, 17], COCO's KS; 0 where the model gives no such joint, NaN where it
            is not labelled.
        heads: float64 [G, 17], distance in lengths of the head; NaN also without a head.
        counted: bool [G, 17], joints that PCK counts: those of the body, of whoever has a torso.
        counted_heads: bool [G, 17], joints that PCKh counts.
    """

    found: NDArray[np.int64]
    error: NDArray[np.float64]
    similarity: NDArray[np.float64]
    heads: NDArray[np.float64]
    counted: NDArray[np.bool_]
    counted_heads: NDArray[np.bool_]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Bool [G, 17]: right by PCK@0.2."""
        right: NDArray[np.bool_] = self.counted & (self.error <= PCK_TORSOS)
        return right

    @property
    def right_by_head(self) -> NDArray[np.bool_]:
        """Bool [G, 17]: right by PCKh@0.5."""
        right: NDArray[np.bool_] = self.counted_heads & (self.heads <= PCKH_HEADS)
        return right


def body_torso(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Torso length in pixels by the twelve joints of the body alone, [...]; NaN without two."""
    return torso_length(np.where(BODY[:, None], xy, np.nan))


def nearness(truth: Truth, predictions: Predictions) -> Nearness:
    """Holds a model's people against the annotated ones."""
    torso = body_torso(truth.xy)
    size = np.where(np.isfinite(torso), torso, torso_length(truth.xy))
    found = _found(truth, predictions, torso, size)
    xy = of_found(predictions.xy, found)
    distance = np.linalg.norm(xy - truth.xy, axis=-1)
    similarity = np.nan_to_num(joint_similarity(xy, truth.xy, truth.area))
    body = truth.labelled & BODY
    return Nearness(
        found,
        distance / size[:, None],
        np.where(truth.labelled, similarity, np.nan),
        distance / truth.head_px[:, None],
        body & np.isfinite(torso)[:, None],
        body & (truth.head_px > 0)[:, None],
    )


def _found(
    truth: Truth,
    predictions: Predictions,
    torso: NDArray[np.float64],
    size: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Int64 [G]: those with a body choose first, by its joints; then those of a face alone."""
    found = np.full(len(truth), -1, np.int64)
    bodies = np.isfinite(torso)
    for people, joints in ((bodies, BODY), (~bodies & (size > 0), np.ones(K, np.bool_))):
        for i in np.unique(truth.picture[people]):
            there = np.flatnonzero(people & (truth.picture == i))
            free = np.setdiff1d(np.flatnonzero(predictions.picture == i), found[found >= 0])
            far = np.linalg.norm(truth.xy[there, None] - predictions.xy[None, free], axis=-1)
            mean = mean_of(far[..., joints], axis=2) / size[there, None]
            for a, b in assign(np.nan_to_num(1 - mean / MATCH_WITHIN_TORSOS), 0.0):
                found[there[a]] = free[b]
    return found


@dataclass(frozen=True)
class JointAccuracy:
    """One joint over all people of whom it is labelled.

    Attributes:
        labelled: how many there are.
        found: of how many the model gives a position.
        pck: share within 0.2 torso lengths of those PCK counts; NaN for joints of the face.
        mean_error, median_error: of those found, in torso lengths.
        mean_similarity, median_similarity: KS over all labelled, 0 where not found.
    """

    joint: str
    labelled: int
    found: int
    pck: float
    mean_error: float
    median_error: float
    mean_similarity: float
    median_similarity: float


def joint_accuracy(truth: Truth, near: Nearness) -> tuple[JointAccuracy, ...]:
    """One entry for each joint of COCO-17."""
    rows = []
    for k, joint in enumerate(COCO_17.joints):
        labelled = truth.labelled[:, k]
        error = near.error[labelled, k]
        error = error[np.isfinite(error)]
        similarity = near.similarity[labelled, k]
        counted = near.counted[:, k]
        rows.append(
            JointAccuracy(
                joint,
                int(labelled.sum()),
                len(error),
                _mean(near.right[counted, k]),
                _mean(error),
                _median(error),
                _mean(similarity),
                _median(similarity),
            )
        )
    return tuple(rows)


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
