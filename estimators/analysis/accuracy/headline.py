"""The numbers in the first row of a report, their intervals, and what sets two models apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.bootstrap import (
    FEWEST_PICTURES,
    Difference,
    Figure,
    figure,
    interval,
    median,
    once,
    share,
)
from estimators.analysis.accuracy.coco_ap import STATS, Matches, stats
from estimators.analysis.accuracy.nearness import Nearness
from estimators.analysis.accuracy.tables import Truth

PCK, PCKH = "PCK@0.2", "PCKh@0.5"
# Of joints that were found, in torso lengths.
MEAN_ERROR, MEDIAN_ERROR = "mean_error", "median_error"
# KS over all labelled joints, 0 where a joint is not found.
MEAN_KS = "mean_KS"
ERRORS = (MEAN_ERROR, MEDIAN_ERROR)
METRICS = (*STATS, PCK, PCKH, MEAN_KS, MEAN_ERROR, MEDIAN_ERROR)
_SAME = 0.005  # differences that nobody sees in two decimals


@dataclass(frozen=True, eq=False)
class Headline:
    """A model's numbers by name, over the pictures as they are and over each draw.

    Attributes:
        values: a number a metric of `METRICS`, NaN where there is nothing to measure.
        draws: float64 [B] a metric; the same draws for every model of a report.
        counts: people, or joints, that a metric is over.
        pictures: how many show somebody who is judged.
    """

    values: Mapping[str, float]
    draws: Mapping[str, NDArray[np.float64]]
    counts: Mapping[str, int]
    pictures: int

    def figures(self) -> dict[str, Figure]:
        """Every number with its interval."""
        return {
            name: figure(value, self.draws[name], self.pictures, self.counts[name])
            for name, value in self.values.items()
        }


def headline(truth: Truth, kept: Matches, near: Nearness, draws: NDArray[np.int64]) -> Headline:
    """The numbers of one model.

    Args:
        draws: [B, I], `bootstrap.picture_draws` of the pictures of `truth`.
    """
    # The first row is the pictures as they are: one code for a number and for its interval.
    weights = np.concatenate([once(len(truth.pictures)), draws])
    rows = dict(zip(STATS, stats(kept, weights).T, strict=True))
    found = np.isfinite(near.error)
    for name, top, bottom in (
        (PCK, near.right, near.counted),
        (PCKH, near.right_by_head, near.counted_heads),
        (MEAN_KS, np.nan_to_num(near.similarity), truth.labelled),
        (MEAN_ERROR, np.nan_to_num(near.error), found),
    ):
        rows[name] = share(truth.a_picture(top), truth.a_picture(bottom), weights)
    of_joint = np.repeat(truth.picture, near.error.shape[1])
    rows[MEDIAN_ERROR] = median(near.error.ravel(), of_joint, weights)
    everybody, medium, large = kept.people.sum(axis=1).tolist()
    counts = dict.fromkeys(STATS, everybody)
    counts |= {"APm": medium, "ARm": medium, "APl": large, "ARl": large}
    counts |= {PCK: int(near.counted.sum()), PCKH: int(near.counted_heads.sum())}
    counts |= {MEAN_KS: int(truth.labelled.sum())}
    counts |= dict.fromkeys(ERRORS, int(found.sum()))
    return Headline(
        {name: float(rows[name][0]) for name in METRICS},
        {name: rows[name][1:] for name in METRICS},
        counts,
        len(np.unique(truth.picture)),
    )


def differences(models: Mapping[str, Headline], metric: str = "AP") -> tuple[Difference, ...]:
    """Every two models, the better one first; NaN intervals where there are too few pictures."""
    found = []
    for a, b in combinations(models, 2):
        sign = -1.0 if metric in ERRORS else 1.0
        value = sign * (models[a].values[metric] - models[b].values[metric])
        draws = sign * (models[a].draws[metric] - models[b].draws[metric])
        if np.isnan(value):
            continue
        if value < 0:
            a, b, value, draws = b, a, -value, -draws
        low, high = interval(draws, min(models[a].pictures, models[b].pictures))
        found.append(Difference(metric, a, b, value, low, high, metric not in ERRORS))
    return tuple(found)


def in_words(difference: Difference, titles: Mapping[str, str]) -> str:
    """One sentence: how much better, or that it cannot be told.

    Args:
        titles: what the models are called.
    """
    better = titles.get(difference.better, difference.better)
    other = titles.get(difference.other, difference.other)
    d = difference
    if np.isnan(d.low):
        return too_few(better, [other])
    span = f"{_number(d.value, d)} ({_number(d.low, d)} to {_number(d.high, d)})"
    by = "" if d.metric == "AP" else f" by {d.metric}"
    if d.sure:
        return f"{better} is {span} better than {other} on your pictures{by}."
    if max(abs(d.low), abs(d.high)) < _SAME:
        return f"{better} and {other} are equally good on your pictures: they differ by {span}."
    return f"Too few pictures to tell {better} and {other} apart{by}: they differ by {span}."


def too_few(better: str, others: Sequence[str]) -> str:
    """That nothing can be said of `better` and each of the `others`, titles of models."""
    *some, last = others
    named = f"{', '.join(some)} and {last}" if some else last
    least = f"it takes {FEWEST_PICTURES} pictures with people"
    return f"Too few pictures to tell {better} from {named}: {least}."


def _number(value: float, difference: Difference) -> str:
    small = difference.sure and difference.low < _SAME
    text = f"{value:.3f}" if small else f"{value:.2f}"
    return text.removeprefix("-") if float(text) == 0 else text
