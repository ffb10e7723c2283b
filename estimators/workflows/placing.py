"""One device for all of a model's answers, held on to before the first of them is kept."""

from __future__ import annotations

from dataclasses import replace

from estimators.errors import PoseError
from estimators.runtime.api import Runner
from estimators.types import EstimatorOptions


def held(runner: Runner, model: str, options: EstimatorOptions) -> EstimatorOptions:
    """`options` with the device that `model` is on, so that no answer comes from another.

    Where it cannot be loaded they stay as they are: whoever asks it is told why.
    """
    try:
        where = runner.placement(model, options.device)
    except PoseError:
        return options
    return replace(options, device=where.device)
