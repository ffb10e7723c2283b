"""What waits at a model: who goes together, and what each is told of the time it took."""

from __future__ import annotations

import math
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from estimators.devices import Placement
from estimators.errors import ModelError
from estimators.registry import get
from estimators.runtime.activity import Activity
from estimators.runtime.api import RunResult
from estimators.runtime.gathering import Asked, Gathering, Given, Question, at_a_time
from estimators.runtime.messages import Answer
from estimators.runtime.sessions import SessionKey
from estimators.runtime.transport import Limits
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet, Timings

SPEC = get("movenet-lightning")
KEY = SessionKey("", EstimatorOptions())


def question(asked_s: float = 0.0, viewer: str = "ann", key: SessionKey = KEY) -> Question:
    return Question(key, Frame(np.zeros((4, 6, 3), np.uint8)), viewer, asked_s)


def answer(busy_ms: float) -> Answer:
    estimate = Estimate(PoseSet.empty(SPEC.skeleton), Timings(1.0, 2.0, 3.0))
    return Answer.of(estimate, SPEC, busy_ms, fresh=False)


def test_what_the_way_took_is_shared_and_each_waited_its_own_time() -> None:
    group = [question(9.0), question(9.9), question(9.9)]
    refused = ModelError("No.")
    given = Given(group, [answer(100.0), answer(80.0), refused], 10.0, 10.5, busy=False)
    where = Placement("cuda:0", batch=8)
    assert list(given.settle(SPEC, where, lowered=False)) == [(6.0, True), (6.0, True)]
    first, second = (q.settled for q in group[:2])
    assert isinstance(first, RunResult)
    assert isinstance(second, RunResult)
    assert [first.queue_ms, second.queue_ms] == pytest.approx([1000.0, 100.0])
    # Half a second, of which 180 ms were the model's own; a third of the rest each.
    assert first.transport_ms == second.transport_ms == pytest.approx(320 / 3)
    assert (first.busy, first.placement) == (True, where)
    assert group[2].settled is refused


def test_of_those_that_go_one_by_one_the_later_ones_wait_for_those_before() -> None:
    group, answers = [question(9.0), question(9.9)], [answer(100.0), answer(80.0)]
    given, where = Given(group, answers, 10.0, 10.5, busy=False), Placement("cpu")
    assert list(given.settle(SPEC, where, lowered=False)) == [(6.0, False), (6.0, False)]
    waited = [q.settled.queue_ms for q in group]  # type: ignore[union-attr]
    assert waited == pytest.approx([1000.0, 200.0])
    assert [busy for _, busy in given.settle(SPEC, where, lowered=True)] == [True, True]
    given = Given(group, answers, 10.0, 10.5, busy=True)
    assert [busy for _, busy in given.settle(SPEC, where, lowered=False)] == [True, True]


def test_two_pictures_at_a_time_go_to_a_quick_model() -> None:
    video = SessionKey("s", EstimatorOptions(video=True))
    assert [at_a_time(KEY, 1, ms) for ms in (25.0, 99.0, 101.0, math.inf)] == [2, 2, 1, 1]
    assert at_a_time(video, 1, 25.0) == 1
    assert at_a_time(KEY, 1, 25.0, suspect=True) == 1
    assert [at_a_time(key, 8, ms) for key, ms in ((KEY, 25.0), (video, 500.0))] == [8, 8]


def test_several_have_the_time_of_several_and_none_has_a_time_of_its_own() -> None:
    asked: list[float] = []

    def answers(timeout_s: float) -> list[Answer]:
        asked.append(timeout_s)
        return [answer(1.0) for _ in handed.pop()]

    handed: list[list[Frame]] = []
    hosting = SimpleNamespace(limits=Limits(call_s=20.0), activity=Activity())
    place = SimpleNamespace(hand_over=lambda key, frames: handed.append(frames), answers=answers)
    answered: list[Question] = []
    several = [question(), question(), question()]
    of_frame = {id(q.frame): q for q in several}
    losses = SimpleNamespace(
        of=lambda frame, viewer: nullcontext(),
        answered=lambda frame, viewer: answered.append(of_frame[id(frame)]),
    )
    troubles = SimpleNamespace(losses=losses)
    given = [
        Asked(group, place, hosting).given(troubles, limit_s)  # type: ignore[arg-type]
        for group, limit_s in ((several[:1], None), (several, None), (several, 5.0))
    ]
    assert asked == [20.0, 60.0, 15.0]
    assert [each.busy for each in given] == [False, False, False]
    assert answered == several + several


def test_only_alike_ones_go_together_and_none_that_is_to_be_alone() -> None:
    line = Gathering()
    video = SessionKey("s", EstimatorOptions(video=True))
    mine, like, alone = question(), question(), question()
    others = [question(viewer="ben"), question(key=video)]
    alone.alone = True
    with line.waiting([mine, *others, alone, like]):
        assert line.beside(mine, 8) == [mine, like]
        assert line.beside(others[0], 8) == others[:1]
        assert line.beside(alone, 8) == [alone]
        line.apart([mine, like])
        assert line.beside(mine, 8) == [mine]
    many = [question() for _ in range(9)]
    with line.waiting(many):
        assert line.beside(many[0], 4) == many[:4]
        assert line.beside(many[4], 1) == [many[4]]
    assert line.beside(mine, 8) == [mine], "who has gone is not answered"
