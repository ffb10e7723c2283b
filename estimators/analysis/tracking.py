"""People followed through a clip: who of one frame is who of the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.matching import assign, joint_similarity, mean_similarity, oks_of
from estimators.analysis.scale import joint_box
from estimators.analysis.thresholds import ShownClip, rows_by_number


@dataclass(frozen=True)
class TrackOptions:
    """How people are followed.

    Attributes:
        min_oks: least OKS between a person's last pose and the next.
        max_gap_s: somebody unseen for longer is somebody new.
        reach: how far, in torso lengths, somebody may have moved whom OKS does not find again, at
            once and more for every second (`reach_per_s`; 6 torsos a second are about 3 m/s).
    """

    min_oks: float = 0.1
    max_gap_s: float = 1.0
    reach: float = 0.5
    reach_per_s: float = 6.0


# Where somebody was going: by the last half second.  Two who change places unseen are where they
# were going; who stood still or turned round is found where they were, unless somebody fits better.
_HEADING_S = 0.5
_WHERE_THEY_WERE = 0.9


class _Tracks:
    """The last sighting of everybody who may still come back."""

    def __init__(self, shown: ShownClip, options: TrackOptions) -> None:
        self._shown, self._options = shown, options
        self.name_of = np.full(len(shown), -1, np.int64)
        box = joint_box(shown.xy)
        self._centre = (box[:, :2] + box[:, 2:]) / 2
        self._time = shown.clip.time_s[shown.frame_of]
        self._last = np.zeros(0, np.int64)  # row in `shown` of each track's last sighting
        self._name = np.zeros(0, np.int64)
        self._started = 0
        self._next_oks = oks_of(shown.xy[:-1], shown.xy[1:])  # of each row with the one after

    def follow(self, rows: NDArray[np.int64], time_s: float) -> None:
        """Names the track of each of `rows`, the people of the frame at `time_s`."""
        alive = time_s - self._time[self._last] <= self._options.max_gap_s
        if self._only_one_and_the_same(rows, alive):
            self._last = rows
            self.name_of[rows] = self._name
            return
        self._last, self._name = self._last[alive], self._name[alive]
        name = np.full(len(rows), -1, np.int64)
        for similarity in (self._oks, self._nearness):
            free_rows = np.flatnonzero(name < 0)
            free_tracks = np.flatnonzero(~np.isin(self._name, name))
            matrix, least = similarity(self._last[free_tracks], rows[free_rows])
            for track, row in assign(matrix, least):
                name[free_rows[row]] = self._name[free_tracks[track]]
                self._last[free_tracks[track]] = rows[free_rows[row]]
        self._start(rows, name)
        self.name_of[rows] = name

    def _only_one_and_the_same(self, rows: NDArray[np.int64], alive: NDArray[np.bool_]) -> bool:
        """Most frames of most clips: one person, whose OKS with the sighting before is known."""
        if len(rows) != 1 or len(alive) != 1 or not alive[0]:
            return False
        return bool(self._next_oks[self._last[0]] >= self._options.min_oks)

    def _start(self, rows: NDArray[np.int64], name: NDArray[np.int64]) -> None:
        new = np.flatnonzero(name < 0)
        name[new] = self._started + np.arange(len(new))
        self._started += len(new)
        self._last = np.concatenate([self._last, rows[new]])
        self._name = np.concatenate([self._name, name[new]])

    def _oks(
        self, last: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], float]:
        xy, area = self._shown.xy, self._shown.area
        mean_area = np.sqrt(area[last][:, None] * area[rows])
        similarity = mean_similarity(joint_similarity(xy[last][:, None], xy[rows], mean_area))
        way = self._way(last, rows)
        if way.any():
            going = joint_similarity((xy[last] + way[:, None])[:, None], xy[rows], mean_area)
            similarity = np.fmax(_WHERE_THEY_WERE * similarity, mean_similarity(going))
        return similarity, self._options.min_oks

    def _way(self, last: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """How far each was going, [len(last), 2] pixels, until `rows`; 0 where seen just before."""
        way = np.zeros((len(last), 2))
        if not len(rows):
            return way
        frame = self._shown.frame_of
        for i, row in enumerate(last):
            if frame[rows[0]] - frame[row] > 1:
                since = int(np.searchsorted(self._time, self._time[row] - _HEADING_S))
                seen = since + np.flatnonzero(self.name_of[since : row + 1] == self.name_of[row])
                passed = self._time[row] - self._time[seen[0]]
                if passed > 0:
                    moved = self._centre[row] - self._centre[seen[0]]
                    way[i] = moved / passed * (self._time[rows[0]] - self._time[row])
        return way

    def _nearness(
        self, last: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], float]:
        """How near the middle of a person is to where it was, 1 to 0 at the end of its reach.

        OKS is blind beyond half a torso, which a fast mover or a long stride passes in one step.
        """
        distance = np.linalg.norm(self._centre[last][:, None] - self._centre[rows], axis=-1)
        seconds = self._time[rows] - self._time[last][:, None]
        reach = self._options.reach + self._options.reach_per_s * seconds
        torso = np.fmin(self._shown.torso[last][:, None], self._shown.torso[rows])
        return 1 - distance / (reach * torso), 1e-9


def track_people(shown: ShownClip, options: TrackOptions = TrackOptions()) -> NDArray[np.int64]:
    """The track of each person, int64 [Q], numbered from 0 in the order of appearance.

    Frame by frame the people are matched with the last sighting of everybody seen within
    `max_gap_s`: first by OKS, with who was unseen for some frames taken to be where they were or
    where they were going, then those left over by the distance of their middles; both by the
    Hungarian method.  Whoever is left starts a new track.
    """
    tracks = _Tracks(shown, options)
    for frame in np.flatnonzero(shown.people):
        rows = np.arange(shown.offsets[frame], shown.offsets[frame + 1])
        tracks.follow(rows, float(shown.clip.time_s[frame]))
    return tracks.name_of


def identity_switches(
    shown: ShownClip,
    tracks: NDArray[np.int64],
    people: NDArray[np.int64] | None = None,
    options: TrackOptions = TrackOptions(),
) -> NDArray[np.int64]:
    """The rows of `shown`, ascending, with which the model goes over from one person to another.

    A track starts there after another of the model's tracks ended no more than `max_gap_s` before,
    and there are no more people than when that one ended: one took the other's place.  A track that
    goes on with the same person is none.  Without ground truth this stands for the mismatches of
    CLEAR MOT (Bernardin and Stiefelhagen 2008); a change of persons in a frame in which they
    overlap exactly goes unseen.

    Args:
        shown: what the model shows.
        tracks: `track_people`, [Q].
        people: who is who, [Q]; each track is somebody else where nothing more is known.
        options: as for `track_people`.
    """
    sightings = rows_by_number(tracks)
    first = np.array([rows[0] for rows in sightings.values()], np.int64)
    ends = np.array([rows[-1] for rows in sightings.values()], np.int64)
    last = shown.frame_of[ends]
    who = tracks[first] if people is None else people[first]
    time_s, count = shown.clip.time_s, shown.people
    replaced = np.zeros(len(first), np.bool_)  # an end is replaced once
    switches = []
    for track in np.argsort(first, kind="stable"):
        start = shown.frame_of[first[track]]
        recent = time_s[start] - time_s[last] <= options.max_gap_s
        ended = recent & (last < start) & ~replaced
        same = ended & (who == who[track])
        other = ended & (count[start] <= count[last])
        who_left = np.flatnonzero(same if same.any() else other)
        if len(who_left):
            replaced[who_left[np.argmax(last[who_left])]] = True
            if not same.any():
                switches.append(int(first[track]))
    return np.array(switches, np.int64)
