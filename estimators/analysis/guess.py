"""Which model to use where only the models' own answers speak: one variant a family at a time.

A family is one voice, so each *line-up* has one variant of every family, and each is judged as if
no other were compared.  A model is recommended only where every line-up with it recommends it.  So
a further variant of a family adds line-ups and changes nothing else: with it the verdict is the
one without it, the one that it gets in place of its family's others, or none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from estimators.analysis import sentences
from estimators.analysis.doubts import (
    divided,
    no_clear_lead,
    not_agreed,
    rests_on_alone,
    too_far,
    too_low,
)
from estimators.analysis.facts import Cost, ModelFacts, cheapest, gather, twin_heads
from estimators.analysis.plausibility import Finding
from estimators.analysis.quality import Coefficients, chances, expected_quality
from estimators.analysis.seen import Seen
from estimators.analysis.sentences import Reason
from estimators.analysis.signals import borne_out, picture_signals
from estimators.analysis.voices import line_ups
from estimators.registry import voice

# Under this chance to be within 0.05 of the best nothing is recommended.  Chosen on pictures
# that the coefficients had not seen; docs/verdict.md has what it keeps right and what it declines.
LEAST_CHANCE = 0.5
# The same where fewer than three families see anybody: two witnesses are trusted too easily.
LEAST_CHANCE_OF_TWO = 0.7
# And where the evidence for the model is thin (`_alone`, `_unclear`).
LEAST_CHANCE_OF_THIN = 0.85
# And where no more than two are compared: they cannot outvote each other, nor does a third keep
# silent.  It leaves little but pictures on which one of them sees nobody.
LEAST_CHANCE_BETWEEN_TWO = 0.92
# Under this expected quality none of the models does well: the best of them is no advice.
LEAST_QUALITY = 0.2
# Where fewer than three families see anybody, and a tenth of a model's joints lie further than this
# many torso lengths from where the others put them: nobody can tell without truth who is right.
TOO_FAR_APART = 0.6
# Where models lie further apart than this many torso lengths (the largest median distance of one
# from the other families) they see different poses, of which one at most is right: evidence is thin
# unless one is expected to be better than the others by so much.
APART, CLEAR_LEAD = 0.1, 0.05
# Models whose expected qualities differ by less are equally good: two annotators differ by more.
EQUALLY_GOOD = 0.02
# Fewer independent families are no consensus: two cannot outvote each other.
FEWEST_VOICES = 3
# Line-ups times frames that are judged; of a clip with many variants every second or third frame.
_MOST_JUDGED = 400


@dataclass(frozen=True, eq=False)
class Question:
    """What is guessed from: as in `recommend.Evidence`, and the models that may be recommended."""

    seen: Sequence[Seen]
    usable: Sequence[str]
    costs: Mapping[str, Cost]
    unsteady: Sequence[Finding] = ()
    fit: Coefficients | None = None


@dataclass(frozen=True)
class Guess:
    """The answer of one line-up, or of all together.

    Attributes:
        pick: the model that comes first.
        chance: of `pick` to be within 0.05 of the best.
        least: chance that a recommendation takes.
        doubts: what speaks against `pick` however good its chance is.
        expected: quality expected of each usable model, 0 to 1.
        thin: why `least` is that of thin evidence.
    """

    pick: str
    chance: float
    least: float
    doubts: tuple[Reason, ...]
    expected: Mapping[str, float]
    thin: tuple[Reason, ...] = ()

    @property
    def model(self) -> str | None:
        """The model that is recommended."""
        return self.pick if self.chance >= self.least and not self.doubts else None


class Guessed(NamedTuple):
    """What is guessed of each model, in the mean over pictures.

    Attributes:
        expected: quality.
        chance: to be about the best.
        apart: how far the models differ, `Signals.apart`.
        borne_out: quality without the people whom no other family sees.
    """

    expected: Mapping[str, float]
    chance: Mapping[str, float]
    apart: float
    borne_out: Mapping[str, float]


def by_guess(question: Question) -> tuple[Guess, tuple[Reason, ...]]:
    """What all line-ups recommend, if they do, and what to say of it.

    Twins are judged once; of a model and its twin the cheaper one is recommended.
    """
    heads = twin_heads([each.people for each in question.seen])
    asked = _of_originals(question, heads)
    ups = line_ups(list(dict.fromkeys(heads.values())), asked.usable)
    asked = replace(asked, seen=asked.seen[:: -(-len(asked.seen) * len(ups) // _MOST_JUDGED)])
    judged = {up: _of_line_up(up, asked) for up in ups}
    joint = _joint(judged, asked)
    twins = [m for m in question.usable if heads[m] == joint.pick]
    pick = cheapest(twins, question.costs, dict.fromkeys(twins, 0.0))
    expected = {m: joint.expected[heads[m]] for m in question.usable}
    voices = len({voice(m) for s in asked.seen for m, people in s.people.items() if len(people)})
    answer = replace(joint, pick=pick, expected=expected)
    said = sentences.guess(voices, expected, (pick, answer.chance), answer.least)
    return answer, (*said, *answer.thin, *answer.doubts)


def _of_originals(question: Question, heads: Mapping[str, str]) -> Question:
    """The same without twins: an original has the cost of the cheapest of them."""
    costs: dict[str, Cost] = {}
    for model in question.usable:
        twins = [m for m in question.usable if heads[m] == heads[model]]
        costs[heads[model]] = question.costs.get(
            cheapest(twins, question.costs, dict.fromkeys(twins, 0.0)), Cost()
        )
    seen = [_only(each, tuple(dict.fromkeys(heads.values()))) for each in question.seen]
    return replace(question, seen=seen, usable=tuple(costs), costs=costs)


def _only(seen: Seen, models: Sequence[str]) -> Seen:
    return replace(
        seen,
        people={m: seen.people[m] for m in models},
        numbers={m: numbers for m, numbers in seen.numbers.items() if m in models},
    )


def _of_line_up(line_up: Sequence[str], question: Question) -> Guess:
    """What is recommended where these are compared and no others."""
    seen = [_only(each, line_up) for each in question.seen]
    facts = gather([each.people for each in seen], question.costs, {})
    guessed = _guessed(seen, line_up, question.fit)
    expected, chance = guessed.expected, guessed.chance
    usable = [m for m in line_up if m in question.usable]
    voices = len({voice(m) for m, fact in facts.items() if fact.found})
    least = _least_chance(voices, len({voice(m) for m in line_up}))
    best = max(usable, key=lambda m: chance[m])
    level = [m for m in usable if expected[m] >= expected[best] - EQUALLY_GOOD]
    level = [m for m in level if chance[m] >= least] or [best]
    swapped = {f.model for f in question.unsteady if f.kind == "side swap"}
    level = [m for m in level if m not in swapped] or level
    pick = cheapest(level, question.costs, expected)
    thin = (
        *_alone(facts[pick], voices, {m: guessed.borne_out[m] for m in usable}),
        *_unclear(facts[best], {m: expected[m] for m in usable}, guessed.apart),
    )
    if thin:
        least = max(least, LEAST_CHANCE_OF_THIN)
    doubts = _doubts(facts[pick], expected[pick], voices, seen)
    return Guess(pick, chance[pick], least, doubts, {m: expected[m] for m in usable}, thin)


def _least_chance(seeing: int, compared: int) -> float:
    """What a recommendation takes, by the families that see anybody and those compared."""
    if seeing >= FEWEST_VOICES:
        return LEAST_CHANCE
    return LEAST_CHANCE_OF_TWO if compared >= FEWEST_VOICES else LEAST_CHANCE_BETWEEN_TWO


def _alone(pick: ModelFacts, voices: int, borne_out: Mapping[str, float]) -> tuple[Reason, ...]:
    """Evidence is thin where other families see people, and none of them as the model does.

    And where three families see people, and those whom no other sees put the model first.
    """
    if voices > 1 and not pick.agreed:
        return (not_agreed(pick),)
    best = max(borne_out, key=lambda m: borne_out[m])
    behind = borne_out[best] - borne_out[pick.model]
    if voices < FEWEST_VOICES or behind <= CLEAR_LEAD:
        return ()
    return (rests_on_alone(pick, best, behind),)


def _unclear(best: ModelFacts, expected: Mapping[str, float], apart: float) -> tuple[Reason, ...]:
    """And where models see different poses while none is expected to be clearly better."""
    others = (quality for model, quality in expected.items() if model != best.model)
    lead = expected[best.model] - max(others, default=0.0)
    unclear = apart > APART and lead < CLEAR_LEAD
    return (no_clear_lead(best, lead, apart, CLEAR_LEAD),) if unclear else ()


def _joint(judged: Mapping[tuple[str, ...], Guess], question: Question) -> Guess:
    """A model that is recommended wherever it is compared; else who is picked, and why not."""
    within = {m: [g for up, g in judged.items() if m in up] for m in question.usable}
    expected = {m: float(np.mean([g.expected[m] for g in here])) for m, here in within.items()}
    sure = [m for m, here in within.items() if all(g.model == m for g in here)]
    if sure:  # variants of one family: a line-up recommends one model at most
        best = max(expected[m] for m in sure)
        level = [m for m in sure if expected[m] >= best - EQUALLY_GOOD]
        pick = cheapest(level, question.costs, expected)
        weakest = min(within[pick], key=lambda g: g.chance)
        return replace(weakest, expected=expected)
    weakest = min(judged.values(), key=lambda g: (g.model is not None, g.chance))
    doubts = weakest.doubts
    if len({g.model for g in judged.values()}) > 1:
        doubts = (*doubts, divided(g.model for g in judged.values()))
    return replace(weakest, expected=expected, doubts=doubts)


def _doubts(
    pick: ModelFacts, quality: float, voices: int, seen: Sequence[Seen]
) -> tuple[Reason, ...]:
    """Why a model is not recommended however good its chance is."""
    doubts = []
    if quality < LEAST_QUALITY:
        doubts.append(too_low(pick, quality, LEAST_QUALITY))
    if voices < FEWEST_VOICES and pick.worst > TOO_FAR_APART:
        doubts.append(too_far(pick, TOO_FAR_APART, seen))
    return tuple(doubts)


def _guessed(seen: Sequence[Seen], models: Sequence[str], fit: Coefficients | None) -> Guessed:
    qualities, odds, apart, without = [], [], [], []
    for each in seen:
        signals = picture_signals(each.people, each.longer_side, each.groups)
        qualities.append(expected_quality(signals, fit))
        odds.append(chances(signals, qualities[-1], models, fit))
        apart.append(signals.apart)
        without.append(expected_quality(borne_out(signals), fit))

    def mean(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
        return {m: float(np.mean([value[m] for value in values])) for m in models}

    return Guessed(mean(qualities), mean(odds), float(np.mean(apart)), mean(without))
