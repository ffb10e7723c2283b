"""A clip at a glance: a few of its frames beside each other, evenly spaced in time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from estimators.media.clip_info import ClipInfo
from estimators.media.decoding import Stored, decoded
from estimators.media.shape import as_rgb

# Width over height of a strip, whatever the shape of its frames.
_LONG = 12.0
# The narrowest picture in it, as a share of its height: frames may be like threads.
_NARROWEST = 0.25
# Decoding this many frames in a row takes a second or so; longer clips show their keyframes.
_MOST_DECODED = 400


def film_strip(clip: ClipInfo, height: int = 120) -> NDArray[np.uint8]:
    """Uint8 [height, W, 3] RGB, at most about twelve times as wide as high.

    Each frame is whole and in its own shape, on black where that is a very long one.  Frames that
    cannot be decoded are left out.

    Raises:
        InputError: the clip can no longer be opened.
    """
    times = clip.timestamps_s
    longest, narrowest = round(_LONG * height), round(_NARROWEST * height)
    width = min(max(narrowest, round(clip.width * height / clip.height)), longest)
    pictures = min(max(1, round(longest / width)), clip.frame_count)
    wanted = np.searchsorted(times, np.linspace(times[0], times[-1], pictures + 1)[:-1])
    every = clip.frame_count <= _MOST_DECODED
    tile = clip.orientation.size(width, height)
    stored = _in_a_row(clip, wanted) if every else _keyframes(clip, wanted)
    tiles = [clip.orientation.apply(as_rgb(s.frame, tile, s.ratio)) for s in stored]
    if not tiles:
        return np.zeros((height, width, 3), np.uint8)
    return np.concatenate(tiles, axis=1)


def _in_a_row(clip: ClipInfo, wanted: NDArray[np.int64]) -> Iterator[Stored]:
    left = wanted.tolist()
    for stored in decoded(clip):
        while left and left[0] <= stored.place:
            left.pop(0)
            yield stored
        if not left:
            return


def _keyframes(clip: ClipInfo, wanted: NDArray[np.int64]) -> Iterator[Stored]:
    keys = np.flatnonzero(clip.listing.key)
    for index in wanted:
        before = keys[keys <= index]
        found = next(decoded(clip, int(before[-1]) if len(before) else 0), None)
        if found is not None:
            yield found
