"""Work in the background: its state, how it ends, and a way to stop it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from itertools import count
from typing import Literal, Self

from estimators.errors import PoseError
from estimators.workflows.room import Need, Place, room

_NUMBERS = count(1)
RunState = Literal["waiting", "running", "done", "cancelled", "failed"]


class LeftError(Exception):
    """Nobody wants the work any more, before there was room for it."""


class BackgroundJob(ABC):
    """What clips, evaluations and files that are made have in common.

    Args:
        name: of its thread.
        wanted: asked between steps; when it says no, the job stops as if cancelled (a viewer who
            closed the page cannot press Cancel any more).
        needs_mb: of decoded pictures, of what all work of this server may have together.

    Attributes:
        state: where it is; set last, so that whoever sees it stopped finds all else in place.
        error: why it failed; a sentence.
        number: its own, of all jobs of this server.
    """

    def __init__(self, name: str, wanted: Callable[[], bool], needs_mb: float = 0.0) -> None:
        self.state: RunState = "waiting"
        self.error = ""
        self.number = next(_NUMBERS)
        self._name, self._wanted = name, wanted
        self._need = Need(needs_mb, self._left_s)
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def finished(self) -> bool:
        """Nothing more will come."""
        return self.state in ("done", "cancelled", "failed")

    @property
    def stopping(self) -> bool:
        """It was told to stop, or nobody wanted it any more: it ends soon, or has ended."""
        return self._cancel.is_set()

    @property
    def place(self) -> Place | None:
        """Where it waits for room on this server; None where it does not."""
        here = room()
        return None if here is None else here.place(self._need)

    def so_far(self) -> Self:
        """For somebody who will not wait for the rest while others do: itself, or what is done."""
        return self

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

    def _left_s(self) -> float | None:
        """How many seconds it still takes, for those who wait for it; None while unknown."""
        return None

    @contextmanager
    def _running(self, at_once: bool = False) -> Iterator[None]:
        """Around the work, which waits for room: tells afterwards how it ended.

        Args:
            at_once: the work itself waits, with `_in_room`.
        """
        state: RunState = "failed"
        try:
            with nullcontext() if at_once else self._in_room():
                self.state = "running"
                yield
            state = "cancelled" if self._stopped() and self._left() else "done"
        except (GeneratorExit, KeyboardInterrupt, LeftError):
            state = "cancelled"
            raise
        except Exception as error:
            known = isinstance(error, PoseError)
            self.error = str(error) if known else f"{type(error).__name__}: {error}"
            raise
        finally:
            self._ended(state)
            self.state = state

    @contextmanager
    def _in_room(self) -> Iterator[None]:
        """Waits while other work of this server leaves no room.

        Raises:
            LeftError: it was stopped before there was.
        """
        here = room()
        if here is None:
            yield
            return
        self.state = "waiting"
        if not here.enter(self._need, self._stopped):
            raise LeftError
        try:
            yield
        finally:
            here.leave(self._need)

    def _stopped(self) -> bool:
        if not self._cancel.is_set() and not self._wanted():
            self._cancel.set()  # for good: whoever comes now starts another one
        return self._cancel.is_set()

    def _in_thread(self) -> None:
        with suppress(Exception):  # `state` and `error` say so
            self.run()
