"""A clip at a glance: a few of its frames beside each other, evenly spaced in time."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.media.clip_info import ClipInfo
from estimators.media.clips import as_rgb
from estimators.media.decoding import decoded

# Width over height of a strip, whatever the shape of its frames.
_LONG = 12.0
# Decoding this many frames in a row takes a second or so; longer clips show their keyframes.
_MOST_DECODED = 400


def film_strip(clip: ClipInfo, height: int = 120) -> NDArray[np.uint8]:
    """Uint8 [height, W, 3] RGB, about twelve times as wide as high.

    Frames that cannot be decoded are left out.

    Raises:
        InputError: the clip can no longer be opened.
    """
    times = clip.timestamps_s
    width = max(1, round(clip.width * height / clip.height))
    pictures = min(max(1, round(_LONG * height / width)), clip.frame_count)
    wanted = np.searchsorted(times, np.linspace(times[0], times[-1], pictures + 1)[:-1])
    every = clip.frame_count <= _MOST_DECODED
    chosen = _in_a_row(clip, wanted) if every else _keyframes(clip, wanted)
    scaled = [cv2.resize(tile, (width, height), interpolation=cv2.INTER_AREA) for tile in chosen]
    if not scaled:
        return np.zeros((height, width, 3), np.uint8)
    return np.asarray(np.concatenate(scaled, axis=1), np.uint8)


def _in_a_row(clip: ClipInfo, wanted: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
    left = wanted.tolist()
    for index, frame in decoded(clip):
        while left and left[0] <= index:
            left.pop(0)
            yield clip.orientation.apply(as_rgb(frame, clip.stored_size))
        if not left:
            return


def _keyframes(clip: ClipInfo, wanted: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
    keys = np.flatnonzero(clip.listing.key)
    for index in wanted:
        before = keys[keys <= index]
        found = next(decoded(clip, int(before[-1]) if len(before) else 0), None)
        if found is not None:
            yield clip.orientation.apply(as_rgb(found[1], clip.stored_size))
