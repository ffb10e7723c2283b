"""What kind of mistake each joint is, after Ronchi and Perona.

Source: M. R. Ronchi, P. Perona, "Benchmarking and Error Diagnosis in Multi-Instance Pose
Estimation", ICCV 2017 (https://arxiv.org/abs/1707.05388), and their code (`coco-analyze`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.bootstrap import Figure, figure, once, share
from estimators.analysis.accuracy.coco_ap import paired_people
from estimators.analysis.accuracy.tables import Predictions, Truth, of_found
from estimators.analysis.matching import joint_similarity
from estimators.skeletons import COCO_17

# Whoever is nearer than this is the same person, with mistakes.
MATCH_OKS = 0.1
# A joint over the one is good; from the other on it is where it belongs, if only roughly.
GOOD_KS, ROUGH_KS = 0.85, 0.5

KINDS = ("good", "jitter", "inversion", "swap", "miss")
GOOD, JITTER, INVERSION, SWAP, MISS = range(len(KINDS))
NOT_JUDGED = -1

_FLIP = list(COCO_17.flip_indices)


@dataclass(frozen=True, eq=False)
class JointKinds:
    """The G annotated people as a model sees them.

    Attributes:
        found: int64 [G], the prediction that is this person, -1 where it is missed.
        nobody: bool [D], predictions that are no annotated person (background).
        again: bool [D], of them those about somebody whom a better scored one has found already.
        kind: int8 [G, 17], index into `KINDS`; -1 where not labelled or the person is missed.
        similarity: float64 [G, 17], KS of the joint with its own truth; 0 where the model gives no
            such joint, NaN where `kind` is -1.
        reached: float64 [G, 17], the best KS with any joint it may have been taken for.
    """

    found: NDArray[np.int64]
    nobody: NDArray[np.bool_]
    again: NDArray[np.bool_]
    kind: NDArray[np.int8]
    similarity: NDArray[np.float64]
    reached: NDArray[np.float64]


def joint_kinds(truth: Truth, predictions: Predictions) -> JointKinds:
    """Tells for each labelled joint of each person found what kind of mistake it is.

    People are matched at OKS ≥ 0.1.  A joint is *good* with KS > 0.85.  Else what it is nearest to,
    by KS of at least 0.5, decides: its own place is *jitter*, the person's other side *inversion*,
    the same or mirrored joint of another person *swap* (by that person's area).  Near nothing, or
    not given by the model, it is a *miss*.
    """
    found, nobody, again = paired_people(truth, predictions, MATCH_OKS)
    xy = of_found(predictions.xy, found)
    own = np.nan_to_num(joint_similarity(xy, truth.xy, truth.area))
    inverted = np.nan_to_num(joint_similarity(xy, truth.xy[:, _FLIP], truth.area))
    swapped = _swapped(truth, xy)
    places = np.stack([own, inverted, swapped])
    reached, nearest = places.max(axis=0), places.argmax(axis=0)
    near = np.array([JITTER, INVERSION, SWAP])[nearest]
    kind = np.select([own > GOOD_KS, reached < ROUGH_KS], [GOOD, MISS], near)
    judged = truth.labelled & (found >= 0)[:, None]
    return JointKinds(
        found,
        nobody,
        again,
        np.where(judged, kind, NOT_JUDGED).astype(np.int8),
        np.where(judged, own, np.nan),
        np.where(judged, reached, np.nan),
    )


def _swapped(truth: Truth, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Float64 [G, 17]: the best KS of each joint with one of another person in the picture."""
    best = np.zeros(xy.shape[:2])
    for picture in np.unique(truth.picture):
        there = np.flatnonzero(truth.picture == picture)
        for other in there:
            rest = there[there != other]
            area = truth.area[other]
            for joints in (truth.xy[other], truth.xy[other][_FLIP]):
                near = np.nan_to_num(joint_similarity(xy[rest], joints, np.asarray(area)))
                best[rest] = np.maximum(best[rest], near)
    return best


@dataclass(frozen=True)
class KindCounts:
    """How often each kind of mistake is made.

    Attributes:
        shares: of the labelled joints of people found; `count` is how many are of the kind.
        joints: how many joints that is over.
        by_joint: how many of each kind for each joint of COCO-17, in the order of `KINDS`.
        people: annotated people who are judged.
        missed_people: of them, not found.
        background_people: predictions that are nobody, or somebody once more.
        found_again: of them, somebody once more.
    """

    shares: Mapping[str, Figure]
    joints: int
    by_joint: Mapping[str, tuple[int, ...]]
    people: int
    missed_people: int
    background_people: int
    found_again: int


def kind_counts(truth: Truth, kinds: JointKinds, draws: NDArray[np.int64]) -> KindCounts:
    """Counts the kinds, with intervals over the draws [B, I] of `bootstrap.picture_draws`."""
    judged = truth.a_picture(kinds.kind >= 0)
    shown = len(np.unique(truth.picture))
    shares = {}
    for number, name in enumerate(KINDS):
        count = truth.a_picture(kinds.kind == number)
        value = share(count, judged, once(len(judged))).item()
        shares[name] = figure(value, share(count, judged, draws), shown, int(count.sum()))
    by_joint = {
        joint: tuple(int((kinds.kind[:, k] == number).sum()) for number in range(len(KINDS)))
        for k, joint in enumerate(COCO_17.joints)
    }
    return KindCounts(
        shares,
        int(judged.sum()),
        by_joint,
        len(truth),
        int((kinds.found < 0).sum()),
        int(kinds.nobody.sum()),
        int(kinds.again.sum()),
    )
