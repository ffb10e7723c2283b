"""Everything the models said in one self-describing JSON document.  See docs/formats.md."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import NOBODY, TIMINGS, ClipEstimates
from estimators.export.metadata import document_metadata
from estimators.export.sinks import Sink, opened

# Frames turned into Python objects at a time: those of a whole clip would be gigabytes.
_FRAMES_AT_A_TIME = 256
_STAGES = [name.removesuffix("_ms") for name in TIMINGS]


def write_json(estimates: Sequence[ClipEstimates], sink: Sink) -> None:
    """The models and skeletons once, then people under their frames; unknown is null.

    Pixels are rounded to 0.001, scores and metres to 0.00001.

    Raises:
        InputError: an estimate's model is not in the registry.
    """
    head = document_metadata(e.model for e in estimates)
    with opened(sink) as file:
        file.write(f'{_json(head)[:-1]}, "results": ['.encode())
        for i, e in enumerate(estimates):
            file.write(b",\n" if i else b"\n")
            width, height = e.size
            about: dict[str, Any] = {"model": e.model, "file": e.file}
            about |= {"width": width, "height": height}
            if e.placement is not None:
                about["device"] = e.placement.as_data()
            if e.held_to is not None:
                about["held_to_people"] = e.held_to
            file.write(f'{_json(about)[:-1]}, "frames": ['.encode())
            for j, frame in enumerate(_frames(e)):
                file.write((",\n" if j else "\n").encode() + _json(frame).encode())
            file.write(b"\n]}")
        file.write(b"\n]}\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _frames(e: ClipEstimates) -> Iterator[dict[str, Any]]:
    identity, busy = e.identity, e.busy
    for start in range(0, len(e), _FRAMES_AT_A_TIME):
        rows = range(start, min(start + _FRAMES_AT_A_TIME, len(e)))
        first = int(e.offsets[start])
        people = _people(e, identity, slice(first, int(e.offsets[rows.stop])))
        timings = _numbers(e.timings_ms[start : rows.stop], 3)
        for row in rows:
            frame: dict[str, Any] = {
                "frame_index": int(e.frame_index[row]),
                "time_s": float(e.time_s[row]),
                "timings_ms": dict(zip(_STAGES, timings[row - start], strict=True)),
                "people": people[int(e.offsets[row]) - first : int(e.offsets[row + 1]) - first],
            }
            if row in e.restarts:
                frame["restarted"] = True
            if busy[row]:
                frame["busy"] = True
            if row in e.errors:
                frame["error"] = e.errors[row]
            yield frame


def _people(e: ClipEstimates, identity: NDArray[np.int64], part: slice) -> list[dict[str, Any]]:
    columns: dict[str, list[Any]] = {
        "identity": [None if number == NOBODY else number for number in identity[part].tolist()],
        "pose_score": _numbers(e.pose_score[part], 5),
        "xy_px": _points(e.xy[part], 3),
        "score": _numbers(e.score[part], 5),
    }
    if e.box_xyxy is not None:
        columns["box_xyxy_px"] = _numbers(e.box_xyxy[part], 3)
    if e.world_m is not None:
        columns["world_m"] = _points(e.world_m[part], 5)
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _numbers(values: NDArray[np.float32], digits: int) -> list[Any]:
    """Nested lists of rounded numbers, None (JSON null) for what is not finite."""
    array = np.round(values.astype(np.float64), digits)
    known = np.isfinite(array)
    if not known.all():
        array = array.astype(object)
        array[~known] = None
    numbers: list[Any] = array.tolist()
    return numbers


def _points(values: NDArray[np.float32], digits: int) -> list[Any]:
    """Points [P, K, D] as lists; a point with an unknown coordinate is null as a whole."""
    people: list[list[list[float]]] = np.round(values.astype(np.float64), digits).tolist()
    if np.isfinite(values).all():
        return people
    return [
        [point if all(map(math.isfinite, point)) else None for point in points] for points in people
    ]
