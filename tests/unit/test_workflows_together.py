"""Several models over the same pictures: order, pace, failures, and frames that are read once."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing

import numpy as np
import pytest

from estimators.registry import get
from estimators.types import Frame
from estimators.workflows import together
from estimators.workflows.kept_frames import KeptFrames
from estimators.workflows.lasting import Lasting
from estimators.workflows.together import Pace, ahead, groups, held_up, room_mb, side_by_side
from tests.unit import fake_adapters as fake
from tests.unit.evaluate_stand import LIGHTNING, MULTI, StandInRunner
from tests.unit.runtime_support import wait_until


def frame(shade: int, side: int = 10) -> Frame:
    return Frame(np.full((side, side, 3), shade, np.uint8))


def test_results_come_in_order_though_work_ends_in_another() -> None:
    third = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert third.wait(60)
        if number == 2:
            third.set()
        return number

    assert list(ahead(range(9), work, 3)) == list(range(9))


def test_no_more_begins_than_may_be_on_its_way_and_nothing_after_it_is_closed() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return number

    with closing(ahead(range(100), work, 3)) as results:
        assert next(results) == 0
        assert next(results) == 1
    assert set(begun) <= set(range(4))


def test_what_work_raises_comes_in_its_place() -> None:
    results = ahead([1, 0, 2], lambda number: 10 // number, 3)
    assert next(results) == 10
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_model_far_ahead_waits_until_the_others_come() -> None:
    pace = Pace(["quick", "slow"], lead=2, wait_s=60)
    pace.reached("quick", 2)
    pace.wait(2)  # not too far
    passed: list[str] = []

    def quick() -> None:
        pace.wait(3)
        passed.append("near")
        pace.wait(9)
        passed.append("gone")

    thread = threading.Thread(target=quick)
    thread.start()
    thread.join(0.05)
    assert passed == []
    pace.reached("slow", 1)
    while not passed:
        thread.join(0.01)
    assert passed == ["near"]
    pace.left("slow")  # and is not waited for any more, as nobody is who has left
    pace.left("quick")
    thread.join(60)
    assert passed == ["near", "gone"]


def test_a_model_that_is_lost_holds_the_others_up_for_a_moment_only() -> None:
    pace = Pace(["quick", "lost"], lead=2, wait_s=0.01)
    started = time.monotonic()
    pace.wait(50)
    assert 0.01 <= time.monotonic() - started < 30


def test_one_that_fails_stops_the_others_and_is_told() -> None:
    stopped = threading.Event()
    ended: list[bool] = []

    def fails() -> None:
        raise ValueError("It broke.")

    def goes_on() -> None:
        ended.append(stopped.wait(60))

    runner, one, other = StandInRunner(), get(LIGHTNING), get(MULTI)
    with pytest.raises(ValueError, match="It broke"):
        side_by_side(runner, [(one, goes_on), (other, fails)], stopped.set)  # type: ignore[arg-type]
    assert ended == [True]
    side_by_side(runner, [], stopped.set)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ms", "cores", "leaves"),
    [
        ((5.0, 27.0), 2, True),
        ((13.4, 27.0), 2, True),
        ((13.6, 27.0), 2, False),  # 13.6 ms on two cores do not fit into one core's 27
        ((5.0, 27.0), 4, True),
        ((5.0, 27.0), 1, False),
        ((27.0, 5.0), 2, False),  # the slowest has threads of its own that fill every core
    ],
)
def test_a_core_is_left_to_the_slowest_where_the_others_have_enough(
    ms: tuple[float, float], cores: int, leaves: bool
) -> None:
    specs = [get(LIGHTNING), get("blazepose-full")]
    answer_s = {spec.key: each / 1000 for spec, each in zip(specs, ms, strict=True)}
    assert held_up(specs, answer_s, cores) == (specs[1] if leaves else None)
    assert held_up(specs[::-1], answer_s, cores) == (specs[1] if leaves else None)
    assert held_up([*specs, get(MULTI)], answer_s, cores) is None, "one is not known"
    assert held_up(specs[1:], answer_s, cores) is None


def test_a_core_is_left_where_all_others_have_enough_together() -> None:
    specs = [get(key) for key in (LIGHTNING, "blazepose-full", MULTI)]
    for multi_s, found in ((0.0084, specs[1]), (0.0086, None)):
        answer_s = {LIGHTNING: 0.005, "blazepose-full": 0.027, MULTI: multi_s}
        assert held_up(specs, answer_s, 2) == found


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot do it")
def test_the_core_is_left_until_the_slowest_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the others' models and by the threads that ask, and then it is everybody's again."""
    runner, specs = StandInRunner(), [get(LIGHTNING), get("blazepose-full")]
    ways: list[tuple[str, int, int]] = []
    holders = set()

    def give_way(model: str, holder: str, niceness: int, cores: int = 0) -> None:
        ways.append((model, niceness, cores))
        holders.add(holder)

    runner.give_way = give_way  # type: ignore[attr-defined]
    found = {spec.key: Lasting(0.0, s) for spec, s in zip(specs, (0.005, 0.027), strict=True)}
    monkeypatch.setattr(together, "measured", lambda runner: found)
    monkeypatch.setattr(together, "available_cores", lambda: 2)
    everywhere, seen = os.sched_getaffinity(0), {}
    done = threading.Event()

    def quick() -> None:
        assert done.wait(60)
        wait_until(lambda: os.sched_getaffinity(0) == everywhere)
        seen["left"] = list(ways[1:])

    def slow() -> None:
        seen["kept"] = list(ways)
        seen["threads"] = os.sched_getaffinity(0)
        done.set()

    side_by_side(runner, [(specs[0], quick), (specs[1], slow)], lambda: None)  # type: ignore[arg-type]
    assert seen["kept"] == [(LIGHTNING, 0, 1)]
    assert len(seen["threads"]) == max(1, len(everywhere) - 1)
    assert seen["left"] == [(LIGHTNING, 0, 0)]
    assert (len(ways), len(holders)) == (2, 1)
    assert os.sched_getaffinity(0) == everywhere


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot do it")
def test_threads_have_the_core_back_with_the_last_run_that_leaves_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runner, spec = StandInRunner(), get("blazepose-full")
    runner.give_way = lambda *rest: None  # type: ignore[attr-defined]
    monkeypatch.setattr(together, "held_up", lambda specs, answer_s: spec)
    everywhere, seen = os.sched_getaffinity(0), []
    first, second = (together._LeftCore(runner, [spec]) for _ in "ab")  # type: ignore[arg-type]

    def work() -> None:
        seen.append(len(os.sched_getaffinity(0)))
        first._give_back()
        seen.append(len(os.sched_getaffinity(0)))
        second._give_back()
        second._give_back()  # each counts once
        seen.append(len(os.sched_getaffinity(0)))

    with first, second:
        thread = threading.Thread(target=second.during, args=(get(LIGHTNING), work))
        thread.start()
        thread.join(60)
    held = max(1, len(everywhere) - 1)
    assert seen == [held, held, len(everywhere)]
    assert together._LeftCore._leaving == 0


