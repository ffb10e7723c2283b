"""The parts of the runtime that need no child process."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from estimators.errors import ModelCrashedError, ModelLoadError
from estimators.runtime import backoff, machine
from estimators.runtime import turns as turns_module
from estimators.runtime.activity import Activity
from estimators.runtime.backoff import Backoff
from estimators.runtime.ends import exit_in_words
from estimators.runtime.frame_slot import FrameSlot
from estimators.runtime.sessions import EstimatorPool, SessionKey
from estimators.runtime.stats import CallStats
from estimators.runtime.turns import Turns
from estimators.types import Estimate, EstimatorOptions, Frame
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import wait_until


class TestTurns:
    def queue(self, turns: Turns, viewers: str) -> list[str]:
        """One waiting thread for each letter, in this order; the list fills as turns come."""
        served: list[str] = []

        def ask(viewer: str) -> None:
            assert turns.take(viewer)
            served.append(viewer)
            turns.give()

        for waiting, viewer in enumerate(viewers, 1):
            threading.Thread(target=ask, args=(viewer,), daemon=True).start()
            wait_until(lambda waiting=waiting: turns.waiting == waiting)
        return served

    def test_viewers_take_turns_whoever_asks_more(self) -> None:
        turns = Turns()
        assert turns.take("A")
        served = self.queue(turns, "AAAABAC")
        turns.give()
        wait_until(lambda: len(served) == 7)
        assert "".join(served) == "ABCAAAA"

    def test_a_viewer_that_asks_again_goes_behind_those_who_wait(self) -> None:
        turns = Turns()
        assert turns.take("A")
        served = self.queue(turns, "BA")
        turns.give()
        wait_until(lambda: len(served) == 2)
        assert served == ["B", "A"]

    def test_wishes_are_told_in_the_order_of_turns(self) -> None:
        turns = Turns()
        assert turns.wishes == []
        assert turns.take("A")
        served = []

        def ask(viewer: str, wish: int) -> None:
            with turns.taken(viewer, wish):
                served.append(wish)

        for wish, viewer in enumerate("AABACBA"):
            threading.Thread(target=ask, args=(viewer, wish), daemon=True).start()
            wait_until(lambda wish=wish: turns.waiting == wish + 1)
        expected = turns.wishes
        turns.give()
        wait_until(lambda: len(served) == 7)
        assert served == expected == [0, 2, 4, 1, 5, 3, 6]

    def test_one_at_a_time(self) -> None:
        turns, inside, most = Turns(), [0], [0]

        def work(viewer: str) -> None:
            for _ in range(200):
                turns.take(viewer)
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1
                turns.give()

        threads = [threading.Thread(target=work, args=(str(i % 3),)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most == [1]
        assert turns.waiting == 0
        assert turns.try_take()

    def test_a_turn_that_does_not_come_in_time_is_not_owed(self) -> None:
        turns = Turns()
        assert turns.take("A")
        assert not turns.take("B", 0.01)
        assert not turns.try_take()
        turns.give()
        assert turns.try_take()
        assert not turns.try_take()

    @pytest.mark.parametrize("comes", [False, True])
    def test_one_who_is_interrupted_waits_no_more_and_keeps_no_turn(
        self, monkeypatch: pytest.MonkeyPatch, comes: bool
    ) -> None:
        turns = Turns()
        assert turns.try_take()

        class Interrupted(turns_module._Ticket):
            def wait(self, timeout: float | None = None) -> bool:
                if comes:
                    turns.give()
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(turns_module, "_Ticket", Interrupted)
            with pytest.raises(KeyboardInterrupt):
                turns.take("B")
        assert turns.waiting == 0
        assert turns.try_take() == comes
        turns.give()
        assert turns.try_take()


class TestFrameSlot:
    def test_both_sides_see_the_same_pixels_as_frames_grow_and_shrink(self) -> None:
        writer = FrameSlot.create()
        reader = FrameSlot(os.dup(writer.fd))
        random = np.random.default_rng(1)
        for height, width in [(4, 6), (720, 1280), (1, 1), (1500, 900), (2000, 3001)]:
            image = random.integers(0, 256, (height, width, 3), np.uint8)
            writer.write(image)
            assert np.array_equal(reader.read((height, width))[0], image)

    def test_the_pages_of_a_huge_frame_go_back_and_the_slot_still_works(self) -> None:
        writer = FrameSlot.create()
        reader = FrameSlot(os.dup(writer.fd))
        huge = np.full((4000, 4000, 3), 7, np.uint8)
        writer.write(huge)
        assert reader.read((4000, 4000))[0].max() == 7
        assert os.fstat(writer.fd).st_blocks * 512 >= huge.nbytes
        writer.trim()
        assert os.fstat(writer.fd).st_blocks == 0
        writer.write(huge)
        assert np.array_equal(reader.read((4000, 4000))[0], huge)

    def test_without_memfd_an_unlinked_file_serves(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        writer = FrameSlot.create()
        reader = FrameSlot(os.dup(writer.fd))
        image = np.arange(30, dtype=np.uint8).reshape(2, 5, 3)
        writer.write(image)
        assert np.array_equal(reader.read((2, 5))[0], image)
        assert list(tmp_path.iterdir()) == []

    def test_closing_gives_the_descriptor_back_once(self) -> None:
        slot = FrameSlot.create()
        fd = slot.fd
        slot.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)
        other = os.open(os.devnull, os.O_RDONLY)
        slot.close()
        del slot
        gc.collect()
        os.fstat(other)
        os.close(other)


class TestPool:
    VIDEO = EstimatorOptions(video=True)

    def counted(self, result: tuple[Estimate, bool]) -> tuple[int, bool]:
        scores = result[0].poses.pose_score
        assert scores is not None
        return int(scores[0]), result[1]

    def pool(self, capacity: int = 9, idle_s: float = 99) -> EstimatorPool:
        model = fake.load(fake.spec(), Path(), 1)
        return EstimatorPool(model, capacity, idle_s)

    def test_each_session_has_its_own_state(self) -> None:
        pool, frame = self.pool(), fake.picture(3, 3)
        a, b = SessionKey("a", self.VIDEO), SessionKey("b", self.VIDEO)
        seen = [self.counted(pool.estimate(key, frame)) for key in (a, a, b, a)]
        assert seen == [(1, True), (2, False), (1, True), (3, False)]

    def test_a_forgotten_session_starts_afresh(self) -> None:
        pool, frame, key = self.pool(), fake.picture(3, 3), SessionKey("a", self.VIDEO)
        pool.estimate(key, frame)
        pool.forget("a")
        assert len(pool) == 0
        assert self.counted(pool.estimate(key, frame)) == (1, True)

    def test_the_least_recently_used_makes_room(self) -> None:
        pool, frame = self.pool(capacity=2), fake.picture(3, 3)
        a, b, c = (SessionKey(name, self.VIDEO) for name in "abc")
        for key in (a, b, a, c):
            pool.estimate(key, frame)
        assert len(pool) == 2
        assert self.counted(pool.estimate(a, frame)) == (3, False)
        assert self.counted(pool.estimate(b, frame)) == (1, True)

    def test_idle_ones_expire(self) -> None:
        pool = self.pool(idle_s=0)
        pool.estimate(SessionKey("a", self.VIDEO), fake.picture(3, 3))
        time.sleep(0.001)
        pool.expire()
        assert len(pool) == 0

    def test_an_estimator_that_raised_is_not_used_again(self) -> None:
        pool, key = self.pool(), SessionKey("a", self.VIDEO)
        pool.estimate(key, fake.picture(3, 3))
        with pytest.raises(ArithmeticError):
            pool.estimate(key, fake.picture(3, 3, fake.RAISE))
        assert self.counted(pool.estimate(key, fake.picture(3, 3))) == (1, True)


class TestBackoff:
    def test_one_lost_process_starts_again_at_once(self) -> None:
        backoff_ = Backoff()
        backoff_.failed(ModelCrashedError("Lost."), loading=False)
        backoff_.check()

    def test_a_failed_load_waits_longer_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [1000.0]
        monkeypatch.setattr(backoff.time, "monotonic", lambda: now[0])
        backoff_ = Backoff()
        for pause in (2, 4, 8, 16, 32, 60, 60):
            backoff_.failed(ModelLoadError("No.", "Mend it."), loading=True)
            now[0] += pause - 0.5
            with pytest.raises(ModelLoadError, match=r"No\. Mend it\. .*not tried again for 1 s"):
                backoff_.check()
            now[0] += 0.6
            backoff_.check()
        backoff_.clear()
        backoff_.failed(ModelCrashedError("Lost."), loading=False)
        backoff_.check()

    def test_it_keeps_nothing_of_the_frame_that_failed(self) -> None:
        backoff_ = Backoff()
        frame = fake.picture(3, 3)
        left = weakref.ref(frame)

        def load_for(frame: Frame) -> None:
            raise ModelLoadError(f"No, not for {frame.width} pixels.")

        try:
            load_for(frame)
        except ModelLoadError as error:
            backoff_.failed(error, loading=True)
        del frame
        assert left() is None


def test_statistics_keep_the_cold_start_apart() -> None:
    stats = CallStats()
    stats.loaded(1.0, busy=False)
    assert (stats.median_p95(), stats.start_busy) == ((None, None), False)
    for value in (500.0, *range(1, 101)):
        stats.add(value, busy=False)
    assert (stats.calls, stats.first_call_ms) == (101, 500.0)
    assert stats.median_p95() == pytest.approx((50.5, 95.05))
    stats.loaded(1.0, busy=False)
    stats.add(400.0, busy=False)
    assert stats.first_call_ms == 400.0
    assert stats.median_p95() == pytest.approx((50.5, 95.05))


def test_statistics_are_of_the_latest_500_calls() -> None:
    stats = CallStats()
    for value in range(1001):
        stats.add(float(value), busy=False)
    assert (stats.calls, stats.first_call_ms) == (1001, 0.0)
    assert stats.median_p95() == pytest.approx((750.5, 975.05))  # of 501 to 1000


def test_a_disturbed_call_says_nothing_about_the_models_own_latency() -> None:
    stats = CallStats()
    assert not stats.start_busy
    for value, busy in [(90.0, False), (50.0, True), (7.0, False), (60.0, True), (9.0, False)]:
        stats.add(value, busy)
    assert (stats.calls, stats.median_p95()[0]) == (5, 8.0)
    assert not stats.start_busy  # only loading and the first call count


@pytest.mark.parametrize("loading", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_a_start_is_disturbed_in_loading_or_in_the_first_call(loading: bool, first: bool) -> None:
    stats = CallStats()
    stats.loaded(1.0, loading)
    stats.add(80.0, first)
    assert stats.start_busy == (loading or first)
    stats.loaded(1.0, busy=False)
    assert not stats.start_busy


def test_memory_of_a_process_counts_what_it_holds() -> None:
    before = machine.process_memory(os.getpid())
    ballast = np.ones(100_000_000, np.uint8)
    after = machine.process_memory(os.getpid())
    assert before is not None
    assert after is not None
    assert 80 < after.share_mb - before.share_mb < 120
    assert after.share_mb <= after.rss_mb
    assert len(ballast)
    assert machine.process_memory(2**22 + 1) is None


def test_memory_is_told_by_shares_where_those_are_known() -> None:
    assert machine.ProcessMemory(900.0, 300.0).share_mb == 300.0
    assert machine.ProcessMemory(900.0, None).share_mb == 900.0


def test_quiet_has_to_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quiet, then somebody comes before it has lasted, then quiet for as long."""
    activity, asked = Activity(), []
    came = iter([True, True, True, False])

    def wait_for(predicate: object, timeout_s: float) -> bool:
        asked.append(timeout_s)
        return next(came)

    monkeypatch.setattr(activity._changed, "wait_for", wait_for)
    assert activity.wait_quiet(60.0, lasting_s=0.5)
    assert asked[1::2] == [0.5, 0.5]
    assert all(0 < left_s <= 60 for left_s in asked[::2])


def test_cores_are_those_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    for quota, cores in [(None, 6), (2.0, 2), (1.5, 2), (0.2, 1), (64.0, 6)]:
        monkeypatch.setattr(machine, "_quota_cores", lambda quota=quota: quota)
        assert machine.available_cores() == cores


def test_how_a_process_ended_in_words() -> None:
    assert exit_in_words(-9) == "killed by signal 9 (SIGKILL), perhaps for want of memory"
    assert exit_in_words(-11) == "killed by signal 11 (SIGSEGV)"
    assert exit_in_words(3) == "ended with exit code 3"


def test_frames_keep_index_and_time() -> None:
    pool = EstimatorPool(fake.load(fake.spec(), Path(), 1), 4, 9)
    frame = Frame(fake.picture(1, 2).image, 7, 0.25)
    estimate, _ = pool.estimate(SessionKey("", EstimatorOptions()), frame)
    assert (estimate.frame_index, estimate.time_s) == (7, 0.25)
