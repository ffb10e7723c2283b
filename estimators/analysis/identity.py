"""One number a person in all models: of a clip from each model's tracks, of a picture at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import NOBODY, ClipEstimates
from estimators.analysis.handover import without_handovers
from estimators.analysis.matching import group_people
from estimators.analysis.pairing import PairOverTime
from estimators.analysis.reentry import Camera, Sighting, ends_of, returns
from estimators.analysis.scale import above_thresholds, found
from estimators.analysis.thresholds import ShownClip, Thresholds, rows_by_number
from estimators.analysis.tracking import TrackOptions
from estimators.registry import MODELS, get

_A_MOMENT_S = 0.25

_Track = tuple[str, int]


def shared_identities(
    clips: Mapping[str, ShownClip],
    tracks: Mapping[str, NDArray[np.int64]],
    pairs: Sequence[PairOverTime],
) -> dict[str, NDArray[np.int64]]:
    """Whom each model's people are, the same number in all models; int64 [Q] a model.

    Tracks of two models that are matched in at least half of the frames in which both are there are
    the same person, decided from the pair with most matches down; two tracks of one model that are
    there at the same time never are, and a track that is another model's two people, one after the
    other, is two (`handover`).  Somebody who was in nobody's sight for up to ten seconds and comes
    back near where they were, or were going, is the same person (`reentry`).  Person 1 is the one
    seen longest.

    Args:
        clips: what each model shows.
        tracks: `track_people` of each.
        pairs: `match_all` of them.
    """
    tracks = without_handovers(clips, tracks, pairs)
    presence = {model: _presence(clips[model], tracks[model]) for model in clips}
    people = _People({(m, t): seen for m, found in presence.items() for t, seen in found.items()})
    for _, one, other in sorted(_links(pairs, tracks, presence), reverse=True):
        people.join(one, other)
    people.rejoin(
        {(m, t): ends_of(clips[m], rows) for m, t, rows in _sightings(clips, tracks)},
        _times(clips),
        all(_one_at_a_time(clip) for clip in clips.values()),
    )
    number = people.numbers()
    out = {}
    for model, names in tracks.items():
        lookup = np.zeros(int(names.max(initial=-1)) + 1, np.int64)
        for track in presence[model]:
            lookup[track] = number[model, track]
        out[model] = lookup[names]
    return out


def identify_picture(
    estimates: Mapping[str, ClipEstimates], thresholds: Mapping[str, Thresholds] | None = None
) -> None:
    """Sets `identity` of each model's answer to one picture: the number that `group_people` gives.

    People who do not count as found (`scale.found`) stay without identity.

    Args:
        estimates: by model; each holds one frame of the same picture.
        thresholds: on each model's own scale; the variant's defaults where absent.

    Raises:
        InputError: a model without thresholds is not in the registry.
    """
    given = thresholds or {}
    used = {model: given.get(model) or Thresholds.of(get(model)) for model in estimates}
    groups = group_people(
        {m: above_thresholds(e.poses(0), used[m].joint, used[m].pose) for m, e in estimates.items()}
    )
    for model, e in estimates.items():
        rows = np.flatnonzero(found(e.poses(0), used[model].joint, used[model].pose))
        identity = np.full(e.person_count, NOBODY, np.int64)
        for number, group in enumerate(groups, 1):
            if model in group.members:
                identity[rows[group.members[model]]] = number
        e.identify(identity)


class _People:
    """Tracks joined into people; joining two people joins all their tracks."""

    def __init__(self, frames: Mapping[_Track, NDArray[np.int64]]) -> None:
        self._frames = frames
        self._tracks = {track: [track] for track in frames}

    def join(self, one: _Track, other: _Track) -> None:
        """Makes one person of two, unless a model shows both in one frame."""
        a, b = self._tracks[one], self._tracks[other]
        if a is b or any(self._together(x, y) for x in a for y in b):
            return
        a.extend(b)
        for track in b:
            self._tracks[track] = a

    def rejoin(
        self,
        ends: Mapping[_Track, tuple[Sighting, Sighting]],
        time_s: NDArray[np.float64],
        one_at_a_time: bool,
    ) -> None:
        """Makes one person of who left and who came back; see `reentry.returns`.

        Args:
            ends: first and last sighting of each track.
            time_s: of every frame index up to the last one.
            one_at_a_time: see `reentry.Camera`.
        """
        count = len(self._tracks) + 1
        while len(people := self._people()) < count:  # who was joined ends elsewhere now
            count = len(people)
            found = [self._ends(tracks, ends) for tracks in people]
            seen_s = [time_s[np.unique(self._seen(tracks[0]))] for tracks in people]
            for left, came in returns(found, TrackOptions(), Camera(seen_s, one_at_a_time)):
                one, other = people[left][0], people[came][0]
                if not len(np.intersect1d(self._seen(one), self._seen(other))):
                    self.join(one, other)

    def _people(self) -> list[list[_Track]]:
        """Each person's tracks."""
        return list({id(tracks): tracks for tracks in self._tracks.values()}.values())

    def _ends(
        self, tracks: Sequence[_Track], ends: Mapping[_Track, tuple[Sighting, Sighting]]
    ) -> tuple[Sighting, Sighting]:
        """First and last sighting of a person, with the torso of the longest track."""
        # A moment's sighting, as in a fall, is often wrong, and so is what follows from it.
        lasting = [t for t in tracks if ends[t][1].time_s - ends[t][0].time_s >= _A_MOMENT_S]
        first = min((ends[t][0] for t in lasting or tracks), key=lambda at: at.time_s)
        last = max((ends[t][1] for t in lasting or tracks), key=lambda at: at.time_s)
        torso = ends[max(tracks, key=lambda t: len(self._frames[t]))][0].torso
        return replace(first, torso=torso), replace(last, torso=torso)

    def _seen(self, track: _Track) -> NDArray[np.int64]:
        """The frames in which any model shows the person whom `track` belongs to."""
        return np.concatenate([self._frames[t] for t in self._tracks[track]])

    def _together(self, one: _Track, other: _Track) -> bool:
        if one[0] != other[0]:
            return False
        return bool(np.intersect1d(self._frames[one], self._frames[other]).size)

    def numbers(self) -> dict[_Track, int]:
        """Each track's person, 1 for the one in most frames, of such by most models."""
        people = self._people()

        def seen(tracks: list[_Track]) -> tuple[int, int]:
            frames = self._seen(tracks[0])
            return len(np.unique(frames)), len(frames)

        people.sort(key=seen, reverse=True)
        return {track: i for i, tracks in enumerate(people, 1) for track in tracks}


