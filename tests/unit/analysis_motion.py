"""Synthetic people who move in known ways, for the tests of numbers over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.thresholds import ShownClip, Thresholds
from estimators.skeletons import COCO_17
from estimators.types import Estimate, PoseSet, Timings

TORSO = 100.0
_HALF = {
    "eye": (5, 45),
    "ear": (12, 50),
    "shoulder": (40, 100),
    "elbow": (55, 160),
    "wrist": (60, 205),
    "hip": (25, 200),
    "knee": (30, 280),
    "ankle": (32, 360),
}


def standing() -> NDArray[np.float64]:
    """Somebody with a torso of exactly 100 px, [17, 2], the middle of the hips at (0, 200)."""
    xy = np.zeros((17, 2))
    xy[COCO_17.index("nose")] = (0, 52)
    for name, (x, y) in _HALF.items():
        xy[COCO_17.index(f"left_{name}")] = (x, y)
        xy[COCO_17.index(f"right_{name}")] = (-x, y)
    return xy


def clip_of(
    paths: Sequence[NDArray[np.float64]],
    time_s: NDArray[np.float64],
    model: str = "movenet-multipose",
    failed: Mapping[int, str] | None = None,
) -> ClipEstimates:
    """A clip of people, each given as [T, 17, 2]; a frame of only NaN is a frame without them.

    In every second frame the people come in reverse order, as models return them in any.
    """
    clip = ClipEstimates(model, COCO_17, "walk.mp4", (1280, 720))
    for t, seconds in enumerate(time_s):
        if failed and t in failed:
            clip.append_failed(t, float(seconds), failed[t])
            continue
        xy = np.array([p[t] for p in paths if np.isfinite(p[t]).any()]).reshape(-1, 17, 2)
        xy = xy[::-1] if t % 2 else xy
        score = np.where(np.isfinite(xy[..., 0]), 0.9, 0.05)
        poses = PoseSet(COCO_17, xy, score, np.full(len(xy), 0.9))
        clip.append(Estimate(poses, Timings(1, 5, 1), t, float(seconds)))
    return clip


def shown(
    paths: Sequence[NDArray[np.float64]], time_s: NDArray[np.float64], model: str = "a"
) -> ShownClip:
    """`clip_of` with a joint threshold of 0.3."""
    return ShownClip.of(clip_of(paths, time_s, model), Thresholds(0.3, 0.2))


def walking(
    time_s: NDArray[np.float64], start: tuple[float, float], speed: tuple[float, float]
) -> NDArray[np.float64]:
    """Somebody moved as a whole at `speed` pixels a second, [T, 17, 2]."""
    way = np.array(start) + time_s[:, None] * np.array(speed)
    return standing() + way[:, None]


def vanished(path: NDArray[np.float64], first: int, last: int) -> NDArray[np.float64]:
    """`path` without the person in frames `first` to `last`."""
    out = path.copy()
    out[first : last + 1] = np.nan
    return out


def irregular(seconds: float, rate: float, seed: int = 0) -> NDArray[np.float64]:
    """Timestamps of a clip with a variable frame rate."""
    steps = np.random.default_rng(seed).uniform(0.4, 1.6, int(seconds * rate)) / rate
    return np.concatenate([[0.0], np.cumsum(steps)])
