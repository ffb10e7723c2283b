"""Everything that is written: CSV, Parquet, JSON, PNG.  See docs/formats.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from estimators.export.document import write_json
from estimators.export.metadata import document_metadata
from estimators.export.sinks import Sink, opened, to_bytes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sink", "to_bytes", "write_csv", "write_json", "write_parquet", "write_png"]

_ROWS_AT_A_TIME = 200_000


def write_csv(table: pd.DataFrame, sink: Sink) -> None:
    """UTF-8 with a header, commas and LF; text is quoted, unknown is empty.

    A float32 is written in the fewest digits that give it back.
    """
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    # pyarrow writes ten times faster than DataFrame.to_csv; in slices, because its CSV has no
    # dictionary type and plain strings are many times larger.
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    plain = pa.schema([(f.name, _plain_type(f.type)) for f in schema])
    options = pa_csv.WriteOptions(quoting_style="needed")
    with opened(sink) as file, pa_csv.CSVWriter(file, plain, write_options=options) as writer:
        for start in range(0, len(table), _ROWS_AT_A_TIME):
            part = table.iloc[start : start + _ROWS_AT_A_TIME]
            writer.write_table(pa.Table.from_pandas(part, preserve_index=False).cast(plain))


def _plain_type(arrow_type: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_dictionary(arrow_type) or pa.types.is_null(arrow_type):
        return pa.string()
    return arrow_type


def write_parquet(table: pd.DataFrame, sink: Sink) -> None:
    """Parquet (zstd) with the models' description as JSON under the key `pose_comparison`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    head = json.dumps(document_metadata(table["model"].unique().tolist()))
    metadata = {**(arrow.schema.metadata or {}), b"pose_comparison": head.encode()}
    with opened(sink) as file:
        pq.write_table(arrow.replace_schema_metadata(metadata), file, compression="zstd")


def write_png(image: NDArray[np.uint8], sink: Sink) -> None:
    """A picture (uint8 [H, W, 3], RGB), as `render.draw_poses` returns it."""
    import cv2  # 30 MB that tables do not need

    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be written as PNG")
    with opened(sink) as file:
        file.write(data.tobytes())
