"""What `compare` tells and writes of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from estimators.analysis.identity import identify_picture
from estimators.annotated import AnnotatedImage
from estimators.cli import summary
from estimators.cli.model_run import ModelRun
from estimators.cli.output import Writer
from estimators.cli.streams import complain, tell
from estimators.errors import InputError
from estimators.export.coco import ImageIds
from estimators.workflows.verdicts import Settled, Verdicts, of_pictures


def report_pictures(
    runs: Sequence[ModelRun],
    names: Sequence[str],
    output: tuple[Writer | None, ImageIds | None],
    marked: Mapping[str, AnnotatedImage] | None = None,
) -> InputError | None:
    """Writes and tells what the models said about all pictures; what could not be written.

    Args:
        marked: the truth marked on pictures, by their names.
    """
    for i in range(len(names)):
        identify_picture({run.spec.key: run.estimates[i] for run in runs})
    verdict = _verdict(runs, names, Settled(marked or {}))
    writer, ids = output
    files, unwritten = writer.write(runs, ids, verdict) if writer and ids else ([], None)
    if unwritten is not None:
        complain(f"error: {unwritten}")
    tell(summary.text(runs, len(names)) + "\n\n" + verdict.text, files)
    return unwritten


def _verdict(runs: Sequence[ModelRun], names: Sequence[str], settled: Settled) -> Verdicts:
    held_mb = {
        run.spec.key: memory
        for run in runs
        if run.status and (memory := run.status.pss_mb or run.status.rss_mb) is not None
    }
    given = [{run.spec.key: run.estimates[i] for run in runs} for i in range(len(names))]
    return Verdicts(tuple(names), *of_pictures(given, held_mb, settled=settled))
