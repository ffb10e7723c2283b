"""All numbers of one clip together: people, agreement over time, steadiness, latency."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import PairAgreement, median_of
from estimators.analysis.clip import TIMINGS, ClipEstimates
from estimators.analysis.clip_latency import ClipLatency, summarise
from estimators.analysis.clip_pairs import agreed_sightings, clip_matches
from estimators.analysis.facts import Cost, ModelFacts
from estimators.analysis.identity import shared_identities
from estimators.analysis.over_time import (
    MOST_DISPUTED,
    WORTH_A_LOOK,
    AgreementOverTime,
    DisputedFrame,
    agreement_over_time,
    disputed_frames,
    distance_over_time,
)
from estimators.analysis.pairing import match_all
from estimators.analysis.smoothing import OneEuro, one_euro
from estimators.analysis.temporal import (
    Span,
    TemporalNumbers,
    known_spans,
    numbers_by_person,
    temporal_numbers,
)
from estimators.analysis.thresholds import ShownClip, Thresholds, rows_by_number
from estimators.analysis.tracking import track_people
from estimators.registry import get


@dataclass(frozen=True, eq=False)
class ClipReport:
    """What follows from the models' answers to one clip at given thresholds.

    Attributes:
        shown: people left by the thresholds, Q a model.
        tracks: int64 [Q] a model, `track_people`.
        people: int64 [Q] a model, `shared_identities`: the same number in all models.
        over_time: agreement a person and frame.
        spans: `known_spans`, from when to when each person is there.
    """

    shown: Mapping[str, ShownClip]
    tracks: Mapping[str, NDArray[np.int64]]
    people: Mapping[str, NDArray[np.int64]]
    over_time: AgreementOverTime
    spans: Mapping[int, Span]

    @cached_property
    def pairs(self) -> dict[tuple[str, str], PairAgreement]:
        """How each two models agree on the people whom both show."""
        matches = clip_matches(self.shown, self.people)
        return {models: PairAgreement.of([part]) for models, part in matches.items()}

    @cached_property
    def temporal(self) -> dict[str, TemporalNumbers]:
        """How steady each model is on everybody it follows."""
        return {
            model: temporal_numbers(s, self.tracks[model], self.people[model], self.spans)
            for model, s in self.shown.items()
        }

    def by_person(self, model: str) -> dict[int, TemporalNumbers]:
        """How steady a model is on each person."""
        shown, people = self.shown[model], self.people[model]
        return numbers_by_person(shown, self.tracks[model], people, self.spans)

    @cached_property
    def latency(self) -> dict[str, ClipLatency]:
        """Of each model's own time a frame, after the first frame (which may warm up).

        Frames measured while other work ran, and the first one after a restart, count only where
        there are no others.
        """
        return {
            m: summarise(s.clip.latency_ms[1:], (s.clip.busy | s.clip.restarted)[1:])
            for m, s in self.shown.items()
        }

    def first_ms(self, model: str) -> float:
        """The model's own time for the first frame, which `latency` leaves out; NaN without one."""
        latency_ms = self.shown[model].clip.latency_ms
        return float(latency_ms[0]) if len(latency_ms) else math.nan

    def busy(self, model: str) -> int:
        """Frames whose times were measured while other work ran."""
        return int(self.shown[model].clip.busy.sum())

    def transport_ms(self, model: str) -> float:
        """Median time that frames and answers were on their way, after the first frame."""
        column = TIMINGS.index("transport_ms")
        return summarise(self.shown[model].clip.timings_ms[1:, column]).median_ms

    @cached_property
    def _agreed(self) -> dict[str, NDArray[np.int64]]:
        return agreed_sightings(self.shown, self.people)

    @cached_property
    def distance(self) -> dict[str, NDArray[np.float32]]:
        """How far each joint lies from where the other families put it: `distance_over_time`."""
        return distance_over_time(self.shown, self.people)

    def disputed(self, most: int = MOST_DISPUTED) -> tuple[DisputedFrame, ...]:
        """The frames worth a look in which the models differ most, see `disputed_frames`."""
        return disputed_frames(self.over_time, self.shown, self.people, most, WORTH_A_LOOK)

    def facts(self, costs: Mapping[str, Cost]) -> tuple[ModelFacts, ...]:
        """What is told of each model, with people counted a frame."""
        everybody = np.unique(np.concatenate([np.zeros(0, np.int64), *self._agreed.values()]))
        return tuple(
            ModelFacts(
                model,
                len(shown),
                len(self._agreed[model]),
                median_of(self.distance[model].astype(np.float64)),
                costs.get(model, Cost()),
                shown.clip.held_to,
                people=len(everybody),
            )
            for model, shown in self.shown.items()
        )

    def scores(self, model: str, person: int) -> NDArray[np.float32]:
        """The score of every joint of a person in every frame, float32 [F, K]; NaN where unseen."""
        shown = self.shown[model]
        rows = np.flatnonzero(self.people[model] == person)
        out = np.full((len(shown.clip), len(shown.clip.skeleton)), np.nan, np.float32)
        out[shown.frame_of[rows]] = shown.clip.score[shown.rows[rows]]
        return out

    def smoothed(self, model: str, options: OneEuro | None = None) -> NDArray[np.float32]:
        """All joints of a model after the One Euro filter, float32 [P, K, 2] like `clip.xy`.

        Each track is filtered for itself.  Hidden joints and people take no part: they are NaN, do
        not pull the line, and a joint hidden for longer than `max_gap_s` starts afresh.
        """
        shown = self.shown[model]
        out = np.full_like(shown.clip.xy, np.nan)
        time_s = shown.clip.time_s[shown.frame_of]
        for rows in rows_by_number(self.tracks[model]).values():
            xy = shown.own_xy(rows).astype(np.float64)
            scale = median_of(shown.torso[rows])
            if math.isfinite(scale):
                xy = one_euro(xy, time_s[rows], scale, options or OneEuro())
            out[shown.rows[rows]] = xy
        return out


def report_clip(
    estimates: Mapping[str, ClipEstimates], thresholds: Mapping[str, Thresholds] | None = None
) -> ClipReport:
    """Follows the people of a clip and measures everything over time.

    Args:
        estimates: what each model said.
        thresholds: on each model's own scale; the variant's defaults where absent.

    Raises:
        InputError: a model without thresholds is not in the registry.
    """
    shown = {
        model: ShownClip.of(e, (thresholds or {}).get(model) or Thresholds.of(get(model)))
        for model, e in estimates.items()
    }
    tracks = {model: track_people(s) for model, s in shown.items()}
    people = shared_identities(shown, tracks, match_all(shown))
    return ClipReport(
        shown,
        tracks,
        people,
        agreement_over_time(shown, people),
        known_spans(shown, people),
    )
