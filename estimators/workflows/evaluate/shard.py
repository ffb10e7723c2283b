"""What a shard of an evaluation is of, and how the shards' parts become one machine's answers."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from estimators.analysis.thresholds import Thresholds
from estimators.annotated import AnnotatedSet
from estimators.errors import InputError
from estimators.media.names import printable
from estimators.registry import ModelSpec, get
from estimators.types import Timings
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.asks import Ask, EvaluateSettings, Plan
from estimators.workflows.evaluate.keys import model_key
from estimators.workflows.evaluate.outcome import AskedModel, outcome
from estimators.workflows.evaluate.pictures import PictureFacts
from estimators.workflows.evaluate.records import KnownAnswers, by_name
from estimators.workflows.evaluate.run import Answer
from estimators.workflows.evaluate.seen import FILE as SEEN
from estimators.workflows.evaluate.seen import Seen
from estimators.workflows.lines import Take, read_lines
from estimators.workflows.shards import Parts, Shard, number_of

NO_TIMES = (
    "Put together from the parts of several runs, which may have shared their machines with other "
    "work: no times are told. For them run the models on a few of them on one quiet machine."
)
_UNKNOWN_MS = Timings(math.nan, math.nan, math.nan)


def job_of(
    annotated: AnnotatedSet, settings: EvaluateSettings, thresholds: Mapping[str, Thresholds]
) -> dict[str, Any]:
    """All that decides what a report says, JSON-ready.

    Args:
        annotated: the whole set, not a shard of it.
    """
    listed = [[i.file, i.image_id, i.width, i.height] for i in annotated.images]
    digest = hashlib.sha256(json.dumps(listed).encode()).hexdigest()
    return {
        "annotations": annotated.sha256,
        "pictures": {"count": len(listed), "sha256": digest},
        "protocol": settings.protocol,
        "people": dict(settings.people),
        "invented": settings.invented,
        "thresholds": {m: [t.joint, t.pose] for m, t in thresholds.items()},
        "models": {m: model_key(get(m), settings.options(m)) for m in settings.models},
    }


def settings_of(job: Mapping[str, Any]) -> tuple[EvaluateSettings, dict[str, Thresholds]]:
    """The settings that `job_of` was given, of all shards together."""
    thresholds = {m: Thresholds(*values) for m, values in job["thresholds"].items()}
    models = tuple(job["models"])
    devices = devices_of(job)
    people, invented = job["people"], job["invented"]
    settings = EvaluateSettings(models, job["protocol"], people, invented, devices=devices)
    return settings, thresholds


def devices_of(job: Mapping[str, Any]) -> dict[str, str]:
    """Where each model of the shards computed."""
    return {model: str(key["device"]) for model, key in job["models"].items()}


def require_same(parts: Parts, job: Mapping[str, Any]) -> None:
    """Raises InputError where `parts` are of something else than what is here (`job_of` it)."""
    here = replace(parts.run, job=job)
    if difference := parts.run.difference(here):
        raise InputError(
            f"The shards cannot be merged with what is here: {difference}.",
            "Give the pictures and annotations of the shards, and use the same version of the code "
            "and its libraries.",
        )


def facts_in(parts: Parts) -> dict[str, PictureFacts]:
    """What the shards know of their pictures, by name; damaged lines are passed over."""
    seen = Seen()
    for found in parts.folders.values():
        for folder, _ in found:
            with suppress(FileNotFoundError):
                read_lines((folder / SEEN).read_bytes(), seen.take)
    return seen.facts


@dataclass
class _Part:
    """What one shard's folders hold together."""

    shard: Shard
    seen: Seen
    answers: dict[str, KnownAnswers]
    damaged: Counter[str] = field(default_factory=Counter)
    absent: list[str] = field(default_factory=list)
    lacks: Counter[str] = field(default_factory=Counter)

    def read(self, folder: Path) -> None:
        self._take(folder / SEEN, self.seen.take)
        for known in self.answers.values():
            self._take(folder / known.file_name, known.take)

    def _take(self, path: Path, take: Take) -> None:
        shown = printable(str(path))
        try:
            content = path.read_bytes()
        except OSError as error:
            self.absent.append(f"{shown} cannot be read ({error.strerror})")
            return
        if damaged := read_lines(content, take):
            self.damaged[shown] += damaged

    def answer(self, ask: Ask, model: str) -> Answer | None:
        """None where it is missing."""
        file, known = ask.image.file, self.answers[model]
        facts = self.seen.facts.get(file, PictureFacts(by_name(file)))
        if facts.unreadable:
            return Answer(ask, error=facts.unreadable, unreadable=True)
        kept = known.get(facts.sha256, ask.window)
        if kept is not None:
            estimate = replace(kept.estimate, timings_ms=_UNKNOWN_MS)
            return Answer(ask, estimate, placement=known.placement)
        why = known.error(facts.sha256, ask.window) or known.error(by_name(file), ask.window)
        return Answer(ask, error=why) if why else None

    def problem(self, again: str) -> str:
        """What is missing and what to do, a line."""
        lacks = ", ".join(f"{n:,} answer{'s'[: n > 1]} of {m}" for m, n in self.lacks.items())
        damaged = (f"{n} damaged line{'s'[: n > 1]} in {path}" for path, n in self.damaged.items())
        why = [*self.absent, *damaged]
        why += [
            f"{model} was given up: {self.answers[model].gave_up}"
            for model in self.lacks
            if self.answers[model].gave_up
        ]
        return f"{self.shard} lacks {lacks}{'; ' if why else ''}{'; '.join(why)}. Run: {again}"


