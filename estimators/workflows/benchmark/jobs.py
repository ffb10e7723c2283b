"""The benchmarks of one server: they take turns, and who loads the page anew finds theirs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from estimators.workflows.benchmark.asks import BenchmarkSettings
from estimators.workflows.benchmark.job import BenchmarkJob, Surroundings
from estimators.workflows.benchmark.media import load_media
from estimators.workflows.own_folder import linked
from estimators.workflows.watched import PATIENCE_S, WatchedJobs

# Finished ones: some numbers each.
MOST_KEPT = 16


@dataclass(frozen=True)
class MediaFile:
    """A picture or clip to measure on.

    Attributes:
        name: what the person calls it.
        digest: SHA-256 of its content.
    """

    path: Path
    name: str
    digest: str

    @property
    def key(self) -> str:
        """Equal for the same content under the same name, wherever it lies."""
        return f"{self.digest}|{self.name}"


Key = tuple[str, BenchmarkSettings]


class BenchmarkJobs(WatchedJobs[Key, BenchmarkJob]):
    """Starts, shares and keeps benchmarks.  Every method may be called from any thread.

    Args:
        around: what is around all of them; who wants one, and whose turn it is, is seen to here.
        present: whether a viewer still has the page open.
        patience_s: for how long a job goes on that nobody watches.
    """

    def __init__(
        self,
        around: Surroundings,
        present: Callable[[str], bool] = lambda viewer: True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        super().__init__(present, patience_s)
        self._around = replace(around, turn=threading.Lock())
        self._finished: list[tuple[Key, BenchmarkJob]] = []
        self._links: dict[BenchmarkJob, Path] = {}

    def watch(self, media: MediaFile, settings: BenchmarkSettings, viewer: str) -> BenchmarkJob:
        """The running job of whoever began it, or a new one: to measure again is to measure.

        Raises:
            InputError: as `BenchmarkJob`.
        """

        def make(wanted: Callable[[], bool]) -> BenchmarkJob:
            around = replace(self._around, wanted=wanted)
            # It may wait for its turn, and whoever brought the file may leave meanwhile.
            link = linked(media.path)
            path = link or media.path
            job = BenchmarkJob(lambda: load_media(path, media.name), settings, around)
            if link is not None:
                self._links[job] = link
            return job

        return self._watch((media.key, settings), viewer, make)

    def find(self, media: MediaFile, settings: BenchmarkSettings) -> BenchmarkJob | None:
        """The newest job of exactly this, running or ended with something measured."""
        asked = (media.key, settings)
        running = [job for _, job in self._running(lambda key: key == asked)]
        with self._settled():
            ended = [job for key, job in self._finished if key == asked]
        found = [job for job in ended if job.benchmark.measured] + running
        return found[-1] if found else None

    def running_on(self, media: MediaFile) -> list[BenchmarkJob]:
        """The jobs on this file that run now or wait for their turn, whoever started them."""
        return [job for _, job in self._running(lambda key: key[0] == media.key)]

    def _ended(self, key: Key, job: BenchmarkJob) -> None:
        if (link := self._links.pop(job, None)) is not None:
            link.unlink(missing_ok=True)
        self._finished = [*self._finished, (key, job)][-MOST_KEPT:]

    def _forget(self) -> None:
        self._finished = []
