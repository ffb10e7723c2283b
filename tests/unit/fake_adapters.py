"""An adapter for runtime tests that really computes something and misbehaves on command.

It finds the brightest pixel and puts all joints there.  The first pixel (red, green) is a command
when blue is 255: red names it, green is its argument.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from estimators.devices import Placement
from estimators.errors import InputError, ModelLoadError
from estimators.registry import MODELS, ModelSpec
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet, Timings

SLEEP, KILL, ABORT, RAISE, REFUSE, NOISE, SEIZE = range(1, 8)


def spec(key: str = "brightest", **settings: int | float | bool | str) -> ModelSpec:
    """A variant.

    Settings: `fail`, `load_s`, `load_mb`, `crash_at_load`, `hang_at_load`, `batch`.
    """
    return replace(
        MODELS["movenet-lightning"],
        key=key,
        title=key.capitalize(),
        weights="",
        adapter="tests.unit.fake_adapters",
        settings=settings,
        runtime="numpy",
        expected_mb=160.0,
    )


def picture(x: int, y: int, command: int = 0, argument: int = 0, side: int = 64) -> Frame:
    """A black picture, side + 8 wide, with one white pixel at column x, row y, and a command."""
    image = np.zeros((side, side + 8, 3), np.uint8)
    image[y, x] = 254
    if command:
        image[0, 0] = (command, argument, 255)
    return Frame(image)


def _obey(command: int, argument: int) -> None:
    if command == SLEEP:
        time.sleep(argument / 20)
    elif command == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    elif command == ABORT:
        os.abort()
    elif command == RAISE:
        raise ArithmeticError("no such luck")
    elif command == REFUSE:
        raise InputError("This picture is too dark.", "Bring a lamp.")
    elif command == NOISE:
        os.write(1, b"native noise on stdout\n" * 20000)
        os.write(2, b"\xff\x00native noise on stderr\n" * 20000)
    elif command == SEIZE:
        # Keeps the interpreter lock for good, as badly behaved native code does.
        ctypes.PyDLL(None).sleep(100_000)


class BrightestEstimator:
    """Counts its frames: `pose_score` is 1, 2, 3 … so that tests see its state.

    The left edge of its box tells how many estimators of its model are open.
    """

    def __init__(self, opened: set[BrightestEstimator]) -> None:
        self._opened = opened
        self._opened.add(self)
        self._count = 0

    def estimate(self, frame: Frame) -> Estimate:
        started = time.perf_counter()
        red, green, blue = (int(v) for v in frame.image[0, 0])
        if blue == 255:
            _obey(red, green)
        bright = frame.image.astype(np.int32).sum(axis=2)
        bright[0, 0] = 0
        row, column = np.unravel_index(int(bright.argmax()), bright.shape)
        self._count += 1
        skeleton = MODELS["movenet-lightning"].skeleton
        xy = np.tile(np.float32([column + 0.5, row + 0.5]), (1, len(skeleton), 1))
        score = np.full((1, len(skeleton)), bright.max() / 765, np.float32)
        box = np.float32([[len(self._opened), 0, 0, 0]])
        poses = PoseSet(skeleton, xy, score, np.float32([self._count]), box)
        took = (time.perf_counter() - started) * 1000
        return Estimate(poses, Timings(0.0, took, 0.0), frame.index, frame.time_s)

    def reset(self) -> None:
        self._count = 0

    def close(self) -> None:
        self._opened.discard(self)


class TogetherEstimator(BrightestEstimator):
    """Takes several frames at once; the top edge of a box tells how many went with it."""

    def estimate_together(self, frames: Sequence[Frame]) -> list[Estimate]:
        alone = [self.estimate(frame) for frame in frames]
        along = np.float32([[0, len(frames), 0, 0]])
        return [
            replace(one, poses=replace(one.poses, box_xyxy=one.poses.box_xyxy + along))
            for one in alone
        ]


class BrightestModel:
    def __init__(self, ballast: np.ndarray, batch: int = 1) -> None:
        self._ballast = ballast
        self._opened: set[BrightestEstimator] = set()
        self.placement = Placement(batch=batch)

    def open(self, options: EstimatorOptions) -> BrightestEstimator:
        made = BrightestEstimator if self.placement.batch == 1 else TogetherEstimator
        return made(self._opened)

    def close(self) -> None:
        self._ballast = np.zeros(0, np.uint8)


def load(spec: ModelSpec, weights: Path, threads: int) -> BrightestModel:
    settings = spec.settings
    time.sleep(float(settings.get("load_s", 0)))
    while settings.get("hang_at_load"):
        time.sleep(1)
    if settings.get("crash_at_load"):
        os.abort()
    if settings.get("fail") == "own":
        raise ModelLoadError("The weights are from the moon.", "Bring earthly ones.")
    if settings.get("fail"):
        raise ImportError("libMissing.so: cannot open shared object file")
    ballast = np.ones(int(settings.get("load_mb", 0)) * 1_000_000, np.uint8)
    return BrightestModel(ballast, int(settings.get("batch", 1)))
