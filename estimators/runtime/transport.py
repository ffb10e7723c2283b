"""Where a model runs and is reached: all that differs between the ways of hosting one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from estimators.devices import Placement
from estimators.errors import PoseError
from estimators.runtime.activity import Activity
from estimators.runtime.budget import MemoryBudget
from estimators.runtime.machine import ProcessMemory
from estimators.runtime.messages import Answer, Load
from estimators.runtime.sessions import SessionKey
from estimators.types import Frame


@dataclass(frozen=True)
class Limits:
    """Seconds a model may take to load and to answer, and what it may remember.

    Attributes:
        sessions: most sequences one model remembers; the least recently used one is forgotten.
        idle_s: a sequence unused for so long is forgotten (its next frame says `restarted`).
    """

    load_s: float = 180.0
    call_s: float = 60.0
    sessions: int = 32
    idle_s: float = 300.0


class Transport(Protocol):
    """One started place for one model.  One request at a time; `end` from any thread."""

    @property
    def pid(self) -> int | None:
        """The process whose priority counts; None where it has none of its own."""

    def load(self, load: Load, timeout_s: float) -> Placement:
        """Loads the model; where it computes.

        Raises:
            ModelError, WeightsError: what went wrong; the subclass says more.
        """

    def hand_over(self, key: SessionKey, frames: Sequence[Frame]) -> None:
        """Asks about frames, in one forward where the model can; `answers` has to come next.

        Raises:
            ModelCrashedError: the place is lost.
            ModelError: they could not be handed over.
        """

    def answers(self, timeout_s: float) -> list[Answer | PoseError]:
        """Of each frame handed over the answer, in pixels of its image, or what was raised.

        Raises:
            ModelCrashedError, ModelTimeoutError: the place is lost.
        """

    def forget(self, session: str) -> None:
        """Closes what the model remembers of `session`; does not wait."""

    def alive(self) -> bool: ...

    def memory(self) -> ProcessMemory | None:
        """What it takes of this machine now; None when it has ended or that is not known."""

    def end(self) -> None:
        """Ends it; safe to call twice and while another thread waits for an answer."""


# Starts a place for the model with this title and so many threads; raises ModelLoadError.
Start = Callable[[str, int], Transport]


@dataclass(frozen=True)
class Hosting:
    """What the models of one runner have in common; `start` gives each a place to run."""

    threads: int
    limits: Limits
    budget: MemoryBudget
    activity: Activity
    start: Start
