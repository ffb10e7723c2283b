"""Work in the background: its state, how it ends, and a way to stop it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from estimators.errors import PoseError

RunState = Literal["waiting", "running", "done", "cancelled", "failed"]


class BackgroundJob(ABC):
    """What clips, evaluations and files that are made have in common.

    Args:
        name: of its thread.
        wanted: asked between steps; when it says no, the job stops as if cancelled (a viewer who
            closed the page cannot press Cancel any more).

    Attributes:
        state: where it is; set last, so that whoever sees it stopped finds all else in place.
        error: why it failed; a sentence.
    """

    def __init__(self, name: str, wanted: Callable[[], bool]) -> None:
        self.state: RunState = "waiting"
        self.error = ""
        self._name, self._wanted = name, wanted
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def finished(self) -> bool:
        """Nothing more will come."""
        return self.state in ("done", "cancelled", "failed")

    def cancel(self) -> None:
        """Stops before the next step; what is done stays."""
        self._cancel.set()

    def start(self) -> None:
        """Runs in the background; failures end up in `state` and `error`."""
        self._thread = threading.Thread(target=self._in_thread, name=self._name, daemon=True)
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> None:
        """Waits for the background work to stop."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    @abstractmethod
    def run(self) -> None:
        """Does the work, `_running`; what is done stays when it raises."""

    @abstractmethod
    def _left(self) -> bool:
        """Whether anything is left to do."""

    def _ended(self, state: RunState) -> None:  # noqa: B027 - not all have something to do here
        """Puts what was done in order; `state` is set after it."""

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Around the work: tells afterwards how it ended."""
        self.state = "running"
        state: RunState = "failed"
        try:
            yield
            state = "cancelled" if self._stopped() and self._left() else "done"
        except (GeneratorExit, KeyboardInterrupt):
            state = "cancelled"
            raise
        except Exception as error:
            known = isinstance(error, PoseError)
            self.error = str(error) if known else f"{type(error).__name__}: {error}"
            raise
        finally:
            self._ended(state)
            self.state = state

    def _stopped(self) -> bool:
        return self._cancel.is_set() or not self._wanted()

    def _in_thread(self) -> None:
        with suppress(Exception):  # `state` and `error` say so
            self.run()
