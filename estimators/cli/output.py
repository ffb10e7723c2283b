"""The files that `compare` writes into its folder; docs/formats.md describes them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.thresholds import Thresholds
from estimators.cli import summary
from estimators.cli.codes import FORMATS
from estimators.cli.model_run import ModelRun
from estimators.errors import InputError
from estimators.export import coco, files, tables
from estimators.export.annotated_ids import SourcePicture, annotated_ids
from estimators.export.coco_dataset import write_coco_dataset
from estimators.export.sinks import Write, require_writable, write_all
from estimators.media.kinds import require_file
from estimators.workflows.verdicts import Verdicts


@dataclass(frozen=True)
class Writer:
    """Writes one comparison into `folder` in each of `formats`."""

    folder: Path
    formats: tuple[str, ...]
    annotations: Path | None

    def image_ids(self, pictures: Mapping[str, SourcePicture]) -> coco.ImageIds:
        """The COCO id of each picture; raises InputError when the annotations do not fit it."""
        if self.annotations is None:
            return coco.image_ids(list(pictures))
        return annotated_ids(pictures, self.annotations)

    def write(
        self, runs: Sequence[ModelRun], ids: coco.ImageIds, verdict: Verdicts
    ) -> tuple[list[Path], InputError | None]:
        """Writes every file that can be; see `sinks.write_all`."""
        named = (file for name in self.formats for file in _NAMED[name](runs, ids))
        every = chain(named, [("verdict.json", verdict.write)])
        return write_all((self.folder / name, write) for name, write in every)


def prepare(options: argparse.Namespace) -> Writer | None:
    """The writer that the options ask for, its folder made; None without `--output`.

    Raises:
        InputError: an unknown format, a format or annotations without use, a folder that cannot be.
    """
    given = [name.strip() for text in options.format or () for name in text.split(",")]
    unknown = [name for name in given if name not in FORMATS]
    if unknown:
        raise InputError(
            f"--format {unknown[0]!r} is unknown.", f"Choose from: {', '.join(FORMATS)}."
        )
    if options.output is None:
        if given or options.annotations:
            raise InputError("--format and --annotations need --output.", "Name a folder.")
        return None
    if options.annotations is not None:
        require_file(options.annotations)
    require_writable(options.output)
    return Writer(options.output, tuple(dict.fromkeys(given)) or ("json",), options.annotations)


_Named = Iterator[tuple[str, Write]]


def _json(runs: Sequence[ModelRun], _: coco.ImageIds) -> _Named:
    yield "results.json", partial(files.write_json, _estimates(runs))
    yield "summary.json", partial(files.write_summary, list(summary.figures(runs)))


def _csv(runs: Sequence[ModelRun], _: coco.ImageIds) -> _Named:
    for name, rows in _TABLES.items():
        yield f"{name}.csv", partial(files.write_csv, rows(runs))


def _parquet(runs: Sequence[ModelRun], _: coco.ImageIds) -> _Named:
    for name, rows in _TABLES.items():
        yield f"{name}.parquet", partial(files.write_parquet, rows(runs))


def _coco(runs: Sequence[ModelRun], ids: coco.ImageIds) -> _Named:
    """One file a model that answered: an empty list would read as "found nobody"."""
    for run in runs:
        if run.answered:
            answers = [e for e in run.estimates if not e.errors]
            yield f"{run.stem}.coco.json", partial(coco.write_coco, answers, ids)
    yield "image_ids.csv", lambda sink: _text(ids.table(), sink)


def _coco_dataset(runs: Sequence[ModelRun], ids: coco.ImageIds) -> _Named:
    for run in runs:
        if run.answered:
            write = partial(write_coco_dataset, run.estimates, ids, Thresholds.of(run.spec))
            yield f"{run.stem}.coco-dataset.json", write


def _text(text: str, sink: BinaryIO) -> None:
    sink.write(text.encode())


def _estimates(runs: Sequence[ModelRun]) -> list[ClipEstimates]:
    return [e for run in runs for e in run.estimates]


_Rows = Callable[[Sequence["ModelRun"]], Any]
_TABLES: Mapping[str, _Rows] = {
    "joints": lambda runs: tables.joint_table(_estimates(runs)),
    "frames": lambda runs: tables.frame_table(_estimates(runs)),
    "summary": lambda runs: tables.summary_table(summary.figures(runs)),
}
_NAMED = {
    "json": _json,
    "csv": _csv,
    "parquet": _parquet,
    "coco": _coco,
    "coco-dataset": _coco_dataset,
}
