"""The tables that `compare` prints: what each model found and cost, and how far they agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from estimators.analysis.agreement import (
    PairAgreement,
    PairMatches,
    agreement_matrix,
    picture_matches,
)
from estimators.analysis.clip_latency import ClipLatency, summarise
from estimators.analysis.figures import Figure, cost_figures, pair_figures, picture_figures
from estimators.analysis.matching import group_people
from estimators.analysis.scale import above_thresholds
from estimators.cli.model_run import ModelRun
from estimators.cli.people import held_back
from estimators.cli.text import number, table
from estimators.runtime.api import ModelStatus
from estimators.types import PoseSet

_HEADER = (
    *("MODEL", "PEOPLE", "MEAN SCORE", "KIND", "MEDIAN ms", "COLD ms", "LOAD s", "MEMORY MB"),
    "DEVICE",
)


def text(runs: Sequence[ModelRun], pictures: int) -> str:
    """The whole report. People and joints under their model's default thresholds do not count."""
    parts = [
        f"{pictures} picture{'s'[: pictures > 1]}; people and joints over each model's default "
        "thresholds; scores of different kinds cannot be compared",
        table(_HEADER, [_row(run) for run in runs], right=(1, 2, 4, 5, 6, 7)),
        *held_back(run.estimates[0] for run in runs if run.answered),
    ]
    if sum(run.answered for run in runs) > 1:
        parts.append(agreement_table(_agreement(runs)))
    return "\n\n".join(parts)


def figures(runs: Sequence[ModelRun]) -> Iterator[Figure]:
    """What `text` tells of all pictures together, and what can be told of each."""
    for run in runs:
        if run.answered:
            yield from cost_figures("", run.spec.key, **_numbers(run))
    yield from pair_figures("", _agreement(runs))
    for name, people in _by_picture(runs).items():
        groups = group_people(people)
        yield from picture_figures(name, people, groups)
        yield from pair_figures(name, agreement_matrix(people, groups).pairs)


def _numbers(run: ModelRun) -> dict[str, float | None]:
    people = list(_shown(run).values())
    scores = np.concatenate([p.score[np.isfinite(p.xy).all(axis=-1)] for p in people])
    status = run.status or ModelStatus(run.spec.key, "stopped")
    return {
        "people": sum(len(p) for p in people),
        "mean_score": float(scores.mean()) if scores.size else None,
        "latency": _latency(run).median_ms,
        "frames_busy": sum(int(e.busy.sum()) for e in run.estimates),
        "first_call": status.first_call_ms,
        "load": status.load_s,
        "memory": status.memory_mb,
    }


def _latency(run: ModelRun) -> ClipLatency:
    return summarise(
        np.concatenate([e.latency_ms for e in run.estimates]),
        np.concatenate([e.busy for e in run.estimates]),
    )


def _row(run: ModelRun) -> tuple[str, ...]:
    if not run.answered:
        return (run.spec.key, "failed", "-", run.spec.score_kind, "-", "-", "-", "-", "-")
    numbers = _numbers(run)
    latency = number(numbers["latency"], 1) + (" (busy)" if _latency(run).busy else "")
    return (
        run.spec.key,
        number(numbers["people"], 0),
        number(numbers["mean_score"], 2),
        run.spec.score_kind,
        latency,
        *(number(numbers[name], 1) for name in ("first_call", "load")),
        number(numbers["memory"], 0),
        "-" if run.placement is None else run.placement.computed,
    )


def _agreement(runs: Sequence[ModelRun]) -> dict[tuple[str, str], PairAgreement]:
    """How each two models agree over all pictures that both answered."""
    answered = [run.spec.key for run in runs if run.answered]
    parts: dict[tuple[str, str], list[PairMatches]] = {p: [] for p in combinations(answered, 2)}
    for people in _by_picture(runs).values():
        for models, part in picture_matches(people, group_people(people)).items():
            parts[models].append(part)
    return {models: PairAgreement.of(found) for models, found in parts.items()}


def _by_picture(runs: Sequence[ModelRun]) -> dict[str, dict[str, PoseSet]]:
    """For each picture that was answered, who is shown of each model that answered it."""
    out: dict[str, dict[str, PoseSet]] = {}
    for run in runs:
        for name, people in _shown(run).items():
            out.setdefault(name, {})[run.spec.key] = people
    return out


def agreement_table(
    pairs: Mapping[tuple[str, str], PairAgreement], of_pictures: bool = True
) -> str:
    """How each two models agree; on pictures also on how many people."""
    rows = [
        (
            *models,
            *([str(pair.matched)] if of_pictures else []),
            number(pair.mean_oks, 3),
            number(pair.median_distance, 3),
        )
        for models, pair in pairs.items()
    ]
    matched = ("MATCHED",) if of_pictures else ()
    header = ("AGREEMENT OF", "AND", *matched, "MEAN OKS", "DISTANCE (torsos)")
    return table(header, rows, right=range(2, len(header)))


def _shown(run: ModelRun) -> Mapping[str, PoseSet]:
    """By picture, what is over the thresholds; pictures the model failed on are left out."""
    spec = run.spec
    return {
        e.file: above_thresholds(e.poses(0), spec.default_threshold, spec.default_pose_threshold)
        for e in run.estimates
        if not e.errors
    }
