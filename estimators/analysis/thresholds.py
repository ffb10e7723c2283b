"""A clip's people on COCO-17 with thresholds applied: what all numbers over time are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import NOBODY, ClipEstimates
from estimators.analysis.scale import enough_joints, on_coco, person_area, torso_length
from estimators.registry import ModelSpec


@dataclass(frozen=True)
class Thresholds:
    """On the model's own scales: joints under `joint` and people under `pose` are left out."""

    joint: float = -np.inf
    pose: float = -np.inf

    @classmethod
    def of(cls, spec: ModelSpec) -> Thresholds:
        """The defaults of a variant."""
        return cls(spec.default_threshold, spec.default_pose_threshold)


@dataclass(frozen=True, eq=False)
class ShownClip:
    """The Q people of a clip that the thresholds leave, frame after frame.

    Attributes:
        clip: where they come from, F frames.
        rows: int64 [Q], their rows among the clip's people.
        xy: float64 [Q, 17, 2] on COCO-17, pixels; NaN where absent or under the threshold.
        offsets: int64 [F + 1], the people of frame i are offsets[i] to offsets[i + 1].
        thresholds: what was applied.
    """

    clip: ClipEstimates
    rows: NDArray[np.int64]
    xy: NDArray[np.float64]
    offsets: NDArray[np.int64]
    thresholds: Thresholds

    @classmethod
    def of(cls, clip: ClipEstimates, thresholds: Thresholds = Thresholds()) -> ShownClip:
        """Who is found, as `scale.found` says it of one picture."""
        rows = np.flatnonzero(~(clip.pose_score < thresholds.pose))
        xy = on_coco(_visible_xy(clip, rows, thresholds), clip.skeleton)
        enough = enough_joints(xy)
        rows = rows[enough]
        counts = np.bincount(clip.frame_of[rows], minlength=len(clip))
        return cls(clip, rows, xy[enough], np.concatenate([[0], np.cumsum(counts)]), thresholds)

    def __len__(self) -> int:
        return len(self.rows)

    def own_xy(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Positions [len(rows), K, 2] on the model's own skeleton, hidden joints NaN as in `xy`."""
        return _visible_xy(self.clip, self.rows[rows], self.thresholds)

    @cached_property
    def frame_of(self) -> NDArray[np.int64]:
        """Int64 [Q], the row of each person's frame."""
        return np.repeat(np.arange(len(self.clip)), self.people)

    @property
    def people(self) -> NDArray[np.int64]:
        """Int64 [F], people left in each frame."""
        counts: NDArray[np.int64] = np.diff(self.offsets)
        return counts

    @cached_property
    def area(self) -> NDArray[np.float64]:
        """Float64 [Q], `scale.person_area`."""
        return person_area(self.xy)

    @cached_property
    def torso(self) -> NDArray[np.float64]:
        """Float64 [Q], `scale.torso_length` in pixels."""
        return torso_length(self.xy)

    def spread(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the people shown, [Q], as numbers of all the clip's people, [P]; else -1."""
        out = np.full(self.clip.person_count, NOBODY, np.int64)
        out[self.rows] = values
        return out


@dataclass(frozen=True)
class Absence:
    """Why none of a model's people count as found (`scale.found`).

    Attributes:
        why: "failed": it gave no answer; "nobody": it returned nobody; "people": everybody is under
            the person threshold; "joints": whoever is not has fewer than three joints over theirs.
        strongest: person score of whom it is surest of; NaN where it gives none.
    """

    why: Literal["failed", "nobody", "people", "joints"]
    strongest: float = np.nan

    @classmethod
    def of(cls, clip: ClipEstimates, thresholds: Thresholds) -> Absence | None:
        """The reason for a picture or a whole clip; None where anybody counts."""
        if len(ShownClip.of(clip, thresholds)):
            return None
        if not clip.person_count:
            return cls("failed" if clip.failed.all() else "nobody")
        known = clip.pose_score[np.isfinite(clip.pose_score)]
        strongest = float(known.max()) if len(known) else np.nan
        hidden = bool((clip.pose_score < thresholds.pose).all())
        return cls("people" if hidden else "joints", strongest)


def _visible_xy(
    clip: ClipEstimates, rows: NDArray[np.int64], thresholds: Thresholds
) -> NDArray[np.float32]:
    weak = ~(clip.score[rows] >= thresholds.joint)
    xy: NDArray[np.float32] = np.where(weak[..., None], np.float32(np.nan), clip.xy[rows])
    return xy


def rows_by_number(numbers: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    """The rows, ascending, at which each number stands: the sightings of each track."""
    order = np.argsort(numbers, kind="stable")
    names, starts = np.unique(numbers[order], return_index=True)
    return dict(zip(names.tolist(), np.split(order, starts[1:]), strict=True)) if len(names) else {}
