"""How good is each model on a picture without truth?  Guessed from signals, calibrated on truth.

Three steps, linear in a handful of signals (`signals`), with coefficients fitted on annotated
pictures: the OKS that each person of a model would have against the truth (ridge regression); from
the quality that follows, the chance that a model is within 0.05 of the best compared (logistic
regression); and that chance calibrated for the model that is picked (Platt scaling), because the
highest of several guesses is guessed too high.  `benchmarks/fit_verdict.py` makes the coefficients
(verdict_coefficients.json) and says how well they do on pictures that they have not seen;
docs/verdict.md has the figures.

How a variant did on the annotated pictures as a whole (`Coefficients.prior`) takes part, too.

A model's own score enters only through a line of its own that was fitted against truth: scores of
different models are never put beside each other.  How much another family's agreement says is a
line of each variant's own, too.  A variant that was not fitted goes without both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.signals import PERSON_SIGNALS, PICTURE_SIGNALS, Signals
from estimators.registry import get, voice

COEFFICIENTS = Path(__file__).with_name("verdict_coefficients.json")
CHANCE_SIGNALS = (
    "quality",  # expected quality of the model
    "lead",  # that over the best model of any other family
    "mean_quality",  # mean over the models
    "families",  # how many families see anybody
    "agreement",  # `signals.PICTURE_SIGNALS`, and so below
    "mean_agreement",  # mean over the models
    "agreement_lead",  # over the other families, and so below
    "found_share_lead",
    "found_more_lead",
    "few",
    "single",
    "uneven",
    "long_limbs",
    "exchanged",
)
_BEST_AGREEMENT = PERSON_SIGNALS.index("best_agreement")
_OWN = ("few", "single", "uneven", "long_limbs", "exchanged")
# A person of whom half can be expected to be right is surely somebody; less is so in proportion.
_SURELY_SOMEBODY = 1.3
# ln of the odds 1000 : 1; so few pictures tell no more.
_MOST_LOG_ODDS = 6.9
# Further apart than this many torso lengths, models see different poses; how far tells no more.
_FURTHEST_APART = 0.6


@dataclass(frozen=True)
class Coefficients:
    """What `benchmarks/fit_verdict.py` found.

    Attributes:
        person: one a signal of `PERSON_SIGNALS` but the score, and the intercept at the end.
        models: what is added for each variant fitted: an intercept, and slopes of its score and of
            the best agreement with another voice.
        chance: one a signal of `CHANCE_SIGNALS`, and the intercept at the end.
        prior: how each variant fitted does on the whole, which is added to the log-odds; drawn to
            0, which is what others get.
        picked: one a signal of `picked_signals`, and the intercept at the end: the chance of a
            model that is picked.
        made: how they were made, in words.
    """

    person: tuple[float, ...]
    models: Mapping[str, tuple[float, float, float]]
    chance: tuple[float, ...]
    prior: Mapping[str, float] = field(default_factory=dict)
    picked: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 0.0)
    made: str = ""

    def text(self) -> str:
        """As JSON, one line a value so that changes can be read."""
        return json.dumps(asdict(self), indent=1) + "\n"


@cache
def coefficients() -> Coefficients:
    """Those that come with the product."""
    data = json.loads(COEFFICIENTS.read_text("utf-8"))
    models = {key: (float(a), float(b), float(c)) for key, (a, b, c) in data["models"].items()}
    chance, picked = tuple(data["chance"]), tuple(data["picked"])
    return Coefficients(tuple(data["person"]), models, chance, data["prior"], picked, data["made"])


def expected_oks(model: str, rows: NDArray[np.float64], fit: Coefficients) -> NDArray[np.float64]:
    """Expected OKS against the truth of each person, 0 to 1, 0 for nobody's; float64 [n].

    Args:
        rows: [n, len(PERSON_SIGNALS)], `Signals.people` of the model.
    """
    weights = np.array(fit.person)
    line = np.array(fit.models.get(fitted_as(model, fit), (0.0, 0.0, 0.0)))
    value = rows[:, : len(PERSON_SIGNALS) - 1] @ weights[:-1] + weights[-1]
    result: NDArray[np.float64] = np.clip(value + own_signals(rows) @ line, 0.0, 1.0)
    return result


def own_signals(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a variant has weights of its own for, float64 [n, 3]: 1, its score, best agreement."""
    return np.column_stack([np.ones(len(rows)), rows[:, -1], rows[:, _BEST_AGREEMENT]])


def fitted_as(model: str, fit: Coefficients) -> str:
    """The variant whose line holds for `model`: its own, or that of the same runtime's original."""
    return model if model in fit.models else get(model).reference_of or model


