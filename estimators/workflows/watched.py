"""Jobs that several viewers may share: each goes on while any of those who watch it is there."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from estimators.workflows.background import BackgroundJob

# A connection may break off and come back, and a page may be reloaded.
PATIENCE_S = 10.0
# A job that was told to stop ends after the picture or frame that it is at.
_LONGEST_END_S = 10.0

Key = TypeVar("Key")
Job = TypeVar("Job", bound=BackgroundJob)


class Watchers:
    """The viewers of one job.  Any thread may call.

    Once nobody watches, that is so for good: the job may have been told.

    Args:
        viewer: the first one.
        present: whether a viewer still has the page open.
        patience_s: for how long somebody counts who has gone.
    """

    def __init__(
        self, viewer: str, present: Callable[[str], bool], patience_s: float = PATIENCE_S
    ) -> None:
        self._present, self._patience_s = present, patience_s
        self._seen = {viewer: time.monotonic()}
        self._lock = threading.Lock()

    def add(self, viewer: str) -> bool:
        """Somebody watches from now on; False where it is too late."""
        with self._lock:
            if not self._seen:
                return False
            self._seen[viewer] = time.monotonic()
            return True

    def leave(self, viewer: str) -> bool:
        """Somebody watches no longer; whether anybody else does who is there now.

        Who loads the page anew is another viewer: their former self must not keep from them what
        they cancel.
        """
        with self._lock:
            self._seen.pop(viewer, None)
            if not any(self._present(other) for other in self._seen):
                self._seen.clear()
            return bool(self._seen)

    def any(self) -> bool:
        """Whether anybody watches who was there in the last `patience_s`."""
        now = time.monotonic()
        with self._lock:
            for viewer in self._seen:
                if self._present(viewer):
                    self._seen[viewer] = now
            if not any(now - last < self._patience_s for last in self._seen.values()):
                self._seen.clear()
            return bool(self._seen)


@dataclass(frozen=True, eq=False)
class _Watched(Generic[Key, Job]):
    key: Key
    job: Job
    watchers: Watchers


class WatchedJobs(ABC, Generic[Key, Job]):
    """Starts jobs and shares those that run.  Every method may be called from any thread.

    Args:
        present: whether a viewer still has the page open.
        patience_s: for how long a job goes on that nobody watches.
    """

    def __init__(
        self,
        present: Callable[[str], bool] = lambda viewer: True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._present, self._patience_s = present, patience_s
        self._lock = threading.Lock()
        self._jobs: list[_Watched[Key, Job]] = []

    @abstractmethod
    def _ended(self, key: Key, job: Job) -> None:
        """Keeps what is worth keeping of a job that has ended; the lock is held."""

    def forget(self) -> None:
        """Lets go of all that is finished: nobody is there who could ask for it."""
        with self._settled():
            self._forget()

    @abstractmethod
    def _forget(self) -> None:
        """Lets go of all that `_ended` kept; the lock is held."""

    def leave(self, job: Job, viewer: str) -> bool:
        """Somebody waits no longer: the job ends if nobody else does; whether it goes on."""
        with self._settled():
            others = any(each.watchers.leave(viewer) for each in self._jobs if each.job is job)
            if not others:
                job.cancel()  # before anybody else may look whether it goes on
        return others

    @property
    def running(self) -> int:
        """How many run now."""
        with self._settled():
            return len(self._jobs)

    def _running(self, which: Callable[[Key], bool]) -> list[tuple[Key, Job]]:
        """The jobs that go on, not those that were told to stop."""
        with self._settled():
            running = [(e.key, e.job) for e in self._jobs if not e.job.stopping]
        return [(key, job) for key, job in running if which(key)]

    def _watch(self, key: Key, viewer: str, make: Callable[[Callable[[], bool]], Job]) -> Job:
        """The running job of whoever began it, or a new one.

        One that was told to stop is waited for, so that the new one goes on from what it did.

        Args:
            make: the new job, given what tells it whether it is still wanted; the lock is held.
        """
        self._await_end(key)
        with self._settled():
            for each in self._jobs:
                if each.key == key and not each.job.stopping and each.watchers.add(viewer):
                    return each.job
            watchers = Watchers(viewer, self._present, self._patience_s)
            job = make(watchers.any)
            job.start()  # one that cannot be started is nobody's
            self._jobs.append(_Watched(key, job, watchers))
            return job

    def _await_end(self, key: Key) -> None:
        with self._settled():
            stopping = [each.job for each in self._jobs if each.key == key and each.job.stopping]
        for job in stopping:
            job.join(_LONGEST_END_S)

    @contextmanager
    def _settled(self) -> Iterator[None]:
        """Holds the lock, with everything that has ended put away."""
        with self._lock:
            for each in [each for each in self._jobs if each.job.finished]:
                self._jobs.remove(each)
                self._ended(each.key, each.job)
            yield
