"""Which frames of a clip are wanted, in which size, and those frames."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from estimators.errors import InputError
from estimators.media.clip_info import ClipInfo
from estimators.media.decoding import decoded
from estimators.media.shape import as_rgb
from estimators.types import Frame, PoseSet


def selected(
    clip: ClipInfo, start_s: float | None = None, end_s: float | None = None, stride: int = 1
) -> NDArray[np.int64]:
    """Indices of the frames shown in [start_s, end_s], every `stride`-th of them from the first on.

    Raises:
        InputError: no frame lies there, or the stride is not positive.
    """
    if stride < 1:
        raise InputError(f"The stride {stride} is not possible.", "Choose 1 or more.")
    times = clip.timestamps_s
    # Half a millisecond: a limit that was rounded for display still means its own frame.
    first = 0 if start_s is None else int(np.searchsorted(times, start_s - 5e-4))
    last = len(times) if end_s is None else int(np.searchsorted(times, end_s + 5e-4, "right"))
    if first >= last:
        start = "its start" if start_s is None else f"{start_s:g} s"
        end = "its end" if end_s is None else f"{end_s:g} s"
        wanted = start_s if start_s is not None else end_s or 0.0
        near = times[np.abs(times - wanted).argmin()]
        raise InputError(
            f"{clip.name} has no frame between {start} and {end}.",
            f"Its frames lie between {times[0]:.3f} s and {times[-1]:.3f} s, one at {near:.3f} s.",
        )
    return np.arange(first, last, stride, dtype=np.int64)


def frames(
    clip: ClipInfo,
    start_s: float | None = None,
    end_s: float | None = None,
    stride: int = 1,
    longest_side: int | None = None,
) -> Iterator[Frame]:
    """The selected frames, turned as they are shown, one after another.

    `Frame.index` is the place in `clip.timestamps_s`.  A frame that cannot be decoded is left out:
    compare with `selected` to see which.  With `longest_side`, frames larger than that are made
    smaller (area averaging); `in_clip_pixels` takes poses found in them back.

    Raises:
        InputError: nothing is selected, or the clip can no longer be opened.
    """
    wanted = selected(clip, start_s, end_s, stride)
    yield from frames_between(clip, int(wanted[0]), int(wanted[-1]), stride, longest_side)


def frames_between(
    clip: ClipInfo, first: int, last: int, stride: int, longest_side: int | None
) -> Iterator[Frame]:
    """As `frames`, from one index to another, both of them included."""
    size = clip.orientation.size(*processed_size(clip, longest_side))
    reformatter = VideoReformatter()
    for index, stored, ratio in decoded(clip, first):
        if index > last:
            return
        if (index - first) % stride == 0:
            image = as_rgb(stored, size, ratio, reformatter)
            image = clip.orientation.apply(image)
            yield Frame(image, index, float(clip.timestamps_s[index]))


def processed_size(clip: ClipInfo, longest_side: int | None) -> tuple[int, int]:
    """(width, height) of the frames that `frames` gives with this `longest_side`."""
    longest = max(clip.width, clip.height)
    if longest_side is None or longest <= longest_side:
        return clip.width, clip.height
    scale = longest_side / longest
    return max(1, round(clip.width * scale)), max(1, round(clip.height * scale))


def in_clip_pixels(poses: PoseSet, clip: ClipInfo, longest_side: int | None) -> PoseSet:
    """Poses found in frames of `longest_side`, in pixels of the clip's own frames."""
    width, height = processed_size(clip, longest_side)
    return poses.scaled(clip.width / width, clip.height / height)
