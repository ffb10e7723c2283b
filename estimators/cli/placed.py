"""`--shard` and `--on`: where each model computes, settled before the first answer is kept."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing

from estimators.devices import AUTO, CPU, CUDA
from estimators.registry import ModelSpec
from estimators.runtime.api import DEFAULT_OPTIONS
from estimators.runtime.runner import ProcessRunner
from estimators.workflows.placing import held


def devices_of(options: argparse.Namespace, specs: Sequence[ModelSpec]) -> dict[str, str]:
    """The device of each model, by its key; the same for every worker of a cluster.

    On a cluster nobody can try for all nodes: `auto` is a GPU for those models that can use one
    where a share of one is kept for each worker (`--gpus-per-model`).
    """
    wanted = options.settings.device
    if options.on is None:
        with closing(ProcessRunner(options.settings, options.threads)) as runner:
            return {s.key: held(runner, s.key, DEFAULT_OPTIONS).device or CPU for s in specs}
    if wanted != AUTO:
        return {spec.key: wanted for spec in specs}
    return {s.key: CUDA if s.cuda and options.gpus_per_model > 0 else CPU for s in specs}
