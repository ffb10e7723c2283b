"""What the live tests share: a stream with fake models that really compute, and its frames."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from estimators.registry import ModelSpec
from estimators.render.style import PoseStyle
from estimators.workflows.live.figures import ModelFigures
from estimators.workflows.live.mosaic import LiveModel, LiveSettings
from estimators.workflows.live.stream import LiveStream

COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115))


def live_models(specs: Sequence[ModelSpec]) -> tuple[LiveModel, ...]:
    return tuple(
        LiveModel(spec, PoseStyle(colour), 0.3, 0.0)
        for spec, colour in zip(specs, COLOURS, strict=False)
    )


def live_settings(*specs: ModelSpec) -> LiveSettings:
    return LiveSettings(live_models(specs))


def camera(x: int, y: int, size: tuple[int, int] = (320, 240)) -> NDArray[np.uint8]:
    """A dark camera frame with one bright spot, on which the fake models put every joint."""
    image = np.full((size[1], size[0], 3), 20, np.uint8)
    image[y, x] = 254
    return image


def figures_of(stream: LiveStream, key: str) -> ModelFigures:
    return next(f for f in stream.figures().models if f.model.spec.key == key)


def live_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("live-")]
