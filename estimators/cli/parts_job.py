"""Where the work of a shard is done: in models of this machine, or on a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from estimators.annotated import AnnotatedSet
from estimators.cli.streams import complain
from estimators.cli.watch import PartsJob
from estimators.cluster.job import ClusterJob, Hiring
from estimators.cluster.on_ray import RayWorkers, Room, connected
from estimators.devices import CUDA
from estimators.runtime.runner import ProcessRunner
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob


@contextmanager
def parts_job(
    options: argparse.Namespace, annotated: AnnotatedSet, settings: EvaluateSettings, folder: Path
) -> Iterator[tuple[PartsJob, ProcessRunner | None]]:
    """The job, and who hosts its models here.

    Raises:
        InputError: there is no such cluster, or no room in it.
    """
    if options.on is None:
        runner = ProcessRunner(options.settings, options.threads)
        try:
            with runner.occupied():  # it may share its machine: its times are no model's own
                yield EvaluateJob(runner, annotated, settings, folder), runner
        finally:
            runner.close()
        return
    room = room_of(options)
    with connected(options.on) as ray:
        hiring = Hiring(
            lambda job: RayWorkers(ray, job, room_on(room, job.options.device)),
            options.threads or room.cpus,
            tell=complain,
        )
        yield ClusterJob(hiring, annotated, settings, folder), None


def room_on(room: Room, device: str) -> Room:
    """What a worker gets whose model computes there: a share of a GPU only on one."""
    return room if device.startswith(CUDA) else replace(room, gpus=0.0)


def room_of(options: argparse.Namespace) -> Room:
    """What each worker gets."""
    return Room(options.workers, options.cpus_per_model, options.gpus_per_model)
