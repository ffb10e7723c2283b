"""The evaluations of one server: who loads the page anew, or opens the same set, finds them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from estimators.annotated import AnnotatedSet
from estimators.runtime.api import Runner
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.own_folder import own_folder
from estimators.workflows.watched import PATIENCE_S, WatchedJobs

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


Key = tuple[str, EvaluateSettings]


class EvaluateJobs(WatchedJobs[Key, EvaluateJob]):
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
        super().__init__(present, patience_s)
        self._runner = runner
        self._ended_last: list[tuple[Key, EvaluateJob]] = []

    def watch(
        self, key: SetKey, annotated: AnnotatedSet, settings: EvaluateSettings, viewer: str
    ) -> EvaluateJob:
        """The running job of whoever began it, or a new one for what is not known yet.

        Raises:
            InputError: as `EvaluateJob`.
            OSError: there is no folder for its answers.
        """

        def make(wanted: Callable[[], bool]) -> EvaluateJob:
            folder = self._folder(key.content)
            return EvaluateJob(self._runner, annotated, settings, folder, wanted)

        return self._watch((key.files, settings), viewer, make)

    def find(self, key: SetKey, settings: EvaluateSettings) -> EvaluateJob | None:
        """The newest job of exactly these settings, running or stopped with something to show."""
        running = [job for job in self.running_on(key) if job.settings == settings]
        with self._settled():
            asked = (key.files, settings)
            ended = [job for its, job in self._ended_last if its == asked]
        found = [job for job in ended if job.outcome is not None] + running
        return found[-1] if found else None

    def running_on(self, key: SetKey) -> list[EvaluateJob]:
        """The jobs on this set that run now, whoever started them."""
        return [job for _, job in self._running(lambda its: its[0] == key.files)]

    def _ended(self, key: Key, job: EvaluateJob) -> None:
        self._ended_last = [*self._ended_last, (key, job)][-MOST_KEPT:]
        self._remove_folders(MOST_FOLDERS)

    def _forget(self) -> None:
        self._ended_last = []
        self._remove_folders(most=0)

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

    def _used(self) -> set[Path | None]:
        return {each.job.folder for each in self._jobs}

    @staticmethod
    def _root() -> Path:
        return own_folder() / "evaluations"
