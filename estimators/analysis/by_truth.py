"""Which model to use by what was marked or annotated, which nothing else overrules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from estimators.analysis.facts import Cost, cheapest
from estimators.analysis.sentences import Place, Reason
from estimators.analysis.truth import (
    FEWEST_DRAWN,
    TruthErrors,
    TruthScore,
    in_words,
    lead,
    truth_scores,
)
from estimators.registry import get

# Models that truth does not separate are as good where they differ by no more: what "within 0.05 of
# the best" means everywhere.
AS_GOOD = 0.05


@dataclass(frozen=True)
class ByTruth:
    """The model to use, why, and the mean OKS of the marked joints of each model."""

    model: str
    reasons: tuple[Reason, ...]
    expected: Mapping[str, float]


def by_truth(
    errors: TruthErrors | None, usable: Sequence[str], costs: Mapping[str, Cost]
) -> ByTruth | None:
    """Where what was marked tells some models apart, or was marked on people enough.

    The cheapest of those that are about as good as the best and not surely behind it.  Of fewer
    than five people nothing is said where no model is behind: all may be level for want of marks.
    """
    scores = _scores(errors, usable)
    if errors is None or not scores:
        return None
    best = scores[0].model
    level = [best] + [s.model for s in scores[1:] if not lead(errors, best, s.model).sure]
    if len(level) == len(scores) and errors.people < FEWEST_DRAWN:
        return None
    expected = {s.model: s.oks for s in scores}
    level = [m for m in level if expected[m] >= expected[best] - AS_GOOD]
    pick = cheapest(level, costs, expected)
    said = [Reason(text) for text in in_words(errors)]
    if pick != best:
        text = (
            f"{get(pick).title} is the cheapest of those within {AS_GOOD} of {get(best).title} "
            "that the truth does not put behind it."
        )
        said.append(Reason(text, Place(model=pick)))
    return ByTruth(pick, tuple(said), expected)


def marked_against(
    errors: TruthErrors | None, usable: Sequence[str], model: str | None
) -> Reason | None:
    """Why votes or guesses may not recommend a model that the marks put behind, sure or not."""
    scores = _scores(errors, usable)
    own = next((s for s in scores if s.model == model), None)
    if own is None or own.oks >= scores[0].oks - AS_GOOD:
        return None
    best = scores[0]
    return Reason(
        f"Too little is marked to be sure, but it speaks against {get(own.model).title}: OKS "
        f"{own.oks:.2f}, against {best.oks:.2f} of {get(best.model).title}.",
        Place(model=own.model),
    )


def _scores(errors: TruthErrors | None, usable: Sequence[str]) -> list[TruthScore]:
    """How near the usable models are to what was marked; none where that compares none of them."""
    if errors is None:
        return []
    scores = [s for s in truth_scores(errors) if s.model in usable]
    return scores if len(scores) > 1 and scores[0].found else []
