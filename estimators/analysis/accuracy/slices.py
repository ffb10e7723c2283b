"""The same numbers over parts of a set: small people, crowds, hidden joints, cut-off people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.bootstrap import Figure, figure, once, share
from estimators.analysis.accuracy.nearness import Nearness
from estimators.analysis.accuracy.tables import Truth
from estimators.annotated import HIDDEN, VISIBLE

# COCO's limits between small, medium and large (https://cocodataset.org/#detection-eval).
SMALL_PX2, LARGE_PX2 = 32.0**2, 96.0**2
# A box that comes this near to the edge of the picture is cut off there.
EDGE_PX = 2.0
# Most people in a picture that is no crowd.
FEW_PEOPLE = 4

GROUPS = {
    "size": ("small", "medium", "large"),
    "people": ("one", "few", "many"),
    "joints": ("visible", "hidden"),
    "truncation": ("whole", "cut off"),
}


@dataclass(frozen=True)
class Slice:
    """A model on one part of the set.

    Attributes:
        group, name: what part; `GROUPS` lists them.
        people: annotated people in it.
        joints: labelled joints in it.
        pck: PCK@0.2; `count` is the joints it counts.
        mean_ks: mean KS, 0 where a joint is not found.
        found: share of the people that are found at all.
    """

    group: str
    name: str
    people: int
    joints: int
    pck: Figure
    mean_ks: Figure
    found: Figure


def joints_of(truth: Truth) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """(group, name, bool [G, 17]) of each part: the labelled joints that belong to it."""
    for group, name, people in _people(truth):
        yield group, name, people[:, None] & truth.labelled
    for name, flag in (("visible", VISIBLE), ("hidden", HIDDEN)):
        yield "joints", name, np.asarray(truth.visibility == flag)


def _people(truth: Truth) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """The same of people, bool [G]."""
    area = truth.area
    yield "size", "small", area < SMALL_PX2
    yield "size", "medium", (area >= SMALL_PX2) & (area < LARGE_PX2)
    yield "size", "large", area >= LARGE_PX2
    together = np.bincount(truth.picture, minlength=len(truth.pictures))[truth.picture]
    yield "people", "one", together == 1
    yield "people", "few", (together > 1) & (together <= FEW_PEOPLE)
    yield "people", "many", together > FEW_PEOPLE
    size = np.array([(p.width, p.height) for p in truth.pictures]).reshape(len(truth.pictures), 2)[
        truth.picture
    ]
    gap = np.column_stack([truth.box[:, :2], size - truth.box[:, 2:]])
    cut = np.asarray((gap <= EDGE_PX).any(axis=1))
    yield "truncation", "whole", ~cut
    yield "truncation", "cut off", cut


def slices(truth: Truth, near: Nearness, draws: NDArray[np.int64]) -> tuple[Slice, ...]:
    """One model on every part that has anybody; intervals over the draws [B, I]."""
    rows = []
    for group, name, joints in joints_of(truth):
        people = np.asarray(joints.any(axis=1))
        if not people.any():
            continue
        counted = joints & near.counted
        rows.append(
            Slice(
                group,
                name,
                int(people.sum()),
                int(joints.sum()),
                _share(truth, counted & near.right, counted, draws),
                _share(truth, np.where(joints, near.similarity, 0.0), joints, draws),
                _share(truth, np.asarray(people & (near.found >= 0)), people, draws),
            )
        )
    return tuple(rows)


def _share(
    truth: Truth,
    top: NDArray[np.bool_] | NDArray[np.float64],
    bottom: NDArray[np.bool_],
    draws: NDArray[np.int64],
) -> Figure:
    """Sum over sum, with its interval over the pictures that have any of it."""
    tops, bottoms = truth.a_picture(top), truth.a_picture(bottom)
    value = share(tops, bottoms, once(len(tops))).item()
    pictures = int((bottoms > 0).sum())
    return figure(value, share(tops, bottoms, draws), pictures, int(bottoms.sum()))
