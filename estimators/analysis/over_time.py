"""Agreement between models a person and frame, and the frames they dispute most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import (
    distance_from_others,
    mean_of,
    relative_distance,
)
from estimators.analysis.pairing import same_rows_oks
from estimators.analysis.thresholds import ShownClip
from estimators.analysis.voices import voices_of
from estimators.skeletons import COCO_17

MOST_DISPUTED = 10
# Where the models agree better than this nothing is disputed (1 − OKS).
WORTH_A_LOOK = 0.25
_APART_S, _APART_SHARE = 0.5, 0.05
_ABSENT = -1


@dataclass(frozen=True, eq=False)
class AgreementOverTime:
    """How well each pair of models agrees on each person in each frame.

    Attributes:
        frame_index, time_s: [T], the frames that any model answered or failed on.
        people: identities that at least two models follow, most sightings first.
        pairs: (model, model).
        oks: float32 [people, pairs, T].  0 where one model of the pair lost a person whom it
            follows before and after while the other sees it; NaN, not judged, where neither sees
            it, one does not follow it at that time, one failed on the frame or shows as many
            others as it was asked for, or they share fewer than three joints.
    """

    frame_index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    people: tuple[int, ...]
    pairs: tuple[tuple[str, str], ...]
    oks: NDArray[np.float32]

    @property
    def person_oks(self) -> NDArray[np.float64]:
        """Float64 [people, T], the mean over the pairs."""
        return mean_of(self.oks.astype(np.float64), axis=1)

    @property
    def dispute(self) -> NDArray[np.float64]:
        """Float64 [T], 1 − mean OKS of the person disputed most; NaN where nobody is compared."""
        if not self.people:
            return np.full(len(self.time_s), np.nan)
        worst: NDArray[np.float64] = np.fmax.reduce(1 - self.person_oks, axis=0)
        return worst


def agreement_over_time(
    clips: Mapping[str, ShownClip], identities: Mapping[str, NDArray[np.int64]]
) -> AgreementOverTime:
    """Compares the models on everybody whom at least two of them follow.

    Args:
        clips: what each model shows of one clip.
        identities: `shared_identities`, [Q] a model.
    """
    axis = _TimeAxis(clips)
    pairs = tuple(combinations(clips, 2))
    people = _followed_by_two(identities)
    oks = np.full((len(people), len(pairs), len(axis.time_s)), np.nan, np.float32)
    for p, person in enumerate(people):
        rows = {model: axis.rows_of(model, identities[model] == person) for model in clips}
        seen = {model: r >= 0 for model, r in rows.items()}
        for q, (a, b) in enumerate(pairs):
            both = seen[a] & seen[b]
            oks[p, q, axis.followed(seen, a, b)] = 0.0
            i, j = rows[a][both], rows[b][both]
            oks[p, q, both] = same_rows_oks(clips[a], clips[b], i, j)
    return AgreementOverTime(axis.frame_index, axis.time_s, people, pairs, oks)


def distance_over_time(
    clips: Mapping[str, ShownClip], identities: Mapping[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.float32]]:
    """`distance_from_others` of everybody whom each model shows, float32 [Q, 17] a model.

    Args:
        clips: what each model shows of one clip.
        identities: `shared_identities`, [Q] a model.
    """
    axis = _TimeAxis(clips)
    out = {m: np.full((len(s), len(COCO_17)), np.nan, np.float32) for m, s in clips.items()}
    for person in _followed_by_two(identities):
        rows = np.stack([axis.rows_of(m, identities[m] == person) for m in clips])
        seen = rows >= 0
        there = seen.any(axis=0)
        rows, seen = rows[:, there], seen[:, there]
        xy = np.full((*rows.shape, len(COCO_17), 2), np.nan)
        for m, shown in enumerate(clips.values()):
            xy[m, seen[m]] = shown.xy[rows[m, seen[m]]]
        distances = distance_from_others(xy, voices_of(clips))
        for m, model in enumerate(clips):
            out[model][rows[m, seen[m]]] = distances[m, seen[m]]
    return out


def _followed_by_two(identities: Mapping[str, NDArray[np.int64]]) -> tuple[int, ...]:
    """The people whom at least two models follow, in order."""
    followed = Counter(int(p) for each in identities.values() for p in np.unique(each))
    return tuple(sorted(person for person, models in followed.items() if models > 1))


class _TimeAxis:
    """The frames of all models on one axis."""

    def __init__(self, clips: Mapping[str, ShownClip]) -> None:
        self._clips = clips
        indices = [shown.clip.frame_index for shown in clips.values()]
        self.frame_index = np.unique(np.concatenate(indices or [np.zeros(0, np.int64)]))
        self.time_s = np.zeros(len(self.frame_index))
        self._at = {}
        self._answered = {}
        self._full = {}
        for model, shown in clips.items():
            at = np.searchsorted(self.frame_index, shown.clip.frame_index)
            self.time_s[at] = shown.clip.time_s
            self._at[model] = at
            self._answered[model] = np.zeros(len(self.frame_index), np.bool_)
            self._answered[model][at[~shown.clip.failed]] = True
            self._full[model] = np.zeros(len(self.frame_index), np.bool_)
            self._full[model][at[shown.clip.full]] = True

    def rows_of(self, model: str, who: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The row in the model's `ShownClip` that shows the person in each frame, [T], or -1."""
        rows = np.full(len(self.frame_index), _ABSENT, np.int64)
        sightings = np.flatnonzero(who)
        rows[self._at[model][self._clips[model].frame_of[sightings]]] = sightings
        return rows

    def followed(self, seen: Mapping[str, NDArray[np.bool_]], a: str, b: str) -> NDArray[np.bool_]:
        """Frames between the first and last sighting in both, answered by both, seen by either."""
        mask: NDArray[np.bool_] = self._answered[a] & self._answered[b] & (seen[a] | seen[b])
        for model in (a, b):
            frames = np.flatnonzero(seen[model])
            if not len(frames):
                return np.zeros(len(mask), np.bool_)
            mask &= seen[model] | ~self._full[model]
            mask[: frames[0]] = False
            mask[frames[-1] + 1 :] = False
        return mask


