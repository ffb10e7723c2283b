"""How far a benchmark is."""

from __future__ import annotations

import time
from dataclasses import dataclass

from estimators.numerals import counted
from estimators.workflows.background import RunState

# Of the work for one model, what its cold start and warm-up are told to be.
_WARM_SHARE = 0.4


@dataclass(frozen=True)
class BenchmarkProgress:
    """State, the share that is done (0 to 1), and what is being done, in words."""

    state: RunState
    share: float
    text: str


class Steps:
    """Counts what is done of `total` models, each with so many `rounds`; from any thread."""

    def __init__(self, total: int, rounds: int) -> None:
        self._total, self._rounds = total, rounds
        self._done = 0.0
        self._begun_s: float | None = None
        self.text = "Waiting for another benchmark to end"

    @property
    def share(self) -> float:
        return min(1.0, self._done / self._total)

    @property
    def left_s(self) -> float | None:
        """Seconds to the end at the rate so far; None before anything is done."""
        if self._begun_s is None or not self._done:
            return None
        return (time.monotonic() - self._begun_s) * (1 / self.share - 1)

    def warming(self, title: str, threads: int) -> None:
        self._begun_s = self._begun_s or time.monotonic()
        self.text = f"{title}, {in_words(threads)}: cold start and warm-up"

    def warmed(self) -> None:
        self._done += _WARM_SHARE

    def round(self, title: str, threads: int, number: int) -> None:
        self.text = f"{title}, {in_words(threads)}: round {number + 1} of {self._rounds}"

    def measured(self) -> None:
        self._done += (1 - _WARM_SHARE) / self._rounds

    def skipped(self, rounds: int) -> None:
        """So many rounds of a model that failed will not come."""
        self._done += (1 - _WARM_SHARE) * rounds / self._rounds


def in_words(threads: int) -> str:
    """ "1 thread", "2 threads"."""
    return counted(threads, "thread")
