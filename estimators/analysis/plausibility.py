"""What speaks against a pose without any truth: bodies are not built or moved like this.

Each signal says where it is seen (person, joints, frame), so that it can be shown there.  None is a
proof: a foreshortened arm is short, and somebody lying on a table has long legs in a picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import mean_of, median_over
from estimators.analysis.matching import PersonGroup, oks_of
from estimators.analysis.scale import coco_xy, torso_length
from estimators.registry import voice
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

Kind = Literal[
    "exchanged",
    "exchanged pair",
    "long limb",
    "uneven limbs",
    "on another person",
    "alone",
    "side swap",
    "limb jump",
]

_ENDS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
LIMBS = tuple(
    (COCO_17.index(f"{side}_{a}"), COCO_17.index(f"{side}_{b}"))
    for side in ("left", "right")
    for a, b in _ENDS
)
_FLIP = list(COCO_17.flip_indices)
_PAIRS = tuple(
    (COCO_17.index(f"left_{name}"), COCO_17.index(f"right_{name}"))
    for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
# Thigh and shank are 0.245 and 0.246 of the body height, the torso is 0.288 (Winter, "Biomechanics
# and Motor Control of Human Movement", after Drillis & Contini): no limb is longer than 0.86 torso.
# Half as much again leaves room for a torso that is seen shortened.
LONGEST_LIMB_TORSOS = 1.3
# One of two equal limbs seen at 60 degrees from the picture's plane looks half as long; beyond
# three times it is hardly foreshortening.
UNEVEN_RATIO = 3.0
# Mirroring a pose brings it nearer to the others' by this much OKS: left and right are exchanged.
EXCHANGED_GAIN = 0.15
# The same of one pair of joints: the other way round they lie less than half as far from where
# every other voice puts them, and nearer by so many torso lengths.
PAIR_RATIO, PAIR_GAIN_TORSOS = 0.5, 0.3
# A joint this near to another person's same joint, and this far from where others put it.
ON_OTHER_TORSOS, OFF_OWN_TORSOS = 0.15, 0.5


@dataclass(frozen=True)
class Finding:
    """Something implausible in one model's answer.

    Attributes:
        person: number of the person in the picture, from 1 (the order of the groups).
        joints: names of the joints it is seen at.
        figure: how much, in the unit that `text` names.
        frame: index of the frame.
        picture: its name, "" where there is one only.
    """

    kind: Kind
    model: str
    person: int
    joints: tuple[str, ...]
    figure: float
    frame: int = 0
    picture: str = ""

    @property
    def text(self) -> str:
        """In words for people, with the figure."""
        where = " and ".join(name.replace("_", " ") for name in self.joints)
        who = f"person {self.person}"
        return {
            "exchanged": f"left and right exchanged? ({who}: mirrored it would agree better by "
            f"{self.figure:.2f} OKS)",
            "exchanged pair": f"left and right exchanged? ({where} of {who}: the other way round "
            f"{self.figure:.1f} torso lengths nearer to the others)",
            "long limb": f"{where} of {who} lie {self.figure:.1f} torso lengths apart",
            "uneven limbs": f"{where} of {who}: one limb is {self.figure:.1f} times the other",
            "on another person": f"{where} of {who} lies on somebody else, {self.figure:.1f} "
            "torso lengths from where others put it",
            "alone": f"{who} is seen by this model alone",
            "side swap": f"arms or legs change sides in {_frames(self.figure)}",
            "limb jump": f"a limb is impossibly long for a moment in {_frames(self.figure)}",
        }[self.kind]


def _frames(count: float) -> str:
    return "1 frame" if count == 1 else f"{count:.0f} frames"


def uneven(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean |ln(left / right)| of the limb lengths of [..., 17, 2]; 0 where no pair is there."""
    left, right = np.split(_limbs(xy), 2, axis=-1)
    return np.nan_to_num(mean_of(np.abs(np.log((left + 1e-6) / (right + 1e-6))), axis=-1))


