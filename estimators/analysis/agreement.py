"""How far the models agree with each other.  Agreement is not accuracy: all may be wrong together.

Measured on the joints of COCO-17 after matching people, in OKS (`matching`) and in fractions of
torso length (`scale.torso_length`).  Thresholds come in through `scale.above_thresholds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.matching import PersonGroup, group_people
from estimators.analysis.scale import coco_xy, torso_length
from estimators.analysis.voices import voices_of
from estimators.skeletons import COCO_17
from estimators.types import PoseSet


@dataclass(frozen=True, eq=False)
class PairMatches:
    """The people that two models both found on one picture or in one clip, R of them.

    Who is the same person is decided once, from all models: by `group_people` on a picture, by
    `shared_identities` in a clip.

    Attributes:
        oks: float64 [R]; NaN, not judged, where they share fewer than three joints.
        distance: float64 [R, 17], torso lengths between the two models' joints, NaN where unshared
            or not judged.
        only_a, only_b: people that the other model did not find, counted a frame.
    """

    oks: NDArray[np.float64]
    distance: NDArray[np.float64]
    only_a: int
    only_b: int

    @classmethod
    def of(
        cls,
        oks: NDArray[np.float64],
        xy_a: NDArray[np.float64],
        xy_b: NDArray[np.float64],
        only_a: int,
        only_b: int,
    ) -> PairMatches:
        """From both models' poses of the same people, each [R, 17, 2]."""
        judged = np.isfinite(oks)[:, None]
        distance = np.where(judged, relative_distance(xy_a, xy_b), np.nan)
        return cls(oks, distance, only_a, only_b)


@dataclass(frozen=True, eq=False)
class PairAgreement:
    """What two models share on one picture, on several, or in a clip.

    Attributes:
        matched: people both found, counted a frame.
        only_a, only_b: people that one of them alone found, likewise.
        mean_oks: mean OKS of the matched people that can be judged, NaN without any.
        median_distance: median over all shared joints of matched people of the distance between the
            two models, in torso lengths (mean of both models' torsos); NaN without any.
        joint_distance: float64 [17], the same a COCO-17 joint.
    """

    matched: int
    only_a: int
    only_b: int
    mean_oks: float
    median_distance: float
    joint_distance: NDArray[np.float64]

    @classmethod
    def of(cls, parts: Sequence[PairMatches]) -> PairAgreement:
        """Over all the matches of several pictures, as if they were one."""
        oks = np.concatenate([np.zeros(0), *(part.oks for part in parts)])
        distance = np.concatenate([np.zeros((0, len(COCO_17))), *(part.distance for part in parts)])
        return cls(
            len(oks),
            sum(part.only_a for part in parts),
            sum(part.only_b for part in parts),
            float(mean_of(oks, axis=0)),
            median_of(distance),
            np.array([median_of(column) for column in distance.T]),
        )


def picture_matches(
    people: Mapping[str, PoseSet], groups: Sequence[PersonGroup]
) -> dict[tuple[str, str], PairMatches]:
    """What each two models both found on one picture; `groups` says who is the same person."""
    xy = {model: coco_xy(poses) for model, poses in people.items()}
    out = {}
    for a, b in combinations(people, 2):
        both = [g for g in groups if a in g.members and b in g.members]
        oks = np.array([group.oks[a, b] for group in both])
        xy_a = xy[a][[group.members[a] for group in both]]
        xy_b = xy[b][[group.members[b] for group in both]]
        only_a, only_b = len(xy[a]) - len(both), len(xy[b]) - len(both)
        out[a, b] = PairMatches.of(oks, xy_a, xy_b, only_a, only_b)
    return out


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
    people: Mapping[str, PoseSet], groups: Sequence[PersonGroup] | None = None
) -> AgreementMatrix:
    """Compares all models on one picture.

    Args:
        people: what each model found there, by its key.
        groups: `group_people` of them; None makes them.
    """
    models = tuple(people)
    found = np.array([len(people[model]) for model in models], np.int64)
    oks = np.full((len(models), len(models)), np.nan)
    np.fill_diagonal(oks, np.where(found > 0, 1.0, np.nan))
    distance = np.full_like(oks, np.nan)
    np.fill_diagonal(distance, np.where(found > 0, 0.0, np.nan))
    matched = np.diag(found)
    matches = picture_matches(people, group_people(people) if groups is None else groups)
    pairs = {models: PairAgreement.of([part]) for models, part in matches.items()}
    for i, j in combinations(range(len(models)), 2):
        pair = pairs[models[i], models[j]]
        oks[i, j] = oks[j, i] = pair.mean_oks
        distance[i, j] = distance[j, i] = pair.median_distance
        matched[i, j] = matched[j, i] = pair.matched
    return AgreementMatrix(models, oks, distance, matched, pairs)


def picture_agreement(groups: Sequence[PersonGroup], models: Sequence[str]) -> float:
    """OKS of every two models on every person of a picture, in the mean.

    A person whom one of the two does not find counts 0, one whom both do not find does not count,
    nor does one on whom the two share fewer than three joints.  NaN where nothing is left.
    """
    values = []
    for group in groups:
        for pair in combinations(models, 2):
            found = [model in group.members for model in pair]
            if all(found):
                values.append(group.oks.get(pair, group.oks.get(pair[::-1], np.nan)))
            elif any(found):
                values.append(0.0)
    known = np.array(values)[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def joint_agreement(
    people: Mapping[str, PoseSet], groups: Sequence[PersonGroup]
) -> dict[str, NDArray[np.float64]]:
    """`distance_from_others` of the people of one picture, float64 [len(groups), 17] a model.

    The others are the other families' models, `voices_of`.
    """
    models = tuple(people)
    xy = np.full((len(models), len(groups), len(COCO_17), 2), np.nan)
    for m, model in enumerate(models):
        mapped = coco_xy(people[model])
        for g, group in enumerate(groups):
            if model in group.members:
                xy[m, g] = mapped[group.members[model]]
    return dict(zip(models, distance_from_others(xy, voices_of(models)), strict=True))


def distance_from_others(xy: NDArray[np.float64], voices: Sequence[str]) -> NDArray[np.float64]:
    """How far each model's joints lie from where the other voices put them, [M, ..., 17].

    The distance of each joint from the median position of the *other* voices that have it (each
    coordinate apart), in torso lengths of that person (median over the voices).  A voice's own
    position and torso are the median over its models.  NaN where this model or all other voices
    lack the joint.  With two voices of one model each it is the same for both; with three or more
    the one that lies apart stands out.

    Args:
        xy: the same people as each model sees them, [M, ..., 17, 2]; NaN where absent.
        voices: of each of the M models.
    """
    out = np.full(xy.shape[:-1], np.nan)
    names = tuple(dict.fromkeys(voices))
    if not names:
        return out
    rows = [[m for m, name in enumerate(voices) if name == one] for one in names]
    heard = np.stack([median_over(xy[r]) for r in rows])
    torso = median_over(np.stack([median_over(torso_length(xy[r])) for r in rows]))
    for v, own in enumerate(rows):
        others = median_over(np.delete(heard, v, axis=0))
        out[own] = np.linalg.norm(xy[own] - others, axis=-1) / torso[..., None]
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
    count = np.isfinite(ordered).sum(axis=0)[None]
    low = np.take_along_axis(ordered, (count - 1) // 2, axis=0)[0]
    high = np.take_along_axis(ordered, count // 2, axis=0)[0]
    middle: NDArray[np.float64] = (low + high) / 2
    return middle
