"""Tracks that went over from one person to another, as other models show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.pairing import PairOverTime
from estimators.analysis.scale import joint_box
from estimators.analysis.thresholds import ShownClip, rows_by_number

# Matched with the one person, then with the other, for fewer frames each it may be a mistake.
_FEWEST = 5

_Tracks = Mapping[str, NDArray[np.int64]]


def without_handovers(
    clips: Mapping[str, ShownClip], tracks: _Tracks, pairs: Sequence[PairOverTime]
) -> dict[str, NDArray[np.int64]]:
    """`tracks`, those parted in two that are another model's one person first, then its other one.

    That model shows both of them in one frame somewhere, so they are not the same.  A model that
    finds one person only slips from one to the next, and two who cross may be taken for each other.

    Args:
        clips: what each model shows.
        tracks: `track_people` of each.
        pairs: `match_all` of them.
    """
    starts: dict[str, set[tuple[int, int]]] = {model: set() for model in tracks}
    for pair in pairs:
        a, b = (pair.model_a, pair.a), (pair.model_b, pair.b)
        for (model, rows), (other, others) in ((a, b), (b, a)):
            together = _together(clips[other], tracks[other])
            seen_as = tracks[other][others]
            for track, places in rows_by_number(tracks[model][rows]).items():
                for last, first in _changes(rows[places], seen_as[places], together):
                    starts[model].add((track, _furthest(clips[model], tracks[model], last, first)))
    return {model: _parted(tracks[model], sorted(starts[model])) for model in tracks}


def _together(shown: ShownClip, tracks: NDArray[np.int64]) -> set[tuple[int, int]]:
    """Pairs of a model's tracks that are there in one frame."""
    found: set[tuple[int, int]] = set()
    for frame in np.flatnonzero(shown.people > 1):
        there = tracks[shown.offsets[frame] : shown.offsets[frame + 1]].tolist()
        found.update((one, other) for one in there for other in there if one != other)
    return found


def _changes(
    rows: NDArray[np.int64], seen_as: NDArray[np.int64], together: set[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """(last row as the one, first row as the other) of a track, matched at `rows`."""
    ends = np.flatnonzero(np.diff(seen_as)) + 1
    lasting = [run for run in np.split(np.arange(len(rows)), ends) if len(run) >= _FEWEST]
    for one, other in pairwise(lasting):
        last, first = int(rows[one[-1]]), int(rows[other[0]])
        if last < first and (int(seen_as[one[0]]), int(seen_as[other[0]])) in together:
            yield last, first


def _furthest(shown: ShownClip, tracks: NDArray[np.int64], last: int, first: int) -> int:
    """The row after `last`, up to `first`, to which their track made its longest step."""
    rows = last + np.flatnonzero(tracks[last : first + 1] == tracks[last])
    box = joint_box(shown.xy[rows])
    steps = np.linalg.norm(np.diff((box[:, :2] + box[:, 2:]) / 2, axis=0), axis=1)
    return int(rows[1 + int(steps.argmax())])


def _parted(tracks: NDArray[np.int64], starts: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    out = tracks.copy()
    for _, row in starts:
        later = np.flatnonzero(out[row:] == out[row]) + row
        out[later] = out.max() + 1
    return out
