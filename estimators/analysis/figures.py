"""Every figure that a page or the command line tells of a comparison, as rows of one tidy table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from estimators.analysis.agreement import PairAgreement, joint_agreement, median_of
from estimators.analysis.clip_report import ClipReport
from estimators.analysis.facts import ModelFacts, picture_facts
from estimators.analysis.matching import PersonGroup
from estimators.analysis.over_time import DisputedFrame
from estimators.analysis.temporal import TemporalNumbers
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

# What each figure counts in; docs/formats.md says what each is.
UNITS: Mapping[str, str] = {
    "people": "count",
    "agreed_people": "count",
    "distance_from_others": "torsos",
    "oks": "OKS",
    "mean_oks": "OKS",
    "median_distance": "torsos",
    "matched_people": "count",
    "only_model": "count",
    "only_other_model": "count",
    "mean_score": "score",
    "frames": "count",
    "frames_failed": "count",
    "frames_busy": "count",
    "jitter": "torsos/s²",
    "dropout": "share",
    "identity_switches": "count",
    "side_swaps": "count",
    "limb_jumps": "count",
    "dispute": "1 - OKS",
    "apart": "torsos",
    "preprocess": "ms",
    "inference": "ms",
    "postprocess": "ms",
    "latency": "ms",
    "latency_p95": "ms",
    "latency_first": "ms",
    "transport": "ms",
    "first_call": "ms",
    "load": "s",
    "memory": "MB",
    "memory_peak": "MB",
    "latency_least": "ms",
    "latency_most": "ms",
}


@dataclass(frozen=True)
class Figure:
    """One number: what it is, of what, and its value (NaN where unknown).

    Attributes:
        figure: a key of `UNITS`.
        file: name of the picture or clip, "" for all pictures of a comparison together.
        model, other_model: keys, "" where it is not of one model, or not of two.
        person: the person's number, the same in all models; None for everybody together.
        joint: name, "" for all joints together.
        frame_index, time_s: where it happened, None for the whole picture or clip.
    """

    figure: str
    value: float
    file: str = ""
    model: str = ""
    other_model: str = ""
    person: int | None = None
    joint: str = ""
    frame_index: int | None = None
    time_s: float | None = None

    @property
    def unit(self) -> str:
        return UNITS[self.figure]


def picture_figures(
    file: str, people: Mapping[str, PoseSet], groups: Sequence[PersonGroup]
) -> Iterator[Figure]:
    """Who was found, how far each joint lies from the other models', and how alike people are.

    Args:
        file: the picture's name.
        people: who is `shown` of each model.
        groups: `group_people` of them; its first is person 1.
    """
    yield from _facts(file, picture_facts(people, groups, {}))
    distance = joint_agreement(people, groups)
    for person, group in enumerate(groups, 1):
        yield Figure("mean_oks", group.mean_oks, file, person=person)
        for (one, other), oks in group.oks.items():
            yield Figure("oks", oks, file, one, other, person)
        for model in group.members:
            row = distance[model][person - 1]
            yield Figure("distance_from_others", median_of(row), file, model, person=person)
            for joint, value in zip(COCO_17.joints, row.tolist(), strict=True):
                if not math.isnan(value):
                    yield Figure(
                        "distance_from_others", value, file, model, person=person, joint=joint
                    )


def pair_figures(file: str, pairs: Mapping[tuple[str, str], PairAgreement]) -> Iterator[Figure]:
    """How each two models agree."""
    for (one, other), pair in pairs.items():
        for figure, value in (
            ("matched_people", pair.matched),
            ("only_model", pair.only_a),
            ("only_other_model", pair.only_b),
            ("mean_oks", pair.mean_oks),
            ("median_distance", pair.median_distance),
        ):
            yield Figure(figure, value, file, one, other)


def cost_figures(file: str, model: str, **values: float | None) -> Iterator[Figure]:
    """What a model took and holds; `values` by figure, None where not known."""
    for figure, value in values.items():
        yield Figure(figure, math.nan if value is None else value, file, model)


def clip_figures(
    report: ClipReport, memory_mb: Mapping[str, float] = MappingProxyType({})
) -> Iterator[Figure]:
    """Everything told of a clip as a whole and of each person; the disputed frames come last.

    Args:
        report: of the clip.
        memory_mb: what a model's process holds, where it is known.
    """
    file = next((shown.clip.file for shown in report.shown.values()), "")
    yield from _facts(file, report.facts({}))
    for model in report.shown:
        usual, overall = report.latency[model], report.temporal[model]
        yield Figure("frames", overall.frames, file, model)
        yield Figure("frames_failed", overall.failed, file, model)
        yield Figure("frames_busy", report.busy(model), file, model)
        yield from cost_figures(
            file,
            model,
            latency=usual.median_ms,
            latency_p95=usual.p95_ms,
            latency_least=usual.least_ms,
            latency_most=usual.most_ms,
            latency_first=report.first_ms(model),
            transport=report.transport_ms(model),
            memory=memory_mb.get(model),
        )
        yield from _steadiness(file, model, None, overall)
        for person, numbers in report.by_person(model).items():
            rows = report.people[model] == person
            distance = median_of(report.distance[model][rows].astype(np.float64))
            yield Figure("people", numbers.sightings, file, model, person=person)
            yield Figure("distance_from_others", distance, file, model, person=person)
            yield from _steadiness(file, model, person, numbers)
    yield from pair_figures(file, report.pairs)
    yield from _disputes(file, report.disputed())


def _facts(file: str, facts: Iterable[ModelFacts]) -> Iterator[Figure]:
    for fact in facts:
        yield Figure("people", fact.found, file, fact.model)
        yield Figure("agreed_people", fact.agreed, file, fact.model)
        yield Figure("distance_from_others", fact.distance, file, fact.model)


def _steadiness(
    file: str, model: str, person: int | None, numbers: TemporalNumbers
) -> Iterator[Figure]:
    for figure, value in (
        ("jitter", numbers.median_jitter),
        ("dropout", numbers.mean_dropout),
        ("identity_switches", len(numbers.identity_switches)),
        ("side_swaps", len(numbers.side_swaps)),
        ("limb_jumps", len(numbers.limb_jumps)),
    ):
        yield Figure(figure, value, file, model, person=person)


def _disputes(file: str, disputed: Sequence[DisputedFrame]) -> Iterator[Figure]:
    for frame in disputed:
        one, other = frame.models
        place = (frame.person, frame.joint or "", frame.frame_index, frame.time_s)
        yield Figure("dispute", frame.dispute, file, one, other, *place)
        yield Figure("apart", frame.distance, file, one, other, *place)
