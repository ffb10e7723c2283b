"""The next question is at the model before the answer to the last has been looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pytest

from estimators.errors import ModelCrashedError, ModelError, PoseError
from estimators.runtime import turns
from estimators.runtime.api import RunResult
from estimators.runtime.gathering import Asked, Given
from estimators.runtime.process import HostProcess
from estimators.runtime.runner import ProcessRunner
from estimators.runtime.sessions import SessionKey
from estimators.settings import Settings
from estimators.types import Frame
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import wait_until

TOO_LARGE = 200  # column of the white pixel of a picture that cannot be handed over


class Watched(HostProcess):
    """Notes by which thread pictures are handed over, and refuses some.

    Attributes:
        by: (name of the thread, column of the white pixel) of each.
    """

    by: ClassVar[list[tuple[str, int]]] = []

    def hand_over(self, key: SessionKey, frames: Sequence[Frame]) -> None:
        for frame in frames:
            column = int(frame.image[9].argmax() // 3)
            if column == TOO_LARGE:
                raise ModelError("It is too large.")
            self.by.append((threading.current_thread().name, column))
        super().hand_over(key, frames)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessRunner]:
    monkeypatch.setattr(Watched, "by", [])
    specs = {"brightest": fake.spec()}
    runner = ProcessRunner(Settings(), models=specs, threads=1, start=Watched)
    runner.estimate("brightest", fake.picture(1, 9))
    yield runner
    runner.close()


def in_line(runner: ProcessRunner, frames: Sequence[Frame]) -> list[RunResult | BaseException]:
    """Each of a viewer of its own, who comes after those before and asks while the turn is held."""
    host = runner._host("brightest")
    outcomes: dict[int, RunResult | BaseException] = {}

    def ask(number: int) -> None:
        try:
            outcomes[number] = runner.estimate("brightest", frames[number], viewer=str(number))
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            outcomes[number] = error

    assert host._turns.take("test")
    for number in range(len(frames)):
        threading.Thread(target=ask, args=(number,), name=str(number), daemon=True).start()
        wait_until(lambda number=number: host._turns.waiting == number + 1)
    host._turns.give()
    wait_until(lambda: len(outcomes) == len(frames))
    assert host._asked is None
    return [outcomes[number] for number in range(len(frames))]


def column(outcome: RunResult | BaseException) -> float:
    assert isinstance(outcome, RunResult), outcome
    return float(outcome.estimate.poses.xy[0, 0, 0])


def test_who_has_an_answer_hands_over_the_question_of_who_comes_next(
    runner: ProcessRunner,
) -> None:
    results = in_line(runner, [fake.picture(20 + x, 9, side=64 + x) for x in range(4)])
    assert [column(result) for result in results] == [20.5, 21.5, 22.5, 23.5]
    assert Watched.by[1:] == [("0", 20), ("0", 21), ("1", 22), ("2", 23)]
    # They followed each other, so each has a time of its own.
    assert [result.busy for result in results] == [False] * 4  # type: ignore[union-attr]
    assert runner._activity._running == set()


def test_a_picture_that_costs_the_process_costs_who_asked_it_and_nobody_else(
    runner: ProcessRunner,
) -> None:
    frames = [fake.picture(20 + x, 9, fake.ABORT if x == 1 else 0) for x in range(3)]
    first, lost, last = in_line(runner, frames)
    assert (column(first), column(last)) == (20.5, 22.5)
    assert isinstance(lost, ModelCrashedError)
    assert runner.status()[0].restarts == 1
    assert runner._activity._running == set()


@pytest.mark.parametrize("frame", [fake.picture(TOO_LARGE, 9, side=256), fake.picture(5, 9, 5)])
def test_what_fails_is_told_to_who_asked_it(runner: ProcessRunner, frame: Frame) -> None:
    """Handed over by another's thread, or by the model."""
    first, failed, last = in_line(runner, [fake.picture(20, 9), frame, fake.picture(22, 9)])
    assert (column(first), column(last)) == (20.5, 22.5)
    assert isinstance(failed, PoseError)
    assert ("too large" in str(failed)) == (frame.width > 200) != ("dark" in str(failed))


@pytest.mark.parametrize("number", [2, 3])
def test_who_is_interrupted_leaves_the_next_one_the_right_answer(
    runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    class Interrupted(turns._Ticket):
        def wait(self, timeout: float | None = None) -> bool:
            if threading.current_thread().name == "1":
                wait_until(lambda: ("0", 21) in Watched.by)
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(turns, "_Ticket", Interrupted)
    first, gone, *others = in_line(runner, [fake.picture(20 + x, 9) for x in range(number)])
    assert isinstance(gone, KeyboardInterrupt)
    assert [column(result) for result in (first, *others)] == [20.5, 22.5][: number - 1]
    assert runner._activity._running == set()
    assert column(runner.estimate("brightest", fake.picture(30, 9))) == 30.5


def test_who_is_interrupted_with_a_question_on_its_way_leaves_no_answer_behind(
    runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Asked.given

    def interrupted(asked: Asked, *rest: Any) -> Given:
        if threading.current_thread().name == "1":
            raise KeyboardInterrupt
        return given(asked, *rest)

    monkeypatch.setattr(Asked, "given", interrupted)
    first, gone, last = in_line(runner, [fake.picture(20 + x, 9) for x in range(3)])
    assert isinstance(gone, KeyboardInterrupt)
    assert (column(first), column(last)) == (20.5, 22.5)
    assert column(runner.estimate("brightest", fake.picture(30, 9))) == 30.5


def test_a_huge_question_of_who_comes_next_is_no_way_of_the_one_before(
    runner: ProcessRunner,
) -> None:
    first, huge = in_line(runner, [fake.picture(20, 9), fake.picture(21, 9, side=5000)])
    assert isinstance(first, RunResult)
    assert isinstance(huge, RunResult)
    assert first.transport_ms < huge.transport_ms / 3
