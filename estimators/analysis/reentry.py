"""Who comes back: somebody who was out of sight for seconds, and goes on as the same person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

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
# Nobody dissolves in the middle of a picture: who is lost there while the camera goes on is still
# there, unseen by the models, and may be anywhere that a jump and some steps lead to.
_LOST_IN_SIGHT = 9.0
# Whoever is seen to walk on is a little likelier to be who walked there than who turned round.
_LEAST_OF_TURNING = 0.8
_WALKING_PER_S = 0.5
# Nobody grows or shrinks by more meanwhile.
_LARGEST_RATIO = 1.6


@dataclass(frozen=True, eq=False)
class Sighting:
    """Where a track begins or ends.

    Attributes:
        model: whose track it is.
        time_s: when.
        middle: float64 [2], of the box around the joints, pixels.
        velocity: float64 [2], of the middle over the nearest half second, pixels a second.
        torso: median of the track's torso lengths, pixels; NaN where unknown.
        inside: more than a torso length from where people walk in and out, the sides.
    """

    model: str
    time_s: float
    middle: NDArray[np.float64]
    velocity: NDArray[np.float64]
    torso: float
    inside: bool


@dataclass(frozen=True, eq=False)
class Camera:
    """What is known of the camera: whether it showed the same place all the time.

    Attributes:
        seen_s: when each person is seen, ascending.
        one_at_a_time: no model can see two people at once, so that nobody is seen while another is.
        max_gap_s: not to be seen for so long says nothing.
    """

    seen_s: Sequence[NDArray[np.float64]]
    one_at_a_time: bool = False
    max_gap_s: float = TrackOptions().max_gap_s

    @cached_property
    def cuts_s(self) -> NDArray[np.float64]:
        """When the camera was elsewhere: two or more were there, and at once only others are."""
        if self.one_at_a_time:
            return np.zeros(0)
        times, row = np.unique(np.concatenate([np.zeros(0), *self.seen_s]), return_inverse=True)
        who = np.repeat(np.arange(len(self.seen_s)), [len(seen) for seen in self.seen_s])
        # No table of all people at all times: a long clip of a crowd has thousands of both.
        people = np.bincount(row, minlength=len(times))
        goes_on = (np.diff(row) == 1) & (np.diff(who) == 0)
        stays = np.isin(np.arange(len(times))[:-1], row[:-1][goes_on])
        at_once = np.diff(times) <= self.max_gap_s
        cut = at_once & ~stays & (people[1:] + people[:-1] >= 3)
        cuts_s: NDArray[np.float64] = times[1:][cut]
        return cuts_s

    def cut(self, after_s: float, until_s: float) -> bool:
        """Was there a cut after the one time, up to the other?"""
        return bool(((self.cuts_s > after_s) & (self.cuts_s <= until_s)).any())

    def went_on(self, from_s: float, to_s: float) -> bool:
        """Somebody was seen all the while."""
        air_s = self.max_gap_s if self.one_at_a_time else 0.0
        return any(
            self._seen_all_the_while(seen, from_s + air_s, to_s - air_s) for seen in self.seen_s
        )

    def _seen_all_the_while(self, seen: NDArray[np.float64], from_s: float, to_s: float) -> bool:
        first = int(np.searchsorted(seen, from_s, "right")) - 1
        last = int(np.searchsorted(seen, to_s))
        if first < 0 or last >= len(seen):
            return False
        return bool(np.diff(seen[first : last + 1]).max(initial=0.0) <= self.max_gap_s)


def ends_of(shown: ShownClip, rows: NDArray[np.int64]) -> tuple[Sighting, Sighting]:
    """The first and the last sighting of a track, whose rows of `shown` are given, ascending."""
    time_s = shown.clip.time_s[shown.frame_of[rows]]
    box = joint_box(shown.xy[rows])
    middle = (box[:, :2] + box[:, 2:]) / 2
    lengths = shown.torso[rows][np.isfinite(shown.torso[rows])]
    torso = float(np.median(lengths)) if len(lengths) else float("nan")
    recent = int(np.searchsorted(time_s, time_s[-1] - _HEADING_S))
    soon = int(np.searchsorted(time_s, time_s[0] + _HEADING_S, "right")) - 1
    left, right = box[:, 0], shown.clip.size[0] - box[:, 2]
    inside = np.minimum(left, right) > torso

    def at(row: int, since: int, until: int) -> Sighting:
        passed = time_s[until] - time_s[since]
        velocity = (middle[until] - middle[since]) / passed if passed > 0 else np.zeros(2)
        when = float(time_s[row])
        return Sighting(shown.clip.model, when, middle[row], velocity, torso, bool(inside[row]))

    return at(0, 0, soon), at(-1, recent, -1)


def returns(
    ends: Sequence[tuple[Sighting, Sighting]],
    tracking: TrackOptions,
    camera: Camera = Camera(()),
) -> list[tuple[int, int]]:
    """(who left, who came) of those who are likely the same person, the likeliest first.

    By the Hungarian method, of nearness in space and time: 1 for the same place at once, 0 at the
    end of both reaches.

    Args:
        ends: first and last sighting of each.
        tracking: how each model's people were followed: whom it lost for less than `max_gap_s`, it
            took for somebody else.
        camera: nobody comes back after a cut, and who is lost in the middle of a picture while it
            goes on may come back from further away.
    """
    likeness = np.zeros((len(ends), len(ends)))
    for left, (_, last) in enumerate(ends):
        for came, (first, _) in enumerate(ends):
            away_s = first.time_s - last.time_s
            least_s = tracking.max_gap_s if first.model == last.model else 0.0
            if not least_s < away_s < LONGEST_AWAY_S or camera.cut(last.time_s, first.time_s):
                continue
            reach = _reach(away_s, tracking)
            if last.inside and first.inside and camera.went_on(last.time_s, first.time_s):
                reach = max(reach, min(_fast(away_s, tracking), _LOST_IN_SIGHT))
            near = max(0.0, 1 - _distance(last, first) / reach)
            likeness[left, came] = near * _walks_on(last, first) * (1 - away_s / LONGEST_AWAY_S)
    return sorted(assign(likeness, _LEAST), key=lambda pair: -float(likeness[pair]))


def _reach(away_s: float, tracking: TrackOptions) -> float:
    tracked_s = min(away_s, tracking.max_gap_s)
    return max(_NEAR, _fast(tracked_s, tracking) - _NEARER_PER_S * (away_s - tracked_s))


def _fast(away_s: float, tracking: TrackOptions) -> float:
    return tracking.reach + tracking.reach_per_s * away_s


def _walks_on(last: Sighting, first: Sighting) -> float:
    """1 for the same direction, less for the opposite: who is who when two change places."""
    slower, faster = sorted(float(np.linalg.norm(at.velocity)) for at in (last, first))
    if not slower > _WALKING_PER_S * max(last.torso, first.torso):
        return 1.0
    cosine = float(last.velocity @ first.velocity) / (slower * faster)
    return 1 - (1 - _LEAST_OF_TURNING) * (1 - cosine) / 2


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
