"""What the verdict's thresholds are worth where they are chosen on other pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import _thresholds
from benchmarks._thresholds import NAMES, Regret, interval, nested
from estimators.analysis import guess

RULE = " ".join((Path(__file__).parents[2] / "docs/verdict.md").read_text("utf-8").split())
BOLD, CAREFUL = (0.5, 0.7, 0.8), (0.6, 0.8, 0.9)


def test_the_rule_as_it_is_written_has_the_thresholds_that_it_uses() -> None:
    for said in (
        f"0.05 of the best is under {guess.LEAST_CHANCE * 100:.0f} %: under "
        f"{guess.LEAST_CHANCE_OF_TWO * 100:.0f} % where three families",
        f"under {guess.LEAST_CHANCE_OF_THIN * 100:.0f} % where the evidence is thin",
        f"under {guess.LEAST_CHANCE_BETWEEN_TWO * 100:.0f} % where no more than two are compared",
        f"lies more than {guess.APART} torso lengths from the other families",
        f"the best is not expected to be better by {guess.CLEAR_LEAD}",
        f"expected to be more than {guess.CLEAR_LEAD} behind",
        f"its expected quality is under {guess.LEAST_QUALITY}:",
        f"a tenth of its joints lie more than {guess.TOO_FAR_APART} torso lengths",
        f"whose expected quality lies within {guess.EQUALLY_GOOD} of the best",
    ):
        assert said in RULE, said
    used = tuple(getattr(guess, name) for name in NAMES)
    assert used in _thresholds.GRID


def test_thresholds_are_chosen_on_the_parts_that_they_are_not_judged_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bold ones err in the second part alone, so that only the first is judged without them."""
    monkeypatch.setattr(_thresholds, "GRID", (BOLD, CAREFUL))
    before = tuple(getattr(guess, name) for name in NAMES)

    def regrets() -> dict[str, Regret]:
        bold = tuple(getattr(guess, name) for name in NAMES) == BOLD
        of_first = [0.0, 0.0, 0.0]
        return {"set": np.array([*of_first, 0.3, 0.3, 0.0] if bold else [*of_first, 0, 0, np.nan])}

    regret, told = nested(regrets, [0, 0, 0, 1, 1, 1], np.full(6, True))
    assert regret["set"].tolist() == pytest.approx([0, 0, 0, 0.3, 0.3, 0.0])
    assert told == f"{CAREFUL} 1×, {BOLD} 1×"
    assert tuple(getattr(guess, name) for name in NAMES) == before


def test_who_declines_more_than_is_aimed_at_is_chosen_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_thresholds, "GRID", (BOLD, CAREFUL))
    for declined, chosen in ((3, CAREFUL), (4, BOLD)):

        def regrets(declined: int = declined) -> dict[str, Regret]:
            bold = BOLD[0] == guess.LEAST_CHANCE
            each = [0.3] + [0.0] * 9 if bold else [np.nan] * declined + [0.0] * (10 - declined)
            return {"set": np.array(each * 2)}

        _, told = nested(regrets, [0] * 10 + [1] * 10, np.full(20, True))
        assert told == f"{chosen} 2×"


def test_intervals_are_over_pictures_not_scenes() -> None:
    """Of two pictures one is right in all its scenes, one in none; both are drawn, or one twice."""
    regret = np.array([0.0, 0.0, 0.2, 0.2])
    assert interval(regret, ["a", "a", "b", "b"]) == "0% to 100%, 0% to 0%"
    assert interval(np.array([0.05, 0.0]), ["a", "b"]) == "100% to 100%, 0% to 0%"
    assert interval(np.array([0.05, np.nan]), ["a", "a"]) == "100% to 100%, 50% to 50%"
