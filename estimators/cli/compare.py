"""`compare`: models on pictures and clips, a summary on the terminal, everything in files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from estimators.annotated import AnnotatedImage
from estimators.cli import compare_merge, compare_shard, output
from estimators.cli.clips import Clips
from estimators.cli.codes import BAD_INPUT, FAILED, INTERRUPTED
from estimators.cli.inputs import (
    Pictures,
    chosen_models,
    given_files,
    is_clip,
    local_file,
    refuse_without_use,
)
from estimators.cli.interrupts import on_interrupt
from estimators.cli.marks import NOTHING, read_marks
from estimators.cli.model_run import ModelRun
from estimators.cli.output import Writer
from estimators.cli.people import asked_people
from estimators.cli.picture_report import report_pictures
from estimators.cli.picture_runs import PictureRuns
from estimators.cli.streams import complain
from estimators.errors import InputError
from estimators.export.coco import ImageIds
from estimators.runtime.api import Runner
from estimators.runtime.runner import ProcessRunner
from estimators.types import EstimatorOptions
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.shards import find_parts


def run(options: argparse.Namespace) -> int:
    """Compares and reports; returns the exit code."""
    with ExitStack() as stack:
        return _run(options, stack)


def _run(options: argparse.Namespace, stack: ExitStack) -> int:
    specs, notes = chosen_models(options.models)
    options.people = asked_people(options.people or (), specs)
    if options.shard is not None or options.on is not None:
        if options.truth is not None:
            raise InputError(
                "--truth is for work on one machine.", "Leave out --shard and --on, or --truth."
            )
        code, folder = compare_shard.run(options, specs, notes)
        if options.shard is not None or code == INTERRUPTED:
            return code
        return compare_merge.run(find_parts([folder]), options)
    writer = output.prepare(options)
    is_one = {file: is_clip(file) for file in given_files(options.files)}
    refuse_without_use(options, set(is_one.values()))
    pictures = Pictures([file for file, is_clip in is_one.items() if not is_clip])
    ids = writer.image_ids(pictures.sources()) if writer else None
    here = [stack.enter_context(local_file(f)) for f, is_clip in is_one.items() if is_clip]
    clips = Clips(here, options, not pictures.paths)
    marks = read_marks(options.truth, pictures.digests(), here) if options.truth else NOTHING
    runner = ProcessRunner(options.settings, options.threads)
    # Only now: a command that cannot be used ends with one line.
    for note in (*notes, *pictures.notes, *(ids.notes if ids else ()), *marks.notes):
        complain(note)
    runs = [
        ModelRun(spec, options=EstimatorOptions(max_people=options.people.get(spec.key)))
        for spec in specs
    ]
    try:
        code = 0
        if pictures.paths:
            code = _compare_pictures(runner, runs, pictures, (writer, ids), marks.pictures)
        if code == INTERRUPTED:
            return code
        return max(code, clips.compare(partial(ClipJob, runner), specs, marks.clips))
    finally:
        runner.close()


def _compare_pictures(
    runner: Runner,
    every: Sequence[ModelRun],
    pictures: Pictures,
    output: tuple[Writer | None, ImageIds | None],
    marked: Mapping[str, AnnotatedImage],
) -> int:
    """Compares, writes and reports; returns the exit code.  An interrupt keeps what is done."""
    asked = PictureRuns(runner, every, pictures)
    interrupted = False
    try:
        asked.ask()
    except KeyboardInterrupt:
        if not any(run.answered for run in asked.begun):
            raise
        interrupted = True
    runs = asked.begun
    with on_interrupt(lambda: None):
        unwritten = report_pictures(runs, list(pictures.paths), output, marked)
    if interrupted:
        complain("interrupted: what is done is kept")
        return INTERRUPTED
    return BAD_INPUT if unwritten else FAILED if any(run.error for run in runs) else 0