def expected_quality(signals: Signals, fit: Coefficients | None = None) -> dict[str, float]:
    """Expected quality of each model on a picture, 0 to 1.

    Quality is the sum of the OKS of matched people over annotated people and those found that are
    nobody.  Here every group of people counts as somebody as far as one of its members is expected
    to be right.
    """
    used = fit or coefficients()
    oks = {m: expected_oks(m, rows, used) for m, rows in signals.people.items()}
    somebody = np.zeros(signals.group_count)
    for model, values in oks.items():
        groups = list(signals.group_of[model])
        np.maximum.at(somebody, groups, np.minimum(values * _SURELY_SOMEBODY, 1.0))
    people = float(somebody.sum())
    quality = {}
    for model, values in oks.items():
        nobody = sum(1 - somebody[g] for g in signals.group_of[model])
        total = people + nobody
        quality[model] = float(values.sum() / total) if len(values) and total > 0 else 0.0
    return quality


def chance_signals(
    signals: Signals, quality: Mapping[str, float], models: Sequence[str]
) -> NDArray[np.float64]:
    """float64 [len(models), len(CHANCE_SIGNALS)] of two or more models beside each other.

    One of each family (`voices.line_ups`); variants of one family have no lead over each other.
    """
    table = np.stack([signals.picture[m] for m in models])
    named = {name: table[:, i] for i, name in enumerate(PICTURE_SIGNALS)}
    named["quality"] = np.array([quality[m] for m in models])
    voices = [voice(m) for m in models]
    seeing = len({v for m, v in zip(models, voices, strict=True) if len(signals.people[m])})
    rows = []
    for i in range(len(models)):
        leads = {name: _lead(named[name], i, voices) for name in named}
        q = named["quality"]
        rows.append(
            [
                q[i],
                leads["quality"],
                q.mean(),
                seeing,
                named["agreement"][i],
                named["agreement"].mean(),
                leads["agreement"],
                leads["found_share"],
                -_lead(-named["found_more"], i, voices),
                *(named[name][i] for name in _OWN),
            ]
        )
    return np.array(rows, np.float64)


def _lead(values: NDArray[np.float64], i: int, voices: Sequence[str]) -> float:
    """Of model i over the best of the other families; 0 where there is none."""
    others = [float(v) for v, name in zip(values, voices, strict=True) if name != voices[i]]
    return float(values[i]) - max(others) if others else 0.0


def log_odds(
    signals: Signals, quality: Mapping[str, float], models: Sequence[str], fit: Coefficients
) -> NDArray[np.float64]:
    """ln of the odds of each of two or more models to be within 0.05 of the best; not calibrated.

    float64 [len(models)], between -6.9 and 6.9.
    """
    weights = np.array(fit.chance)
    z = chance_signals(signals, quality, models) @ weights[:-1] + weights[-1]
    z = z + [fit.prior.get(fitted_as(m, fit), 0.0) for m in models]
    result: NDArray[np.float64] = np.clip(z, -_MOST_LOG_ODDS, _MOST_LOG_ODDS)
    return result


def picked_signals(
    signals: Signals, quality: Mapping[str, float], models: Sequence[str], fit: Coefficients
) -> NDArray[np.float64]:
    """float64 [len(models), 4]: what says how far the log-odds of a model can be believed.

    `log_odds`, the expected quality, how far apart the models lie, and the variance p (1 - p) of
    whether the best of the others is about as good: most where that is as likely as not.
    """
    odds = log_odds(signals, quality, models, fit)
    apart = np.full(len(models), min(signals.apart, _FURTHEST_APART))
    guessed = np.array([quality[m] for m in models])
    rival = np.array([max(np.delete(odds, i), default=-_MOST_LOG_ODDS) for i in range(len(odds))])
    open_ = 1 / (2 + np.exp(rival) + np.exp(-rival))
    return np.column_stack([odds, guessed, apart, open_])


def chances(
    signals: Signals,
    quality: Mapping[str, float],
    models: Sequence[str],
    fit: Coefficients | None = None,
) -> dict[str, float]:
    """The chance of each of two or more models, if picked, to be within 0.05 of the best of them.

    Calibrated after Platt, "Probabilistic Outputs for Support Vector Machines" (1999), with two
    variables more: guesses are worse where all is guessed to be bad and where models lie far apart.
    """
    used = fit or coefficients()
    weights = np.array(used.picked)
    z = picked_signals(signals, quality, models, used) @ weights[:-1] + weights[-1]
    return dict(zip(models, (1 / (1 + np.exp(-z))).tolist(), strict=True))
