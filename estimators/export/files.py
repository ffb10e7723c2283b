"""Tables and estimates written as CSV, Parquet and JSON; pictures as PNG.  See docs/formats.md."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import NOBODY, TIMINGS, ClipEstimates
from estimators.export.metadata import document_metadata

if TYPE_CHECKING:
    import pandas as pd

Sink = Path | BinaryIO
_ROWS_AT_A_TIME = 200_000


def to_bytes(write: Callable[[BinaryIO], None]) -> bytes:
    """What `write` writes, for a download: `to_bytes(lambda sink: write_csv(table, sink))`."""
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def opened(sink: Sink) -> AbstractContextManager[BinaryIO]:
    """`sink` for writing; only a path is closed afterwards."""
    return sink.open("wb") if isinstance(sink, Path) else nullcontext(sink)


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


def write_json(estimates: Sequence[ClipEstimates], sink: Sink) -> None:
    """One self-describing document with everything, people under their frames."""
    head = document_metadata(e.model for e in estimates)
    text = json.dumps(head, ensure_ascii=False, allow_nan=False)
    with opened(sink) as file:
        file.write(f'{text[:-1]}, "results": ['.encode())
        for i, e in enumerate(estimates):
            file.write(b",\n" if i else b"\n")
            body = json.dumps(_result(e), ensure_ascii=False, allow_nan=False)
            file.write(body.encode())
        file.write(b"\n]}\n")


def _result(e: ClipEstimates) -> dict[str, Any]:
    return {
        "model": e.model,
        "file": e.file,
        "width": e.size[0],
        "height": e.size[1],
        "frames": [_frame(e, row) for row in range(len(e))],
    }


def _frame(e: ClipEstimates, row: int) -> dict[str, Any]:
    timings = dict(zip(TIMINGS, _numbers(e.timings_ms[row], 3), strict=True))
    frame: dict[str, Any] = {
        "frame_index": int(e.frame_index[row]),
        "time_s": float(e.time_s[row]),
        "timings_ms": {name.removesuffix("_ms"): value for name, value in timings.items()},
        "people": [_person(e, i) for i in range(int(e.offsets[row]), int(e.offsets[row + 1]))],
    }
    if row in e.errors:
        frame["error"] = e.errors[row]
    return frame


def _person(e: ClipEstimates, i: int) -> dict[str, Any]:
    identity = int(e.identity[i])
    person: dict[str, Any] = {
        "identity": None if identity == NOBODY else identity,
        "pose_score": _numbers(e.pose_score[i], 5),
        "xy_px": _points(e.xy[i], 3),
        "score": _numbers(e.score[i], 5),
    }
    if e.box_xyxy is not None:
        person["box_xyxy_px"] = _numbers(e.box_xyxy[i], 3)
    if e.world_m is not None:
        person["world_m"] = _points(e.world_m[i], 5)
    return person


def _numbers(values: Any, digits: int) -> Any:
    """Nested lists of rounded numbers, None (JSON null) for what is not finite."""
    array = np.round(np.asarray(values, np.float64), digits)
    if np.isfinite(array).all():
        return array.tolist()
    known = array.astype(object)
    known[~np.isfinite(array)] = None
    return known.tolist()


def _points(values: NDArray[np.float32], digits: int) -> Any:
    """Points [K, D] as lists; a point with an unknown coordinate is null as a whole."""
    points: list[list[float]] = np.round(values.astype(np.float64), digits).tolist()
    return [point if all(map(math.isfinite, point)) else None for point in points]


def write_png(image: NDArray[np.uint8], sink: Sink) -> None:
    """A picture (uint8 [H, W, 3], RGB), as `render.draw_poses` returns it."""
    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be written as PNG")
    with opened(sink) as file:
        file.write(data.tobytes())
