"""`--threshold`: from which score on a joint counts as shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from estimators.analysis.thresholds import Thresholds
from estimators.errors import InputError
from estimators.registry import ModelSpec

_ADVICE = "Give a number on the model's own scale, or MODEL=NUMBER for one of the models."


def asked_thresholds(texts: Sequence[str], specs: Sequence[ModelSpec]) -> dict[str, Thresholds]:
    """By model, as `--threshold 0.3` or `--threshold movenet-thunder=0.3,…` ask for them.

    A number alone is for every model, on the scale of each; the last one given counts.  Models that
    are not named keep their own.

    Raises:
        InputError: no number, or a model that is not compared.
    """
    chosen = {spec.key: spec for spec in specs}
    found = {key: Thresholds.of(spec) for key, spec in chosen.items()}
    for item in (item.strip() for text in texts for item in text.split(",")):
        key, equals, number = item.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"--threshold {item!r} is no number.", _ADVICE)
        if equals and key not in chosen:
            raise InputError(f"--threshold {item!r}: {key!r} is not compared.", _ADVICE)
        for name in [key] if equals else found:
            found[name] = replace(found[name], joint=value)
    return found
