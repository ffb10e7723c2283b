"""What is told of a live stream and of each of its models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from estimators.analysis.latency import RollingLatency, StreamLatency
from estimators.workflows.live.follower import Follower, FollowerState, Overlay
from estimators.workflows.live.mosaic import LiveModel

StreamState = Literal["idle", "running", "full"]


@dataclass(frozen=True, eq=False)
class ModelFigures:
    """What is told of one model beside the video.

    Attributes:
        age_ms: of the overlay shown; None while there is none.
        dropped: frames it never saw, since it began.
    """

    model: LiveModel
    state: FollowerState
    error: str
    summary: StreamLatency
    age_ms: float | None
    dropped: int
    overlay: Overlay | None
    latency: RollingLatency


@dataclass(frozen=True, eq=False)
class StreamFigures:
    """What is told of the whole stream.

    Attributes:
        video: rate of the mosaics, and milliseconds from a frame to its mosaic.
        size: (width, height) of the camera's frames; None before the first.
    """

    state: StreamState
    video: StreamLatency
    size: tuple[int, int] | None
    models: tuple[ModelFigures, ...]


def of_model(model: LiveModel, follower: Follower, now_s: float) -> ModelFigures:
    """What there is to tell of a model at `now_s`, seconds of `time.monotonic`."""
    overlay = follower.overlay
    return ModelFigures(
        model,
        follower.state,
        follower.error,
        follower.latency.summary(now_s),
        None if overlay is None else overlay.age_ms(now_s),
        follower.dropped,
        overlay,
        follower.latency,
    )
