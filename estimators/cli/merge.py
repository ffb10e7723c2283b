"""`merge`: the one report from the parts that shards left, or what is missing of them."""

from __future__ import annotations

import argparse

from estimators.cli import compare_merge
from estimators.cli.codes import BAD_INPUT, FAILED
from estimators.cli.evaluate import health_text, write_report
from estimators.cli.interrupts import on_interrupt
from estimators.cli.shards import refuse_incomplete
from estimators.cli.streams import complain, libraries_silenced, tell
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from estimators.export.sinks import require_writable
from estimators.remote import place
from estimators.workflows.evaluate.pictures import SetPictures
from estimators.workflows.evaluate.shard import Merged, job_of, require_same, settings_of
from estimators.workflows.shards import Parts, find_parts


def run(options: argparse.Namespace) -> int:
    """Merges and reports; returns the exit code."""
    parts = find_parts(options.folders)
    if parts.run.command == "evaluate":
        return _evaluation(parts, options)
    if parts.run.command == "compare":
        return compare_merge.run(parts, options)
    raise InputError(f"Shards of `{parts.run.command}` are unknown.", "Use a newer version.")


def _evaluation(parts: Parts, options: argparse.Namespace) -> int:
    images, annotations = (place(parts.run.sources[name]) for name in ("images", "annotations"))
    settings, thresholds = settings_of(parts.run.job)
    require_writable(options.output)
    with libraries_silenced():
        annotated, health = read_annotated_set(
            options.images or images, options.annotations or annotations
        )
    require_same(parts, job_of(annotated, settings, thresholds))
    merged = Merged(annotated, settings, parts)
    refuse_incomplete(merged.problems)
    outcome = merged.outcome()
    if outcome is None or not outcome.annotated.images:
        complain("error: No model has answered, so that there is nothing to report.")
        return FAILED
    tell(health_text(health) + "\n")
    with on_interrupt(lambda: None):
        if write_report(outcome, health, thresholds, (options.output, SetPictures())) is not None:
            return BAD_INPUT
    failed = outcome.failed or any(m.failures for m in outcome.models.values())
    return FAILED if failed else 0
