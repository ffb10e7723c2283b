"""Many pictures in `compare`: in their order, each once, a dozen of each model by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from estimators.cli.inputs import Pictures, given_files
from estimators.cli.model_run import ModelRun
from estimators.cli.picture_runs import PictureRuns
from estimators.errors import ModelCrashedError, ModelLoadError
from estimators.registry import get
from estimators.types import Frame, PoseSet
from estimators.workflows.together import QUIET
from tests.unit.evaluate_stand import LIGHTNING, MULTI, StandInRunner, at, found, picture_file

COUNT = QUIET + 18


class Runner(StandInRunner):
    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    files = [picture_file(tmp_path, f"{i:02}.png", i) for i in range(1, COUNT + 1)]
    return Pictures(given_files(files))


def shade(frame: Frame) -> int:
    return int(frame.image[0, 0, 0])


def asked(runner: Runner, pictures: Pictures) -> tuple[PictureRuns, list[ModelRun]]:
    runs = [ModelRun(get(key)) for key in (LIGHTNING, MULTI)]
    return PictureRuns(runner, runs, pictures), runs  # type: ignore[arg-type]


def test_every_model_says_in_order_what_it_found_in_every_picture(pictures: Pictures) -> None:
    runner = Runner(lambda model, frame: found(model, at(shade(frame), 5)))
    work, runs = asked(runner, pictures)
    work.ask()
    for run in runs:
        assert [e.file for e in run.estimates] == list(pictures.paths)
        noses = [float(e.poses(0).xy[0, 0, 0]) for e in run.estimates]
        assert noses == list(range(1, COUNT + 1))
        assert run.status is not None
    # The first picture once more, for the cold start.
    first = [(LIGHTNING, i) for i in (1, *range(1, QUIET + 1))]
    assert runner.asked[: len(first)] == first
    second = [(MULTI, shade) for _, shade in first]
    assert runner.asked[len(first) : 2 * len(first)] == second
    assert len(runner.asked) == 2 * (COUNT + 1)
    assert sorted(runner.retired) == [LIGHTNING, MULTI]


def test_a_picture_that_fails_is_told_and_the_rest_goes_on(
    pictures: Pictures, capfd: pytest.CaptureFixture[str]
) -> None:
    def poses(model: str, frame: Frame) -> PoseSet:
        if model == MULTI and shade(frame) == QUIET + 3:
            raise ModelCrashedError("It ended.")
        return found(model)

    work, (one, other) = asked(Runner(poses), pictures)
    work.ask()
    assert one.error is None
    failed = [bool(e.errors) for e in other.estimates]
    assert failed == [i == QUIET + 3 for i in range(1, COUNT + 1)]
    assert "15.png: It ended." in capfd.readouterr().err


def test_a_model_that_cannot_run_holds_nobody_up(pictures: Pictures) -> None:
    def poses(model: str, frame: Frame) -> PoseSet:
        if model == LIGHTNING:
            raise ModelLoadError("It has no weights.")
        return found(model)

    runner = Runner(poses)
    work, (one, other) = asked(runner, pictures)
    work.ask()
    assert len(runner.asked) == 1 + 1 + COUNT
    assert all(e.errors for e in one.estimates)
    assert (len(one.estimates), len(other.estimates)) == (COUNT, COUNT)
    assert other.answered


@pytest.mark.parametrize("number", [3, QUIET + 4])
def test_an_interrupt_keeps_what_is_done_and_names_the_rest(
    pictures: Pictures, number: int
) -> None:
    def poses(model: str, frame: Frame) -> PoseSet:
        if model == MULTI and shade(frame) == number:
            raise KeyboardInterrupt
        return found(model)

    runner = Runner(poses)
    work, runs = asked(runner, pictures)
    with pytest.raises(KeyboardInterrupt):
        work.ask()
    assert runner.closed == (number > QUIET)
    for run in runs:
        failed = np.array([bool(e.errors) for e in run.estimates])
        done = int((~failed).sum())
        assert len(failed) == COUNT
        assert failed[done:].all()
        assert (
            "interrupted before" in next(iter(run.estimates[-1].errors.values())) or done == COUNT
        )
    assert int(sum(not e.errors for e in runs[1].estimates)) == number - 1
