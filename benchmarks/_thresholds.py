"""What the rule is worth where its thresholds are chosen on other pictures than it is judged on.

The chances that a recommendation takes (`estimators/analysis/guess.py`) were chosen once, from
`GRID`.  Here they are chosen anew for each part of the pictures, from what the other parts say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from benchmarks._annotated import SUPPORTED_WITHIN
from estimators.analysis import guess, recommend
from estimators.analysis.seen import Seen

Thresholds = tuple[float, float, float]
NAMES = ("LEAST_CHANCE", "LEAST_CHANCE_OF_TWO", "LEAST_CHANCE_OF_THIN")
GRID: tuple[Thresholds, ...] = tuple(product((0.5, 0.6), (0.7, 0.8), (0.8, 0.85, 0.9)))
# Of settings that decline no more than that, a little under the aim of 40 %, the one that errs
# least, where a recommendation declined weighs as much as 0.15 wrong ones: 85 % are to be right.
MOST_DECLINED, DECLINED_WEIGHS = 0.38, 0.15
_DRAWS, _SEED = 2000, 7
Regret = NDArray[np.float64]  # of each scene, NaN where none was recommended


@contextmanager
def _measured_once() -> Iterator[None]:
    """What does not depend on the thresholds is computed for the first of them only."""
    guessed, gather, known = guess._guessed, guess.gather, {}

    def of_people(every: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
        return tuple((model, id(poses)) for people in every for model, poses in people.items())

    def guess_once(seen: Sequence[Seen], models: Any, fit: Any) -> guess.Guessed:
        key = (of_people([each.people for each in seen]), tuple(models), id(fit))
        if key not in known:
            known[key] = guessed(seen, models, fit)
        return known[key]

    def gather_once(pictures: Sequence[Mapping[str, Any]], *more: Any) -> Any:
        key = of_people(pictures)
        if key not in known:
            known[key] = gather(pictures, *more)
        return known[key]

    with (
        patch.object(guess, "_guessed", guess_once),
        patch.object(guess, "gather", gather_once),
        patch.object(recommend, "gather", gather_once),
    ):
        yield


def nested(
    regrets: Callable[[], Mapping[str, Regret]],
    part: Sequence[int],
    whole: NDArray[np.bool_],
) -> tuple[dict[str, Regret], str]:
    """The regrets with thresholds chosen on the other parts, and what was chosen how often.

    Args:
        regrets: by the rule as it is set, of each set of models.
        part: of each scene; a part is judged by thresholds chosen without it.
        whole: the scenes that are pictures as they are.
    """
    by_setting = {}
    with _measured_once():
        for setting in GRID:
            with patch.multiple(guess, **dict(zip(NAMES, setting, strict=True))):
                by_setting[setting] = regrets()
    parts = np.array(part)
    out = {name: np.full(len(parts), np.nan) for name in by_setting[GRID[0]]}
    chosen: Counter[Thresholds] = Counter()
    for p in sorted(set(part)):
        kept = parts != p
        best = min(GRID, key=lambda setting: _loss(by_setting[setting], kept, whole))
        chosen[best] += 1
        for name, regret in by_setting[best].items():
            out[name][~kept] = regret[~kept]
    return out, ", ".join(f"{setting} {count}×" for setting, count in chosen.most_common())


def _loss(
    regret: Mapping[str, Regret], kept: NDArray[np.bool_], whole: NDArray[np.bool_]
) -> tuple[bool, float]:
    values = [each[rows] for each in regret.values() for rows in (kept, kept & whole)]
    declined = [float(np.isnan(v).mean()) for v in values]
    wrong = [float((v > SUPPORTED_WITHIN).mean()) for v in values]
    loss = float(np.mean(wrong) + DECLINED_WEIGHS * np.mean(declined))
    return max(declined) > MOST_DECLINED, loss


def interval(regret: Regret, sources: Sequence[str]) -> str:
    """95 % bootstrap intervals over pictures: of what is supported, and of what is declined."""
    names, number = np.unique(sources, return_inverse=True)
    rng = np.random.default_rng(_SEED)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), _DRAWS)
    weights = drawn[:, number].astype(float)
    given = np.isfinite(regret)
    right = weights @ (given & (np.nan_to_num(regret) <= SUPPORTED_WITHIN))
    total, made = weights.sum(axis=1), weights @ given
    shares = (right / np.maximum(made, 1), 1 - made / total)
    return ", ".join("{:.0%} to {:.0%}".format(*np.percentile(s, (2.5, 97.5))) for s in shares)
