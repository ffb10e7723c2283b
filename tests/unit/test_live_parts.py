"""The parts of a live stream that need no model: slot, seats, priority."""

from __future__ import annotations

import threading

from estimators.workflows.live.seats import Seats
from estimators.workflows.live.slot import NewestSlot
from tests.unit.runtime_support import wait_until


class TestNewestSlot:
    def test_the_newest_wins_and_the_stale_are_counted(self) -> None:
        slot: NewestSlot[int] = NewestSlot()
        assert [slot.put(i) for i in range(5)] == [False, True, True, True, True]
        assert slot.take() == 4
        assert slot.dropped == 4
        assert slot.put(5) is False

    def test_what_was_taken_is_gone(self) -> None:
        slot: NewestSlot[int] = NewestSlot()
        slot.put(1)
        slot.take()
        assert slot.take(timeout_s=0.0) is None

    def test_a_waiting_taker_gets_the_next_item(self) -> None:
        slot: NewestSlot[int] = NewestSlot()
        taken: list[int | None] = []
        thread = threading.Thread(target=lambda: taken.append(slot.take()), daemon=True)
        thread.start()
        slot.put(7)
        thread.join(60)
        assert taken == [7]

    def test_closing_wakes_the_taker_and_lets_go_of_the_item(self) -> None:
        slot: NewestSlot[list[int]] = NewestSlot()
        taken: list[list[int] | None] = []
        thread = threading.Thread(target=lambda: taken.append(slot.take()), daemon=True)
        thread.start()
        slot.close()
        thread.join(60)
        assert taken == [None]
        assert slot.put([1]) is False
        assert slot.take() is None
        assert slot.closed

    def test_items_in_all_are_those_taken_and_those_dropped(self) -> None:
        slot: NewestSlot[int] = NewestSlot()
        taken: list[int] = []

        def take_all() -> None:
            while (item := slot.take()) is not None:
                taken.append(item)

        thread = threading.Thread(target=take_all, daemon=True)
        thread.start()
        for i in range(1, 2001):
            slot.put(i)
        wait_until(lambda: bool(taken) and taken[-1] == 2000)
        slot.close()
        thread.join(60)
        assert taken == sorted(set(taken))
        assert len(taken) + slot.dropped == 2000


class TestSeats:
    def test_never_more_than_the_limit(self) -> None:
        seats = Seats(2)
        assert [seats.take(who) for who in "abc"] == [True, True, False]
        assert seats.full_for("c")
        assert not seats.full_for("a")
        seats.give("a")
        assert seats.take("c")
        assert seats.taken == 2

    def test_taking_twice_keeps_one_seat(self) -> None:
        seats = Seats(2)
        assert seats.take("a")
        assert seats.take("a")
        assert seats.taken == 1
        seats.give("a")
        seats.give("a")
        assert seats.taken == 0

    def test_many_threads_never_overfill(self) -> None:
        seats = Seats(3)
        got: list[bool] = []
        barrier = threading.Barrier(20)

        def ask(who: int) -> None:
            barrier.wait()
            got.append(seats.take(str(who)))

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sum(got) == seats.taken == 3
