"""A clip's answers under one choice of thresholds: the report, and who is who for the files."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.clip_report import ClipReport, report_clip
from estimators.analysis.temporal import TemporalNumbers
from estimators.analysis.thresholds import Thresholds
from estimators.registry import get


@dataclass(frozen=True)
class Steadiness:
    """How steady one model is, as it is told; see `analysis.temporal` for each number.

    Attributes:
        person: the person's number, the same in all models; None for all whom the model follows.
        sightings: people shown, counted a frame.
        jitter: median over joints and frames, torso lengths per s²; NaN without three in a row.
        dropout: share of the joints missing while people are known to be there by any model.
        identity_switches: times the model went over to this person from another.
        side_swaps, limb_jumps: frames in which one happened.
    """

    model: str
    person: int | None
    sightings: int
    jitter: float
    dropout: float
    identity_switches: int
    side_swaps: int
    limb_jumps: int

    @classmethod
    def of(cls, model: str, person: int | None, numbers: TemporalNumbers) -> Steadiness:
        return cls(
            model,
            person,
            numbers.sightings,
            numbers.median_jitter,
            numbers.mean_dropout,
            len(numbers.identity_switches),
            len(numbers.side_swaps),
            len(numbers.limb_jumps),
        )


@dataclass(frozen=True, eq=False)
class ClipAnalysis:
    """What follows from a clip's answers at given thresholds.

    Attributes:
        thresholds: on each model's own scale.
        report: agreement, steadiness, latency.
        estimates: the answers with `identity` set; the original ones are left as they are, since
            other viewers may have other thresholds.
    """

    thresholds: Mapping[str, Thresholds]
    report: ClipReport
    estimates: Mapping[str, ClipEstimates]

    @classmethod
    def of(
        cls,
        estimates: Mapping[str, ClipEstimates],
        thresholds: Mapping[str, Thresholds] | None = None,
    ) -> ClipAnalysis:
        """Analyses answers that no longer grow; thresholds default to each variant's own."""
        given = thresholds or {}
        used = {model: given.get(model) or Thresholds.of(get(model)) for model in estimates}
        report = report_clip(estimates, used)
        identified = {}
        for model, e in estimates.items():
            identified[model] = copy.copy(e)
            identified[model].identify(report.shown[model].spread(report.people[model]))
        return cls(used, report, identified)

    @property
    def people(self) -> tuple[int, ...]:
        """The numbers of all people, the one seen most often first."""
        seen = {int(p) for people in self.report.people.values() for p in np.unique(people)}
        return tuple(sorted(seen))

    def steadiness(self) -> tuple[Steadiness, ...]:
        """One entry a model and person that it shows, people in order."""
        by_person = {model: self.report.by_person(model) for model in self.estimates}
        return tuple(
            Steadiness.of(model, person, by_person[model][person])
            for person in self.people
            for model in self.estimates
            if person in by_person[model]
        )

    def overall(self) -> tuple[Steadiness, ...]:
        """One entry a model: on everybody it follows."""
        return tuple(
            Steadiness.of(model, None, numbers) for model, numbers in self.report.temporal.items()
        )
