"""The report of an evaluation on the terminal and in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from estimators.analysis.thresholds import Thresholds
from estimators.annotated import AnnotatedSet
from estimators.cli import evaluate_summary
from estimators.cli.codes import BAD_INPUT, FAILED
from estimators.cli.interrupts import on_interrupt
from estimators.cli.shards import refuse_incomplete
from estimators.cli.streams import complain, tell
from estimators.datasets.health import HealthReport
from estimators.errors import InputError
from estimators.export.sinks import write_all
from estimators.numerals import counted
from estimators.workflows.benchmark.result import Benchmark
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.files import report_files
from estimators.workflows.evaluate.measure import measure
from estimators.workflows.evaluate.pictures import SetPictures
from estimators.workflows.evaluate.shard import Merged, job_of, require_same, settings_of
from estimators.workflows.shards import Parts


def health_text(health: HealthReport) -> str:
    """The health report as the terminal shows it."""
    return "\n".join([health.headline, *(f"- {finding.text}" for finding in health.findings)])


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
    complain(f"computing the figures of {counted(len(outcome.annotated.images), 'picture')}")
    measured = measure(outcome, thresholds)
    files = report_files(measured, health, pictures, benchmark)
    written, unwritten = write_all((folder / name, write) for name, write in files)
    if unwritten is not None:
        complain(f"error: {unwritten}")
    tell(evaluate_summary.text(measured), written)
    return unwritten


def merged_report(
    parts: Parts,
    annotated: AnnotatedSet,
    health: HealthReport,
    output: Path,
    benchmark: Benchmark | None = None,
) -> int:
    """The one report from the parts of all shards; returns the exit code.

    Raises:
        InputError: they do not fit to the set, or are not whole; then nothing is written.
    """
    settings, thresholds = settings_of(parts.run.job)
    require_same(parts, job_of(annotated, settings, thresholds))
    merged = Merged(annotated, settings, parts)
    refuse_incomplete(merged.problems)
    outcome = merged.outcome()
    if outcome is None or not outcome.annotated.images:
        complain("error: No model has answered, so that there is nothing to report.")
        return FAILED
    with on_interrupt(lambda: None):
        into = (output, SetPictures())
        if write_report(outcome, health, thresholds, into, benchmark) is not None:
            return BAD_INPUT
    failed = outcome.failed or any(m.failures for m in outcome.models.values())
    return FAILED if failed else 0
