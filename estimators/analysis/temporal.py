"""How steady a model is over a clip: jitter, dropouts, swapped sides, impossible limbs.

All of it is measured on one model alone, without ground truth: real motion adds to jitter, so
compare models on the same clip only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import median_of
from estimators.analysis.thresholds import ShownClip, rows_by_number
from estimators.analysis.tracking import identity_switches
from estimators.skeletons import COCO_17

# Real limb lengths in torso lengths (shoulder to hip, 0.288 of body height): upper arm 0.186,
# forearm 0.146, thigh 0.245 and shank 0.246 of body height (Winter, "Biomechanics and Motor Control
# of Human Movement", after Drillis and Contini).
LIMB_TORSOS = {
    ("shoulder", "elbow"): 0.186 / 0.288,
    ("elbow", "wrist"): 0.146 / 0.288,
    ("hip", "knee"): 0.245 / 0.288,
    ("knee", "ankle"): 0.246 / 0.288,
}
# A limb cannot turn towards or away from the camera faster than this; kicks and throws peak around
# 30 rad/s, everyday and most sports movement stays well below.
FASTEST_TURN_RAD_S = 20.0
# Perspective and a leaning torso lengthen a limb in the picture; half as long again is too much.
LONGEST_LIMB = 1.5
# Differences under a tenth of a torso are ordinary noise of all these models.
NOISE_TORSOS = 0.1

_PAIRS = np.array(
    [(COCO_17.index(left), COCO_17.index(right)) for left, right in COCO_17.mirror], np.int64
)
_ARM_JOINTS, _LEG_JOINTS = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
_SIDES = ("left", "right")
_BONES = np.array(
    [(COCO_17.index(f"{s}_{a}"), COCO_17.index(f"{s}_{b}")) for a, b in LIMB_TORSOS for s in _SIDES]
)
_BONE_TORSOS = np.repeat(list(LIMB_TORSOS.values()), 2)


@dataclass(frozen=True, eq=False)
class PersonPath:
    """One person in one model over the time that the person is known to be there, L frames.

    Attributes:
        frames: int64 [L], rows of the clip's frames; failed frames are left out.
        time_s: float64 [L].
        xy: float64 [L, 17, 2], NaN where the joint or the person is absent or under the threshold.
        torso: median torso length over the path in pixels.
        judged: bool [L], the person is seen, or the model was asked for more than it shows.
    """

    frames: NDArray[np.int64]
    time_s: NDArray[np.float64]
    xy: NDArray[np.float64]
    torso: float
    judged: NDArray[np.bool_]


Span = tuple[int, int]
"""The first and the last frame index at which somebody is known to be there."""


def person_path(shown: ShownClip, rows: NDArray[np.int64], span: Span | None = None) -> PersonPath:
    """The path of one person.

    Args:
        shown: what one model shows.
        rows: the person's rows in `shown`, ascending, at most one a frame.
        span: holds all of them; None where no other model knows better than their first and last.

    Raises:
        ValueError: `rows` is empty.
    """
    if not len(rows):
        raise ValueError("a path needs at least one sighting")
    seen, index = shown.frame_of[rows], shown.clip.frame_index
    first, last = span or (index[seen[0]], index[seen[-1]])
    start, end = np.searchsorted(index, first), np.searchsorted(index, last, side="right")
    xy = np.full((end - start, len(COCO_17), 2), np.nan)
    xy[seen - start] = shown.xy[rows]
    frames = np.arange(start, end)
    judged = ~shown.clip.full[frames]
    judged[seen - start] = True
    answered = ~shown.clip.failed[frames]
    frames = frames[answered]
    torso = median_of(shown.torso[rows])
    return PersonPath(frames, shown.clip.time_s[frames], xy[answered], torso, judged[answered])


def jitter(path: PersonPath) -> NDArray[np.float64]:
    """Acceleration of each joint, float64 [L, 17], torso lengths per s²; NaN at ends and gaps.

    The second divided difference over three neighbouring frames,
    2 · ((x₂ − x₁)/h₂ − (x₁ − x₀)/h₁) / (h₁ + h₂), which is exact for a parabola at any time steps
    (Fornberg 1988), as an absolute value.  Acceleration as a measure of jitter after Kanazawa et
    al., "Learning 3D Human Dynamics from Video", CVPR 2019.
    """
    out = np.full(path.xy.shape[:2], np.nan)
    step = np.diff(path.time_s)
    step = np.where(step > 0, step, np.nan)[:, None, None]
    velocity = np.diff(path.xy, axis=0) / step
    between = (step[1:] + step[:-1]) / 2
    out[1:-1] = np.linalg.norm(np.diff(velocity, axis=0) / between, axis=-1) / path.torso
    return out


def dropout(path: PersonPath) -> NDArray[np.float64]:
    """Share of the path's frames in which each joint is absent or under its threshold, [17].

    Of the time that the person is known to be there by any model: losing somebody for long, or
    altogether at the end, costs as much as losing them as long in short pieces.  Frames in which
    the model shows somebody else, and was asked for no more, are left out.
    """
    share: NDArray[np.float64] = np.isnan(path.xy[path.judged]).any(axis=-1).mean(axis=0)
    return share


def side_swaps(path: PersonPath) -> NDArray[np.bool_]:
    """Frames in which arms or legs change sides, bool [L, 2] for (arms, legs).

    A pair of joints counts as swapped when taking left for right explains the step from the frame
    before by less than half of the movement, and the two lie further apart than noise; arms or legs
    when at least two of their three pairs are.  Swapping there and back counts twice.  The error is
    the "inversion" of Ronchi and Perona, "Benchmarking and Error Diagnosis in Multi-Instance Pose
    Estimation", ICCV 2017, here against the model's own frame before.
    """
    out = np.zeros((len(path.xy), 2), np.bool_)
    left, right = path.xy[:, _PAIRS[:, 0]], path.xy[:, _PAIRS[:, 1]]

    def moved(now: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
        distance: NDArray[np.float64] = np.linalg.norm(now[1:] - before[:-1], axis=-1)
        return distance

    kept = moved(left, left) + moved(right, right)
    swapped = moved(left, right) + moved(right, left)
    apart = np.linalg.norm(left - right, axis=-1) > 2 * NOISE_TORSOS * path.torso
    flipped = apart[1:] & apart[:-1] & (swapped < 0.5 * kept)
    for i, joints in enumerate((_ARM_JOINTS, _LEG_JOINTS)):
        pairs = [COCO_17.mirror.index((f"left_{j}", f"right_{j}")) for j in joints]
        out[1:, i] = flipped[:, pairs].sum(axis=1) >= 2
    return out


def impossible_limbs(path: PersonPath) -> NDArray[np.bool_]:
    """Frames in which a limb bone does what no limb can, bool [L, 8]; order of `LIMB_TORSOS`, left
    before right.

    Either it is over 1.5 × as long as the anatomy of a body with this torso allows, or its length
    in the picture changes from the frame before faster than a limb of that length turning at 20
    rad/s could (beyond noise of a tenth of a torso).  Bounds ours, proportions Winter's.
    """
    ends = path.xy[:, _BONES]
    length = np.linalg.norm(ends[:, :, 0] - ends[:, :, 1], axis=-1) / path.torso
    out = np.nan_to_num(length) > LONGEST_LIMB * _BONE_TORSOS
    change = np.abs(np.diff(length, axis=0))
    allowed = FASTEST_TURN_RAD_S * np.diff(path.time_s)[:, None] * _BONE_TORSOS + NOISE_TORSOS
    out[1:] |= np.nan_to_num(change) > allowed
    result: NDArray[np.bool_] = out
    return result


@dataclass(frozen=True, eq=False)
class TemporalNumbers:
    """How steady one model is over one clip, on everybody it follows or on one of them.

    Attributes:
        frames: answered frames of the clip.
        failed: frames the model failed on.
        people: different people it followed.
        sightings: people shown, counted a frame.
        jitter: float64 [17], median acceleration of each joint over all people and frames, torso
            lengths per s²; NaN without three frames in a row.
        dropout: float64 [17], share of the person-frames in which the joint was missing.
        identity_switches, side_swaps, limb_jumps: frames (rows, ascending) in which one happened,
            one entry a person.
    """

    frames: int
    failed: int
    people: int
    sightings: int
    jitter: NDArray[np.float64]
    dropout: NDArray[np.float64]
    identity_switches: NDArray[np.int64]
    side_swaps: NDArray[np.int64]
    limb_jumps: NDArray[np.int64]

    @property
    def median_jitter(self) -> float:
        return median_of(self.jitter)

    @property
    def mean_dropout(self) -> float:
        return float(self.dropout.mean()) if self.people else float("nan")


def temporal_numbers(
    shown: ShownClip,
    tracks: NDArray[np.int64],
    people: NDArray[np.int64] | None = None,
    spans: Mapping[int, Span] = MappingProxyType({}),
) -> TemporalNumbers:
    """The numbers of one model on everybody it follows.

    A joint or person that the thresholds hide counts as missing: set them first.

    Args:
        shown: what the model shows.
        tracks: `track_people`, [Q].
        people: who is who, [Q]; each track is somebody else where nothing more is known.
        spans: `known_spans`; of people not in it the first and last sighting by this model.
    """
    who = tracks if people is None else people
    return _numbers(shown, rows_by_number(who), identity_switches(shown, tracks, who), spans)


def numbers_by_person(
    shown: ShownClip,
    tracks: NDArray[np.int64],
    people: NDArray[np.int64],
    spans: Mapping[int, Span],
) -> dict[int, TemporalNumbers]:
    """`temporal_numbers` of each person for itself; counts add up to those of all together."""
    switches = identity_switches(shown, tracks, people)
    return {
        person: _numbers(shown, {person: rows}, switches[np.isin(switches, rows)], spans)
        for person, rows in rows_by_number(people).items()
    }


def known_spans(
    clips: Mapping[str, ShownClip], people: Mapping[str, NDArray[np.int64]]
) -> dict[int, Span]:
    """From when to when each person is known to be there: the first to the last frame index in
    which any model shows them.

    Args:
        clips: what each model shows.
        people: `shared_identities`, [Q] a model.
    """
    spans: dict[int, Span] = {}
    for model, shown in clips.items():
        index = shown.clip.frame_index[shown.frame_of]
        for person, rows in rows_by_number(people[model]).items():
            first, last = int(index[rows[0]]), int(index[rows[-1]])
            known = spans.get(person, (first, last))
            spans[person] = (min(first, known[0]), max(last, known[1]))
    return spans


def _numbers(
    shown: ShownClip,
    rows: Mapping[int, NDArray[np.int64]],
    switches: NDArray[np.int64],
    spans: Mapping[int, Span],
) -> TemporalNumbers:
    clip = shown.clip
    paths = [person_path(shown, r, spans.get(person)) for person, r in rows.items()]
    none = np.zeros((0, len(COCO_17)))
    accelerations = np.concatenate([none, *(jitter(path) for path in paths)])
    lengths = np.array([path.judged.sum() for path in paths])
    missing = np.array([dropout(path) for path in paths]).reshape(len(paths), len(COCO_17))
    return TemporalNumbers(
        len(clip) - len(clip.errors),
        len(clip.errors),
        len(paths),
        sum(len(r) for r in rows.values()),
        np.array([median_of(column) for column in accelerations.T]),
        np.average(missing, axis=0, weights=lengths) if paths else np.full(len(COCO_17), np.nan),
        shown.frame_of[switches],
        _rows([path.frames[side_swaps(path).any(axis=1)] for path in paths]),
        _rows([path.frames[impossible_limbs(path).any(axis=1)] for path in paths]),
    )


def _rows(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.sort(np.concatenate([np.zeros(0, np.int64), *parts]))
