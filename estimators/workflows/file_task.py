"""A file that is made in the background: how far it is, and a way to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from estimators.workflows.background import BackgroundJob

# The frames on their way into a clip, its encoder and the decoder of the clip it is made from.
_NEEDS_MB = 150.0

Progress = Callable[[int, int], None]


class _CancelledError(Exception):
    """Raised in the progress callback to end the work."""


class FileTask(BackgroundJob):
    """Makes one file; starts on construction.

    Args:
        path: where the file goes.
        make: writes it and returns what a person should know about it; it calls the progress given
            to it with the steps done and in all, and leaves nothing behind when that raises.
        wanted: asked at each step; when it says no, the work stops as if cancelled.
    """

    def __init__(
        self,
        path: Path,
        make: Callable[[Path, Progress], tuple[str, ...]],
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__("file-task", wanted, _NEEDS_MB)
        self.path = path
        self.notes: tuple[str, ...] = ()
        self.done, self.total = 0, 0
        self._make, self._made = make, False
        self.start()

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def run(self) -> None:
        """Makes the file.

        Raises:
            PoseError: it cannot be made.
        """
        with self._running(), suppress(_CancelledError):
            self.notes = self._make(self.path, self._progress)
            self._made = True

    def _left_s(self) -> float | None:
        share = self.share
        return (time.monotonic() - self._need.begun_s) * (1 / share - 1) if share else None

    def _left(self) -> bool:
        return not self._made

    def _progress(self, done: int, total: int) -> None:
        if self._stopped():
            self.cancel()  # even where somebody wants it again
            raise _CancelledError
        self.done, self.total = done, total
