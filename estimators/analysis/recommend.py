"""Which should I use?  One rule for a picture, a set of pictures, a clip and the command line.

Requirements put models out; of the rest the best by the best evidence there is (truth, then what
independent families agree on, then plausibility); of those about as good the cheapest; and no model
where the evidence does not single one out.  docs/verdict.md describes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from estimators.analysis import sentences
from estimators.analysis.facts import Cost, ModelFacts, gather, twin_heads
from estimators.analysis.plausibility import Finding
from estimators.analysis.quality import chances, expected_quality
from estimators.analysis.seen import Seen
from estimators.analysis.sentences import Reason, Subject
from estimators.analysis.signals import picture_signals
from estimators.analysis.truth import TruthErrors, in_words, lead, truth_scores
from estimators.analysis.voices import agreed_members
from estimators.registry import get, voice

Tier = Literal["truth", "consensus", "plausibility", "requirements", "none"]

# Under this chance to be within 0.05 of the best nothing is recommended.  Chosen on pictures
# that the coefficients had not seen; docs/verdict.md has what it keeps right and what it declines.
LEAST_CHANCE = 0.74
# The same where fewer than three families see anybody: two witnesses are trusted too easily.
LEAST_CHANCE_OF_TWO = 0.82
# Where a tenth of some model's joints lie further than this many torso lengths from where the
# others put them, the models see different poses: nobody can tell without truth which is right.
TOO_FAR_APART = 0.6
# Models whose expected qualities differ by less are equally good: two annotators differ by more.
EQUALLY_GOOD = 0.02
# Fewer independent families are no consensus: two cannot outvote each other.
FEWEST_VOICES = 3
# A one-person model is out when two or more voices agree on each of this many people.
PEOPLE_TOO_MANY = 2


@dataclass(frozen=True)
class Needs:
    """What a person must have; a model that fails one is out.

    Attributes:
        people: at least so many at once.
        gives_3d: joints in metres.
        latency_ms: at most, a picture or frame; None for any.
        memory_mb: at most; None for any.
    """

    people: int = 1
    gives_3d: bool = False
    latency_ms: float | None = None
    memory_mb: float | None = None


ANYTHING = Needs()


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
        unsteady: what speaks against a model over time; such a model is not preferred to one of
            the same quality without.
        subject: for the wording.
        held_to: most people a model was asked for, where it could find more.
    """

    seen: Sequence[Seen]
    costs: Mapping[str, Cost] = field(default_factory=dict)
    failed: Sequence[str] = ()
    truth: TruthErrors | None = None
    unsteady: Sequence[Finding] = ()
    subject: Subject = "picture"
    held_to: Mapping[str, int] = field(default_factory=dict)


