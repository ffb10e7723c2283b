"""The clip jobs of one server: shared by its viewers, computed once, kept for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from estimators.analysis.clip import ClipEstimates
from estimators.kept import Kept, bytes_of
from estimators.media.clip_info import ClipInfo
from estimators.runtime.api import Runner
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.run import ClipSettings
from estimators.workflows.watched import PATIENCE_S, WatchedJobs

MOST_KEPT = 24
MOST_KEPT_BYTES = 64_000_000

Key = tuple[str, str, ClipSettings]


class ClipJobs(WatchedJobs[Key, ClipJob]):
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
        super().__init__(present, patience_s)
        self._runner = runner
        self._done: Kept[Key, ClipJob] = Kept(most_bytes, kept_bytes, most_kept)
        self._stopped: Kept[Key, ClipJob] = Kept(most_bytes // 2, kept_bytes, most_kept)

    def find(self, digest: str, clip: ClipInfo, settings: ClipSettings) -> ClipJob | None:
        """The finished job, also where its models were run in several; None where some were not."""
        key = (digest, clip.name, settings)
        with self._settled():
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
        """The running job of somebody else, or a new one for what has not been done yet.

        A job that was stopped goes on from where it was.

        Args:
            viewer: who watches; the job goes on while one of those who do is present.
            afresh: models that failed on any frame, or lost their track, are run again.

        Raises:
            InputError: no models, or no frame between the limits.
        """
        key = (digest, clip.name, settings)

        def make(wanted: Callable[[], bool]) -> ClipJob:
            known = self._begun(key)
            if afresh:
                known = {m: e for m, e in known.items() if not e.errors and not e.restarts}
            return ClipJob(self._runner, clip, settings, wanted, known)

        return self._watch(key, viewer, make)

    def running_on(self, digest: str, clip: ClipInfo) -> dict[ClipSettings, ClipJob]:
        """The jobs on this clip that run now, whoever started them."""
        same = (digest, clip.name)
        return {key[2]: job for key, job in self._running(lambda key: key[:2] == same)}

    def so_far(self, digest: str, clip: ClipInfo, settings: ClipSettings) -> ClipJob | None:
        """What is known of what was asked for, as a job that was stopped; None without anything.

        It holds the models that answered any frame.
        """
        key = (digest, clip.name, settings)
        with self._settled():
            known = self._begun(key)
            if not known:
                return None
            models = tuple(model for model in settings.models if model in known)
            before = self._stopped.get(key)
            if before is not None and before.estimates == known:
                return before
            job = ClipJob(self._runner, clip, replace(settings, models=models), known=known)
            job.state = "cancelled"
            self._stopped.put(key, job)
            return job

    def _begun(self, key: Key) -> dict[str, ClipEstimates]:
        """What the wanted models said about the same frames, also where they were stopped."""
        known = self._known(key)
        for model, e in self._answers(key, self._stopped).items():
            if model not in known and len(e):
                known[model] = e
        return {model: known[model] for model in key[2].models if model in known}

    def _known(self, key: Key) -> dict[str, ClipEstimates]:
        """What the wanted models said about the same frames in finished jobs."""
        return self._answers(key, self._done)

    @staticmethod
    def _answers(key: Key, jobs: Kept[Key, ClipJob]) -> dict[str, ClipEstimates]:
        """What the wanted models said about the same frames in these jobs; most, and the newest."""
        digest, name, settings = key
        wanted = replace(settings, models=())
        found: dict[str, ClipEstimates] = {}
        for (other, its_name, its), job in jobs.newest_first():
            if (other, its_name, replace(its, models=())) == (digest, name, wanted):
                for model in job.estimates:
                    e, before = job.estimates[model], found.get(model)
                    same = its.options(model) == settings.options(model)
                    if same and (before is None or len(e) > len(before)):
                        found[model] = e
        return {model: found[model] for model in settings.models if model in found}

    def _ended(self, key: Key, job: ClipJob) -> None:
        """Keeps what is done or was stopped, forgets what failed."""
        if job.state == "done":
            self._done.put(key, job)
        elif job.state == "cancelled":
            self._stopped.put(key, job)

    def _forget(self) -> None:
        self._done.forget()
        self._stopped.forget()


def kept_bytes(jobs: Iterable[ClipJob]) -> int:
    """Bytes of the jobs' numbers; jobs may share some."""
    return bytes_of(*[(job.estimates, job.clip.listing) for job in jobs])


def _finished(job: ClipJob) -> ClipJob:
    """The job after it has run; for one that only puts known answers together."""
    for _ in job.outcomes():
        raise RuntimeError("a job that knows all answers ran a model")
    return job
