"""A clip's answers under one choice of thresholds: the report, and who is who for the files."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import median_of
from estimators.analysis.clip import ClipEstimates
from estimators.analysis.clip_report import ClipReport, report_clip
from estimators.analysis.shown import Thresholds
from estimators.analysis.temporal import (
    dropout,
    impossible_limbs,
    jitter,
    person_path,
    side_swaps,
)
from estimators.registry import get


@dataclass(frozen=True)
class Steadiness:
    """How steady one model is on one person; see `analysis.temporal` for each number.

    Attributes:
        person: the person's number, the same in all models.
        sightings: frames in which the model shows the person.
        jitter: median over joints and frames, torso lengths per s²; NaN without three in a row.
        dropout: share of the joints missing between the first and the last sighting.
        identity_switches: times the model went over to this person from another track.
        side_swaps, limb_jumps: frames in which one happened.
    """

    model: str
    person: int
    sightings: int
    jitter: float
    dropout: float
    identity_switches: int
    side_swaps: int
    limb_jumps: int


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
        return tuple(
            self._steadiness(model, person)
            for person in self.people
            for model in self.estimates
            if (self.report.people[model] == person).any()
        )

    def _steadiness(self, model: str, person: int) -> Steadiness:
        shown = self.report.shown[model]
        rows = np.flatnonzero(self.report.people[model] == person)
        path = person_path(shown, rows)
        switches = self.report.temporal[model].identity_switches
        firsts = _first_frames(self.report.tracks[model][rows], shown.frame_of[rows])
        return Steadiness(
            model,
            person,
            len(rows),
            median_of(np.array([median_of(column) for column in jitter(path).T])),
            float(dropout(path).mean()),
            int(np.isin(switches, firsts).sum()),
            int(side_swaps(path).any(axis=1).sum()),
            int(impossible_limbs(path).any(axis=1).sum()),
        )


def _first_frames(tracks: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """The frame in which each of the tracks starts; rows in order of time."""
    _, first = np.unique(tracks, return_index=True)
    return frames[first]
