"""The evaluations of one server: who loads the page anew, or opens the same set, finds them."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from estimators.annotated import AnnotatedSet
from estimators.runtime.api import Runner
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.own_folder import own_folder
from estimators.workflows.watched import PATIENCE_S, Watchers

# Finished ones, with all answers; and sets whose answers stay on the disk.
MOST_KEPT, MOST_FOLDERS = 4, 16


@dataclass(frozen=True, eq=False)
class SetKey:
    """What tells annotated sets apart.

    Attributes:
        files: of the set as it lies on this machine: who has the same may watch the same job.
        content: equal for equal pictures and annotations, wherever they lie: what models said about
            them is known.
    """

    files: str
    content: str


@dataclass(frozen=True, eq=False)
class _Entry:
    files: str
    job: EvaluateJob
    watchers: Watchers
    folder: Path


class EvaluateJobs:
    """Starts, shares and keeps evaluations.  Every method may be called from any thread.

    Args:
        runner: hosts the models.
        present: whether a viewer still has the page open.
        patience_s: for how long a job goes on that nobody watches.
    """

    def __init__(
        self,
        runner: Runner,
        present: Callable[[str], bool] = lambda viewer: True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._runner, self._present, self._patience_s = runner, present, patience_s
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []

    def watch(
        self, key: SetKey, annotated: AnnotatedSet, settings: EvaluateSettings, viewer: str
    ) -> EvaluateJob:
        """The running job of whoever began it, or a new one for what is not known yet.

        Raises:
            InputError: as `EvaluateJob`.
            OSError: there is no folder for its answers.
        """
        with self._lock:
            for entry in self._of(key.files):
                if entry.job.settings == settings and not entry.job.finished:
                    entry.watchers.add(viewer)
                    return entry.job
            watchers = Watchers(self._present, self._patience_s)
            watchers.add(viewer)
            folder = self._folder(key.content)
            job = EvaluateJob(self._runner, annotated, settings, folder, watchers.any)
            self._entries.append(_Entry(key.files, job, watchers, folder))
            self._tidy()
            job.start()
            return job

    def find(self, key: SetKey, settings: EvaluateSettings) -> EvaluateJob | None:
        """The newest job of exactly these settings, running or stopped with something to show."""
        with self._lock:
            found = [entry.job for entry in self._of(key.files) if entry.job.settings == settings]
        useful = [job for job in found if not job.finished or job.outcome is not None]
        return useful[-1] if useful else None

    def running_on(self, key: SetKey) -> list[EvaluateJob]:
        """The jobs on this set that run now, whoever started them."""
        with self._lock:
            return [entry.job for entry in self._of(key.files) if not entry.job.finished]

    def leave(self, job: EvaluateJob, viewer: str) -> bool:
        """Somebody waits no longer: the job ends if nobody else does; whether it goes on."""
        with self._lock:
            others = any(e.watchers.leave(viewer) for e in self._entries if e.job is job)
        if not others:
            job.cancel()
        return others

    @property
    def running(self) -> int:
        """How many run now."""
        with self._lock:
            return sum(not entry.job.finished for entry in self._entries)

    def forget(self) -> None:
        """Lets go of all that is finished: nobody is there who could ask for it."""
        with self._lock:
            self._entries = [entry for entry in self._entries if not entry.job.finished]
            self._remove_folders(most=0)

    def _of(self, files: str) -> Iterator[_Entry]:
        return (entry for entry in self._entries if entry.files == files)

    def _tidy(self) -> None:
        finished = [entry for entry in self._entries if entry.job.finished]
        for entry in finished[:-MOST_KEPT]:
            self._entries.remove(entry)
        self._remove_folders(MOST_FOLDERS)

    def _folder(self, content: str) -> Path:
        """Where answers about a set are kept: one that no running job writes to."""
        name = hashlib.sha256(content.encode()).hexdigest()[:16]
        root, number = self._root(), 0
        while (folder := root / f"{name}-{number}") in self._used():
            number += 1
        folder.mkdir(parents=True, exist_ok=True)
        folder.touch()  # the newest
        return folder

    def _remove_folders(self, most: int) -> None:
        folders = sorted(self._root().glob("*"), key=lambda path: path.stat().st_mtime)
        for folder in folders[: max(0, len(folders) - most)]:
            if folder not in self._used():
                shutil.rmtree(folder, ignore_errors=True)

    def _used(self) -> set[Path]:
        return {entry.folder for entry in self._entries if not entry.job.finished}

    @staticmethod
    def _root() -> Path:
        return own_folder() / "evaluations"
