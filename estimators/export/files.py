"""Everything that is written: CSV, Parquet, JSON, PNG.  See docs/formats.md."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.figures import Figure
from estimators.export.cells import with_plain_cells
from estimators.export.document import write_json
from estimators.export.metadata import SUMMARY_FORMAT, document_metadata
from estimators.export.sinks import Sink, opened, to_bytes
from estimators.export.tables import SUMMARY_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Sink",
    "to_bytes",
    "write_csv",
    "write_json",
    "write_parquet",
    "write_png",
    "write_summary",
]

_ROWS_AT_A_TIME = 200_000
# The second of PNG's filters: each byte as its difference to the one above.
_PNG_UP, _PNG_ROWS, _PNG_LEVEL = 2, 128, 1


def write_csv(table: pd.DataFrame, sink: Sink) -> None:
    """UTF-8 with a header, commas and LF; text is quoted, unknown is empty.

    A float32 is written in the fewest digits that give it back; a text is never a formula.
    """
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    table = with_plain_cells(table)
    # pyarrow writes ten times faster than DataFrame.to_csv; in slices, because it turns categories
    # into plain strings, which are many times larger.
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    options = pa_csv.WriteOptions(quoting_style="needed")
    with opened(sink) as file, pa_csv.CSVWriter(file, schema, write_options=options) as writer:
        for start in range(0, len(table), _ROWS_AT_A_TIME):
            part = table.iloc[start : start + _ROWS_AT_A_TIME]
            writer.write_table(pa.Table.from_pandas(part, schema, preserve_index=False))


def write_parquet(table: pd.DataFrame, sink: Sink) -> None:
    """Parquet (zstd) with the models' description as JSON under the key `pose_comparison`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    head = json.dumps(document_metadata(table["model"].dropna().unique().tolist()))
    metadata = {**(arrow.schema.metadata or {}), b"pose_comparison": head.encode()}
    with opened(sink) as file:
        pq.write_table(arrow.replace_schema_metadata(metadata), file, compression="zstd")


def write_summary(figures: Iterable[Figure], sink: Sink) -> None:
    """The figures as JSON, one a line; unknown is null."""
    rows = []
    for figure in figures:
        about = {name: getattr(figure, name) for name in SUMMARY_COLUMNS}
        known = {k: None if v == "" or v != v else v for k, v in about.items()}  # NaN != NaN
        rows.append(json.dumps(known, ensure_ascii=False, allow_nan=False))
    lines = ",\n".join(rows)
    with opened(sink) as file:
        file.write(f'{{"format": "{SUMMARY_FORMAT}", "figures": [\n{lines}\n]}}\n'.encode())


def write_png(image: NDArray[np.uint8], sink: Sink, below: NDArray[np.uint8] | None = None) -> None:
    """A picture (uint8 [H, W, 3], RGB), as `render.draw.draw_all` returns it; `below` under it.

    Some rows at a time: the usual libraries copy the whole picture twice (PNG, ISO/IEC 15948).
    """
    height, width, colours = image.shape
    if colours != 3 or not image.size:
        raise ValueError(f"a picture of shape {image.shape} cannot be written as PNG")
    parts = [image] if below is None else [image, below]
    height = sum(len(part) for part in parts)
    packer = zlib.compressobj(_PNG_LEVEL)
    above = np.zeros(3 * width, np.uint8)
    with opened(sink) as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        for rows in (_rows(part, top) for part in parts for top in range(0, len(part), _PNG_ROWS)):
            lines = np.full((len(rows), 1 + 3 * width), _PNG_UP, np.uint8)
            lines[:, 1:] = rows - np.concatenate([above[None], rows[:-1]])
            above = rows[-1]
            _chunk(file, b"IDAT", packer.compress(lines.tobytes()))
        _chunk(file, b"IDAT", packer.flush())
        _chunk(file, b"IEND", b"")


def _rows(image: NDArray[np.uint8], top: int) -> NDArray[np.uint8]:
    return image[top : top + _PNG_ROWS].reshape(-1, 3 * image.shape[1])


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    if data or kind != b"IDAT":
        checksum = zlib.crc32(kind + data)
        file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum))