def test_a_frame_is_read_once_for_all_who_want_it_at_the_same_time() -> None:
    reading, go_on = threading.Event(), threading.Event()
    reads: list[int] = []

    def read() -> Frame:
        reads.append(1)
        reading.set()
        assert go_on.wait(60)
        return frame(7)

    kept = KeptFrames(room_bytes=0)
    given: list[Frame] = []
    threads = [threading.Thread(target=lambda: given.append(kept.get(5, read))) for _ in "ab"]
    threads[0].start()
    assert reading.wait(60)
    threads[1].start()
    threads[1].join(0.02)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert (len(reads), len(given)) == (1, 2)
    assert given[0] is given[1]


def test_the_first_frames_stay_and_of_the_others_the_last() -> None:
    kept = KeptFrames(room_bytes=1800)  # of 300 bytes each: four, and two of the others
    reads: list[int] = []

    def ask(number: int) -> None:
        kept.get(number, lambda: reads.append(number) or frame(number))  # type: ignore[func-returns-value]

    for number in range(9):
        ask(number)
    assert reads == list(range(9))
    for number in (0, 1, 2, 3, 7, 8):
        ask(number)
    assert reads[9:] == []
    ask(6)
    assert reads[9:] == [6]
    kept.keep("large", frame(1, 50))  # larger than the room: it stays until the next comes
    kept.get("large", lambda: pytest.fail("It was here."))


def test_others_models_leave_less_memory() -> None:
    runner = StandInRunner()
    runner.memory_mb = 1000
    runner.asked = [(LIGHTNING, 1), (MULTI, 1)]  # 50 MB each
    assert room_mb(runner, [LIGHTNING, MULTI]) == 1000  # type: ignore[arg-type]
    assert room_mb(runner, [MULTI]) == 950  # type: ignore[arg-type]


def test_what_was_measured_of_a_model_decides_what_fits_beside_it() -> None:
    specs = [fake.spec(name) for name in "ab"]  # 160 MB each, by guess
    runner = StandInRunner()
    assert len(groups(specs, 330, runner)) == 1  # type: ignore[arg-type]
    runner.asked = [("a", 1)]
    runner.told = {"expected_mb": 300.0}
    assert [len(group) for group in groups(specs, 330, runner)] == [1, 1]  # type: ignore[arg-type]
    runner.told = {"expected_mb": 20.0}
    assert len(groups(specs, 190, runner)) == 1  # type: ignore[arg-type]
