"""A picture that ends a model's process costs its sender, and nobody else more than one load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from estimators.errors import ModelCrashedError, ModelError
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import EstimatorOptions, Frame
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import Background, count, status

VIDEO = EstimatorOptions(video=True)
GOOD = fake.picture(3, 3)


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    runner = ProcessRunner(Settings(), models={"brightest": fake.spec()}, threads=1)
    yield runner
    runner.close()


def bad(x: int = 5, command: int = fake.ABORT) -> Frame:
    return fake.picture(x, 5, command)


def refused(runner: ProcessRunner, frame: Frame, viewer: str = "sender") -> ModelError:
    with pytest.raises(ModelError) as caught:
        runner.estimate("brightest", frame, viewer=viewer)
    return caught.value


def test_the_same_picture_again_and_again_costs_a_clip_one_restart(runner: ProcessRunner) -> None:
    clip = runner.open("brightest", VIDEO, "neighbour")
    told = [clip.estimate(GOOD)]
    for viewer in ("sender", "sender", "another", "sender"):
        error = refused(runner, bad(), viewer)
        told.append(clip.estimate(GOOD))
    assert "SIGABRT" in error.message
    assert "set aside" in error.message
    assert error.advice
    assert [result.restarted for result in told] == [False, True, False, False, False]
    assert [count(result) for result in told] == [1, 1, 2, 3, 4]
    assert status(runner).restarts == 1


def test_viewers_who_send_it_at_once_lose_the_process_once(runner: ProcessRunner) -> None:
    runner.estimate("brightest", GOOD)
    asked = [
        Background(lambda n=n: runner.estimate("brightest", bad(), viewer=f"viewer {n}"))
        for n in range(5)
    ]
    errors = [call.done() for call in asked]
    assert sum(isinstance(error, ModelCrashedError) for error in errors) == 1
    assert all(isinstance(error, ModelError) for error in errors)
    assert count(runner.estimate("brightest", GOOD)) == 1
    assert status(runner).restarts == 1


def test_a_process_ended_from_outside_gets_the_picture_once_more(runner: ProcessRunner) -> None:
    killer = bad(command=fake.KILL)
    for viewer in ("a", "b"):
        assert isinstance(refused(runner, killer, viewer), ModelCrashedError)
    assert "set aside" in refused(runner, killer, "c").message
    assert status(runner).restarts == 2


def test_who_goes_on_with_other_such_pictures_waits_alone(
    runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("estimators.runtime.backoff._FIRST_S", 60.0)
    clip = runner.open("brightest", VIDEO, "neighbour")
    for x in (5, 6):
        refused(runner, bad(x))
        clip.estimate(GOOD)
    third = refused(runner, bad(7))
    assert third.retry_after_s > 0
    assert "not tried again for" in third.advice
    result = clip.estimate(GOOD)
    assert (result.restarted, status(runner).restarts) == (False, 2)
    runner.retire("brightest")  # "try again"
    assert isinstance(refused(runner, bad(7)), ModelCrashedError)


def test_an_answer_ends_the_waiting(runner: ProcessRunner) -> None:
    for x in (5, 6, 7):
        assert isinstance(refused(runner, bad(x)), ModelCrashedError)
        runner.estimate("brightest", GOOD, viewer="sender")


def test_a_picture_is_tried_again_some_day(
    runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("estimators.runtime.losses._FORGOTTEN_S", 0.0)
    for viewer in ("a", "b"):
        assert isinstance(refused(runner, bad(), viewer), ModelCrashedError)


def test_others_of_the_same_shape_are_not_taken_for_it(runner: ProcessRunner) -> None:
    refused(runner, bad())
    assert count(runner.estimate("brightest", fake.picture(6, 5), viewer="sender")) == 1
