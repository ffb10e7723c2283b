"""Makes the coefficients of the verdict from annotated pictures, and says what they are worth.

    python -m benchmarks.fit_verdict --annotations FILE [--annotations FILE …] [--write]

Few pictures are made many by parts around each person and group, mirrored, turned, scaled, blurred
and darkened (`benchmarks/_annotated.py`).  Figures are of a tenth of the pictures at a time, judged
by coefficients that have seen nothing made of them; "nested" has the rule's thresholds chosen on
the other pictures, too.  `--write` replaces estimators/analysis/verdict_coefficients.json.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

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
from benchmarks._thresholds import interval, nested
from estimators.analysis.facts import Cost
from estimators.analysis.quality import (
    CHANCE_SIGNALS,
    COEFFICIENTS,
    Coefficients,
    chance_signals,
    expected_quality,
    own_signals,
    picked_signals,
)
from estimators.analysis.recommend import Evidence, recommend
from estimators.analysis.scale import above_thresholds, found
from estimators.analysis.seen import Seen
from estimators.analysis.signals import PERSON_SIGNALS, Signals, picture_signals
from estimators.registry import get
from estimators.runtime.runner import ProcessRunner
from estimators.settings import current
from estimators.types import Frame, PoseSet

_RIDGE, _LOGISTIC, _PLATT = 0.03, 60.0, 3.0
# Parts of the pictures that are left out in turn to calibrate the chance of what is picked.
_FOLDS = 5
# The same to say what all of it is worth.
_PARTS = 10
_WHOLE_WEIGHT = 3.0  # a whole picture, and its mirror image, counts as three parts
# Fitted on what the rule judges: one variant of each family.
_LIGHTNING, _THUNDER, _MULTI, _FULL, _POSENET = (
    *("movenet-lightning", "movenet-thunder", "movenet-multipose-512"),
    *("blazepose-full", "posenet"),
)
LINE_UPS = (
    *((movenet, _FULL, _POSENET) for movenet in (_LIGHTNING, _THUNDER, _MULTI)),
    *((movenet, _FULL) for movenet in (_LIGHTNING, _THUNDER, _MULTI)),
    *((_LIGHTNING, _POSENET), (_THUNDER, _POSENET), (_FULL, _POSENET)),
    ("movenet-multipose", "blazepose-lite", _POSENET),
)
# Pictures of one place and people: what is learned from one is known of the other.
_ALIKE = {
    "balance_from_behind.jpg": "balance.mp4",
    "two_people_outdoors.jpg": "street.mp4",
}
# From the fastest, as on most machines; which of two equally good ones goes first hangs on it.
_BY_SPEED = (
    *("movenet-lightning", "movenet-thunder", "blazepose-lite", "posenet"),
    *("blazepose-full", "movenet-multipose", "movenet-multipose-512"),
)
_COSTS = {model: Cost(float(place)) for place, model in enumerate(_BY_SPEED)}
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """One scene seen by one line-up."""

    source: str
    whole: bool
    models: tuple[str, ...]
    anybody: bool
    signals: Signals
    oks: Mapping[str, Array]
    quality: Mapping[str, float]

    @property
    def weight(self) -> float:
        return _WHOLE_WEIGHT if self.whole else 1.0


@dataclass(frozen=True, eq=False)
class Case:
    """One scene with what all models say of it, and what each is worth by the truth."""

    source: str
    whole: bool
    original: bool
    seen: Seen
    oks: Mapping[str, Array]
    quality: Mapping[str, float]

    def only(self, models: Sequence[str]) -> Seen:
        """As these models see it."""
        return Seen({m: self.seen.people[m] for m in models}, self.seen.longer_side)

    def sample(self, models: tuple[str, ...]) -> Sample:
        """What the regressions take of it."""
        seen = self.only(models)
        signals = picture_signals(seen.people, seen.longer_side, seen.groups)
        oks, worth = ({m: by[m] for m in models} for by in (self.oks, self.quality))
        anybody = any(map(len, seen.people.values()))
        return Sample(self.source, self.whole, models, anybody, signals, oks, worth)


def cases(scenes: Sequence[Scene], poses: Mapping[str, Sequence[PoseSet]]) -> list[Case]:
    """Each scene as the models see it; `poses` are `estimates` of the scenes."""
    out = []
    for i, scene in enumerate(scenes):
        seen, oks, worth = {}, {}, {}
        for model, every in poses.items():
            limits = (get(model).default_threshold, get(model).default_pose_threshold)
            seen[model] = above_thresholds(every[i], *limits)
            kept = every[i].select(found(every[i], *limits))
            oks[model] = true_oks(scene.people, kept)[0]
            worth[model] = quality(scene.people, kept)
        source = _ALIKE.get(scene.source, scene.source)
        original = scene.name == "as it is"
        whole = original or scene.name == "mirrored"
        side = max(scene.image.shape[:2])
        out.append(Case(source, whole, original, Seen(seen, side), oks, worth))
    return out


def estimates(scenes: Sequence[Scene], kept: Path | None = None) -> dict[str, list[PoseSet]]:
    """What each model of the sets says of each scene; from the file `kept` where it is there."""
    if kept is not None and kept.is_file():
        answers: dict[str, list[PoseSet]] = pickle.loads(kept.read_bytes())
        return answers
    runner = ProcessRunner(current(), threads=2)
    try:
        out = {}
        models = tuple(dict.fromkeys(chain(*SETS.values(), *LINE_UPS)))
        for model in models:
            print(f"{model} on {len(scenes)} scenes", flush=True)
            out[model] = [
                runner.estimate(model, Frame(np.ascontiguousarray(s.image))).estimate.poses
                for s in scenes
            ]
            runner.retire(model)
    finally:
        runner.close()
    if kept is not None:
        kept.write_bytes(pickle.dumps(out))
    return out


def fit(every: Sequence[Sample]) -> Coefficients:
    """All three regressions on these samples."""
    used = _two_steps(every)
    weights = _calibrated(every)
    return replace(used, picked=tuple(round(float(v), 5) for v in weights))


def _two_steps(every: Sequence[Sample]) -> Coefficients:
    models = sorted({m for s in every for m in s.models})
    person, lines = _ridge(every, models)
    first = Coefficients(tuple(person), lines, ())
    rows, hits, weights = [], [], []
    for s in every:
        signals = chance_signals(s.signals, expected_quality(s.signals, first), s.models)
        rows.append(np.column_stack([signals, [[m == own for own in models] for m in s.models]]))
        hits += [_hit(s, m) for m in s.models]
        weights += [s.weight] * len(s.models)
    found = _logistic(np.concatenate(rows), np.array(hits), np.array(weights), _LOGISTIC)
    chance, prior = np.append(found[: len(CHANCE_SIGNALS)], found[-1]), found[-1 - len(models) : -1]
    return Coefficients(
        tuple(round(float(v), 5) for v in person),
        {m: (round(a, 5), round(b, 5), round(c, 5)) for m, (a, b, c) in lines.items()},
        tuple(round(float(v), 5) for v in chance),
        {m: round(float(v), 5) for m, v in zip(models, prior, strict=True)},
    )


def _hit(s: Sample, model: str) -> float:
    return float(max(s.quality.values()) - s.quality[model] <= SUPPORTED_WITHIN)


def _calibrated(every: Sequence[Sample]) -> Array:
    """How often what is picked is right, on pictures that the pick has not seen."""
    sources = sorted({s.source for s in every})
    rows, hits, weights = [], [], []
    for fold in range(_FOLDS):
        out = set(sources[fold::_FOLDS])
        used = _two_steps([s for s in every if s.source not in out])
        for s in every:
            if s.source not in out or not s.anybody:
                continue
            expected = expected_quality(s.signals, used)
            table = picked_signals(s.signals, expected, s.models, used)
            best = int(table[:, 0].argmax())
            rows.append(table[best])
            hits.append(_hit(s, s.models[best]))
            weights.append(s.weight)
    return _logistic(np.array(rows), np.array(hits), np.array(weights), _PLATT)


def _ridge(
    every: Sequence[Sample], models: Sequence[str]
) -> tuple[Array, dict[str, tuple[float, float, float]]]:
    rows, truth = [], []
    for s in every:
        for m in s.models:
            signals = s.signals.people[m]
            for own in (True, False):  # once without the model's own line, for those not fitted
                lines = np.zeros((len(signals), 3 * len(models)))
                if own:
                    at = 3 * models.index(m)
                    lines[:, at : at + 3] = own_signals(signals)
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
    own_lines = weights[shared:].reshape(len(models), 3)
    lines = {
        m: (float(a), float(b), float(c)) for m, (a, b, c) in zip(models, own_lines, strict=True)
    }
    return np.append(weights[:shared], intercept), lines


def _logistic(table: Array, hit: Array, weight: Array, penalty: float) -> Array:
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    z = np.column_stack([(table - middle) / spread, np.ones(len(table))])
    held = np.append(np.full(table.shape[1], penalty), 0.0)

    def loss(c: Array) -> tuple[float, Array]:
        line = z @ c
        chance = 1 / (1 + np.exp(-line))
        value = (weight * (np.logaddexp(0, line) - hit * line)).sum() + (held * c * c).sum() / 2
        return float(value), z.T @ (weight * (chance - hit)) + held * c

    c = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B").x
    weights = c[:-1] / spread
    return np.append(weights, c[-1] - middle @ weights)


Judged = tuple[Case, Coefficients]


def left_out(every: Sequence[Case], order: Sequence[str] | None = None) -> Iterator[Judged]:
    """Each scene with coefficients that know nothing of its source."""
    sources = order or sorted({s.source for s in every})
    samples = [case.sample(models) for case in every for models in LINE_UPS]
    for part in range(_PARTS):
        out = set(sources[part::_PARTS])
        used = fit([s for s in samples if s.source not in out])
        yield from ((s, used) for s in every if s.source in out)


def report(every: Sequence[Case]) -> str:
    """On pictures not seen: supported, declined and regret of some rules, a set of models."""
    judged = list(left_out(every))
    sources = [case.source for case, _ in judged]
    whole = np.array([case.original for case, _ in judged])
    names = sorted(set(sources))
    three = {name: models for name, models in SETS.items() if len(models) > 2}

    def regrets() -> dict[str, Array]:
        return {n: _regret(judged, m, _product(judged, m)) for n, m in three.items()}

    chosen, told = nested(regrets, [names.index(s) % _PARTS for s in sources], whole)
    lines = [f"{'models':20} {'scenes':9} {'rule':12} supported declined regret (95 % intervals)"]
    for name, models in SETS.items():
        rules = {rule: _regret(judged, models, p) for rule, p in _rules(judged, models).items()}
        rules |= {"nested": chosen[name]} if name in chosen else {}
        for scope, rows in (("pictures", whole), ("all", np.full(len(judged), True))):
            of = [s for s, row in zip(sources, rows, strict=True) if row]
            for rule, regret in rules.items():
                figures = f"{_figures(regret[rows])} ({interval(regret[rows], of)})"
                lines.append(f"{name:20} {scope:9} {rule:12} {figures}")
    return "\n".join([*lines, f"nested: thresholds chosen on the other parts: {told}"])


def _rules(here: Sequence[Judged], models: tuple[str, ...]) -> dict[str, list[str | None]]:
    told = [case.sample(models).signals.picture for case, _ in here]

    def agree(picture: Mapping[str, Array]) -> str:
        return max(models, key=lambda m: float(picture[m][0]))

    def hand(picture: Mapping[str, Array]) -> str | None:
        """Who agrees best and finds as many people as the others; declines at little agreement."""
        at = {m: float(v[0] + 0.5 * v[1] - 0.5 * v[2]) for m, v in picture.items()}
        best = max(at, key=lambda m: at[m])
        return best if picture[best][0] >= 0.15 else None

    return {
        "agreement": [agree(picture) for picture in told],
        "by hand": [hand(picture) for picture in told],
        "this rule": _product(here, models),
    }


def _product(here: Sequence[Judged], models: Sequence[str]) -> list[str | None]:
    """What the product recommends."""
    return [recommend(Evidence([case.only(models)], _COSTS), fit=used).model for case, used in here]


def _regret(here: Sequence[Judged], models: Sequence[str], picks: Sequence[str | None]) -> Array:
    """How much is missing to the best of the models, NaN where none is recommended."""
    return np.array(
        [
            np.nan if p is None else max(s.quality[m] for m in models) - s.quality[p]
            for (s, _), p in zip(here, picks, strict=True)
        ]
    )


def _figures(regret: Array) -> str:
    made = regret[np.isfinite(regret)]
    if not made.size:
        return "   nothing recommended"
    supported, declined = np.mean(made <= SUPPORTED_WITHIN), 1 - made.size / regret.size
    return f"{supported:9.0%} {declined:8.0%} {made.mean():6.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument(
        "--answers", type=Path, help="keep the models' answers there, for next time"
    )
    parser.add_argument("--write", action="store_true", help="replace the product's coefficients")
    scenes = chosen_scenes(parser)
    made = more_scenes(scenes)
    every = cases(made, estimates(made, parser.parse_args().answers))
    people = sum(len(s.people) for s in scenes)
    print(report(every))
    if parser.parse_args().write:
        text = (
            f"python -m benchmarks.fit_verdict on {len(scenes)} annotated pictures with "
            f"{people} people, {len(made)} scenes made of them"
        )
        samples = [case.sample(models) for case in every for models in LINE_UPS]
        COEFFICIENTS.write_text(replace(fit(samples), made=text).text())


if __name__ == "__main__":
    main()
