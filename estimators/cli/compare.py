"""`compare`: models on pictures and clips, a summary on the terminal, everything in files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from tqdm import tqdm

from estimators.analysis.clip import ClipEstimates
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
from estimators.cli.streams import complain
from estimators.errors import InputError, ModelError, PoseError, WeightsError
from estimators.export.coco import ImageIds
from estimators.registry import ModelSpec
from estimators.runtime.api import ModelStatus, Runner
from estimators.runtime.runner import ProcessRunner
from estimators.types import EstimatorOptions
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
    runner = ProcessRunner(threads=options.threads)
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
        return max(code, clips.compare(runner, specs, marks.clips))
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
    runs: list[ModelRun] = []
    interrupted = False
    try:
        # One model after the other: they do not disturb each other's latency, or need its memory.
        for run in every:
            runs.append(run)
            _run_model(runner, run, pictures)
    except KeyboardInterrupt:
        if not any(run.answered for run in runs):
            raise
        interrupted = True
        _fill_up(runs[-1], pictures)
    with on_interrupt(lambda: None):
        unwritten = report_pictures(runs, list(pictures.paths), output, marked)
    if interrupted:
        complain("interrupted: what is done is kept")
        return INTERRUPTED
    return BAD_INPUT if unwritten else FAILED if any(run.error for run in runs) else 0


def _run_model(runner: Runner, run: ModelRun, pictures: Pictures) -> None:
    spec, names = run.spec, list(pictures.paths)
    try:
        # The first call is slow (the cold start, told apart); its answer is given again below.
        runner.estimate(spec.key, pictures[names[0]], run.options)
    except (ModelError, WeightsError) as error:
        _report(run, error, "")
        run.estimates = [_failed(spec, pictures, name, error) for name in names]
        return
    for name in tqdm(names, desc=spec.key, unit="picture", leave=False, disable=None):
        try:
            done = runner.estimate(spec.key, pictures[name], run.options)
        except (ModelError, WeightsError) as error:
            _report(run, error, f" on {name}")
            run.estimates.append(_failed(spec, pictures, name, error))
            continue
        answer = ClipEstimates(spec.key, spec.skeleton, name, pictures.sizes[name])
        answer.held_to = spec.held_to(run.options)
        answer.computed(done.placement)
        answer.append(done.estimate, done.queue_ms, done.transport_ms, busy=done.busy)
        run.estimates.append(answer)
    run.status = _status(runner.status(), spec)
    runner.retire(spec.key)


def _fill_up(run: ModelRun, pictures: Pictures) -> None:
    """Says of each picture that was not reached why it has no answer."""
    error = ModelError(f"{run.spec.title} was interrupted before this picture.")
    for name in list(pictures.paths)[len(run.estimates) :]:
        run.estimates.append(_failed(run.spec, pictures, name, error))


def _failed(spec: ModelSpec, pictures: Pictures, name: str, error: PoseError) -> ClipEstimates:
    answer = ClipEstimates(spec.key, spec.skeleton, name, pictures.sizes[name])
    answer.append_failed(0, 0.0, str(error))
    return answer


def _report(run: ModelRun, error: PoseError, where: str) -> None:
    run.error = error
    with tqdm.external_write_mode():
        complain(f"error: {run.spec.key}{where}: {error}")


def _status(statuses: Sequence[ModelStatus], spec: ModelSpec) -> ModelStatus | None:
    return next((status for status in statuses if status.model == spec.key), None)