@dataclass(frozen=True)
class DisputedFrame:
    """A frame in which the models differ much, with the greatest difference in it.

    Attributes:
        frame_index, time_s: where it is.
        dispute: 0 to 1, see `AgreementOverTime.dispute`.
        person: identity of the person disputed most.
        models: the pair that differs most on it.
        joint: name of the joint furthest apart, None where one of them lost the person.
        distance: how far, in torso lengths; NaN likewise.
    """

    frame_index: int
    time_s: float
    dispute: float
    person: int
    models: tuple[str, str]
    joint: str | None
    distance: float


def disputed_frames(
    over_time: AgreementOverTime,
    clips: Mapping[str, ShownClip],
    identities: Mapping[str, NDArray[np.int64]],
    most: int = MOST_DISPUTED,
    least: float = 0.0,
) -> tuple[DisputedFrame, ...]:
    """The `most` frames with the highest dispute over `least`, the highest first.

    They are half a second apart, because neighbouring frames show the same difference; in clips
    shorter than ten seconds a twentieth of them.
    """
    if not len(over_time.time_s):
        return ()
    apart_s = min(_APART_S, _APART_SHARE * float(np.ptp(over_time.time_s)))
    dispute = np.nan_to_num(over_time.dispute, nan=0.0)
    chosen: list[int] = []
    for t in np.argsort(-dispute, kind="stable").tolist():
        if len(chosen) == most or dispute[t] <= 0 or dispute[t] < least:
            break
        if all(abs(over_time.time_s[t] - over_time.time_s[c]) >= apart_s for c in chosen):
            chosen.append(t)
    axis = _TimeAxis(clips)
    return tuple(_explain(over_time, axis, clips, identities, t) for t in chosen)


def _explain(
    over_time: AgreementOverTime,
    axis: _TimeAxis,
    clips: Mapping[str, ShownClip],
    identities: Mapping[str, NDArray[np.int64]],
    t: int,
) -> DisputedFrame:
    p = int(np.nanargmin(over_time.person_oks[:, t]))
    a, b = models = over_time.pairs[int(np.nanargmin(over_time.oks[p, :, t]))]
    person = over_time.people[p]
    i, j = (int(axis.rows_of(m, identities[m] == person)[t]) for m in models)
    joint, distance = None, float("nan")
    if i >= 0 and j >= 0:
        apart = relative_distance(clips[a].xy[i], clips[b].xy[j])
        if np.isfinite(apart).any():
            furthest = int(np.nanargmax(apart))
            joint, distance = COCO_17.joints[furthest], float(apart[furthest])
    return DisputedFrame(
        int(over_time.frame_index[t]),
        float(over_time.time_s[t]),
        float(over_time.dispute[t]),
        person,
        models,
        joint,
        distance,
    )
