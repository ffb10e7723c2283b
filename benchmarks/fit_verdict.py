"""Makes the coefficients of the verdict from annotated pictures, and says what they are worth.

    python -m benchmarks.fit_verdict --annotations FILE [--annotations FILE …] [--write]

Few pictures are made many by parts around each person and group, mirrored, turned, scaled, blurred
and darkened (`benchmarks/_annotated.py`).  Figures are leave-source-out: nothing that was made of a
picture takes part in judging it.  `--write` replaces estimators/analysis/verdict_coefficients.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks._annotated import (
    SETS,
    SUPPORTED_WITHIN,
    Scene,
    add_arguments,
    chosen_scenes,
    more_scenes,
    quality,
    true_oks,
)
from estimators.analysis.facts import gather
from estimators.analysis.quality import (
    COEFFICIENTS,
    Coefficients,
    chance_signals,
    chances,
    expected_quality,
)
from estimators.analysis.recommend import (
    FEWEST_VOICES,
    LEAST_CHANCE,
    LEAST_CHANCE_OF_TWO,
    TOO_FAR_APART,
)
from estimators.analysis.scale import found, shown
from estimators.analysis.signals import PERSON_SIGNALS, Signals, picture_signals
from estimators.registry import get, voice
from estimators.runtime.runner import ProcessRunner
from estimators.types import Frame, PoseSet

_RIDGE, _LOGISTIC = 0.03, 20.0
_WHOLE_WEIGHT = 3.0  # a whole picture, and its mirror image, counts as three parts
_ALSO = (("posenet", "blazepose-lite", "movenet-multipose"), ("movenet-thunder", "posenet"))
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """One scene seen by one set of models."""

    source: str
    whole: bool
    original: bool
    models: tuple[str, ...]
    set_name: str
    signals: Signals
    oks: Mapping[str, Array]
    quality: Mapping[str, float]
    apart: float


def samples(scenes: Sequence[Scene]) -> list[Sample]:
    sets = {**SETS, **{f"fit {i}": models for i, models in enumerate(_ALSO)}}
    poses = _estimates(scenes, tuple(dict.fromkeys(chain.from_iterable(sets.values()))))
    out = []
    for i, scene in enumerate(scenes):
        for name, models in sets.items():
            here = {m: poses[m][i] for m in models}
            seen, everything = {}, {}
            for m, p in here.items():
                spec = get(m)
                seen[m] = shown(p, spec.default_threshold, spec.default_pose_threshold)
                kept = found(p, spec.default_threshold, spec.default_pose_threshold)
                everything[m] = p.select(kept)
            signals = picture_signals(seen, max(scene.image.shape))
            oks = {m: true_oks(scene.people, p)[0] for m, p in everything.items()}
            worth = {m: quality(scene.people, p) for m, p in everything.items()}
            whole = scene.name in ("as it is", "mirrored")
            original = scene.name == "as it is"
            apart = np.nan_to_num([f.worst for f in gather([seen], {}, {}).values()]).max()
            out.append(
                Sample(scene.source, whole, original, models, name, signals, oks, worth, apart)
            )
    return out


def _estimates(scenes: Sequence[Scene], models: Sequence[str]) -> dict[str, list[PoseSet]]:
    runner = ProcessRunner(threads=2)
    try:
        out = {}
        for model in models:
            print(f"{model} on {len(scenes)} scenes", flush=True)
            out[model] = [
                runner.estimate(model, Frame(np.ascontiguousarray(s.image))).estimate.poses
                for s in scenes
            ]
            runner.retire(model)
        return out
    finally:
        runner.close()


def fit(every: Sequence[Sample]) -> Coefficients:
    """Both regressions on these samples."""
    models = sorted({m for s in every for m in s.models})
    person, lines = _ridge(every, models)
    first = Coefficients(tuple(person), lines, ())
    rows, hits, weights = [], [], []
    for s in every:
        table = chance_signals(s.signals, expected_quality(s.signals, first), s.models)
        best = max(s.quality.values())
        rows.append(table)
        hits += [float(best - s.quality[m] <= SUPPORTED_WITHIN) for m in s.models]
        weights += [_WHOLE_WEIGHT if s.whole else 1.0] * len(s.models)
    chance = _logistic(np.concatenate(rows), np.array(hits), np.array(weights))
    return Coefficients(
        tuple(round(float(v), 5) for v in person),
        {m: (round(a, 5), round(b, 5)) for m, (a, b) in lines.items()},
        tuple(round(float(v), 5) for v in chance),
    )


def _ridge(
    every: Sequence[Sample], models: Sequence[str]
) -> tuple[Array, dict[str, tuple[float, float]]]:
    rows, truth = [], []
    for s in every:
        for m in s.models:
            signals = s.signals.people[m]
            for own in (True, False):  # once without the model's own line, for those not fitted
                lines = np.zeros((len(signals), 2 * len(models)))
                if own:
                    at = 2 * models.index(m)
                    lines[:, at], lines[:, at + 1] = 1.0, signals[:, -1]
                rows.append(np.concatenate([signals[:, : len(PERSON_SIGNALS) - 1], lines], axis=1))
                truth.append(s.oks[m])
    table, target = np.concatenate(rows), np.concatenate(truth)
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    z = (table - middle) / spread
    weights = np.linalg.solve(
        z.T @ z + _RIDGE * len(z) * np.eye(z.shape[1]), z.T @ (target - target.mean())
    )
    weights = weights / spread
    intercept = target.mean() - middle @ weights
    shared = len(PERSON_SIGNALS) - 1
    lines = {
        m: (float(weights[shared + 2 * i]), float(weights[shared + 2 * i + 1]))
        for i, m in enumerate(models)
    }
    return np.append(weights[:shared], intercept), lines


def _logistic(table: Array, hit: Array, weight: Array) -> Array:
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    z = np.column_stack([(table - middle) / spread, np.ones(len(table))])
    held = np.append(np.full(table.shape[1], _LOGISTIC), 0.0)

    def loss(c: Array) -> tuple[float, Array]:
        line = z @ c
        chance = 1 / (1 + np.exp(-line))
        value = (weight * (np.logaddexp(0, line) - hit * line)).sum() + (held * c * c).sum() / 2
        return float(value), z.T @ (weight * (chance - hit)) + held * c

    c = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B").x
    weights = c[:-1] / spread
    return np.append(weights, c[-1] - middle @ weights)


def left_out(
    every: Sequence[Sample],
) -> Iterator[tuple[Sample, dict[str, float], dict[str, float]]]:
    """(sample, quality expected, chances) by coefficients that know nothing of its source."""
    for source in sorted({s.source for s in every}):
        used = fit([s for s in every if s.source != source])
        for s in every:
            if s.source == source:
                expected = expected_quality(s.signals, used)
                yield s, expected, chances(s.signals, expected, s.models, used)


def report(every: Sequence[Sample]) -> str:
    """Leave-source-out: supported, declined and regret of three rules, a set of models."""
    judged = list(left_out(every))
    lines = [f"{'models':20} {'scenes':12} rule         supported declined regret"]
    for name in SETS:
        for whole in (True, False):
            here = [j for j in judged if j[0].set_name == name and (j[0].original or not whole)]
            for rule, picks in _rules(here).items():
                scope = "pictures" if whole else "all"
                lines.append(f"{name:20} {scope:12} {rule:12} {_figures(here, picks)}")
    return "\n".join(lines)


def _rules(here: Sequence[tuple[Sample, Mapping, Mapping]]) -> dict[str, list[str | None]]:
    def agree(s: Sample, least: float) -> str | None:
        at = {m: float(s.signals.picture[m][0]) for m in s.models}
        best = max(at, key=lambda m: at[m])
        return best if at[best] >= least else None

    def hand(s: Sample) -> str | None:
        """Who agrees best and finds as many people as the others; declines at little agreement."""
        at = {m: float(v[0] + 0.5 * v[1] - 0.5 * v[2]) for m, v in s.signals.picture.items()}
        best = max(at, key=lambda m: at[m])
        return best if s.signals.picture[best][0] >= 0.15 else None

    fitted = [max(c, key=lambda m: c[m]) for _, _, c in here]
    return {
        "agreement": [agree(s, 0.0) for s, _, _ in here],
        "by hand": [hand(s) for s, _, _ in here],
        "fitted": list(fitted),
        "declining": [
            p if c[p] >= _least(s) and s.apart <= TOO_FAR_APART else None
            for p, (s, _, c) in zip(fitted, here, strict=True)
        ],
    }


def _least(s: Sample) -> float:
    voices = {voice(m) for m, people in s.signals.people.items() if len(people)}
    return LEAST_CHANCE if len(voices) >= FEWEST_VOICES else LEAST_CHANCE_OF_TWO


def _figures(here: Sequence[tuple[Sample, Mapping, Mapping]], picks: Sequence[str | None]) -> str:
    regret = [
        max(s.quality.values()) - s.quality[p]
        for (s, _, _), p in zip(here, picks, strict=True)
        if p is not None
    ]
    if not regret:
        return "   nothing recommended"
    supported = np.mean(np.array(regret) <= SUPPORTED_WITHIN)
    return f"{supported:9.0%} {1 - len(regret) / len(here):8.0%} {np.mean(regret):6.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument("--write", action="store_true", help="replace the product's coefficients")
    scenes = chosen_scenes(parser)
    every = samples(more_scenes(scenes))
    people = sum(len(s.people) for s in scenes)
    print(report(every))
    if parser.parse_args().write:
        made = (
            f"python -m benchmarks.fit_verdict on {len(scenes)} annotated pictures with "
            f"{people} people, {len(every) // (len(SETS) + len(_ALSO))} scenes made of them"
        )
        done = fit(every)
        COEFFICIENTS.write_text(Coefficients(done.person, done.models, done.chance, made).text())


if __name__ == "__main__":
    main()
