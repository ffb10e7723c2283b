"""The budget of all running work: who fits goes in, the others wait in their order and are told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from estimators.annotated import AnnotatedImage
from estimators.workflows import room as rooms
from estimators.workflows.background import BackgroundJob
from estimators.workflows.evaluate import pictures as evaluate_pictures
from estimators.workflows.evaluate.pictures import needs_mb
from estimators.workflows.room import DECODER_MB, Need, Place, Room, pictures_mb
from tests.unit.runtime_support import wait_until


class Coming(threading.Thread):
    """Somebody who comes into the room, from a thread of their own."""

    def __init__(self, room: Room, need: Need) -> None:
        super().__init__(daemon=True)
        self.let_in: bool | None = None
        self.stop = threading.Event()
        self._room, self._need = room, need
        self.start()

    def run(self) -> None:
        self.let_in = self._room.enter(self._need, self.stop.is_set)


def never() -> bool:
    return False


def queued(room: Room, need: Need) -> Coming:
    coming = Coming(room, need)
    wait_until(lambda: room.place(need) is not None)
    return coming


def test_work_goes_in_as_long_as_it_fits() -> None:
    room = Room(100)
    first, second, third = Need(60), Need(40), Need(1)
    assert room.enter(first, never)
    assert room.enter(second, never)
    assert room.place(second) is None
    coming = queued(room, third)
    assert room.report() == {"budget_mb": 100, "taken_mb": 100, "running": 2, "waiting": 1}
    room.leave(second)
    wait_until(lambda: coming.let_in is True)
    assert room.report() == {"budget_mb": 100, "taken_mb": 61, "running": 2, "waiting": 0}


def test_nobody_is_overtaken() -> None:
    room = Room(100)
    inside, large, small = Need(60), Need(80), Need(10)
    room.enter(inside, never)
    first = queued(room, large)
    second = queued(room, small)  # would fit now
    assert [room.place(need).before for need in (large, small)] == [0, 1]  # type: ignore[union-attr]
    room.leave(inside)
    wait_until(lambda: first.let_in is True and second.let_in is True)


def test_what_needs_more_than_there_is_runs_alone() -> None:
    room = Room(100)
    giant, other = Need(500), Need(1)
    assert room.enter(giant, never)
    coming = queued(room, other)
    room.leave(giant)
    wait_until(lambda: coming.let_in is True)
    waiting = queued(room, giant)
    room.leave(other)
    wait_until(lambda: waiting.let_in is True)


def test_who_is_stopped_leaves_the_queue_to_those_behind() -> None:
    room = Room(100)
    inside, large, small = Need(60), Need(80), Need(10)
    room.enter(inside, never)
    first, second = queued(room, large), queued(room, small)
    first.stop.set()
    wait_until(lambda: first.let_in is False and second.let_in is True)
    assert room.place(large) is None


def test_who_cannot_be_asked_any_more_leaves_it_too() -> None:
    room = Room(100)
    room.enter(Need(60), never)

    def broken() -> bool:
        raise RuntimeError("The server has ended.")

    with pytest.raises(RuntimeError):
        room.enter(Need(80), broken)
    assert room.report()["waiting"] == 0
    assert room.enter(Need(10), never)


def test_what_waits_for_nobody_counts_all_the_same() -> None:
    room = Room(100)
    held = [50.0]
    room.holds("pictures", lambda: held[0])
    room.enter(Need(30), never)
    coming = queued(room, Need(30))
    assert room.report()["taken_mb"] == 80
    held[0] = 0.0
    wait_until(lambda: coming.let_in is True)


def test_how_long_it_takes_is_told_by_what_is_left_of_the_others() -> None:
    room = Room(100)
    room.enter(Need(50, lambda: 40.0), never)
    room.enter(Need(50, lambda: 10.0), never)
    needs = [Need(50), Need(50), Need(100)]
    coming = [queued(room, need) for need in needs]
    # The first after 10 s; the second after 40; the third when both have lasted as long as usual.
    assert [room.place(need) for need in needs] == [Place(0, 10), Place(1, 40), Place(2, 70)]
    for one in coming:
        one.stop.set()


def test_those_who_wait_before_count_as_long_as_they_say() -> None:
    room = Room(100)
    room.enter(Need(100, lambda: 10.0), never)
    needs = [Need(100, lambda: 500.0), Need(100)]
    coming = [queued(room, need) for need in needs]
    assert [room.place(need) for need in needs] == [Place(0, 10), Place(1, 510)]
    for one in coming:
        one.stop.set()


def test_how_long_work_lasts_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(rooms.time, "monotonic", lambda: now[0])
    room = Room(100)
    for _ in range(20):
        need = Need(100)
        room.enter(need, never)
        now[0] += 100
        room.leave(need)
    room.enter(Need(100), never)
    now[0] += 40
    waiting = Need(1)
    coming = queued(room, waiting)
    place = room.place(waiting)
    assert place is not None
    assert place.wait_s == pytest.approx(60, abs=2)  # 100 s, 40 of them over
    coming.stop.set()


class Work(BackgroundJob):
    """Goes on until it is told to end."""

    def __init__(self) -> None:
        super().__init__("work", lambda: True, 60)
        self.end = threading.Event()
        self.ran = False

    def run(self) -> None:
        with self._running():
            self.ran = True
            while not self._stopped() and not self.end.wait(0.01):
                pass

    def _left(self) -> bool:
        return not self.end.is_set()


@pytest.fixture
def small_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    room = Room(100)
    monkeypatch.setattr(rooms, "_room", room)
    yield room
    wait_until(lambda: room.report()["running"] == 0)


def test_jobs_wait_their_turn_and_say_where_they_are(small_room: Room) -> None:
    first, second, third = jobs = [Work(), Work(), Work()]
    for job in jobs:
        job.start()
        wait_until(lambda: first.state == "running")
        if job is not first:
            wait_until(lambda: small_room.report()["waiting"] == jobs.index(job))  # noqa: B023
    assert (first.state, first.place) == ("running", None)
    assert [job.state for job in (second, third)] == ["waiting", "waiting"]
    assert [job.place.before for job in (second, third)] == [0, 1]  # type: ignore[union-attr]
    second.cancel()
    wait_until(lambda: second.finished)
    assert (second.state, second.ran, second.error) == ("cancelled", False, "")
    first.end.set()
    wait_until(lambda: third.state == "running")
    third.end.set()
    third.join(10)
    assert (first.state, third.state) == ("done", "done")


def test_without_a_room_nobody_waits() -> None:
    assert rooms.room() is None
    jobs = [Work(), Work(), Work()]
    for job in jobs:
        job.start()
    wait_until(lambda: all(job.ran for job in jobs))
    assert [job.place for job in jobs] == [None] * 3
    for job in jobs:
        job.end.set()
        job.join(10)


def test_what_an_evaluation_needs_is_bounded_however_large_its_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evaluate_pictures, "gpu_seen", lambda: False)

    def images(count: int, side: int) -> list[AnnotatedImage]:
        picture = Path("a.jpg")
        return [AnnotatedImage("a", side, side, (), picture=picture) for _ in range(count)]

    small = pictures_mb(1000, 1000)
    assert small == 3.0
    assert needs_mb(images(2, 1000), 1) == pytest.approx(DECODER_MB + 2 * small + 4 * small)
    largest = pictures_mb(4032, 3024)
    assert needs_mb(images(10_000, 9000), 2) == pytest.approx(DECODER_MB + 300 + 8 * largest)
    monkeypatch.setattr(evaluate_pictures, "gpu_seen", lambda: True)  # eight in one of two forwards
    assert needs_mb(images(2, 1000), 1) == pytest.approx(DECODER_MB + 2 * small + 20 * small)
