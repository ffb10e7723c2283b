"""What a benchmark is asked to measure, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from estimators.analysis.accuracy.bootstrap import FEWEST_PICTURES
from estimators.errors import InputError
from estimators.runtime.machine import available_cores

ALL = "all"
THREADS = ("1", "2", ALL)
# An interval draws rounds again and again, and needs as many of them as one over pictures does.
ROUNDS = 10
assert ROUNDS >= FEWEST_PICTURES
_LEAST_S, _MOST_S, _MOST_CALLS = 1.0, 600.0, 100_000


@dataclass(frozen=True)
class BenchmarkSettings:
    """What to measure.

    Attributes:
        models: variants by key; those that fit into memory together take turns.
        threads: CPU threads of each model, one pass over the models each.
        seconds: about how long each model is measured in each pass; a warm-up takes at most as
            long again.
        calls: most calls of each model that are measured in each pass.
        device: where those models compute that can use a GPU, a wish of `devices`; "" for what the
            settings say.

    Raises:
        InputError: nothing to measure, or a value that is not possible.
    """

    models: tuple[str, ...]
    threads: tuple[int, ...]
    seconds: float = 10.0
    calls: int = 200
    device: str = ""

    def __post_init__(self) -> None:
        if not self.models or len(set(self.models)) < len(self.models):
            raise InputError("No model is chosen, or one twice.", "Choose each once.")
        if not self.threads or min(self.threads) < 1:
            raise InputError("No number of threads is chosen.", "Choose 1 or more.")
        if not _LEAST_S <= self.seconds <= _MOST_S:
            raise InputError(
                f"{self.seconds:g} s for each model are not possible.",
                f"Give {_LEAST_S:g} to {_MOST_S:g}.",
            )
        if not ROUNDS <= self.calls <= _MOST_CALLS:
            raise InputError(
                f"{self.calls} calls of each model are not possible.",
                f"Give {ROUNDS} to {_MOST_CALLS}.",
            )


def threads_of(texts: Sequence[str]) -> tuple[int, ...]:
    """The numbers that `1`, `2`, `all` … mean here, each once; no more than there are cores.

    Raises:
        InputError: one of them is neither `all` nor a whole number of at least 1.
    """
    cores, found = available_cores(), []
    for text in (text.strip() for text in texts):
        if text != ALL and (not text.isdecimal() or len(text) > 6 or int(text) < 1):
            raise InputError(
                f"{text[:20]!r} is no number of threads.", f"Give 1, 2 or another, or {ALL}."
            )
        found.append(cores if text == ALL else min(cores, int(text)))
    return tuple(dict.fromkeys(found))
