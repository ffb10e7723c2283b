"""What the tests of evaluations share: annotated pictures, and a runner without processes."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from estimators.annotated import AnnotatedImage, AnnotatedPerson, AnnotatedSet
from estimators.devices import Placement
from estimators.registry import get
from estimators.runtime.api import ModelStatus, RunResult
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet, Timings

SIZE = (120, 90)
LIGHTNING, MULTI = "movenet-lightning", "movenet-multipose"
_LEFT = [(2, -2), (4, -1), (8, 12), (11, 22), (12, 32), (5, 32), (6, 46), (6, 60)]
UPRIGHT = np.array([(0, 0), *(p for x, y in _LEFT for p in ((x, y), (-x, y)))], float)


def at(x: float, y: float) -> np.ndarray:
    """Where the joints of somebody are whose nose is at (x, y)."""
    return np.add(UPRIGHT, (x, y))


def person(x: float = 60, y: float = 12, number: int = 1) -> AnnotatedPerson:
    """Somebody upright whose nose is at (x, y), 17 joints visible."""
    xy = at(x, y)
    low, high = xy.min(axis=0), xy.max(axis=0)
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    area = 0.53 * (box[2] - box[0]) * (box[3] - box[1])
    return AnnotatedPerson(xy, np.full(17, 2, np.int8), box, area, "box", annotation_id=number)


def picture_file(folder: Path, name: str, shade: int) -> Path:
    """A picture of one grey, which tells the runner what to answer."""
    content = io.BytesIO()
    Image.new("RGB", SIZE, (shade, shade, shade)).save(content, "PNG")
    path = folder / name
    path.write_bytes(content.getvalue())
    return path


def annotated_set(folder: Path, pictures: int = 4, people: int = 1) -> AnnotatedSet:
    """`pictures` pictures of shade 1, 2, … with `people` people each, 40 px apart."""
    images = []
    for i in range(1, pictures + 1):
        several = tuple(person(30 + 50 * p, number=people * (i - 1) + p + 1) for p in range(people))
        path = picture_file(folder, f"{i}.png", i)
        images.append(AnnotatedImage(f"{i}.png", *SIZE, several, image_id=10 + i, picture=path))
    return AnnotatedSet(tuple(images), name="truth.json")


class StandInRunner:
    """Answers in this process; `poses` says what a model finds in a frame, or raises.

    Attributes:
        asked: (model, shade of the picture) of every question, in their order.
        told: what `status` says of each model that was asked, besides its memory.
    """

    memory_mb = 2000

    def __init__(self, poses: Callable[[str, Frame], PoseSet] | None = None) -> None:
        self.asked: list[tuple[str, int]] = []
        self.retired: list[str] = []
        self._poses = poses or (lambda model, frame: found(model))
        self._turn = threading.Lock()
        self.where = Placement()
        self.memory_mb = 2000
        self.told: dict[str, Any] = {}
        self.options: list[EstimatorOptions] = []

    def placement(self, model: str, device: str = "") -> Placement:
        return self.where

    def estimate(
        self, model: str, frame: Frame, options: EstimatorOptions, viewer: str = ""
    ) -> RunResult:
        with self._turn:
            self.options.append(options)
            self.asked.append((model, int(frame.image[0, 0, 0])))
            poses = self._poses(model, frame)
        return RunResult(Estimate(poses, Timings(1.0, 5.0, 1.0)), 0.0, 0.0, placement=self.where)

    @contextmanager
    def occupied(self) -> Iterator[None]:
        yield

    def status(self) -> tuple[ModelStatus, ...]:
        asked = {m for m, _ in self.asked}
        return tuple(ModelStatus(m, "ready", pss_mb=50.0, **self.told) for m in asked)

    def retire(self, model: str) -> None:
        self.retired.append(model)


def found(model: str, *people: np.ndarray, score: float = 0.8) -> PoseSet:
    """Those people (one at (60, 12) unless others are given), as `model` tells them."""
    xy = np.array(people or [at(60, 12)], np.float32)
    n = len(xy)
    skeleton = get(model).skeleton
    return PoseSet(skeleton, xy, np.full((n, 17), score, np.float32), np.full(n, score, np.float32))
