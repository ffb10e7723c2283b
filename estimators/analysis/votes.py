"""Blind votes between two models' answers, and what a handful of them says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# The 97.5 % quantile of the normal distribution: two-sided 95 % intervals.
_Z = 1.959964


@dataclass(frozen=True)
class Vote:
    """One comparison of two models that were shown without names.

    Attributes:
        models: the two that were shown.
        winner: the one that was found better, None for neither.
        place: what was judged, e.g. the picture's hash and the person's number.
    """

    models: tuple[str, str]
    winner: str | None
    place: str

    def __post_init__(self) -> None:
        if self.winner is not None and self.winner not in self.models:
            raise ValueError(f"{self.winner!r} was not among {self.models}")


@dataclass(frozen=True)
class Preference:
    """How often `model` won against `other`, of the votes that had a winner.

    Attributes:
        wins, votes: won, and all with a winner.
        neither: votes without one.
        low, high: 95 % interval of the share won (Wilson 1927).
    """

    model: str
    other: str
    wins: int
    votes: int
    neither: int
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """The interval lies above one half."""
        return self.low > 0.5


def preference(votes: Sequence[Vote], model: str, other: str) -> Preference:
    """What the votes between two models say, seen from `model`."""
    both = [vote for vote in votes if set(vote.models) == {model, other}]
    won = [vote for vote in both if vote.winner is not None]
    wins = sum(vote.winner == model for vote in won)
    low, high = wilson(wins, len(won))
    return Preference(model, other, wins, len(won), len(both) - len(won), low, high)


def wilson(wins: int, votes: int) -> tuple[float, float]:
    """95 % score interval of a share: (low, high), (0, 1) without votes.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    Journal of the American Statistical Association 22 (1927).
    """
    if votes == 0:
        return 0.0, 1.0
    share, z2 = wins / votes, _Z**2
    middle = (share + z2 / (2 * votes)) / (1 + z2 / votes)
    half = _Z / (1 + z2 / votes) * math.sqrt(share * (1 - share) / votes + z2 / (4 * votes**2))
    return max(0.0, middle - half), min(1.0, middle + half)
