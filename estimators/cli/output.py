"""The files that `compare` writes into its folder; docs/formats.md describes them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from estimators.cli.main import FORMATS
from estimators.errors import InputError
from estimators.export import coco, files, tables

if TYPE_CHECKING:
    from estimators.cli.compare import ModelRun


@dataclass(frozen=True)
class Writer:
    """Writes one comparison into `folder` in each of `formats`."""

    folder: Path
    formats: tuple[str, ...]
    annotations: Path | None

    def image_ids(self, names: Sequence[str]) -> coco.ImageIds:
        """The COCO id of each picture; raises InputError when the annotations do not know it."""
        return coco.image_ids(names, self.annotations)

    def write(self, runs: Sequence[ModelRun], ids: coco.ImageIds) -> list[Path]:
        """Writes the files and returns them.

        Raises:
            InputError: the folder cannot be written to.
        """
        try:
            return [file for name in self.formats for file in _WRITE[name](self, runs, ids)]
        except OSError as error:
            raise InputError(
                f"{error.filename or self.folder} cannot be written: {error.strerror}.",
                "Choose another folder for --output.",
            ) from error


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
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{options.output} cannot be made a folder: {error.strerror}.", "Choose another."
        ) from error
    return Writer(options.output, tuple(dict.fromkeys(given)) or ("json",), options.annotations)


def _json(writer: Writer, runs: Sequence[ModelRun], _: coco.ImageIds) -> Iterator[Path]:
    file = writer.folder / "results.json"
    files.write_json([e for run in runs for e in run.estimates], file)
    yield file


def _csv(writer: Writer, runs: Sequence[ModelRun], _: coco.ImageIds) -> Iterator[Path]:
    estimates = [e for run in runs for e in run.estimates]
    for name, rows in (("joints", tables.joint_table), ("frames", tables.frame_table)):
        file = writer.folder / f"{name}.csv"
        files.write_csv(rows(estimates), file)
        yield file


def _parquet(writer: Writer, runs: Sequence[ModelRun], _: coco.ImageIds) -> Iterator[Path]:
    estimates = [e for run in runs for e in run.estimates]
    for name, rows in (("joints", tables.joint_table), ("frames", tables.frame_table)):
        file = writer.folder / f"{name}.parquet"
        files.write_parquet(rows(estimates), file)
        yield file


def _coco(writer: Writer, runs: Sequence[ModelRun], ids: coco.ImageIds) -> Iterator[Path]:
    """One file a model that answered: an empty list would read as "found nobody"."""
    for run in runs:
        if run.answered:
            file = writer.folder / f"{run.spec.key}.coco.json"
            coco.write_coco([e for e in run.estimates if not e.errors], ids, file)
            yield file
    table = writer.folder / "image_ids.csv"
    table.write_text(ids.table(), encoding="utf-8")
    yield table


_WRITE = {"json": _json, "csv": _csv, "parquet": _parquet, "coco": _coco}
