"""The tables that `compare` prints: what each model found and cost, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from estimators.analysis.agreement import median_of, relative_distance
from estimators.analysis.matching import match_people
from estimators.analysis.scale import coco_xy, shown
from estimators.cli.text import number, table
from estimators.runtime.api import ModelStatus
from estimators.types import PoseSet

if TYPE_CHECKING:
    from estimators.cli.compare import ModelRun

_HEADER = (
    *("MODEL", "PEOPLE", "MEAN SCORE", "KIND", "MEDIAN ms", "COLD ms", "LOAD s", "MEMORY MB"),
)


def text(runs: Sequence[ModelRun], pictures: int) -> str:
    """The whole report. People and joints under their model's default thresholds do not count."""
    parts = [
        f"{pictures} picture{'s'[: pictures > 1]}; people and joints over each model's default "
        "thresholds; scores of different kinds cannot be compared",
        table(_HEADER, [_row(run) for run in runs], right=(1, 2, 4, 5, 6, 7)),
    ]
    answered = [run for run in runs if run.answered]
    if len(answered) > 1:
        rows = [_pair(a, b) for a, b in combinations(answered, 2)]
        header = ("AGREEMENT OF", "AND", "MATCHED", "MEAN OKS", "DISTANCE (torsos)")
        parts.append(table(header, rows, right=(2, 3, 4)))
    return "\n\n".join(parts)


def _row(run: ModelRun) -> tuple[str, ...]:
    if not run.answered:
        return (run.spec.key, "failed", "-", run.spec.score_kind, "-", "-", "-", "-")
    people = list(_shown(run).values())
    scores = np.concatenate([p.score[np.isfinite(p.xy).all(axis=-1)] for p in people])
    latency = np.concatenate([e.latency_ms[~e.failed] for e in run.estimates])
    status = run.status or ModelStatus(run.spec.key, "stopped")
    return (
        run.spec.key,
        str(sum(len(p) for p in people)),
        number(float(scores.mean()) if scores.size else None, 2),
        run.spec.score_kind,
        number(float(np.median(latency)), 1),
        number(status.first_call_ms, 1),
        number(status.load_s, 1),
        number(status.memory_mb, 0),
    )


def _pair(a: ModelRun, b: ModelRun) -> tuple[str, ...]:
    """Agreement over all pictures that both answered: the mean over matched people, the median over
    their joints."""
    of_a, of_b = _shown(a), _shown(b)
    oks: list[float] = []
    distances = [np.zeros(0)]
    for name in [name for name in of_a if name in of_b]:
        matches = match_people(of_a[name], of_b[name]).matches
        xy_a = coco_xy(of_a[name])[[match.a for match in matches]]
        xy_b = coco_xy(of_b[name])[[match.b for match in matches]]
        oks += [match.oks for match in matches]
        distances.append(relative_distance(xy_a, xy_b).ravel())
    return (
        a.spec.key,
        b.spec.key,
        str(len(oks)),
        number(float(np.mean(oks)) if oks else None, 3),
        number(median_of(np.concatenate(distances)), 3),
    )


def _shown(run: ModelRun) -> Mapping[str, PoseSet]:
    """By picture, what is over the thresholds; pictures the model failed on are left out."""
    spec = run.spec
    return {
        e.file: shown(e.poses(0), spec.default_threshold, spec.default_pose_threshold)
        for e in run.estimates
        if not e.errors
    }
