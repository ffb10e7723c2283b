"""`evaluate`: models on annotated pictures; health first, then progress, tables and a report."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from estimators.analysis.thresholds import Thresholds
from estimators.cli import evaluate_summary
from estimators.cli.codes import BAD_INPUT, FAILED, INTERRUPTED
from estimators.cli.inputs import chosen_models
from estimators.cli.interrupts import on_interrupt
from estimators.cli.people import asked_people
from estimators.cli.shards import begin_shard, end_shard
from estimators.cli.streams import complain, libraries_silenced, tell
from estimators.cli.thresholds import asked_thresholds
from estimators.datasets.health import HealthReport
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError, PoseError
from estimators.export.sinks import require_writable, write_all
from estimators.registry import ModelSpec
from estimators.runtime.api import Runner
from estimators.runtime.runner import ProcessRunner
from estimators.workflows.benchmark.document import read_benchmark_file
from estimators.workflows.benchmark.result import Benchmark
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.files import report_files
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.measure import measure
from estimators.workflows.evaluate.pictures import SetPictures
from estimators.workflows.evaluate.progress import ModelProgress
from estimators.workflows.evaluate.records import forget
from estimators.workflows.evaluate.shard import job_of
from estimators.workflows.shards import parse_shard

KEPT = ".estimates"
_LOOK_S = 0.2
_PATIENCE_S = 5.0


def run(options: argparse.Namespace) -> int:
    """Evaluates and reports; returns the exit code."""
    specs, notes = chosen_models(options.models)
    people = asked_people(options.people or (), specs)
    thresholds = asked_thresholds(options.threshold or (), specs)
    shard = None if options.shard is None else parse_shard(options.shard)
    require_writable(options.output)
    benchmark = None if options.benchmark is None else read_benchmark_file(options.benchmark)
    with libraries_silenced():
        annotated, health = read_annotated_set(options.images, options.annotations)
    settings = EvaluateSettings(tuple(s.key for s in specs), options.protocol, people)
    if shard is not None:
        described = job_of(annotated, settings, thresholds)
        folder = begin_shard(options, shard, described)
        settings = replace(settings, shard=shard)
    else:
        folder = _kept(options.output, options.resume)
    runner = ProcessRunner(threads=options.threads)
    try:
        job = EvaluateJob(runner, annotated, settings, folder)
        # Only now: a command that cannot be used ends with one line.
        for note in notes:
            complain(note)
        tell(health_text(health) + "\n")
        # A shard may share its machine: its times are no model's own.
        with nullcontext() if shard is None else runner.occupied():
            work(job, specs, runner)
    finally:
        runner.close()
    if shard is not None:
        return end_shard(shard, job, options)
    with on_interrupt(lambda: None):
        return _report(job, health, thresholds, options.output, benchmark)


def health_text(health: HealthReport) -> str:
    """The health report as the terminal shows it."""
    return "\n".join([health.headline, *(f"- {finding.text}" for finding in health.findings)])


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


def work(job: EvaluateJob, specs: Sequence[ModelSpec], runner: Runner) -> None:
    """Runs the job, showing how far it is; Ctrl-C stops it and keeps what is done."""

    def stop() -> None:
        job.cancel()
        # A model that loads or hangs is not waited for.
        ending = threading.Timer(_PATIENCE_S, runner.close)
        ending.daemon = True
        ending.start()

    with on_interrupt(stop):
        job.start()
        for number, spec in enumerate(specs):
            _watch(job, number, spec)
            if not job.finished:
                with suppress(PoseError):  # Ctrl-C may just have closed the runner
                    runner.retire(spec.key)  # nobody else uses it here; on a page others may
        while not job.finished:
            job.join(_LOOK_S)
    if job.state == "failed":
        complain(f"error: {job.error}")


def _watch(job: EvaluateJob, number: int, spec: ModelSpec) -> None:
    """A bar of one model, and a line when it ends."""
    while (model := job.progress.models[number]).state == "waiting" and not job.finished:
        job.join(_LOOK_S)
    with tqdm(total=model.total, desc=spec.key, unit="ask", leave=False, disable=None) as bar:
        while not job.finished and (model := job.progress.models[number]).state == "running":
            bar.update(model.done - bar.n)
            bar.set_postfix(failed=model.failed, refresh=False)
            job.join(_LOOK_S)
    model = job.progress.models[number]
    if model.done:
        complain(progress_text(model))


def progress_text(model: ModelProgress) -> str:
    """How far one model is, in a line."""
    done = f"{model.done:,} of {model.total:,} pictures and crops"
    parts = [f"{model.model}: {done}", f"{model.failed:,} failed"]
    if model.known:
        parts.append(f"{model.known} known from an earlier run")
    if model.failed < model.done - model.known:
        parts.append(f"{model.rate:.1f} a second")
    return ", ".join(parts) + (f"; error: {model.error}" if model.error else "")


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


def write_report(
    outcome: Evaluated,
    health: HealthReport,
    thresholds: Mapping[str, Thresholds],
    into: tuple[Path, SetPictures],
    benchmark: Benchmark | None = None,
) -> InputError | None:
    """Measures, writes the files and prints the tables; what could not be written.

    Args:
        into: the folder, and the pictures as far as they were read.
        benchmark: how fast models are, where that was measured.
    """
    folder, pictures = into
    complain(f"computing the figures of {len(outcome.annotated.images):,} pictures")
    measured = measure(outcome, thresholds)
    files = report_files(measured, health, pictures, benchmark)
    written, unwritten = write_all((folder / name, write) for name, write in files)
    if unwritten is not None:
        complain(f"error: {unwritten}")
    tell(evaluate_summary.text(measured), written)
    return unwritten
