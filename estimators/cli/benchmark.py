"""`benchmark`: how fast models are on this machine; progress, tables, a file to keep."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from estimators.cli import benchmark_summary
from estimators.cli.codes import BAD_INPUT, FAILED, INTERRUPTED
from estimators.cli.inputs import chosen_models
from estimators.cli.interrupts import on_interrupt
from estimators.cli.streams import complain, libraries_silenced, tell
from estimators.export.sinks import require_writable, write_all
from estimators.media.kinds import require_file
from estimators.media.samples import pictures
from estimators.workflows.benchmark.asks import BenchmarkSettings, threads_of
from estimators.workflows.benchmark.document import write_benchmark
from estimators.workflows.benchmark.job import BenchmarkJob, Surroundings
from estimators.workflows.benchmark.media import load_media
from estimators.workflows.benchmark.progress import in_words

_LOOK_S = 0.5


def run(options: argparse.Namespace) -> int:
    """Measures and reports; returns the exit code."""
    specs, notes = chosen_models(",".join(options.models) or None)
    keys = tuple(spec.key for spec in specs)
    settings = BenchmarkSettings(keys, threads_of(options.threads.split(",")), options.seconds)
    if options.json is not None:
        if options.json.exists():
            require_file(options.json)
        require_writable(options.json.parent)
    with libraries_silenced():
        media = load_media(options.media or pictures()[0].path)
    job = BenchmarkJob(lambda: media, settings, Surroundings(options.settings))
    for note in notes:
        complain(note)
    with on_interrupt(job.cancel):
        job.start()
        _watch(job)
    return _report(job, options.json)


def _watch(job: BenchmarkJob) -> None:
    """A bar that is drawn between rounds."""
    layout = "{l_bar}{bar}| {elapsed}"
    with tqdm(total=1.0, bar_format=layout, leave=False, disable=None) as bar:
        while not job.finished:
            job.join(_LOOK_S)
            progress = job.progress
            with job.between_rounds():
                bar.set_description_str(progress.text, refresh=False)
                bar.update(progress.share - bar.n)


def _report(job: BenchmarkJob, file: Path | None) -> int:
    if job.error:
        complain(f"error: {job.error}")
    for failed in job.benchmark.failed:
        complain(f"error: {failed.model} with {in_words(failed.threads)}: {failed.error}")
    if not job.benchmark.measured:
        complain("error: No model has been measured.")
        return INTERRUPTED if job.state == "cancelled" else FAILED
    files = [] if file is None else [(file, lambda sink: write_benchmark(job.benchmark, sink))]
    with on_interrupt(lambda: None):
        written, unwritten = write_all(files)
        tell(benchmark_summary.text(job.benchmark), written)
    if unwritten is not None:
        complain(f"error: {unwritten}")
    if job.state == "cancelled":
        complain("interrupted: what is measured is kept")
        return INTERRUPTED
    if unwritten is not None:
        return BAD_INPUT
    return FAILED if job.state == "failed" or job.benchmark.failed else 0
