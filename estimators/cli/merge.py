"""`merge`: the one report from the parts that shards left, or what is missing of them."""

from __future__ import annotations

import argparse

from estimators.cli import compare_merge
from estimators.cli.reports import health_text, merged_report
from estimators.cli.streams import libraries_silenced, tell
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from estimators.export.sinks import require_writable
from estimators.remote import place
from estimators.workflows.benchmark.document import read_benchmark_file
from estimators.workflows.shards import find_parts


def run(options: argparse.Namespace) -> int:
    """Merges and reports; returns the exit code."""
    parts = find_parts(options.folders)
    require_writable(options.output)
    benchmark = None if options.benchmark is None else read_benchmark_file(options.benchmark)
    if parts.run.command == "compare":
        return compare_merge.run(parts, options)
    if parts.run.command != "evaluate":
        raise InputError(f"Shards of `{parts.run.command}` are unknown.", "Use a newer version.")
    images, annotations = (place(parts.run.sources[name]) for name in ("images", "annotations"))
    with libraries_silenced():
        annotated, health = read_annotated_set(
            options.images or images, options.annotations or annotations
        )
    tell(health_text(health) + "\n")
    return merged_report(parts, annotated, health, options.output, benchmark)
