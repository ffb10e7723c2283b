"""Jobs that several viewers share: who joins which, and when one ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from estimators.workflows.background import BackgroundJob
from estimators.workflows.watched import WatchedJobs, Watchers


class Gated(BackgroundJob):
    """Is done when its gate opens; looks again and again whether it is still wanted."""

    def __init__(self, wanted: Callable[[], bool], known: int) -> None:
        super().__init__("gated", wanted)
        self.gate, self.told, self.known, self.done = threading.Event(), threading.Event(), known, 0

    def run(self) -> None:
        with self._running():
            while not self.gate.is_set():
                if self._stopped():
                    self.told.set()
                    self.gate.wait(60)  # the picture that it is at takes its time
                    self.done = 1
                    return
                self.gate.wait(0.001)
            self.done = 2

    def _left(self) -> bool:
        return self.done < 2


class Jobs(WatchedJobs[str, Gated]):
    """Each new job knows what the ones before have done."""

    def __init__(self, here: set[str] | None = None, patience_s: float = 60) -> None:
        super().__init__((lambda _: True) if here is None else here.__contains__, patience_s)
        self.ended: list[Gated] = []
        self.made: list[Gated] = []

    def watch(self, key: str, viewer: str) -> Gated:
        return self._watch(key, viewer, self._make)

    def _make(self, wanted: Callable[[], bool]) -> Gated:
        self.made.append(Gated(wanted, sum(job.done for job in self.ended)))
        return self.made[-1]

    def running_on(self, key: str) -> list[Gated]:
        return [job for _, job in self._running(lambda its: its == key)]

    def _ended(self, key: str, job: Gated) -> None:
        self.ended.append(job)

    def _forget(self) -> None:
        self.ended.clear()


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    shared = Jobs()
    yield shared
    for job in shared.made:
        job.gate.set()


def test_who_asks_for_the_same_shares_the_job_and_what_ended_is_put_away_once(jobs: Jobs) -> None:
    job = jobs.watch("a", "ann")
    assert jobs.watch("a", "ben") is job
    assert jobs.watch("b", "ben") is not job
    assert jobs.running == 2
    assert jobs.running_on("a") == [job]
    job.gate.set()
    job.join(60)
    assert jobs.running_on("a") == []
    assert (jobs.running, jobs.ended) == (1, [job])
    assert jobs.watch("a", "ann") is not job
    jobs.forget()
    assert jobs.ended == []


def test_a_job_that_was_told_to_stop_is_nobodys_any_more(jobs: Jobs) -> None:
    job = jobs.watch("a", "ann")
    assert not jobs.leave(job, "ann")
    assert job.told.wait(60)
    assert not job.finished
    assert job.stopping
    assert jobs.running_on("a") == []
    assert jobs.running == 1, "it still is at work"
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(jobs.watch, "a", "ben")
        job.gate.set()
        again = asked.result(60)
    assert again is not job
    assert (job.state, again.known) == ("cancelled", 1), "what it did is not lost"


def test_one_who_leaves_takes_it_from_nobody(jobs: Jobs) -> None:
    job = jobs.watch("a", "ann")
    jobs.watch("a", "ben")
    assert jobs.leave(job, "ann")
    assert not job.stopping
    assert not jobs.leave(job, "ben")
    assert job.stopping


def test_who_loaded_the_page_anew_can_cancel() -> None:
    here = {"before"}
    jobs = Jobs(here)
    job = jobs.watch("a", "before")
    here.clear()
    here.add("after")
    assert jobs.watch("a", "after") is job, "within the patience"
    assert not jobs.leave(job, "after")
    assert job.stopping
    job.gate.set()


def test_a_job_that_nobody_wanted_any_more_is_not_joined() -> None:
    here = {"ann"}
    jobs = Jobs(here, patience_s=0.001)
    job = jobs.watch("a", "ann")
    here.clear()
    assert job.told.wait(60)
    here.add("ben")
    job.gate.set()
    again = jobs.watch("a", "ben")
    assert again is not job
    assert not again.stopping
    again.gate.set()


def test_a_page_that_is_loaded_anew_is_back_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, here = [100.0], {"old"}
    monkeypatch.setattr("estimators.workflows.watched.time.monotonic", lambda: now[0])
    watchers = Watchers("old", here.__contains__, patience_s=10)
    here.clear()
    now[0] += 9.9
    assert watchers.any()
    assert watchers.add("new")
    here.add("new")
    now[0] += 100
    assert watchers.any()
    here.clear()
    now[0] += 10
    assert not watchers.any()
    here.add("late")
    assert not watchers.add("late"), "the job was told already"
    assert not watchers.any()


def test_a_job_that_cannot_be_started_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs()

    def fails(job: Gated) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(Gated, "start", fails)
        with pytest.raises(RuntimeError):
            jobs.watch("a", "ann")
    assert jobs.running == 0
    job = jobs.watch("a", "ben")
    assert (jobs.running, job is jobs.made[-1]) == (1, True)
    job.gate.set()
    job.join(30)
