"""Who comes back: somebody who was out of sight for seconds, and goes on as the same person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.matching import assign
from estimators.analysis.scale import joint_box
from estimators.analysis.thresholds import ShownClip
from estimators.analysis.tracking import TrackOptions

# Away for longer, somebody is somebody new: who comes then is as likely another passer-by.
LONGEST_AWAY_S = 10.0
# How far from where they were, or were going by their last half second, people come back, in torso
# lengths.  Whoever was just lost may be running or falling, by as much as in tracking; with every
# second it is likelier that they come back where they left.
_NEAR, _NEARER_PER_S = 3.0, 1.0
_HEADING_S = 0.5
_LEAST = 1e-9
# Nobody grows or shrinks by more meanwhile.
_LARGEST_RATIO = 1.6


@dataclass(frozen=True, eq=False)
class Sighting:
    """Where a track begins or ends.

    Attributes:
        model: whose track it is.
        time_s: when.
        middle: float64 [2], of the box around the joints, pixels.
        velocity: float64 [2], of the middle over the last half second, pixels a second.
        torso: median of the track's torso lengths, pixels; NaN where unknown.
    """

    model: str
    time_s: float
    middle: NDArray[np.float64]
    velocity: NDArray[np.float64]
    torso: float


def ends_of(shown: ShownClip, rows: NDArray[np.int64]) -> tuple[Sighting, Sighting]:
    """The first and the last sighting of a track, whose rows of `shown` are given, ascending."""
    time_s = shown.clip.time_s[shown.frame_of[rows]]
    box = joint_box(shown.xy[rows])
    middle = (box[:, :2] + box[:, 2:]) / 2
    lengths = shown.torso[rows][np.isfinite(shown.torso[rows])]
    torso = float(np.median(lengths)) if len(lengths) else float("nan")
    recent = int(np.searchsorted(time_s, time_s[-1] - _HEADING_S))
    passed = time_s[-1] - time_s[recent]
    velocity = (middle[-1] - middle[recent]) / passed if passed > 0 else np.zeros(2)
    model = shown.clip.model
    first = Sighting(model, float(time_s[0]), middle[0], np.zeros(2), torso)
    return first, Sighting(model, float(time_s[-1]), middle[-1], velocity, torso)


def returns(
    ends: Sequence[tuple[Sighting, Sighting]], tracking: TrackOptions
) -> list[tuple[int, int]]:
    """(who left, who came) of those who are likely the same person, the likeliest first.

    By the Hungarian method, of nearness in space and time: 1 for the same place at once, 0 at the
    end of both reaches.

    Args:
        ends: first and last sighting of each.
        tracking: how each model's people were followed: whom it lost for less than `max_gap_s`, it
            took for somebody else.
    """
    likeness = np.zeros((len(ends), len(ends)))
    for left, (_, last) in enumerate(ends):
        for came, (first, _) in enumerate(ends):
            away_s = first.time_s - last.time_s
            least_s = tracking.max_gap_s if first.model == last.model else 0.0
            if least_s < away_s < LONGEST_AWAY_S:
                near = max(0.0, 1 - _distance(last, first) / _reach(away_s, tracking))
                likeness[left, came] = near * (1 - away_s / LONGEST_AWAY_S)
    return sorted(assign(likeness, _LEAST), key=lambda pair: -float(likeness[pair]))


def _reach(away_s: float, tracking: TrackOptions) -> float:
    tracked_s = min(away_s, tracking.max_gap_s)
    fast = tracking.reach + tracking.reach_per_s * tracked_s
    return max(_NEAR, fast - _NEARER_PER_S * (away_s - tracked_s))


def _distance(last: Sighting, first: Sighting) -> float:
    """How far `first` lies from the way that `last` was going, in torso lengths."""
    ratio = first.torso / last.torso
    if not 1 / _LARGEST_RATIO <= ratio <= _LARGEST_RATIO:
        return np.inf
    way = last.velocity * (first.time_s - last.time_s)
    length = float(way @ way)
    along = float((first.middle - last.middle) @ way) / length if length > 0 else 0.0
    nearest = last.middle + way * min(max(along, 0.0), 1.0)
    return float(np.linalg.norm(first.middle - nearest)) / min(first.torso, last.torso)
