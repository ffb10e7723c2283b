"""Skeletons of other tools onto COCO's 17 joints, by the names of their joints alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.skeletons import COCO_17

_SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
# Short forms in use: MPII's own files (`rank`, `lelb`), XSens, OpenPose.
_PARTS = {
    "ank": "ankle",
    "kne": "knee",
    "elb": "elbow",
    "wri": "wrist",
    "sho": "shoulder",
    "shoulders": "shoulder",
    "shldr": "shoulder",
    "head_top": "head_top",
    "top_head": "head_top",
    "top_of_head": "head_top",
    "neck": "upper_neck",
    "upperneck": "upper_neck",
    "headtop": "head_top",
    "pelv": "pelvis",
    "thrx": "thorax",
}
_GLUED = re.compile(r"([lr])(ankle|knee|hip|wrist|elbow|shoulder|eye|ear|ank|kne|wri|elb|sho)")


def plain_joint(name: str) -> str:
    """`name` as this product writes joints: "LShoulder", "r-sho", "Hip (left)": `left_hip`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip())
    words = [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]
    if len(words) == 1 and (glued := _GLUED.fullmatch(words[0])):
        words = list(glued.groups())
    sides = [_SIDES[word] for word in words if word in _SIDES]
    part = "_".join(word for word in words if word not in _SIDES)
    part = _PARTS.get(part, part)
    return f"{sides[0]}_{part}" if len(sides) == 1 else part


@dataclass(frozen=True)
class JointMap:
    """Where each joint of a foreign skeleton goes.

    Attributes:
        names: of the foreign skeleton's K joints, plain.
        source: int [17], the index among K of each of COCO's joints, -1 where it is absent.
    """

    names: tuple[str, ...]
    source: NDArray[np.int64]

    @classmethod
    def of(cls, names: Sequence[str]) -> JointMap:
        """By name; of two joints with one name the first counts."""
        plain = tuple(plain_joint(name) for name in names)
        index = {name: at for at, name in reversed(list(enumerate(plain)))}
        return cls(plain, np.array([index.get(joint, -1) for joint in COCO_17.joints]))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def joints(self) -> tuple[str, ...]:
        """Those of COCO's 17 that it has."""
        return tuple(j for j, at in zip(COCO_17.joints, self.source, strict=True) if at >= 0)

    @property
    def beyond(self) -> tuple[str, ...]:
        """Its joints that COCO's 17 lack."""
        return tuple(name for name in self.names if name not in COCO_17.joints)

    @property
    def of_a_person(self) -> bool:
        """Whether it can be a person's: it has both shoulders or both hips, by name."""
        have = set(self.joints)
        return any({f"left_{p}", f"right_{p}"} <= have for p in ("shoulder", "hip"))


COCO_ORDER = JointMap.of(COCO_17.joints)