class Merged:
    """The parts of all shards, held against what they have to answer.

    Args:
        annotated: the whole set.
        settings: of all shards together.
        parts: fit to them, see `require_same`.

    Attributes:
        problems: what is missing or damaged, a line each; empty where all is there.
    """

    def __init__(self, annotated: AnnotatedSet, settings: EvaluateSettings, parts: Parts) -> None:
        self._plan = Plan.of(annotated, settings)
        self._parts = {n: self._read(parts, n) for n in parts.folders}
        self._of = parts.of
        self._models = [AskedModel(get(model)) for model in settings.models]
        for model in self._models:
            self._fill(model)
        self.problems = [
            *parts.absent(),
            *(p.problem(parts.again(n)) for n, p in self._parts.items() if p.lacks),
        ]

    def outcome(self) -> Evaluated | None:
        """What one run of all would have come to, without its times."""
        ids = {image.file: image.image_id for image in self._plan.annotated.images}
        unreadable = {
            ids[file]: facts.unreadable
            for part in self._parts.values()
            for file, facts in part.seen.facts.items()
            if facts.unreadable and file in ids
        }
        return outcome(self._plan, self._models, unreadable, (NO_TIMES,))

    def _read(self, parts: Parts, number: int) -> _Part:
        settings = self._plan.settings
        answers = {m: KnownAnswers(get(m), settings.options(m)) for m in settings.models}
        part = _Part(Shard(number, parts.of), Seen(), answers)
        for folder, _ in parts.folders[number]:
            part.read(folder)
        return part

    def _fill(self, model: AskedModel) -> None:
        missing: list[tuple[int, Ask]] = []
        for ask in self._plan.asks:
            number = number_of(ask.image.file, self._of)
            part = self._parts.get(number)
            answer = None if part is None else part.answer(ask, model.spec.key)
            if answer is None:
                missing.append((number, ask))
            model.take(answer or Answer(ask))
        if missing and not self._never_ran(model, {number for number, _ in missing}):
            for number in (n for n, _ in missing if n in self._parts):
                self._parts[number].lacks[model.spec.key] += 1
        held = [mb for known in self._known(model.spec) for mb in known.memory_mb.values()]
        model.memory_mb = max(held, default=None)

    def _never_ran(self, model: AskedModel, numbers: set[int]) -> bool:
        """Whether it could not run anywhere: then that is what there is to say of it."""
        known = [self._parts[n].answers[model.spec.key] for n in numbers if n in self._parts]
        if model.answered or not known or not all(one.gave_up for one in known):
            return False
        model.error = known[0].gave_up
        model.answers = [a if a.error else Answer(a.ask, error=model.error) for a in model.answers]
        return True

    def _known(self, spec: ModelSpec) -> Iterator[KnownAnswers]:
        return (part.answers[spec.key] for part in self._parts.values())
