"""The fake adapter with a gate: tests decide how long a model is busy.  For in-process runners."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from estimators.registry import ModelSpec
from estimators.types import Estimate, EstimatorOptions, Frame, PoseEstimator, PoseModel
from tests.unit import fake_adapters as fake

_closed: dict[str, threading.Event] = {}
_waiting: set[str] = set()


def spec(key: str) -> ModelSpec:
    """A variant that puts all joints on the brightest pixel, when its gate lets it."""
    return replace(fake.spec(key), adapter="tests.unit.gated_adapter")


@contextmanager
def busy(model: str) -> Iterator[threading.Event]:
    """While the block runs, estimates of `model` begin but do not end; set the event to end it."""
    release = threading.Event()
    _waiting.discard(model)
    _closed[model] = release
    try:
        yield release
    finally:
        del _closed[model]
        release.set()


def held(model: str) -> bool:
    """Whether an estimate has come to the closed gate, so that no earlier one is under way."""
    return model in _waiting


class GatedEstimator:
    def __init__(self, model: str, inner: PoseEstimator) -> None:
        self._model, self._inner = model, inner

    def estimate(self, frame: Frame) -> Estimate:
        gate = _closed.get(self._model)
        if gate is not None:
            _waiting.add(self._model)
            gate.wait(60)
        return self._inner.estimate(frame)

    def reset(self) -> None:
        self._inner.reset()

    def close(self) -> None:
        self._inner.close()


class GatedModel:
    def __init__(self, model: str, inner: PoseModel) -> None:
        self._model, self._inner = model, inner

    def open(self, options: EstimatorOptions) -> GatedEstimator:
        return GatedEstimator(self._model, self._inner.open(options))

    def close(self) -> None:
        self._inner.close()


def load(spec: ModelSpec, weights: Path, threads: int) -> GatedModel:
    return GatedModel(spec.key, fake.load(spec, weights, threads))
