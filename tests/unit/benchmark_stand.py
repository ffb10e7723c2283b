"""What the tests of benchmarks share: measurements made up, and a runner without processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Self

import numpy as np

from estimators.devices import CPU_ONLY, Placement
from estimators.registry import MODELS
from estimators.runtime.activity import Activity, Work
from estimators.runtime.api import DEFAULT_OPTIONS, ModelStatus, RunResult
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet, Timings
from estimators.workflows.benchmark.media import BenchmarkMedia
from estimators.workflows.benchmark.result import (
    FORMAT,
    Benchmark,
    Calls,
    Machine,
    Measured,
    Media,
)

PICTURE = Media("p.png", "picture", 8, 6, 1, "0" * 64)
ONE = BenchmarkMedia(PICTURE, (Frame(np.zeros((6, 8, 3), np.uint8)),))
CLIP = BenchmarkMedia(
    replace(PICTURE, kind="clip", frames=4),
    tuple(Frame(np.full((6, 8, 3), i, np.uint8)) for i in range(4)),
    rate=10.0,
)
MACHINE = Machine("A processor", 2, 2, 8.0, "Linux x86_64", "3.11.7", ("avx2",), None)


def calls(latency_ms: list[float], rounds: list[int] | None = None, rest_ms: float = 1.0) -> Calls:
    """Calls with a tenth of their latency before and after inference, and so much around them."""
    tenth = tuple(ms / 10 for ms in latency_ms)
    return Calls(
        tuple(rounds if rounds is not None else range(len(latency_ms))),
        tenth,
        tuple(ms * 0.8 for ms in latency_ms),
        tenth,
        (rest_ms,) * len(latency_ms),
    )


def measured(model: str = "movenet-lightning", **changes: object) -> Measured:
    spec = MODELS[model]
    known = Measured(
        model=model,
        title=spec.title,
        family=spec.family,
        runtime=spec.runtime,
        threads=2,
        held_by="setting",
        pass_number=0,
        group=0,
        device="cpu",
        weights_bytes=4_800_000,
        load_s=0.5,
        first_call_ms=30.0,
        pss_mb=54.0,
        peak_mb=103.0,
        warm_up_calls=15,
        settled=True,
        alone=True,
        other_cores=0.0,
        calls=calls([10.0] * 10),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def benchmark(*every: Measured) -> Benchmark:
    made = "2026-01-02T03:04:05+00:00"
    return Benchmark(FORMAT, made, MACHINE, {"numpy": "2.0"}, PICTURE, every)


class Host:
    """A runner whose models answer at once; `told` says what a call takes and may raise.

    Attributes:
        log: ("ask" | "retire" | "load", model) in their order; `frames` what was asked about.
    """

    def __init__(self, told: Callable[[str], float], threads: int = 1) -> None:
        self.threads = threads
        self.log: list[tuple[str, str]] = []
        self.frames: list[Frame] = []
        self.closed = False
        self.devices: set[tuple[str, str]] = set()
        self.where = Placement("cpu", CPU_ONLY)
        self._told = told
        self._loaded: set[str] = set()

    def estimate(
        self, model: str, frame: Frame, options: EstimatorOptions = DEFAULT_OPTIONS
    ) -> RunResult:
        if model not in self._loaded:
            self._loaded.add(model)
            self.log.append(("load", model))
        self.log.append(("ask", model))
        self.devices.add((model, options.device))
        self.frames.append(frame)
        ms = self._told(model)
        poses = PoseSet.empty(MODELS["movenet-lightning"].skeleton)
        return RunResult(Estimate(poses, Timings(ms / 4, ms / 2, ms / 4)), 0.0, 0.1)

    def open(self, model: str, options: EstimatorOptions) -> _Session:
        assert options.video
        return _Session(self, model)

    def status(self) -> tuple[ModelStatus, ...]:
        told = {"load_s": 0.5, "pss_mb": 54.0, "placement": self.where}
        return tuple(ModelStatus(m, "ready", **told) for m in MODELS)  # type: ignore[arg-type]

    def retire(self, model: str) -> None:
        self._loaded.discard(model)
        self.log.append(("retire", model))

    def close(self) -> None:
        self.closed = True


class _Session:
    def __init__(self, host: Host, model: str) -> None:
        self._host, self._model = host, model

    def estimate(self, frame: Frame) -> RunResult:
        return self._host.estimate(self._model, frame)

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


class App:
    """What other viewers use: work that a test starts and ends."""

    def __init__(self) -> None:
        self.activity = Activity()
        self.waited = 0
        self.memory_mb = 2000

    @contextmanager
    def occupied(self) -> Iterator[Work]:
        with self.activity.work() as work:
            yield work

    def status(self) -> tuple[ModelStatus, ...]:
        return ()

    def wait_quiet(self, timeout_s: float) -> bool:
        self.waited += 1
        return self.activity.wait_quiet(min(timeout_s, 0.01))


def steady(times_ms: Mapping[str, float]) -> Callable[[str], float]:
    """Each model takes what is told of it, and really lets a little time pass."""

    def told(model: str) -> float:
        time.sleep(1e-4)
        return times_ms[model]

    return told
