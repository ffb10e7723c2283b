"""Which should I use?  A short answer in words, made only from what was measured here.

Scores never enter: those of different models mean different things.  Agreement is not accuracy, and
the words say so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from estimators.analysis.agreement import joint_agreement, median_of
from estimators.analysis.matching import PersonGroup
from estimators.registry import MODELS, get
from estimators.types import PoseSet

Subject = Literal["picture", "clip"]

# A model that finds nearly all the agreed people counts as finding them: a clip has noise.
_NEARLY_ALL = 0.98
# Models whose distance from the others is within this factor (and 2 % of a torso, about what two
# annotators differ by) of the best agree equally well.
_AS_CLOSE_FACTOR, _AS_CLOSE_MARGIN = 1.5, 0.02


@dataclass(frozen=True)
class Cost:
    """What a model costs on this machine; NaN where not measured.

    Attributes:
        busy: the latency was measured while other work ran.
    """

    latency_ms: float = math.nan
    memory_mb: float = math.nan
    busy: bool = False

    @property
    def latency(self) -> str:
        """The latency in words."""
        ms = self.latency_ms
        text = f"{ms:,.0f} ms" if ms >= 10 else f"{ms:.1f} ms"
        return f"{text}, measured while busy" if self.busy else text


@dataclass(frozen=True)
class ModelFacts:
    """What was measured of one model.

    Attributes:
        model: key of the variant.
        found: people it found; in a clip counted a frame.
        agreed: how many of the people that at least two models found it found.
        distance: median distance of its joints from the other models', in torso lengths, or NaN.
        cost: latency and memory.
        held_to: most people it was asked for, where it could find more; None where not.
    """

    model: str
    found: int
    agreed: int
    distance: float
    cost: Cost
    held_to: int | None = None

    @property
    def title(self) -> str:
        return get(self.model).title

    @property
    def gives_3d(self) -> bool:
        return get(self.model).gives_3d


@dataclass(frozen=True)
class Verdict:
    """The answer: `model` is None where nothing measured favours one."""

    headline: str
    reasons: tuple[str, ...]
    model: str | None = None


def picture_facts(
    people: Mapping[str, PoseSet], groups: Sequence[PersonGroup], costs: Mapping[str, Cost]
) -> tuple[ModelFacts, ...]:
    """The facts of one picture; `people` with thresholds applied, `groups` made from them."""
    distances = joint_agreement(people, groups)
    agreed = [g for g in groups if len(g.members) > 1]
    return tuple(
        ModelFacts(
            model,
            len(poses),
            sum(model in group.members for group in agreed),
            median_of(distances[model]),
            costs.get(model, Cost()),
        )
        for model, poses in people.items()
    )


def verdict(
    facts: Sequence[ModelFacts],
    agreed_people: int,
    subject: Subject = "picture",
    need_3d: bool = False,
    failed: Sequence[str] = (),
) -> Verdict:
    """The model to use on material like this, with the reasons.

    The fastest of those that find the most people on whom at least two models agree and whose
    joints lie about as close to the others' as the best one's.

    Args:
        facts: one entry a model that answered.
        agreed_people: people found by at least two models; in a clip counted a frame.
        subject: what was measured, for the wording.
        need_3d: consider only models that give metres.
        failed: keys of models that gave no answer.
    """
    usable = [f for f in facts if f.gives_3d or not need_3d]
    notes = tuple(f"{get(model).title} is not judged: it gave no answer." for model in failed)
    blocked = _why_no_choice(facts, usable, agreed_people, subject)
    if blocked is not None:
        return Verdict(blocked.headline, blocked.reasons + notes, blocked.model)
    most = max(f.agreed for f in usable)
    complete = [f for f in usable if f.agreed >= _NEARLY_ALL * most]
    closest = min((f.distance for f in complete if not math.isnan(f.distance)), default=math.nan)
    limit = closest * _AS_CLOSE_FACTOR + _AS_CLOSE_MARGIN
    close = [f for f in complete if not f.distance > limit]
    best = min(close, key=lambda f: (_or_last(f.cost.latency_ms), _or_last(f.distance)))
    reasons = (
        _about_people(best, facts, agreed_people, subject),
        *_about_distance(best, facts),
        *_about_cost(best, usable, subject),
        *_about_3d(best, facts, need_3d),
        *_about_lone_people(facts),
        *_about_held_back(best, facts),
        *(*notes, f"Agreement is not accuracy, and one {subject} is little: try more of your own."),
    )
    return Verdict(f"For a {subject} like this: {best.title}.", reasons, best.model)


def _why_no_choice(
    facts: Sequence[ModelFacts], usable: Sequence[ModelFacts], agreed_people: int, subject: Subject
) -> Verdict | None:
    if not facts:
        return Verdict("No model has answered yet.", ())
    if not usable:
        return Verdict(
            "None of the compared models gives 3-D.",
            (f"Choose {' or '.join(_families_in_3d())}, which gives joints in metres.",),
        )
    if not any(f.found for f in facts):
        return Verdict(
            f"No model found anybody in this {subject}.",
            ("Lower the thresholds to see what they were unsure of.",),
        )
    if len(usable) == 1:
        why = "the only one here that gives 3-D" if len(facts) > 1 else "the only one that answered"
        only = usable[0]
        reasons = (
            f"It found {_people(only.found, subject)}.",
            *_about_cost(only, usable, subject),
            *(["Compare it with others before you decide."] if len(facts) == 1 else ()),
        )
        return Verdict(f"{only.title} is {why}.", reasons, only.model)
    if agreed_people == 0 or not any(f.agreed for f in usable):
        counts = ", ".join(f"{f.title} {f.found}" for f in facts)
        return Verdict(
            f"Nothing measured on this {subject} favours one model.",
            (f"No two models agree on anybody. People found: {counts}. Look at the overlays.",),
        )
    return None


def _families_in_3d() -> list[str]:
    return list(dict.fromkeys(spec.family for spec in MODELS.values() if spec.gives_3d))


def _about_people(
    best: ModelFacts, facts: Sequence[ModelFacts], agreed_people: int, subject: Subject
) -> str:
    def share(f: ModelFacts) -> str:
        if subject == "clip":
            return f"{f.agreed / agreed_people:.0%}"
        return str(f.agreed)

    if subject == "clip":
        who = f"{share(best)} of the people on whom at least two models agree, over all frames"
    elif agreed_people == 1:
        who = "the one person on whom at least two models agree"
    else:
        who = f"{best.agreed} of the {agreed_people} people on whom at least two models agree"
    fewer = []
    for f in facts:
        if f.agreed < _NEARLY_ALL * best.agreed and f.held_to is None:
            why = " (it looks for one person)" if get(f.model).single_person else ""
            fewer.append(f"{f.title} {share(f)}{why}")
    return f"It found {who}; {', '.join(fewer)}." if fewer else f"It found {who}."


def _about_held_back(best: ModelFacts, facts: Sequence[ModelFacts]) -> list[str]:
    """A model that was not asked for everybody has not missed them."""
    held = [f for f in facts if f.held_to and f.agreed < _NEARLY_ALL * best.agreed]
    return [
        f"{f.title} was asked for {'one person' if f.held_to == 1 else f'{f.held_to} people'} "
        f"at most, not for the {get(f.model).max_people} it can find: how many it found is no "
        "fault of its own. Ask it for more to compare."
        for f in held
    ]


def _about_distance(best: ModelFacts, facts: Sequence[ModelFacts]) -> list[str]:
    if math.isnan(best.distance):
        return []
    text = (
        f"Its joints lie a median {best.distance:.0%} of the torso length "
        "from where the other models put them"
    )
    others = [f for f in facts if f is not best and not math.isnan(f.distance)]
    if len(others) < 2:  # of two models neither stands apart
        return [f"{text}."]
    return [f"{text} ({', '.join(f'{f.title} {f.distance:.0%}' for f in others)})."]


def _about_cost(best: ModelFacts, usable: Sequence[ModelFacts], subject: Subject) -> list[str]:
    each = "frame" if subject == "clip" else "picture"
    reasons = []
    if not math.isnan(best.cost.latency_ms):
        others = [
            f"{f.title} {f.cost.latency}"
            for f in usable
            if f is not best and not math.isnan(f.cost.latency_ms)
        ]
        beside = f" ({', '.join(others)})" if others else ""
        reasons.append(f"It takes {best.cost.latency} a {each} here{beside}.")
    if not math.isnan(best.cost.memory_mb):
        reasons.append(f"Its process holds {best.cost.memory_mb:,.0f} MB.")
    return reasons


def _about_3d(best: ModelFacts, facts: Sequence[ModelFacts], need_3d: bool) -> list[str]:
    if best.gives_3d:
        return [] if need_3d else ["It also gives the joints in metres, in 3-D."]
    with_3d = [f.title for f in facts if f.gives_3d]
    if not with_3d:
        return []
    verb = "gives" if len(with_3d) == 1 else "give"
    return [f"If you need 3-D: only {' and '.join(with_3d)} {verb} joints in metres."]


def _about_lone_people(facts: Sequence[ModelFacts]) -> list[str]:
    alone = [f for f in facts if f.found > f.agreed]
    if not alone:
        return []
    seen = ", ".join(f"{f.title} {f.found - f.agreed}" for f in alone)
    return [f"People seen by one model alone, right or wrong: {seen}."]


def _people(count: int, subject: Subject) -> str:
    unit = "person" if count == 1 else "people"
    return f"{count} {unit}" + (", counted a frame" if subject == "clip" else "")


def _or_last(value: float) -> float:
    return math.inf if math.isnan(value) else value
