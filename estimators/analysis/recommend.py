"""Which should I use?  One rule for a picture, a set of pictures, a clip and the command line.

Requirements put models out; of the rest the best by the best evidence there is (truth, then blind
votes, then what independent families agree on, then plausibility); of those about as good the
cheapest; and no model where the evidence does not single one out.  docs/verdict.md describes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from estimators.analysis import sentences
from estimators.analysis.by_truth import by_truth, marked_against
from estimators.analysis.facts import Cost, ModelFacts, gather
from estimators.analysis.guess import FEWEST_VOICES, Question, by_guess
from estimators.analysis.plausibility import Finding
from estimators.analysis.quality import Coefficients
from estimators.analysis.requirements import ANYTHING, Needs, failing
from estimators.analysis.seen import Seen
from estimators.analysis.sentences import Reason, Subject
from estimators.analysis.truth import TruthErrors, in_words
from estimators.analysis.votes import Vote, put_behind
from estimators.analysis.votes import in_words as votes_in_words
from estimators.registry import get, voice

Tier = Literal["truth", "votes", "consensus", "plausibility", "requirements", "none"]


@dataclass(frozen=True)
class Recommendation:
    """The answer: `model` is None where the evidence favours none, which is an answer too.

    Attributes:
        tier: the best evidence there is, which decided.
        expected: quality expected of each model that is not out, 0 to 1; empty without guess.
        chance: that the model is within 0.05 of the best, NaN where it was not guessed.
        out: the models that fail a requirement, with the reason.
    """

    model: str | None
    headline: str
    reasons: tuple[Reason, ...]
    tier: Tier
    expected: Mapping[str, float] = field(default_factory=dict)
    chance: float = math.nan
    out: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """For `verdict.json`; docs/formats.md describes it."""
        return {
            "model": self.model,
            "tier": self.tier,
            "headline": self.headline,
            "reasons": [reason.as_data() for reason in self.reasons],
            "expected_quality": {m: round(q, 3) for m, q in self.expected.items()},
            "chance": None if math.isnan(self.chance) else round(self.chance, 3),
            "out": dict(self.out),
        }


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a recommendation is made from.

    Attributes:
        seen: one or more pictures or frames, all with the same models.
        costs: latency and memory of each model.
        failed: models that gave no answer.
        truth: how far the models are from what was annotated or marked, if anything was.
        votes: blind votes between models.
        unsteady: what speaks against a model over time; such a model is not preferred to one of
            the same quality without.
        subject: for the wording.
        held_to: most people a model was asked for, where it could find more.
        apart: models answered, but no picture or frame was answered by all of them.
    """

    seen: Sequence[Seen]
    costs: Mapping[str, Cost] = field(default_factory=dict)
    failed: Sequence[str] = ()
    truth: TruthErrors | None = None
    unsteady: Sequence[Finding] = ()
    subject: Subject = "picture"
    held_to: Mapping[str, int] = field(default_factory=dict)
    votes: Sequence[Vote] = ()
    apart: bool = False


def recommend(
    evidence: Evidence, needs: Needs = ANYTHING, fit: Coefficients | None = None
) -> Recommendation:
    """The model to use on material like this, or none, with the reasons.

    Args:
        fit: what quality is guessed with, in place of the product's coefficients; for measuring
            what the rule is worth on pictures that these have not seen.
    """
    facts = gather([s.people for s in evidence.seen], evidence.costs, evidence.held_to)
    out = failing(facts, evidence.seen, needs)
    usable = [m for m in facts if m not in out]
    notes = (*sentences.out(out), *sentences.failed(evidence.failed))
    blocked = _nothing_to_compare(facts, usable, evidence)
    if blocked is not None:
        model, headline, tier, why = blocked
        why = (*why, *sentences.costs(facts, model, usable, evidence.subject))
        return Recommendation(model, headline, (*why, *notes), tier, out=out)
    decided = _decided(evidence, facts, usable, fit)
    found = [f for seen in evidence.seen for f in seen.findings]
    worst = (*evidence.unsteady, *sorted(found, key=lambda f: -f.figure))
    reasons = (
        *decided.reasons,
        *_settled(evidence, decided, tuple(facts)),
        *sentences.people(facts, decided.model, evidence.subject, found),
        *sentences.held_back(facts),
        *sentences.distance(facts, evidence.seen),
        *sentences.plausibility(worst, usable),
        *sentences.costs(facts, decided.model, usable, evidence.subject),
        *sentences.three_d(facts, decided.model, needs.gives_3d),
        *notes,
        *_next_step(evidence, decided.model, facts),
    )
    return Recommendation(
        decided.model,
        sentences.headline(decided.model, evidence.subject),
        reasons,
        decided.tier if decided.model is not None else "none",
        decided.expected,
        decided.chance,
        out,
        worst,
    )


