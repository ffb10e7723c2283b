"""A file that is made in the background: how far it is, and a way to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from estimators.errors import PoseError

TaskState = Literal["running", "done", "cancelled", "failed"]
Progress = Callable[[int, int], None]


class _CancelledError(Exception):
    """Raised in the progress callback to end the work."""


class FileTask:
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
        self.path = path
        self.state: TaskState = "running"
        self.error = ""
        self.notes: tuple[str, ...] = ()
        self.done, self.total = 0, 0
        self._make, self._wanted = make, wanted
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._work, name="file-task", daemon=True)
        self._thread.start()

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def cancel(self) -> None:
        """Stops at the next step."""
        self._cancel.set()

    def join(self, timeout_s: float | None = None) -> None:
        """Waits for the work to end."""
        self._thread.join(timeout_s)

    def _work(self) -> None:
        state: TaskState = "failed"
        try:
            self.notes = self._make(self.path, self._progress)
            state = "done"
        except _CancelledError:
            state = "cancelled"
        except PoseError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001  # a thread's last chance to say what happened
            self.error = f"{type(error).__name__}: {error}"
        finally:
            self.state = state

    def _progress(self, done: int, total: int) -> None:
        if self._cancel.is_set() or not self._wanted():
            raise _CancelledError
        self.done, self.total = done, total
