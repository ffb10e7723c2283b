"""Blind votes between two models' answers, and what a handful of them says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from estimators.registry import get

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
    both = [vote for vote in votes if vote.models in ((model, other), (other, model))]
    won = [vote for vote in both if vote.winner is not None]
    wins = sum(vote.winner == model for vote in won)
    low, high = wilson(wins, len(won))
    return Preference(model, other, wins, len(won), len(both) - len(won), low, high)


def put_behind(votes: Sequence[Vote], models: Sequence[str]) -> frozenset[str]:
    """The models over which another of `models` is surely preferred, two by two."""
    return frozenset(b for a, b in permutations(models, 2) if preference(votes, a, b).sure)


def in_words(votes: Sequence[Vote], models: Sequence[str]) -> tuple[str, ...]:
    """What the votes between each two of the models say, in sentences; none without votes."""
    lines = []
    for a, b in combinations(models, 2):
        said = preference(votes, a, b)
        if said.votes + said.neither == 0:
            continue
        if said.wins * 2 < said.votes:
            said = preference(votes, b, a)
        sure = "preferred" if said.sure else "too few votes to tell"
        neither = f", neither {said.neither}×" if said.neither else ""
        lines.append(
            f"{get(said.model).title} over {get(said.other).title}: {said.wins} of {said.votes} "
            f"votes ({said.low:.0%} to {said.high:.0%}){neither}: {sure}."
        )
    return tuple(lines)


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
