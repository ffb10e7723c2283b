"""`evaluate` in parts: one shard here, or all of it on a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace

from estimators.analysis.thresholds import Thresholds
from estimators.annotated import AnnotatedSet
from estimators.cli.parts_job import parts_job
from estimators.cli.placed import devices_of
from estimators.cli.reports import health_text, merged_report
from estimators.cli.shards import begin_shard, end_shard, wanted_shard
from estimators.cli.streams import tell
from estimators.cli.watch import work
from estimators.cluster.follow import told_in
from estimators.datasets.health import HealthReport
from estimators.errors import InputError
from estimators.registry import get
from estimators.workflows.benchmark.result import Benchmark
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.shard import job_of
from estimators.workflows.shards import find_parts


def in_parts(
    options: argparse.Namespace,
    given: tuple[AnnotatedSet, HealthReport],
    settings: EvaluateSettings,
    more: tuple[Mapping[str, Thresholds], Benchmark | None],
) -> int:
    """Works on a shard, or on all; then there is the report, too.  Returns the exit code."""
    (annotated, health), (thresholds, benchmark) = given, more
    if options.shard is not None and benchmark is not None:
        raise InputError("--benchmark is for the report.", "Give it to `merge`.")
    shard = wanted_shard(options)
    specs = [get(model) for model in settings.models]
    settings = replace(settings, devices=devices_of(options, specs))
    folder = begin_shard(options, shard, job_of(annotated, settings, thresholds))
    settings = replace(settings, shard=shard)
    tell(health_text(health) + "\n")
    with parts_job(options, annotated, settings, folder) as (job, runner), told_in(folder, job):
        work(job, specs, runner)
    if options.shard is None and job.state == "done":
        return merged_report(find_parts([folder]), annotated, health, options.output, benchmark)
    return end_shard(shard, job, options)