def recommend(evidence: Evidence, needs: Needs = ANYTHING) -> Recommendation:
    """The model to use on material like this, or none, with the reasons."""
    facts = gather([s.people for s in evidence.seen], evidence.costs, evidence.held_to)
    out = _out(facts, evidence, needs)
    usable = [m for m in facts if m not in out]
    notes = (*sentences.out(out), *sentences.failed(evidence.failed))
    found = [f for seen in evidence.seen for f in seen.findings]
    blocked = _nothing_to_compare(facts, usable, evidence.subject)
    if blocked is not None:
        model, headline, tier, why = blocked
        why = (*why, *sentences.costs(facts, model, usable, evidence.subject))
        return Recommendation(model, headline, (*why, *notes), tier, out=out)
    decided = _by_truth(evidence, usable) or _by_guess(evidence, facts, usable)
    worst = (*evidence.unsteady, *sorted(found, key=lambda f: -f.figure))
    reasons = (
        *decided.reasons,
        *sentences.people(facts, decided.model, evidence.subject, found),
        *sentences.held_back(facts),
        *sentences.distance(facts, decided.model, evidence.seen),
        *sentences.plausibility(worst, usable),
        *sentences.costs(facts, decided.model, usable, evidence.subject),
        *sentences.three_d(facts, decided.model, needs.gives_3d),
        *notes,
        *sentences.next_step(decided.model, len({voice(m) for m in facts}), evidence.subject),
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


def _out(facts: Mapping[str, ModelFacts], evidence: Evidence, needs: Needs) -> dict[str, str]:
    """Why each model that fails a requirement fails it, with the figure."""
    agreed = _agreed_people(evidence.seen)
    out = {}
    for model, fact in facts.items():
        spec, cost = get(model), fact.cost
        if needs.gives_3d and not spec.gives_3d:
            out[model] = "gives no joints in metres"
        elif spec.max_people < needs.people:
            out[model] = f"finds at most {spec.max_people} of the {needs.people} people you need"
        elif spec.single_person and agreed >= PEOPLE_TOO_MANY:
            out[model] = f"looks for one person, where two families or more agree on {agreed}"
        elif needs.latency_ms is not None and cost.latency_ms > needs.latency_ms:
            out[model] = f"takes {cost.latency_ms:,.0f} ms, more than {needs.latency_ms:,.0f} ms"
        elif needs.memory_mb is not None and cost.memory_mb > needs.memory_mb:
            out[model] = f"holds {cost.memory_mb:,.0f} MB, more than {needs.memory_mb:,.0f} MB"
    return out


def _agreed_people(seen: Sequence[Seen]) -> int:
    """How many people two or more families agree on: the median over the pictures or frames."""
    counts = [sum(bool(agreed_members(group)) for group in each.groups) for each in seen]
    return int(np.median(counts)) if counts else 0


def _nothing_to_compare(
    facts: Mapping[str, ModelFacts], usable: Sequence[str], subject: Subject
) -> tuple[str | None, str, Tier, tuple[Reason, ...]] | None:
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


def _by_truth(evidence: Evidence, usable: Sequence[str]) -> Recommendation | None:
    """By what was marked, where it tells some models apart.

    The best, or a cheaper one that is about as good: a model that only may be as good, because
    little was marked, is not taken for one that is.
    """
    if evidence.truth is None or not evidence.truth.joints:
        return None
    scores = [s for s in truth_scores(evidence.truth) if s.model in usable]
    if len(scores) < 2 or scores[0].found == 0:
        return None
    best = scores[0].model
    level = [best] + [s.model for s in scores[1:] if not lead(evidence.truth, best, s.model).sure]
    if len(level) == len(scores):
        return None
    expected = {s.model: s.oks for s in scores}
    level = [m for m in level if expected[m] >= expected[best] - EQUALLY_GOOD]
    pick = _cheapest(level, evidence.costs, expected)
    said = tuple(Reason(text) for text in in_words(evidence.truth))
    return Recommendation(pick, "", said, "truth", expected)


def _by_guess(
    evidence: Evidence, facts: Mapping[str, ModelFacts], usable: Sequence[str]
) -> Recommendation:
    """By what the models agree on and how plausible each is, calibrated on annotated pictures."""
    expected, chance = _guessed(evidence.seen, usable)
    voices = {voice(m) for m, fact in facts.items() if fact.found}
    least = LEAST_CHANCE if len(voices) >= FEWEST_VOICES else LEAST_CHANCE_OF_TWO
    best = max(usable, key=lambda m: chance[m])
    level = [m for m in usable if expected[m] >= expected[best] - EQUALLY_GOOD]
    level = [m for m in level if chance[m] >= least] or [best]
    swapped = {f.model for f in evidence.unsteady if f.kind == "side swap"}
    level = [m for m in level if m not in swapped] or level
    pick = _cheapest(level, evidence.costs, expected)
    tier: Tier = "consensus" if len(voices) >= FEWEST_VOICES else "plausibility"
    said = sentences.guess(tier, len(voices), expected, (pick, chance[pick]), least)
    astray = max((facts[m] for m in usable), key=lambda f: f.worst if f.worst > 0 else 0.0)
    if astray.worst > TOO_FAR_APART:
        said = (*said, sentences.too_far(astray, TOO_FAR_APART, evidence.seen))
    model = None if astray.worst > TOO_FAR_APART or chance[pick] < least else pick
    return Recommendation(model, "", said, tier, expected, chance[pick])


def _guessed(
    seen: Sequence[Seen], usable: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """(expected quality, chance to be about the best) of each model: means, twins judged once."""
    heads = twin_heads([each.people for each in seen])
    judged = list(dict.fromkeys(heads[m] for m in usable))
    qualities, odds = [], []
    for each in seen:
        people = {m: p for m, p in each.people.items() if heads[m] == m}
        signals = picture_signals(people, each.longer_side)
        qualities.append(expected_quality(signals))
        odds.append(chances(signals, qualities[-1], judged))
    expected = {m: float(np.mean([q[heads[m]] for q in qualities])) for m in usable}
    chance = {m: float(np.mean([c[heads[m]] for c in odds])) for m in usable}
    return expected, chance


def _cheapest(
    models: Sequence[str], costs: Mapping[str, Cost], expected: Mapping[str, float]
) -> str:
    """By latency; where it is not known, the better one."""

    def rank(model: str) -> tuple[float, float]:
        latency = costs.get(model, Cost()).latency_ms
        return (math.inf if math.isnan(latency) else latency, -expected[model])

    return min(models, key=rank)
