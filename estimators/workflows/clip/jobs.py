"""The clip jobs of one server: shared by its viewers, computed once, kept for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from estimators.analysis.clip import ClipEstimates
from estimators.kept import Kept, bytes_of
from estimators.media.clip_info import ClipInfo
from estimators.runtime.api import Runner
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.run import ClipSettings

# A connection may break off and come back, and a page may be reloaded.
PATIENCE_S = 10.0
MOST_KEPT = 24
MOST_KEPT_BYTES = 64_000_000

Key = tuple[str, str, ClipSettings]


@dataclass
class _Watched:
    """A running job and when each of its viewers was last there."""

    job: ClipJob | None = None
    seen: dict[str, float] = field(default_factory=dict)


class ClipJobs:
    """Starts, shares and keeps clip jobs.  Every method may be called from any thread.

    A clip is known by the digest of its content and its name (which is in the results).  What one
    model said about certain frames of it is computed once, whatever it is compared with.

    Args:
        runner: hosts the models.
        present: whether a viewer still has the page open.  A job goes on while anybody who watches
            it was there in the last `patience_s`.
        most_kept, most_bytes: finished jobs, and bytes of their numbers, that are kept at most; the
            one not asked for the longest goes first.
    """

    def __init__(
        self,
        runner: Runner,
        present: Callable[[str], bool] = lambda viewer: True,
        patience_s: float = PATIENCE_S,
        most_kept: int = MOST_KEPT,
        most_bytes: int = MOST_KEPT_BYTES,
    ) -> None:
        self._runner, self._present, self._patience_s = runner, present, patience_s
        self._lock = threading.Lock()
        self._running: dict[Key, _Watched] = {}
        self._done: Kept[Key, ClipJob] = Kept(most_bytes, kept_bytes, most_kept)

    def find(self, digest: str, clip: ClipInfo, settings: ClipSettings) -> ClipJob | None:
        """The finished job, also where its models were run in several; None where some were not."""
        key = (digest, clip.name, settings)
        with self._lock:
            self._settle()
            done = self._done.get(key)
            if done is None:
                known = self._known(key)
                if set(known) != set(settings.models):
                    return None
                done = _finished(ClipJob(self._runner, clip, settings, known=known))
                self._done.put(key, done)
            return done

    def watch(
        self, digest: str, clip: ClipInfo, settings: ClipSettings, viewer: str, afresh: bool = False
    ) -> ClipJob:
        """The running job of somebody else, or a new one for the models that have not run yet.

        Args:
            viewer: who watches; the job goes on while one of those who do is present.
            afresh: models that failed on any frame, or lost their track, are run again.

        Raises:
            InputError: no models, or no frame between the limits.
        """
        key = (digest, clip.name, settings)
        with self._lock:
            self._settle()
            watched = self._running.get(key) or _Watched()
            watched.seen[viewer] = time.monotonic()
            if watched.job is None:
                known = self._known(key)
                if afresh:
                    known = {
                        model: e for model, e in known.items() if not e.errors and not e.restarts
                    }
                watched.job = ClipJob(
                    self._runner, clip, settings, lambda: self._wanted(watched), known
                )
                self._running[key] = watched
                watched.job.start()
            return watched.job

    def leave(self, job: ClipJob, viewer: str) -> ClipJob:
        """What is done, for somebody who waits no longer; the job ends if nobody else waits."""
        with self._lock:
            watched = next((w for w in self._running.values() if w.job is job), None)
            if watched is not None:
                watched.seen.pop(viewer, None)
            if watched is None or not watched.seen:
                job.cancel()
                return job
        return job.so_far()

    @property
    def running(self) -> int:
        """How many jobs run now."""
        with self._lock:
            self._settle()
            return len(self._running)

    def forget(self) -> None:
        """Lets go of all finished jobs: nobody is there who could ask for them."""
        with self._lock:
            self._settle()
            self._done.forget()

    def _wanted(self, watched: _Watched) -> bool:
        now = time.monotonic()
        with self._lock:
            for viewer in watched.seen:
                if self._present(viewer):
                    watched.seen[viewer] = now
            return any(now - last < self._patience_s for last in watched.seen.values())

    def _known(self, key: Key) -> dict[str, ClipEstimates]:
        """What the wanted models said about the same frames in finished jobs, the newest first."""
        digest, name, settings = key
        wanted = replace(settings, models=())
        found: dict[str, ClipEstimates] = {}
        for (other, its_name, its), job in self._done.newest_first():
            if (other, its_name, replace(its, models=())) == (digest, name, wanted):
                same = (m for m in its.models if its.options(m) == settings.options(m))
                found = {**{model: job.estimates[model] for model in same}, **found}
        return {model: found[model] for model in settings.models if model in found}

    def _settle(self) -> None:
        """Keeps what is done, forgets what was cancelled or failed."""
        for key, watched in list(self._running.items()):
            if watched.job is not None and watched.job.finished:
                del self._running[key]
                if watched.job.state == "done":
                    self._done.put(key, watched.job)


def kept_bytes(jobs: Iterable[ClipJob]) -> int:
    """Bytes of the jobs' numbers; jobs may share some."""
    return bytes_of(*[(job.estimates, job.clip.listing) for job in jobs])


def _finished(job: ClipJob) -> ClipJob:
    """The job after it has run; for one that only puts known answers together."""
    for _ in job.outcomes():
        raise RuntimeError("a job that knows all answers ran a model")
    return job
