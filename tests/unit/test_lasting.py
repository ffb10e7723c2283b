"""How long an evaluation lasts, also for the models that have not begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimators.runtime.api import ModelStatus
from estimators.types import Frame, PoseSet
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.lasting import Lasting, expected_s, measured
from tests.unit.evaluate_stand import LIGHTNING, MULTI, StandInRunner, annotated_set, found


def test_models_that_come_later_take_their_time_for_loading_too() -> None:
    known = {"quick": Lasting(1.0, 0.01), "slow": Lasting(8.0, 0.5)}
    assert expected_s({"quick": 100, "slow": 100}, known) == pytest.approx(1 + 1 + 8 + 50)
    assert expected_s({"quick": 100, "unknown": 10}, known) == pytest.approx(1 + 1 + 8 + 5)
    assert expected_s({"quick": 100}, {}) is None
    assert expected_s({}, known) == 0


def test_what_is_loaded_needs_no_loading_and_what_never_answered_is_unknown() -> None:
    class Told(StandInRunner):
        def status(self) -> tuple[ModelStatus, ...]:
            return (
                ModelStatus("here", "ready", load_s=5.0, median_ms=20.0),
                ModelStatus("gone", "stopped", load_s=5.0, median_ms=30.0),
                ModelStatus("never", "loading", load_s=5.0),
            )

    assert measured(Told()) == {"here": Lasting(0.0, 0.02), "gone": Lasting(5.0, 0.03)}  # type: ignore[arg-type]


def test_whoever_waits_for_an_evaluation_waits_for_all_its_models(tmp_path: Path) -> None:
    told: dict[str, list[float | None]] = {LIGHTNING: [], MULTI: []}

    def poses(model: str, frame: Frame) -> PoseSet:
        told[model].append(job._left_s())
        return found(model)

    runner = StandInRunner(poses)
    runner.asked = [(LIGHTNING, 0), (MULTI, 0)]
    runner.told = {"median_ms": 400.0}
    settings = EvaluateSettings((LIGHTNING, MULTI), invented=False)
    job = EvaluateJob(runner, annotated_set(tmp_path, 10), settings)  # type: ignore[arg-type]
    assert job._left_s() is None  # nothing was measured yet
    job.start()
    job.join(60)
    assert job.state == "done"
    assert told[LIGHTNING][0] == pytest.approx(2 * 10 * 0.4)
    # The first is nearly done, and the other has not begun.
    assert told[LIGHTNING][-1] == pytest.approx(10 * 0.4, abs=1.0)
    assert told[MULTI][-1] == pytest.approx(0.0, abs=1.0)
