"""What the page tells as a model's latency."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from estimators.registry import get
from estimators.runtime.api import DEFAULT_OPTIONS, ModelStatus, RunResult
from estimators.types import Estimate, Frame, PoseSet, Timings
from pages.ui import engine

MODEL = "movenet-lightning"


@dataclass
class Clock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Hosted:
    """A runner whose model loads on its first call; times are told by `clock` alone."""

    clock: Clock
    load_s: float
    inference_ms: list[float]
    calls: int = field(default=0)

    def estimate(self, *_: object) -> RunResult:
        self.clock.now += self.load_s if self.calls == 0 else 0.0
        inference = self.inference_ms[min(self.calls, len(self.inference_ms) - 1)]
        self.clock.now += inference / 1000
        self.calls += 1
        poses = PoseSet.empty(get(MODEL).skeleton)
        return RunResult(Estimate(poses, Timings(0, inference, 0)), self.load_s * 1000, 0.1)

    def status(self) -> tuple[ModelStatus, ...]:
        return (ModelStatus(MODEL, "ready", calls=self.calls),)


@pytest.mark.parametrize(
    ("load_s", "inference_ms", "told"),
    [
        (0.2, [60.0, 9.0, 5.0, 7.0, 6.0, 8.0], 7.0),  # the first call does not count
        (9.0, [900.0, 9.0, 5.0, 7.0, 6.0, 8.0], 7.0),  # nor on a machine that is slow to load
        (9.0, [4000.0, 3900.0], 4000.0),  # but nobody waits for a slow model twice
        (0.2, [700.0, 300.0], 300.0),
    ],
)
def test_the_latency_told_is_that_of_a_warm_model(
    load_s: float, inference_ms: list[float], told: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(engine, "time", clock)
    jobs = engine.Jobs(Hosted(clock, load_s, inference_ms))
    frame = Frame(np.zeros((8, 8, 3), np.uint8))
    result = jobs._measured(("digest", MODEL, DEFAULT_OPTIONS), frame, "viewer")
    assert result.estimate.timings_ms.inference == told
