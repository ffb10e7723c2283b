"""Numbers on one picture from which the quality of each model can be guessed without truth.

A model's witnesses are the models of other voices (`registry.voice`): variants and twins of one
family are one voice, whose best agreeing variant speaks, so that a copy of a model changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import joint_agreement, median_of
from estimators.analysis.matching import PersonGroup, group_people
from estimators.analysis.plausibility import exchanged, long_limbs, uneven
from estimators.analysis.scale import coco_xy, torso_length
from estimators.registry import get, voice
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

PERSON_SIGNALS = (
    "agreement",  # OKS with the other voices, mean over those that see or could see the person
    "best_agreement",  # the highest of them
    "seen_share",  # share of these voices that see the person
    "seen_by",  # 0, 0.5 or 1: seen by none, one, or more of them
    "visible",  # share of the joints over the threshold
    "size",  # ln of torso length over the picture's longer side
    "uneven",  # `plausibility.uneven`
    "long_limbs",  # `plausibility.long_limbs`
    "exchanged",  # `plausibility.exchanged`, the highest over the other voices
    "score",  # mean score of the 17 joints, on the model's own scale
)
PICTURE_SIGNALS = (
    "agreement",  # sum of OKS over people seen by either, a voice; mean over the other voices
    "found_share",  # people found over the mean count of the other voices, at most 1
    "found_more",  # people found beyond that count, as a share of those found
    "few",  # 1 / (1 + that count)
    "single",  # 1 - 1 / that count for a model that looks for one person, else 0
    "uneven",
    "long_limbs",
    "exchanged",
)


@dataclass(frozen=True, eq=False)
class Signals:
    """The signals of one picture.

    Attributes:
        people: float64 [n, len(PERSON_SIGNALS)] a model, in the order of its people.
        group_of: which group each of a model's people belongs to.
        picture: float64 [len(PICTURE_SIGNALS)] a model.
        apart: how far the model that stands apart most lies from the other families: the largest
            median distance of the joints, in torso lengths; 0 where nobody is compared.
    """

    people: Mapping[str, NDArray[np.float64]]
    group_of: Mapping[str, tuple[int, ...]]
    picture: Mapping[str, NDArray[np.float64]]
    group_count: int
    apart: float


def borne_out(signals: Signals) -> Signals:
    """The same without the people whom no other voice sees."""
    at = PERSON_SIGNALS.index("seen_by")
    seen = {model: rows[:, at] > 0 for model, rows in signals.people.items()}
    people = {model: rows[seen[model]] for model, rows in signals.people.items()}
    group_of = {
        model: tuple(g for g, kept in zip(groups, seen[model], strict=True) if kept)
        for model, groups in signals.group_of.items()
    }
    return replace(signals, people=people, group_of=group_of)


def picture_signals(
    people: Mapping[str, PoseSet],
    longer_side: float,
    groups: Sequence[PersonGroup] | None = None,
) -> Signals:
    """The signals of one picture.

    Args:
        people: what each model shows, thresholds applied (`scale.above_thresholds`).
        longer_side: of the picture, in pixels.
        groups: `group_people` of them; None makes them.
    """
    groups = group_people(people) if groups is None else groups
    group_of = {
        model: tuple(
            next(g for g, group in enumerate(groups) if group.members.get(model) == i)
            for i in range(len(poses))
        )
        for model, poses in people.items()
    }
    xy = {model: coco_xy(poses) for model, poses in people.items()}
    rows, pictures = {}, {}
    for model, poses in people.items():
        others = _other_voices(model, people)
        agreement = [_with_voices(model, others, groups[g], xy) for g in group_of[model]]
        rows[model] = _people(poses, xy[model], agreement, longer_side)
        pictures[model] = _picture(model, others, people, groups, rows[model])
    medians = [median_of(far) for far in joint_agreement(people, groups).values()]
    apart = max((far for far in medians if np.isfinite(far)), default=0.0)
    return Signals(rows, group_of, pictures, len(groups), apart)


def _other_voices(model: str, models: Mapping[str, PoseSet]) -> list[list[str]]:
    voices: dict[str, list[str]] = {}
    for other in models:
        if voice(other) != voice(model):
            voices.setdefault(voice(other), []).append(other)
    return list(voices.values())


def _oks(group: PersonGroup, a: str, b: str) -> float:
    value = group.oks.get((a, b), group.oks.get((b, a), np.nan))
    return float(np.nan_to_num(value))


def _with_voices(
    model: str,
    others: Sequence[Sequence[str]],
    group: PersonGroup,
    xy: Mapping[str, NDArray[np.float64]],
) -> list[float]:
    """(agreement, best agreement, share, seen by, exchanged) of one person of `model`."""
    heard, asked, gain = [], 0, 0.0
    for variants in others:
        here = [m for m in variants if m in group.members]
        if here:
            heard.append(max(_oks(group, model, m) for m in here))
            own = xy[model][group.members[model]]
            gain = max(gain, *(exchanged(own, xy[m][group.members[m]]) for m in here))
        # A model that looks for one person says nothing about the others.
        asked += bool(here) or any(not get(m).single_person for m in variants)
    share = len(heard) / asked if asked else 0.0
    mean = sum(heard) / asked if asked else 0.0
    return [mean, max(heard, default=0.0), share, min(len(heard), 2) / 2, gain]


def _people(
    poses: PoseSet,
    xy: NDArray[np.float64],
    agreement: Sequence[Sequence[float]],
    longer_side: float,
) -> NDArray[np.float64]:
    out = np.zeros((len(poses), len(PERSON_SIGNALS)))
    if not len(poses):
        return out
    heard = np.array(agreement)
    out[:, :4], out[:, 8] = heard[:, :4], heard[:, 4]
    out[:, 4] = np.isfinite(xy).all(axis=-1).mean(axis=1)
    out[:, 5] = np.log(np.nan_to_num(torso_length(xy), nan=1.0) / longer_side + 1e-3)
    out[:, 6], out[:, 7] = uneven(xy), long_limbs(xy)
    out[:, 9] = np.nan_to_num(poses.to_skeleton(COCO_17).score).mean(axis=1)
    return out


def _picture(
    model: str,
    others: Sequence[Sequence[str]],
    people: Mapping[str, PoseSet],
    groups: Sequence[PersonGroup],
    rows: NDArray[np.float64],
) -> NDArray[np.float64]:
    found = len(people[model])
    agreement, counts = [], []
    for variants in others:
        shares = []
        for other in variants:
            both = [g for g in groups if model in g.members and other in g.members]
            union = found + len(people[other]) - len(both)
            total = sum(_oks(g, model, other) for g in both)
            shares.append(total / union if union else 0.0)
        agreement.append(max(shares))
        counts.append(max(len(people[other]) for other in variants))
    count = float(np.mean(counts)) if counts else float(found)
    build = rows[:, 6:9].mean(axis=0) if found else np.zeros(3)
    return np.array(
        [
            float(np.mean(agreement)) if agreement else 0.0,
            min(found / count, 1.0) if count else float(found == 0),
            max(found - count, 0.0) / max(found, 1),
            1 / (1 + count),
            1 - 1 / max(count, 1.0) if get(model).single_person else 0.0,
            *build,
        ]
    )
