"""The words of a recommendation: each sentence with its figure and, as data, where to look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from estimators.analysis.agreement import joint_agreement
from estimators.analysis.facts import ModelFacts
from estimators.analysis.plausibility import Finding
from estimators.analysis.seen import Seen
from estimators.analysis.voices import AGREED_OKS
from estimators.registry import get
from estimators.skeletons import COCO_17

Subject = Literal["picture", "set of pictures", "clip"]
_MOST_FINDINGS = 3


@dataclass(frozen=True)
class Place:
    """Where a sentence is about: the person counts from 1, "" and None mean all of them."""

    frame: int | None = None
    person: int | None = None
    joint: str = ""
    model: str = ""
    picture: str = ""


@dataclass(frozen=True)
class Reason:
    """A sentence, and the place that shows it."""

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        return self.text

    def as_data(self) -> dict[str, Any]:
        if self.place is None:
            return {"text": self.text}
        given = {k: v for k, v in vars(self.place).items() if v not in (None, "")}
        return {"text": self.text, "place": given}


def headline(model: str | None, subject: Subject) -> str:
    if model is None:
        return f"No recommendation: what was measured on this {subject} singles no model out."
    return f"For a {subject} like this: {get(model).title}."


# What few families can be judged by, who are no consensus.
_BY_FEW = {
    1: "how plausible each pose is; variants of one family are one voice, and no other sees "
    "anybody",
    2: "how plausible each pose is; two families cannot outvote each other",
}


def guess(
    voices: int, expected: Mapping[str, float], pick: tuple[str, float], least: float
) -> tuple[Reason, ...]:
    """What the quality is guessed from, and how sure that is.

    Args:
        voices: independent families that see anybody.
        expected: quality of each model.
        pick: the model that is picked, with its chance to be within 0.05 of the best.
        least: chance that a recommendation takes.
    """
    by = _BY_FEW.get(voices, f"what {voices} independent families agree on")
    ranked = sorted(expected.items(), key=lambda item: -item[1])
    values = ", ".join(f"{get(m).title} {q:.2f}" for m, q in ranked)
    model, chance = pick
    sure = (
        f"{get(model).title} is within 0.05 of the best with a chance of {_floored(chance)}"
        + ("" if chance >= least else f", less than the {least:.0%} that a recommendation takes")
        + "."
    )
    text = f"Expected quality, by {by}: {values} (OKS a person, 1 is perfect)."
    return Reason(text), Reason(sure)


def _floored(share: float) -> str:
    """In whole percent, never rounded up: 77.9 % is less than the 78 % that are asked for."""
    return f"{math.floor(100 * share)}%"


def people(
    facts: Mapping[str, ModelFacts], model: str | None, subject: Subject, found: Sequence[Finding]
) -> tuple[Reason, ...]:
    """Who found how many of the people on whom families agree, and who saw others alone."""
    total = max((f.people for f in facts.values()), default=0)
    each = {"clip": ", counted a frame"}.get(subject, "")
    alone = {f.kind: _place(f) for f in reversed(found)}.get("alone")  # the first of them
    if not total:
        counts = ", ".join(f"{f.title} {f.found}" for f in facts.values())
        none = f"No two families agree on anybody (OKS of {AGREED_OKS} or more)."
        return (Reason(f"{none} People found{each}: {counts}.", alone),)
    ordered = sorted(facts.values(), key=lambda f: (f.model != model, -f.agreed))
    shares = ", ".join(f"{f.title} {f.agreed}" for f in ordered)
    who = "the one person" if total == 1 else f"the {total} people"
    agree = f"two families or more agree (OKS of {AGREED_OKS} or more)"
    out = [Reason(f"Of {who} on whom {agree}{each}: {shares}.")]
    others = {f.title: f.found - f.agreed for f in facts.values()}
    more = [f"{title} {count}" for title, count in others.items() if count]
    if more:
        said = f"Seen so by no other family, right or wrong: {', '.join(more)}."
        out.append(Reason(said, alone))
    return tuple(out)


def held_back(facts: Mapping[str, ModelFacts]) -> tuple[Reason, ...]:
    """A model that was not asked for everybody has not missed them."""
    return tuple(
        Reason(
            f"{f.title} was asked for {'one person' if f.held_to == 1 else f'{f.held_to} people'} "
            f"at most, not for the {get(f.model).max_people} it can find: how many it found is no "
            "fault of its own. Ask it for more to compare."
        )
        for f in facts.values()
        if f.held_to and f.found >= f.held_to and f.agreed < f.people
    )


def distance(facts: Mapping[str, ModelFacts], seen: Sequence[Seen]) -> tuple[Reason, ...]:
    """How far the joints lie from where the other families put them, and where most."""
    known = [f for f in facts.values() if not math.isnan(f.distance)]
    if not known:
        return ()
    if len(known) == 2:
        median, ninth = known[0].distance, known[0].worst
        text = f"The two lie a median {median:.0%} of a torso length apart, a tenth of the joints "
        out = [Reason(f"{text}more than {ninth:.0%}.")]
    else:
        values = ", ".join(f"{f.title} {f.distance:.0%} and {f.worst:.0%}" for f in known)
        text = "Distance of the joints from where the others put them, in torso lengths, median "
        out = [Reason(f"{text}and 90th percentile: {values}.")]
    return (*out, *_differ_most(seen))


def worst_joint(seen: Sequence[Seen], of: str = "") -> tuple[float, Place] | None:
    """The joint that lies furthest from where the others put it, of the model `of` if one is."""
    worst: tuple[float, Place] | None = None
    for each in seen:
        for model, table in joint_agreement(each.people, each.groups).items():
            if of not in ("", model) or not np.isfinite(table).any():
                continue
            group, k = np.unravel_index(int(np.nanargmax(table)), table.shape)
            far = float(table[group, k])
            if worst is None or far > worst[0]:
                person = each.number(int(group), model)
                joint = COCO_17.joints[int(k)]
                worst = far, Place(each.frame, person, joint, model, each.name)
    return worst


def _differ_most(seen: Sequence[Seen]) -> tuple[Reason, ...]:
    worst = worst_joint(seen)
    if worst is None:
        return ()
    far, place = worst
    where = f"{place.joint.replace('_', ' ')} of person {place.person}"
    on = f" on {place.picture}" if place.picture else f" in frame {place.frame}"
    at = on if len(seen) > 1 else ""
    text = f"They differ most at the {where}{at}: {get(place.model).title} is {far:.0%} away."
    return (Reason(text, place),)


def plausibility(found: Sequence[Finding], usable: Sequence[str]) -> tuple[Reason, ...]:
    """The gravest findings about the models that are left, at most three."""
    shown = [f for f in found if f.model in usable and f.kind != "alone"]
    several = len({f.picture for f in found}) > 1
    kinds: dict[tuple[str, str], Finding] = {}
    for f in shown:
        kinds.setdefault((f.model, f.kind), f)
    return tuple(
        Reason(f"{get(f.model).title}: {f.text}{f' on {f.picture}' if several else ''}.", _place(f))
        for f in list(kinds.values())[:_MOST_FINDINGS]
    )


def _place(f: Finding) -> Place:
    return Place(f.frame, f.person, f.joints[-1] if f.joints else "", f.model, f.picture)


def costs(
    facts: Mapping[str, ModelFacts], model: str | None, usable: Sequence[str], subject: Subject
) -> tuple[Reason, ...]:
    """Latency and memory, the recommended model first."""
    each = {"clip": "frame"}.get(subject, "picture")
    ordered = sorted((facts[m] for m in usable), key=lambda f: f.model != model)
    timed = [f for f in ordered if not math.isnan(f.cost.latency_ms)]
    if not timed:
        return ()
    times = ", ".join(f"{f.title} {f.cost.latency}" for f in timed)
    out = [Reason(f"Time a {each} here: {times}.")]
    held = [f for f in ordered if not math.isnan(f.cost.memory_mb)]
    if held:
        sizes = ", ".join(f"{f.title} {f.cost.memory_mb:,.0f} MB" for f in held)
        out.append(Reason(f"Memory of its process: {sizes}."))
    return tuple(out)


def three_d(facts: Mapping[str, ModelFacts], model: str | None, needed: bool) -> tuple[Reason, ...]:
    with_3d = [f.title for f in facts.values() if get(f.model).gives_3d]
    if needed or not with_3d:
        return ()
    if model is not None and get(model).gives_3d:
        return (Reason("It also gives the joints in metres, in 3-D."),)
    verb = "gives" if len(with_3d) == 1 else "give"
    return (Reason(f"If you need 3-D: only {' and '.join(with_3d)} {verb} joints in metres."),)


def out(why: Mapping[str, str]) -> tuple[Reason, ...]:
    return tuple(
        Reason(f"{get(m).title} is out: it {text}.", Place(model=m)) for m, text in why.items()
    )


def failed(models: Sequence[str]) -> tuple[Reason, ...]:
    return tuple(Reason(f"{get(m).title} is not judged: it gave no answer.") for m in models)


def next_step(
    model: str | None, voices: int, subject: Subject, marked: bool = False
) -> tuple[Reason, ...]:
    """What would make the answer surer.

    Args:
        voices: independent families that are compared.
        marked: there is truth.
    """
    if marked:
        if model is None:
            return (Reason("What is marked tells no model apart: mark or bring more of it."),)
        return (Reason(f"That is the truth of one {subject}: mark or bring more to be surer."),)
    if model is not None:
        return (
            Reason(
                f"Agreement is not accuracy, and one {subject} is little: try more of your own."
            ),
        )
    if voices < 3:
        return (
            Reason(
                "Nothing decides between two families: add a third one, or settle it yourself by "
                "marking the truth on the joints where they differ most."
            ),
        )
    return (
        Reason("Settle it yourself: mark the truth on the joints where they differ most, or vote."),
    )
