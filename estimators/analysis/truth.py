"""Models held against what a person has marked in a picture: nearer, further, and how surely."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import mean_of, median_of, median_over
from estimators.analysis.matching import assign, joint_similarity
from estimators.analysis.scale import coco_xy, person_area, torso_length
from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.registry import get
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

# A model's person is a marked one where its keypoints are nearer than this in the mean.  Wide,
# since what is marked is what models get wrong: a bad pose is to be judged as bad, not as missing.
MATCH_WITHIN_TORSOS = 1.0
# Two models whose keypoints differ by less than this share of a torso are equally near: about what
# two annotators differ by.
AS_NEAR_TORSOS = 0.02
# Of fewer people their keypoints are drawn, and fewer keypoints tell no models apart: by chance one
# is nearer on each of four in an eighth of all cases.
FEWEST_DRAWN = 5
_DRAWS, _SEED = 1000, 20171029
_SHOULDERS_AND_HIPS = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")


@dataclass(frozen=True, eq=False)
class TruthErrors:
    """Every marked keypoint, and how far each model is from it.

    Attributes:
        joints: (person, joint) of each of the M keypoints; persons count over all pictures.
        error: float64 [M] a model: distance in torso lengths, NaN where the model shows none.
        similarity: float64 [M] a model: COCO's similarity of the keypoint, 0 where it shows none.
    """

    joints: tuple[tuple[int, str], ...]
    error: Mapping[str, NDArray[np.float64]]
    similarity: Mapping[str, NDArray[np.float64]]

    @property
    def people(self) -> int:
        """How many people something is marked of."""
        return len({person for person, _ in self.joints})


@dataclass(frozen=True)
class TruthScore:
    """How near one model is to what was marked.

    Attributes:
        keypoints: how many were marked.
        found: of how many of them it shows one.
        median_error: of those, in torso lengths; NaN without any.
        nearest: keypoints on which no other model is nearer (by more than 2 % of a torso).
        oks: mean similarity over all marked keypoints, those it does not show count 0.
        low, high: 95 % bootstrap interval of `oks`.
    """

    model: str
    keypoints: int
    found: int
    median_error: float
    nearest: int
    oks: float
    low: float
    high: float


@dataclass(frozen=True)
class Lead:
    """By how much the mean similarity of one model is above another's, with its 95 % interval.

    Attributes:
        keypoints: marked.
    """

    better: str
    other: str
    difference: float
    low: float
    high: float
    keypoints: int

    @property
    def sure(self) -> bool:
        """The interval leaves zero out, and is of keypoints enough to mean anything."""
        return self.low > 0 and self.keypoints >= FEWEST_DRAWN


def truth_errors(pairs: Sequence[tuple[AnnotatedImage, Mapping[str, PoseSet]]]) -> TruthErrors:
    """Compares models with the truth in one or more pictures.

    Args:
        pairs: what was marked in a picture, and what each model shows there (thresholds applied,
            see `scale.above_thresholds`; all pictures with the same models).

    A marked person is matched with the model's person whose keypoints are nearest to the marked
    ones in the mean (Hungarian method, at most one torso length).  The scale is the marked person's
    own where a shoulder and a hip are marked, else the median of the models' poses of this person.
    """
    models = tuple(pairs[0][1]) if pairs else ()
    error: dict[str, list[NDArray[np.float64]]] = {model: [] for model in models}
    similarity: dict[str, list[NDArray[np.float64]]] = {model: [] for model in models}
    joints: list[tuple[int, str]] = []
    count = 0
    for image, people in pairs:
        for person, poses in _matched(image.people, people):
            labelled = np.flatnonzero(person.labelled)
            area, torso = _scale(person, list(poses.values()))
            joints += [(count, COCO_17.joints[k]) for k in labelled]
            count += 1
            for model in models:
                found = poses.get(model, np.full(person.xy.shape, np.nan))
                far = np.linalg.norm(found - person.xy, axis=-1) / torso
                near = joint_similarity(found, person.xy, np.asarray(area))
                error[model].append(far[labelled])
                similarity[model].append(np.nan_to_num(near[labelled]))
    return TruthErrors(
        tuple(joints),
        {model: _joined(parts) for model, parts in error.items()},
        {model: _joined(parts) for model, parts in similarity.items()},
    )


def _joined(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *parts])


def _matched(
    marked: Sequence[AnnotatedPerson], people: Mapping[str, PoseSet]
) -> list[tuple[AnnotatedPerson, dict[str, NDArray[np.float64]]]]:
    """Each marked person with the pose [17, 2] of every model that found it."""
    marked = [person for person in marked if person.labelled.any()]
    found: list[dict[str, NDArray[np.float64]]] = [{} for _ in marked]
    for model, poses in people.items():
        xy = coco_xy(poses)
        near = np.zeros((len(marked), len(xy)))
        for i, person in enumerate(marked):
            torso = np.array([_scale(person, [pose])[1] for pose in xy])
            far = np.linalg.norm(xy - person.xy, axis=-1)[:, person.labelled]
            near[i] = np.nan_to_num(1 - mean_of(far, axis=1) / torso / MATCH_WITHIN_TORSOS)
        for i, j in assign(near, 0.0):
            found[i][model] = xy[j]
    return list(zip(marked, found, strict=True))


def _scale(person: AnnotatedPerson, poses: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """(area in square pixels, torso length in pixels) of a marked person."""
    flags = [bool(person.labelled[COCO_17.index(name)]) for name in _SHOULDERS_AND_HIPS]
    whole = any(flags[:2]) and any(flags[2:])
    measured = person.xy[None] if whole or not poses else np.stack(poses)
    area = float(median_over(person_area(measured)))
    torso = float(median_over(torso_length(measured)))
    return area, torso


def truth_scores(errors: TruthErrors) -> tuple[TruthScore, ...]:
    """One entry a model, the one with the highest mean similarity first."""
    if not errors.joints:
        return ()
    draws = _draws(errors)
    shown = {m: np.where(np.isfinite(e), e, np.inf) for m, e in errors.error.items()}
    least = np.min(list(shown.values()), axis=0)
    scores = []
    for model, far in shown.items():
        low, high = np.percentile(_means(errors.similarity[model], draws), [2.5, 97.5])
        scores.append(
            TruthScore(
                model,
                len(far),
                int(np.isfinite(far).sum()),
                median_of(errors.error[model]),
                int((np.isfinite(far) & (far <= least + AS_NEAR_TORSOS)).sum()),
                float(errors.similarity[model].mean()),
                float(low),
                float(high),
            )
        )
    return tuple(sorted(scores, key=lambda score: -score.oks))


def lead(errors: TruthErrors, better: str, other: str) -> Lead:
    """The paired difference of two models over the same draws of keypoints."""
    difference = errors.similarity[better] - errors.similarity[other]
    low, high = np.percentile(_means(difference, _draws(errors)), [2.5, 97.5])
    return Lead(better, other, float(difference.mean()), float(low), float(high), len(difference))


def in_words(errors: TruthErrors) -> tuple[str, ...]:
    """What the marks say about the models, in sentences; empty without marks or models."""
    scores = truth_scores(errors)
    if not scores:
        return ()
    best, *others = scores
    count = f"the {best.keypoints} joints" if best.keypoints > 1 else "the one joint"
    if not best.found:
        return (f"No model shows a person within a torso length of {count} marked.",)
    title = get(best.model).title
    against = ", ".join(f"{get(o.model).title} {_torsos(o.median_error)}" for o in others)
    near = f"On {count} marked, {title} is nearest on {best.nearest}; its median error is "
    sentences = [f"{near}{_torsos(best.median_error)}{against and f', against {against}'}."]
    for other in others:
        gap = lead(errors, best.model, other.model)
        span = f"{gap.difference:.2f} ({gap.low:.2f} to {gap.high:.2f}) OKS"
        name = get(other.model).title
        if gap.sure:
            sentences.append(f"It is nearer to the truth than {name} by {span}.")
        elif errors.people >= FEWEST_DRAWN:
            on = f"on {errors.people} people"
            sentences.append(f"The truth does not separate it from {name} {on}: {span}.")
        else:
            sentences.append(f"Too few joints are marked to tell it from {name}: {span}.")
    return tuple(sentences)


def _torsos(error: float) -> str:
    return "not to be told" if math.isnan(error) else f"{error:.2f} torso"


@dataclass(frozen=True, eq=False)
class _Draws:
    """Bootstrap draws (Efron 1979) of people where five or more were marked.

    The keypoints of one person err together, so people are what is drawn; of fewer than five their
    keypoints are, which makes the interval too narrow rather than meaningless.

    Attributes:
        unit: int64 [M], the person of each keypoint, or its own number; from 0.
        times: float64 [B, units], how often each is drawn.
    """

    unit: NDArray[np.int64]
    times: NDArray[np.float64]


def _draws(errors: TruthErrors) -> _Draws:
    rng = np.random.default_rng(_SEED)
    person = np.array([number for number, _ in errors.joints])
    people, unit = np.unique(person, return_inverse=True)
    if len(people) < FEWEST_DRAWN:
        unit = np.arange(len(person))
    count = int(unit.max()) + 1
    picks = rng.integers(0, count, (_DRAWS, count))
    times = np.stack([np.bincount(pick, minlength=count) for pick in picks])
    return _Draws(unit, times.astype(np.float64))


def _means(values: NDArray[np.float64], draws: _Draws) -> NDArray[np.float64]:
    """The mean of the keypoints of each draw, [B]."""
    means: NDArray[np.float64] = (draws.times @ np.bincount(draws.unit, values)) / (
        draws.times @ np.bincount(draws.unit)
    )
    return means


def most_disputed(
    people: Mapping[str, PoseSet], members: Sequence[Mapping[str, int]], most: int = 10
) -> tuple[tuple[int, str], ...]:
    """The keypoints whose truth would decide the most: those that models place furthest apart.

    Args:
        people: what each model shows, thresholds applied.
        members: of each person, its index in the set of every model that found it
            (`PersonGroup.members`).

    Returns:
        (person, joint) by the largest distance between any two models, in torso lengths of that
        person; each person's own worst first, so that nobody is asked about twice before others.
    """
    asked = []
    for number, member in enumerate(members):
        xy = np.stack([coco_xy(people[model])[i] for model, i in member.items()])
        apart = np.linalg.norm(xy[:, None] - xy[None], axis=-1)
        worst = np.nan_to_num(apart).max(axis=(0, 1)) / median_of(torso_length(xy))
        order = [int(k) for k in np.argsort(-worst) if worst[k] > AS_NEAR_TORSOS]
        asked += [(turn, -worst[k], number, COCO_17.joints[k]) for turn, k in enumerate(order)]
    return tuple((number, joint) for _, _, number, joint in sorted(asked)[:most])