def long_limbs(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the limbs of [..., 17, 2] that are longer than 1.3 torsos; 0 without limbs."""
    limbs = _limbs(xy) / torso_length(xy)[..., None]
    return np.nan_to_num(
        mean_of(np.where(np.isfinite(limbs), limbs > LONGEST_LIMB_TORSOS, np.nan), axis=-1)
    )


def exchanged(xy: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """OKS that a pose [17, 2] would gain on another's by exchanging left and right, at least 0."""
    gain = float(oks_of(xy[_FLIP], other)) - float(oks_of(xy, other))
    return max(gain, 0.0) if np.isfinite(gain) else 0.0


def _pair_gain(
    xy: NDArray[np.float64], others: Sequence[NDArray[np.float64]], pair: tuple[int, int]
) -> float:
    """Pixels by which a pair of joints would lie nearer to others' if exchanged; 0 where not.

    The mean over the joints that an other one shows, the least over the others; every other one has
    to find the pair less than half as far away when it is exchanged.
    """
    as_it_is, other_way = xy[list(pair)], xy[list(pair[::-1])]
    gains = []
    for other in others:
        direct = mean_of(np.linalg.norm(as_it_is - other[list(pair)], axis=-1), axis=0)
        swapped = mean_of(np.linalg.norm(other_way - other[list(pair)], axis=-1), axis=0)
        if np.isfinite(direct) and np.isfinite(swapped):
            gains.append(float(direct - swapped) if swapped < PAIR_RATIO * direct else 0.0)
    return min(gains, default=0.0)


def _limbs(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lengths in pixels [..., 8], the left ones first."""
    ends = np.array(LIMBS)
    lengths: NDArray[np.float64] = np.linalg.norm(
        xy[..., ends[:, 0], :] - xy[..., ends[:, 1], :], axis=-1
    )
    return lengths


def findings(
    people: Mapping[str, PoseSet], groups: Sequence[PersonGroup], frame: int = 0
) -> tuple[Finding, ...]:
    """What is implausible in one picture, the gravest of each kind first.

    Args:
        people: what each model shows, thresholds applied.
        groups: `group_people` of them.
    """
    found: list[Finding] = []
    xy = {model: coco_xy(poses) for model, poses in people.items()}
    for number, group in enumerate(groups, 1):
        for model, i in group.members.items():
            others = {m: xy[m][j] for m, j in group.members.items() if voice(m) != voice(model)}
            own = _Person(model, number, frame, xy[model][i], others)
            found += [*own.build(), *own.against_others(), *own.on_others(xy, groups)]
        voices = {voice(m) for m in group.members}
        if len(voices) == 1 and len({voice(m) for m in people}) > 1:
            model = next(iter(group.members))
            found.append(Finding("alone", model, number, (), float(len(people)), frame))
    return tuple(sorted(found, key=lambda f: -f.figure))


@dataclass(frozen=True, eq=False)
class _Person:
    model: str
    number: int
    frame: int
    xy: NDArray[np.float64]
    others: Mapping[str, NDArray[np.float64]]

    def _say(self, kind: Kind, joints: Sequence[int], figure: float) -> Finding:
        names = tuple(COCO_17.joints[k] for k in joints)
        return Finding(kind, self.model, self.number, names, float(figure), self.frame)

    def build(self) -> Iterator[Finding]:
        """Limbs that are too long, or unequal beyond foreshortening."""
        lengths, torso = _limbs(self.xy), float(torso_length(self.xy))
        for limb, length in zip(LIMBS, lengths, strict=True):
            if length / torso > LONGEST_LIMB_TORSOS:
                yield self._say("long limb", limb, length / torso)
        for (limb, other), left, right in zip(
            zip(LIMBS[:4], LIMBS[4:], strict=True), lengths[:4], lengths[4:], strict=True
        ):
            ratio = max(left, right) / max(min(left, right), 1e-6)
            # Both short ends of a foreshortened pair are within a few pixels: no ratio to tell.
            if ratio > UNEVEN_RATIO and max(left, right) > 0.5 * torso:
                yield self._say("uneven limbs", (*limb, *other), ratio)

    def against_others(self) -> Iterator[Finding]:
        """Left and right the wrong way round, seen from every other voice."""
        gains = [exchanged(self.xy, other) for other in self.others.values()]
        if gains and min(gains) > EXCHANGED_GAIN:
            yield self._say("exchanged", (), min(gains))
            return
        torso = float(torso_length(self.xy))
        for left, right in _PAIRS:
            gain = _pair_gain(self.xy, list(self.others.values()), (left, right)) / torso
            if gain > PAIR_GAIN_TORSOS:
                yield self._say("exchanged pair", (left, right), gain)

    def on_others(
        self, xy: Mapping[str, NDArray[np.float64]], groups: Sequence[PersonGroup]
    ) -> Iterator[Finding]:
        """Joints that lie on the same joint of somebody else, and not where others see them."""
        if not self.others:
            return
        torso = float(torso_length(self.xy))
        expected = median_over(np.stack(list(self.others.values())))
        off = np.linalg.norm(self.xy - expected, axis=-1) / torso
        for number, group in enumerate(groups, 1):
            if number == self.number:
                continue
            for model, i in group.members.items():
                near = np.linalg.norm(self.xy - xy[model][i], axis=-1) / torso
                for k in np.flatnonzero((near < ON_OTHER_TORSOS) & (off > OFF_OWN_TORSOS)):
                    yield self._say("on another person", (int(k),), off[k])
                break
