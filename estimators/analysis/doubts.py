"""Why a model must be surer, or is not recommended at all: a sentence with its figure for each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from estimators.analysis.facts import ModelFacts
from estimators.analysis.seen import Seen
from estimators.analysis.sentences import Place, Reason, worst_joint
from estimators.analysis.voices import AGREED_OKS
from estimators.registry import get


def too_low(fact: ModelFacts, quality: float, least: float) -> Reason:
    """The best is bad."""
    return Reason(
        f"{fact.title} does badly here by all that can be told: an expected quality of "
        f"{quality:.2f}, less than the {least} that a recommendation takes.",
        Place(model=fact.model),
    )


def not_agreed(fact: ModelFacts) -> Reason:
    """Nobody bears the model out."""
    return Reason(
        f"Nobody bears {fact.title} out: no other family sees any person as it does (OKS of "
        f"{AGREED_OKS} or more).",
        Place(model=fact.model),
    )


def rests_on_alone(fact: ModelFacts, best: str, behind: float) -> Reason:
    """What puts the model first may be nobody."""
    return Reason(
        f"{fact.title} comes first by people whom no other family sees: without them it is "
        f"expected to be {behind:.2f} behind {get(best).title}.",
        Place(model=fact.model),
    )


def too_far(fact: ModelFacts, limit: float, seen: Sequence[Seen]) -> Reason:
    """Two families see different poses."""
    worst = worst_joint(seen, fact.model)
    return Reason(
        f"The models see different poses: a tenth of the joints of {fact.title} lie more than "
        f"{fact.worst:.0%} of a torso length from where the others put them (over {limit:.0%} "
        "nothing is recommended where fewer than three families see anybody).",
        worst[1] if worst else Place(model=fact.model),
    )


def no_clear_lead(fact: ModelFacts, lead: float, apart: float, least: float) -> Reason:
    """Poses differ and their expected qualities do not."""
    better = "not expected to be better than the others"
    shown = math.floor(100 * lead) / 100  # never rounded up to what is asked for
    if shown > 0:
        better = (
            f"expected to be better by {shown:.2f}, less than the {least} that would tell them "
            "apart"
        )
    return Reason(
        f"The models see different poses, up to {apart:.0%} of a torso length apart in the median, "
        f"and {fact.title} is {better}.",
        Place(model=fact.model),
    )


def divided(answers: Iterable[str | None]) -> Reason:
    """It hangs on which variant speaks for its family."""
    told = dict.fromkeys(get(m).title if m else "none" for m in answers)
    return Reason(
        "Which variants are compared decides here: taken one of each family at a time, "
        f"{', '.join(f'once {each}' for each in told)} is recommended."
    )