def _sightings(
    clips: Mapping[str, ShownClip], tracks: Mapping[str, NDArray[np.int64]]
) -> Iterator[tuple[str, int, NDArray[np.int64]]]:
    """Each model's tracks with their rows, ascending."""
    for model in clips:
        for track, rows in rows_by_number(tracks[model]).items():
            yield model, track, rows


def _times(clips: Mapping[str, ShownClip]) -> NDArray[np.float64]:
    """When each frame is shown, by its index in the file."""
    last = max((int(c.clip.frame_index.max(initial=-1)) for c in clips.values()), default=-1)
    time_s = np.full(last + 1, np.nan)
    for shown in clips.values():
        time_s[shown.clip.frame_index] = shown.clip.time_s
    return time_s


def _one_at_a_time(shown: ShownClip) -> bool:
    """Is it a model that follows one person, and shows no more?"""
    spec = MODELS.get(shown.clip.model)
    one = spec is not None and 1 in (spec.max_people, spec.clip_people)
    return one and int(shown.people.max(initial=0)) <= 1


def _presence(shown: ShownClip, tracks: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    """The frame indices in which each track is there, ascending."""
    frame_index = shown.clip.frame_index[shown.frame_of]
    return {track: frame_index[rows] for track, rows in rows_by_number(tracks).items()}


def _links(
    pairs: Sequence[PairOverTime],
    tracks: Mapping[str, NDArray[np.int64]],
    presence: Mapping[str, Mapping[int, NDArray[np.int64]]],
) -> list[tuple[int, _Track, _Track]]:
    """Tracks of two models that are mostly the same person, with the frames they share."""
    links = []
    for pair in pairs:
        a, b = pair.model_a, pair.model_b
        matched = zip(tracks[a][pair.a].tolist(), tracks[b][pair.b].tolist(), strict=True)
        for (one, other), count in Counter(matched).items():
            both = len(np.intersect1d(presence[a][one], presence[b][other]))
            if 2 * count >= both:
                links.append((count, (a, one), (b, other)))
    return links
