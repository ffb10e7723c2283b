"""`--shard`: what a shard says of itself before and after its work."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from estimators.cli.codes import FAILED, INTERRUPTED
from estimators.cli.streams import complain, tell
from estimators.cli.watch import PartsJob
from estimators.errors import InputError
from estimators.export.sinks import require_writable
from estimators.media.names import printable
from estimators.numerals import counted
from estimators.workflows.shards import WHOLE, Shard, ShardRun, parse_shard


def begin_shard(
    options: argparse.Namespace, shard: Shard, job: Mapping[str, Any], items: Sequence[Any] = ()
) -> Path:
    """The folder of a shard, which tells from now on what it is of.

    Raises:
        InputError: it cannot be written to.
    """
    folder: Path = options.output / shard.folder
    require_writable(folder)
    given = {name: getattr(options, name, None) for name in ("images", "annotations")}
    sources = {name: str(path) for name, path in given.items() if path is not None}
    run = ShardRun(shard, options.arguments[0], job, options.arguments, sources, tuple(items))
    try:
        run.write(folder)
    except OSError as error:
        raise InputError(
            f"{printable(str(folder))} cannot be written to: {error.strerror}.",
            "Free some space, or choose another folder.",
        ) from error
    return folder


def wanted_shard(options: argparse.Namespace) -> Shard:
    """The shard that `--shard` names; without, all there is."""
    return WHOLE if options.shard is None else parse_shard(options.shard)


def end_shard(shard: Shard, job: PartsJob, options: argparse.Namespace) -> int:
    """Says what became of a shard's pictures; returns the exit code."""
    pictures, models = len(job.annotated.images), job.progress.models
    unread = len(job.pictures.unreadable)
    said = f"{counted(pictures, 'picture')}{f', {unread:,} unreadable' if unread else ''}"
    tell_end(shard, said, options, job.state == "cancelled")
    if job.state == "cancelled":
        return INTERRUPTED
    return FAILED if job.state == "failed" or any(model.failed for model in models) else 0


def tell_end(shard: Shard, said: str, options: argparse.Namespace, interrupted: bool) -> None:
    """Says what a shard has done and what comes next."""
    where = printable(options.told_output)
    told = f"{shard}: {said}. Its times are no model's own and go into no report."
    if options.shard is not None:
        told += f"\nWhen all are there: python -m estimators merge {where} --output REPORT"
    tell(told)
    if interrupted:
        complain("interrupted: what is done is kept; the same command goes on from there")


def refuse_incomplete(problems: Sequence[str]) -> None:
    """Tells what is missing, a line each, and raises InputError; nothing where all is there."""
    for problem in problems:
        complain(problem)
    if problems:
        raise InputError(
            f"The parts are not whole ({len(problems)} named above), and nothing was written.",
            "Run what is named there, then merge again.",
        )
