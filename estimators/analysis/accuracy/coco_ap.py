"""COCO's AP and AR of keypoints: matched by `pycocotools`, kept, and accumulated over any draw.

`pycocotools` compares and matches people (`COCOeval.computeOks`, `evaluateImg`), picture by picture
and once.  What it does afterwards (`COCOeval.accumulate`, `summarize`) is done here for many draws
of pictures at once; for the pictures as they are it gives the same numbers, which a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.cocoeval import COCOeval

from estimators.analysis.accuracy.tables import Predictions, Truth, as_counted
from estimators.annotated import AnnotatedImage

# As `COCOeval.summarize` orders them.
STATS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
_AT_50, _AT_75 = 0, 5  # places among COCO's thresholds 0.5, 0.55 … 0.95
_ALL, _MEDIUM, _LARGE = _AREAS = range(3)  # and among its ranges of areas
_AT_ONCE = 250  # draws, so that a thousand of them do not fill the memory
_CATEGORY = 1


@dataclass(frozen=True, eq=False)
class Matches:
    """Which of the N people a model found are right, at each threshold and range of areas.

    The best scored come first; at most 20 a picture count (COCO's `maxDets`).

    Attributes:
        picture: int64 [N].
        right, wrong: bool [A, T, N]; neither where COCO ignores the person.
        people: int64 [A, I], annotated people who are judged, a picture.
    """

    picture: NDArray[np.int64]
    right: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    people: NDArray[np.int64]


def matches(truth: Truth, predictions: Predictions, ranges: int = len(_AREAS)) -> Matches:
    """Matches a model's people with the annotated ones as COCO does.

    Args:
        ranges: how many of COCO's ranges of areas (all, medium, large) are wanted.
    """
    evaluation = evaluator(truth, predictions)
    areas = evaluation.params.areaRng[:ranges]
    count = len(evaluation.params.iouThrs)
    parts = [_evaluated(evaluation, area, len(truth.pictures)) for area in areas]
    # Every range has the same people in the same order.
    score = np.concatenate([np.zeros(0), *(e["dtScores"] for e in parts[0])])
    order = np.argsort(-score, kind="mergesort")
    picture = np.concatenate([np.zeros(0), *([e["image_id"]] * len(e["dtIds"]) for e in parts[0])])
    right, wrong = [], []
    people = np.zeros((len(areas), len(truth.pictures)), np.int64)
    for a, part in enumerate(parts):
        empty = np.zeros((count, 0), bool)
        found = np.concatenate([empty, *(e["dtMatches"] > 0 for e in part)], axis=1)[:, order]
        passed = np.concatenate([empty, *(e["dtIgnore"] > 0 for e in part)], axis=1)[:, order]
        right.append(found & ~passed)
        wrong.append(~found & ~passed)
        for e in part:
            people[a, e["image_id"]] = int((e["gtIgnore"] == 0).sum())
    return Matches(picture.astype(np.int64)[order], np.stack(right), np.stack(wrong), people)


def evaluator(truth: Truth, predictions: Predictions) -> COCOeval:
    """`pycocotools` with both sides filled in and OKS computed.

    Its own way in (`COCO.loadRes`, `evaluate`) prints, and fails where nobody was found; the areas
    of predicted people are those that `loadRes` gives them: the box around all 17 points.
    """
    evaluation = COCOeval(iouType="keypoints")
    for entry in truth.entries:
        ignore = entry["iscrowd"] or entry["num_keypoints"] == 0
        evaluation._gts[entry["image_id"], _CATEGORY].append({**entry, "ignore": ignore})
    for number, picture in enumerate(predictions.picture.tolist(), 1):
        points = _counted(predictions.keypoints[number - 1], truth.pictures[picture])
        width, height = np.ptp(points[0::3]), np.ptp(points[1::3])
        entry = {
            "id": number,
            "keypoints": points,
            "score": float(predictions.score[number - 1]),
            "area": float(width * height),
        }
        evaluation._dts[picture, _CATEGORY].append(entry)
    evaluation.ious = {
        (i, _CATEGORY): evaluation.computeOks(i, _CATEGORY) for i in range(len(truth.pictures))
    }
    return evaluation


def _counted(keypoints: NDArray[np.float64], image: AnnotatedImage) -> NDArray[np.float64]:
    """Float64 [51] in the pixels that the file counts in, as results are exported."""
    if image.to_annotated is None:
        return keypoints
    points = keypoints.reshape(-1, 3).copy()
    there = points.any(axis=1)
    points[there, :2] = as_counted(points[there, :2], image)
    return points.ravel()


def _evaluated(evaluation: COCOeval, area: list[float], pictures: int) -> list[dict[str, Any]]:
    (most,) = evaluation.params.maxDets
    found = [evaluation.evaluateImg(i, _CATEGORY, area, most) for i in range(pictures)]
    return [one for one in found if one is not None]


def paired_people(
    truth: Truth, predictions: Predictions, least: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Who is whom at OKS `least` and over, the best scored choosing first as in COCO's matching.

    Returns:
        (int64 [G], bool [D], bool [D]): of each annotated person the prediction, -1 where it is
        missed; of each prediction whether it is nobody's: not matched with anybody, be it a crowd
        or somebody without labels, and among the 20 of its picture that count; and whether it is so
        because whom it is near has been taken by a better scored one.
    """
    evaluation = evaluator(truth, predictions)
    evaluation.params.iouThrs = np.array([least])
    found = np.full(len(truth.entries) + 1, -1, np.int64)
    nobody, again = np.zeros((2, len(predictions)), np.bool_)
    for e in _evaluated(evaluation, evaluation.params.areaRng[_ALL], len(truth.pictures)):
        (prediction,), (person,) = e["gtMatches"], e["dtMatches"]  # at one threshold
        found[e["gtIds"]] = prediction.astype(np.int64) - 1
        people, unmatched = np.array(e["dtIds"], np.int64) - 1, person == 0
        nobody[people] = unmatched
        oks = evaluation.ious[e["image_id"], _CATEGORY]
        if len(oks):
            again[people] = unmatched & (oks.max(axis=1) >= least)
    return found[truth.annotation], nobody, again


def stats(kept: Matches, weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """AP, AP50 … in the order of `STATS`, float64 [B, 10]; NaN where nobody of that size is judged.

    Source: `COCOeval.accumulate` and `summarize` of pycocotools (https://cocodataset.org/
    #keypoints-eval): precision made monotone, read at 101 recalls, averaged over them and over ten
    thresholds of OKS.  A picture that is drawn twice stands in the list twice (people of the same
    score one after the other).

    Args:
        weights: [B, I], how often each picture is drawn; a row of ones gives COCO's own numbers.
    """
    chunks = [weights[i : i + _AT_ONCE] for i in range(0, len(weights), _AT_ONCE)]
    return np.concatenate([np.zeros((0, len(STATS))), *(_stats(kept, chunk) for chunk in chunks)])


def _stats(kept: Matches, weights: NDArray[np.int64]) -> NDArray[np.float64]:
    shape = (len(weights), len(_AREAS), kept.right.shape[1])
    precision, recall = np.full(shape, np.nan), np.full(shape, np.nan)
    drawn = weights[:, kept.picture].astype(np.float64)
    for a in range(len(kept.people)):
        people = (weights @ kept.people[a]).astype(np.float64)
        some = people > 0
        for t in range(shape[2]):
            both = _curve(kept.right[a, t], kept.wrong[a, t], drawn[some], people[some])
            precision[some, a, t], recall[some, a, t] = both
    return np.column_stack([f for part in (precision, recall) for f in _summary(part)])


def _summary(part: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    whole = part[:, _ALL]
    medium, large = part[:, _MEDIUM].mean(axis=1), part[:, _LARGE].mean(axis=1)
    return whole.mean(axis=1), whole[:, _AT_50], whole[:, _AT_75], medium, large


# `COCOeval` has them in its `Params`, which cost more to make than to keep.
_RECALLS = np.linspace(0.0, 1.0, 101)


def _curve(
    right: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    drawn: NDArray[np.float64],
    people: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean precision over COCO's 101 recalls, and the recall reached; float64 [B] both.

    Only people who are right raise the recall, so only there is the curve needed.
    """
    at = np.flatnonzero(right)
    if not len(at) or not len(people):
        return np.zeros(len(people)), np.zeros(len(people))
    hits = np.cumsum(drawn[:, at], axis=1)
    errors = np.zeros((len(drawn), int(wrong.sum()) + 1))
    np.cumsum(drawn[:, wrong], axis=1, out=errors[:, 1:])
    before = np.cumsum(wrong)[at]
    precision = hits / (errors[:, before] + hits + np.spacing(1))
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = hits / people[:, None]
    padded = np.column_stack([precision, np.zeros(len(precision))])
    first = [row.searchsorted(_RECALLS) for row in recall]
    return np.take_along_axis(padded, np.stack(first), axis=1).mean(axis=1), recall[:, -1]