def _nothing_to_compare(
    facts: Mapping[str, ModelFacts], usable: Sequence[str], evidence: Evidence
) -> tuple[str | None, str, Tier, tuple[Reason, ...]] | None:
    subject = evidence.subject
    if not facts and evidence.apart:
        what = "frame" if subject == "clip" else "picture"
        hint = Reason("Choose fewer models, or bring more of what they are to answer.")
        return None, f"No {what} was answered by all models: none can be compared.", "none", (hint,)
    if not facts:
        return None, "No model has answered yet.", "none", ()
    if not any(f.found for f in facts.values()):
        hint = Reason("Lower the thresholds to see what they were unsure of.")
        return None, f"No model found anybody in this {subject}.", "none", (hint,)
    if not usable:
        return None, "None of the compared models meets what you need.", "none", ()
    if len(usable) == 1:
        only = usable[0]
        title = get(only).title
        if len(facts) == 1:
            hint = Reason("Compare it with others before you decide.")
            return only, f"{title} is the only one that answered.", "requirements", (hint,)
        return only, f"{title} is the only one left of those compared.", "requirements", ()
    return None


def _decided(
    evidence: Evidence,
    facts: Mapping[str, ModelFacts],
    usable: Sequence[str],
    fit: Coefficients | None,
) -> Recommendation:
    """By the best evidence there is: the model or none, with what decided."""
    if (settled := by_truth(evidence.truth, usable, evidence.costs)) is not None:
        return Recommendation(settled.model, "", settled.reasons, "truth", settled.expected)
    behind = put_behind(evidence.votes, usable)
    left = [m for m in usable if m not in behind] or usable
    if len(left) == 1:
        answer = Recommendation(left[0], "", (), "votes")
    else:
        answer = _by_guess(evidence, facts, left, fit)
    against = marked_against(evidence.truth, usable, answer.model)
    return replace(answer, model=None, reasons=(*answer.reasons, against)) if against else answer


def _next_step(
    evidence: Evidence, model: str | None, facts: Mapping[str, ModelFacts]
) -> tuple[Reason, ...]:
    voices = len({voice(m) for m in facts})
    return sentences.next_step(model, voices, evidence.subject, evidence.truth is not None)


def _settled(
    evidence: Evidence, decided: Recommendation, models: Sequence[str]
) -> Iterator[Reason]:
    """What was marked and voted, where it is not what decided."""
    if evidence.truth is not None and decided.tier != "truth":
        yield from map(Reason, in_words(evidence.truth))
    yield from map(Reason, votes_in_words(evidence.votes, models))


def _by_guess(
    evidence: Evidence,
    facts: Mapping[str, ModelFacts],
    usable: Sequence[str],
    fit: Coefficients | None,
) -> Recommendation:
    """By what the models agree on and how plausible each is, calibrated on annotated pictures."""
    asked = Question(evidence.seen, usable, evidence.costs, evidence.unsteady, fit)
    guess, said = by_guess(asked)
    voices = {voice(m) for m, fact in facts.items() if fact.found}
    tier: Tier = "consensus" if len(voices) >= FEWEST_VOICES else "plausibility"
    return Recommendation(guess.model, "", said, tier, guess.expected, guess.chance)
