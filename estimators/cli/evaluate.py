"""`evaluate`: models on annotated pictures; health first, then progress, tables and a report."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from estimators.analysis.thresholds import Thresholds
from estimators.cli.codes import BAD_INPUT, FAILED, INTERRUPTED
from estimators.cli.evaluate_parts import in_parts
from estimators.cli.inputs import chosen_models
from estimators.cli.interrupts import on_interrupt
from estimators.cli.people import asked_people
from estimators.cli.reports import health_text, write_report
from estimators.cli.streams import complain, libraries_silenced, tell
from estimators.cli.thresholds import asked_thresholds
from estimators.cli.watch import work
from estimators.datasets.health import HealthReport
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from estimators.export.sinks import require_writable
from estimators.runtime.runner import ProcessRunner
from estimators.workflows.benchmark.document import read_benchmark_file
from estimators.workflows.benchmark.result import Benchmark
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.records import forget

KEPT = ".estimates"


def run(options: argparse.Namespace) -> int:
    """Evaluates and reports; returns the exit code."""
    specs, notes = chosen_models(options.models)
    people = asked_people(options.people or (), specs)
    thresholds = asked_thresholds(options.threshold or (), specs)
    require_writable(options.output)
    benchmark = None if options.benchmark is None else read_benchmark_file(options.benchmark)
    with libraries_silenced():
        annotated, health = read_annotated_set(options.images, options.annotations)
    settings = EvaluateSettings(tuple(s.key for s in specs), options.protocol, people)
    if options.shard is not None or options.on is not None:
        return in_parts(options, (annotated, health), settings, (thresholds, benchmark))
    runner = ProcessRunner(options.settings, options.threads)
    try:
        job = EvaluateJob(runner, annotated, settings, _kept(options.output, options.resume))
        # Only now: a command that cannot be used ends with one line.
        for note in notes:
            complain(note)
        tell(health_text(health) + "\n")
        work(job, specs, runner)
    finally:
        runner.close()
    with on_interrupt(lambda: None):
        return _report(job, health, thresholds, options.output, benchmark)


def _kept(output: Path, resume: bool) -> Path:
    """Where estimates are kept; what is there is forgotten unless it is to be resumed."""
    folder = output / KEPT
    if not resume:
        try:
            forget(folder)
        except OSError as error:
            raise InputError(
                f"{folder} cannot be emptied: {error.strerror}.", "Choose another folder."
            ) from error
    return folder


def _report(
    job: EvaluateJob,
    health: HealthReport,
    thresholds: Mapping[str, Thresholds],
    folder: Path,
    benchmark: Benchmark | None,
) -> int:
    """Measures, writes and tells; returns the exit code."""
    if job.outcome is None or not job.outcome.annotated.images:
        complain("error: No model has answered, so that there is nothing to report.")
        return INTERRUPTED if job.state == "cancelled" else FAILED
    outcome = job.outcome
    unwritten = write_report(outcome, health, thresholds, (folder, job.pictures), benchmark)
    if job.state == "cancelled":
        complain("interrupted: what is done is kept; --resume goes on from there")
        return INTERRUPTED
    if unwritten is not None:
        return BAD_INPUT
    failed = job.state == "failed" or outcome.failed
    return FAILED if failed or any(m.failures for m in outcome.models.values()) else 0
