"""Which person of one model is which person of another: OKS and the Hungarian method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.scale import FEWEST_JOINTS, coco_xy, person_area
from estimators.types import PoseSet

# Standard deviations of COCO's annotators a joint, in COCO-17 order (pycocotools
# `Params.kpt_oks_sigmas`; https://cocodataset.org/#keypoints-eval).  A test compares the two.
COCO_SIGMAS = np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89], np.float64
) / np.float64(1000)

# Below it two poses are two people.  Lower than COCO's 0.5 for "correct", so that models that
# disagree about the same person are compared rather than counted as having found different people.
DEFAULT_MIN_OKS = 0.2


def joint_similarity(
    xy_a: NDArray[np.float64], xy_b: NDArray[np.float64], area: NDArray[np.float64]
) -> NDArray[np.float64]:
    """COCO's similarity of each joint, exp(-d² / (2 · area · (2σ)²)), float64 [..., 17].

    `xy_a` and `xy_b` are [..., 17, 2] on COCO-17 and broadcast, `area` is [...] in square pixels.
    NaN where either lacks the joint.  Source: pycocotools `COCOeval.computeOks`.
    """
    squared = ((xy_a - xy_b) ** 2).sum(axis=-1)
    exponent = squared / (2 * COCO_SIGMAS) ** 2 / (area[..., None] + np.spacing(1)) / 2
    similarity: NDArray[np.float64] = np.exp(-exponent)
    return similarity


def mean_similarity(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKS, the mean over the joints both have, [...]; NaN with fewer than three shared joints."""
    count = np.isfinite(similarity).sum(axis=-1)
    total = np.nansum(similarity, axis=-1)
    return np.where(count >= FEWEST_JOINTS, total / np.maximum(count, 1), np.nan)


def oks_of(xy_a: NDArray[np.float64], xy_b: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKS of poses [..., 17, 2] on COCO-17 that broadcast against each other, [...].

    COCO takes the area from the annotation; between two models neither is the truth, so it is the
    geometric mean of both people's `person_area`, which makes the measure symmetric.
    """
    area = np.sqrt(person_area(xy_a) * person_area(xy_b))
    return mean_similarity(joint_similarity(xy_a, xy_b, area))


def oks_matrix(a: PoseSet, b: PoseSet) -> NDArray[np.float64]:
    """OKS of every person of `a` with every person of `b` on COCO-17, float64 [len(a), len(b)].

    Only joints that both have count (thresholds: `scale.above_thresholds`).  NaN where fewer
    than three are shared.
    """
    return oks_of(coco_xy(a)[:, None], coco_xy(b)[None])


def assign(similarity: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Pairs (row, column) with the largest sum of similarity, none of them under `least`.

    The Hungarian method (Kuhn 1955; scipy's `linear_sum_assignment`); NaN never pairs.
    """
    usable = np.where(similarity >= least, similarity, 0.0)
    if not usable.any():
        return []
    if 1 in usable.shape:  # one row or column: the best wins, no need for scipy
        row, column = np.unravel_index(int(usable.argmax()), usable.shape)
        return [(int(row), int(column))]
    # scipy.optimize takes half a second and 50 MB to import; most pictures show one person.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(usable, maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if usable[r, c] > 0]


@dataclass(frozen=True)
class PersonGroup:
    """One person of the picture: its index in each model's set, for the models that found it.

    `oks` holds the OKS of each pair of its members by (model, model), in the order of `members`.
    """

    members: Mapping[str, int]
    oks: Mapping[tuple[str, str], float]

    @property
    def mean_oks(self) -> float:
        """Mean over the pairs, NaN when only one model found this person."""
        values = [v for v in self.oks.values() if np.isfinite(v)]
        return float(np.mean(values)) if values else float("nan")


def group_people(
    people: Mapping[str, PoseSet], min_oks: float = DEFAULT_MIN_OKS
) -> tuple[PersonGroup, ...]:
    """The people of one picture across models: who was matched with whom.

    Every pair of models is matched; the matches join into groups from the highest OKS down, a group
    never holding two people of one model.  Everybody is in exactly one group.  Groups found by most
    models come first, larger people before smaller ones.
    """
    similarity = {
        pair: oks_matrix(people[pair[0]], people[pair[1]]) for pair in combinations(people, 2)
    }
    groups = {(model, i): {model: i} for model, poses in people.items() for i in range(len(poses))}
    for _, (a, i), (b, j) in sorted(_links(similarity, min_oks), reverse=True):
        one, other = groups[a, i], groups[b, j]
        if one is not other and not one.keys() & other.keys():
            one.update(other)
            for member in other.items():
                groups[member] = one
    unique = {id(group): group for group in groups.values()}.values()
    areas = {model: person_area(coco_xy(poses)) for model, poses in people.items()}

    def rank(group: dict[str, int]) -> tuple[int, float]:
        size = max(float(np.nan_to_num(areas[model][i])) for model, i in group.items())
        return -len(group), -size

    order = list(people)
    return tuple(_group(group, order, similarity) for group in sorted(unique, key=rank))


_Member = tuple[str, int]


def _links(
    similarity: Mapping[tuple[str, str], NDArray[np.float64]], min_oks: float
) -> Iterator[tuple[float, _Member, _Member]]:
    for (a, b), matrix in similarity.items():
        for i, j in assign(matrix, min_oks):
            yield float(matrix[i, j]), (a, i), (b, j)


def _group(
    members: dict[str, int],
    order: list[str],
    similarity: Mapping[tuple[str, str], NDArray[np.float64]],
) -> PersonGroup:
    ordered = {model: members[model] for model in order if model in members}
    oks = {
        (a, b): float(similarity[a, b][ordered[a], ordered[b]]) for a, b in combinations(ordered, 2)
    }
    return PersonGroup(ordered, oks)
