"""What a model's joint score is worth: how often it is right, and the threshold to show joints at.

Scores are never compared between models: each has its own scale (`ModelSpec.score_kind`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.bootstrap import Figure, figure, once
from estimators.analysis.accuracy.kinds import ROUGH_KS, JointKinds
from estimators.analysis.accuracy.tables import Predictions, Truth, of_found
from estimators.types import ScoreKind

# A joint is right from this KS on, the same as where "miss" ends.
RIGHT_KS = ROUGH_KS
_BINS = 10
# Most thresholds that are tried; between two of them lies less than half a percent of the joints.
_MOST_THRESHOLDS = 256
# Scores that are probabilities, or claim to be: only for them is there a calibration error.
_IN_UNIT: tuple[ScoreKind, ...] = ("confidence", "visibility")


@dataclass(frozen=True)
class Bin:
    """Joints of similar score.

    Attributes:
        low, high: the range of scores.
        score: their mean score.
        right: share of them within KS 0.5.
        joints: how many.
    """

    low: float
    high: float
    score: float
    right: float
    joints: int


@dataclass(frozen=True)
class AtThreshold:
    """What is shown when joints under a threshold are hidden.

    Attributes:
        threshold: joints with this score and over are shown.
        precision: share of those shown that are right.
        coverage: share of the joints that can be judged that are shown.
        recall: right ones shown, of all labelled joints.
        f1: harmonic mean of precision and recall.
    """

    threshold: float
    precision: float
    coverage: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ScoreTrust:
    """A model's joint scores held against truth.

    Attributes:
        kind: what the scores are, None where that is unknown.
        joints: labelled joints of people found, which reliability is about.
        reliability: in bins, from the lowest score up.
        curve: (score, share right), monotone; steps where it rises.
        ece: expected calibration error, NaN for scores that are no probabilities.
        thresholds: precision against coverage, from the lowest threshold up.
        recommended: the threshold with the largest F1; `count` is the joints judged.
        best: what is shown at it; None where no joint can be judged.
    """

    kind: ScoreKind | None
    joints: int
    reliability: tuple[Bin, ...]
    curve: tuple[tuple[float, float], ...]
    ece: float
    thresholds: tuple[AtThreshold, ...]
    recommended: Figure
    best: AtThreshold | None


def score_trust(
    truth: Truth,
    predictions: Predictions,
    kinds: JointKinds,
    draws: NDArray[np.int64],
    kind: ScoreKind | None,
) -> ScoreTrust:
    """Holds the joint scores of a model against the truth.

    Args:
        draws: [B, I], `bootstrap.picture_draws`.
        kind: what the scores are.
    """
    judged = kinds.kind >= 0
    scores = scores_of_people(predictions, kinds)
    score, right = scores[judged], (kinds.similarity >= RIGHT_KS)[judged]
    given = np.isfinite(score)
    score, right = score[given], right[given]
    bins = _reliability(score, right, kind in _IN_UNIT)
    counts = _Counts.of(truth, predictions, kinds)
    rows = counts.rows()
    if not len(rows):
        nothing = Figure(math.nan, math.nan, math.nan, 0)
        return ScoreTrust(kind, 0, (), (), math.nan, (), nothing, None)
    at = int(np.argmax([row.f1 for row in rows]))
    picked = counts.thresholds[np.argmax(counts.f1(draws), axis=1)]
    shown = len(np.unique(truth.picture))
    recommended = figure(float(counts.thresholds[at]), picked, shown, counts.joints)
    ece = _ece(bins) if kind in _IN_UNIT else math.nan
    return ScoreTrust(
        kind, len(score), bins, _curve(score, right), ece, rows, recommended, rows[at]
    )


def scores_of_people(predictions: Predictions, kinds: JointKinds) -> NDArray[np.float64]:
    """Float64 [G, 17]: the model's scores of each annotated person's joints; NaN if not given.

    A joint without a position is not shown at any threshold: it has no score.
    """
    scores = np.where(predictions.positioned, predictions.joint_score, np.nan)
    return of_found(scores, kinds.found)


def _reliability(
    score: NDArray[np.float64], right: NDArray[np.bool_], in_unit: bool
) -> tuple[Bin, ...]:
    """Ten ranges of scores: of equal width in 0…1, else of equally many joints."""
    if not len(score):
        return ()
    edges = (
        np.linspace(0, 1, _BINS + 1)
        if in_unit
        else np.quantile(score, np.linspace(0, 1, _BINS + 1))
    )
    place = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, _BINS - 1)
    bins = []
    for b in np.unique(place):
        mine = place == b
        bins.append(
            Bin(
                float(edges[b]),
                float(edges[b + 1]),
                float(score[mine].mean()),
                float(right[mine].mean()),
                int(mine.sum()),
            )
        )
    return tuple(bins)


def _ece(bins: tuple[Bin, ...]) -> float:
    """Σ joints/all · |right − score| over ten bins of equal width.

    Source: C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017; of keypoints
    against KS: K. Gu et al., "On the Calibration of Human Pose Estimation", ICML 2024.
    """
    total = sum(b.joints for b in bins)
    return sum(b.joints * abs(b.right - b.score) for b in bins) / total if total else math.nan


def _curve(score: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """The monotone curve nearest to what was seen: (score, share right) wherever it rises.

    Source: isotonic regression by pooling adjacent violators (Barlow et al. 1972; scipy
    `isotonic_regression`); for calibration: Zadrozny and Elkan, KDD 2002.
    """
    if not len(score):
        return ()
    # scipy.optimize takes half a second to import.
    from scipy.optimize import isotonic_regression

    values, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    share = np.bincount(place, right) / counts
    fit = isotonic_regression(share, weights=counts).x
    steps = np.flatnonzero(np.diff(fit, prepend=-np.inf) > 1e-12)
    ends = [*steps[1:] - 1, len(fit) - 1]
    both = sorted({*steps.tolist(), *ends})
    return tuple((float(values[i]), float(fit[i])) for i in both)


@dataclass(frozen=True, eq=False)
class _Counts:
    """Right and wrong joints a picture between one threshold and the next.

    What can be judged is a joint of somebody found that is labelled, and every joint of a
    prediction that is nobody, which is wrong wherever it lies.

    Attributes:
        thresholds: float64 [Q], rising.
        right, wrong: float64 [I, Q], joints with the score of this threshold up to the next.
        labelled: float64 [I], labelled joints, of missed people too.
    """

    thresholds: NDArray[np.float64]
    right: NDArray[np.float64]
    wrong: NDArray[np.float64]
    labelled: NDArray[np.float64]

    @classmethod
    def of(cls, truth: Truth, predictions: Predictions, kinds: JointKinds) -> _Counts:
        scores = scores_of_people(predictions, kinds)
        of_people = np.isfinite(scores) & (kinds.kind >= 0)
        present = predictions.positioned & np.isfinite(predictions.joint_score)
        nobodys = present & kinds.nobody[:, None]
        picture = np.concatenate([np.nonzero(of_people)[0], np.nonzero(nobodys)[0]])
        people = int(of_people.sum())
        picture[:people] = truth.picture[picture[:people]]
        picture[people:] = predictions.picture[picture[people:]]
        score = np.concatenate([scores[of_people], predictions.joint_score[nobodys]])
        right = np.concatenate(
            [(kinds.similarity >= RIGHT_KS)[of_people], np.zeros(int(nobodys.sum()), np.bool_)]
        )
        thresholds = np.unique(score)
        if len(thresholds) > _MOST_THRESHOLDS:
            shares = np.linspace(0, 1, _MOST_THRESHOLDS)
            thresholds = np.unique(np.quantile(score, shares, method="lower"))
        place = np.searchsorted(thresholds, score, side="right") - 1

        def count(those: NDArray[np.bool_]) -> NDArray[np.float64]:
            counts = np.zeros((len(truth.pictures), len(thresholds)))
            np.add.at(counts, (picture[those], place[those]), 1)
            return counts

        return cls(thresholds, count(right), count(~right), truth.a_picture(truth.labelled))

    @property
    def joints(self) -> int:
        return int(self.right.sum() + self.wrong.sum())

    def f1(self, weights: NDArray[np.int64]) -> NDArray[np.float64]:
        """F1 at each threshold in each draw, [B, Q]: 2·right / (shown + labelled)."""
        right, wrong = self._over(weights @ self.right), self._over(weights @ self.wrong)
        total = right + wrong + (weights @ self.labelled)[:, None]
        return 2 * right / np.maximum(total, 1)

    def rows(self) -> tuple[AtThreshold, ...]:
        right, wrong = self._over(self.right.sum(axis=0)), self._over(self.wrong.sum(axis=0))
        labelled = max(float(self.labelled.sum()), 1.0)
        (f1,) = self.f1(once(len(self.labelled)))
        return tuple(
            AtThreshold(float(t), r / (r + w), (r + w) / self.joints, r / labelled, float(f))
            for t, r, w, f in zip(self.thresholds, right.tolist(), wrong.tolist(), f1, strict=True)
        )

    @staticmethod
    def _over(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over this threshold and those above it."""
        return np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1]
