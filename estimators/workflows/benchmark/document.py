"""A benchmark as a JSON file to keep and to send, and the files of others read with care."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

from estimators.errors import InputError
from estimators.media.kinds import require_file
from estimators.typed import record
from estimators.workflows.benchmark import figures
from estimators.workflows.benchmark.notes import machine_text, notes
from estimators.workflows.benchmark.result import FORMAT, Benchmark, Measured

MOST_BYTES = 20_000_000
_DIGITS = 4
_LONGEST_REASON = 90
_SUMMARY = "summary"


def write_benchmark(benchmark: Benchmark, sink: BinaryIO) -> None:
    """The whole of it, with its figures for people beside the calls they come from."""
    plain = replace(benchmark, versions=dict(benchmark.versions))
    document = asdict(plain, dict_factory=_plain)
    document[_SUMMARY] = [summary(measured) for measured in benchmark.measured]
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    sink.write(text.encode())


def summary(measured: Measured) -> dict[str, Any]:
    """The figures of one model; for people, computed anew from the calls whenever it is read."""
    latency, whole = figures.latency(measured.calls), figures.whole(measured.calls)
    stages = figures.stages(measured.calls)
    known = {
        "model": measured.model,
        "threads": measured.threads,
        "device": measured.device,
        "dtype": "" if measured.where is None else measured.where.dtype,
        "calls": latency.count,
        "latency_median_ms": latency.median_ms,
        "latency_p95_ms": latency.p95_ms,
        "latency_low_ms": latency.low_ms,
        "latency_high_ms": latency.high_ms,
        "whole_median_ms": whole.median_ms,
        "whole_p95_ms": whole.p95_ms,
        "stages_ms": {name: round(ms, _DIGITS) for name, ms in stages.items()},
    }
    return {name: _rounded(value) for name, value in known.items()}


def as_report(benchmark: Benchmark) -> dict[str, Any]:
    """What a report tells of it: the figures, without the calls that they come from; JSON-ready."""
    return {
        "made": benchmark.made,
        "machine": machine_text(benchmark.machine),
        "media": f"{benchmark.media.name}, {benchmark.media.width}×{benchmark.media.height}",
        "notes": list(notes(benchmark)),
        "models": [
            {
                **summary(one),
                "title": one.title,
                "busy": benchmark.busy(one),
                "load_s": one.load_s,
                "first_call_ms": one.first_call_ms,
                "pss_mb": one.pss_mb,
                "peak_mb": one.peak_mb,
                "weights_bytes": one.weights_bytes,
            }
            for one in benchmark.measured
        ],
    }


def read_benchmark(data: bytes, name: str) -> Benchmark:
    """A file that `write_benchmark` wrote, here or elsewhere.

    Args:
        name: of the file, for messages.

    Raises:
        InputError: it is no such file; the message says what is wrong with it.
    """
    advice = "Give a JSON file that the Benchmark page or `benchmark --json` has written."
    if len(data) > MOST_BYTES:
        raise InputError(f"{name} is too large for a benchmark ({len(data) / 1e6:.0f} MB).", advice)
    try:
        given = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is no JSON file: {_short(str(error))}.", advice) from error
    if not isinstance(given, dict) or not str(given.get("format", "")).startswith("pose-benchmark"):
        raise InputError(f"{name} is a JSON file, but no benchmark.", advice)
    if given["format"] != FORMAT:
        raise InputError(
            f"{name} was written by another version ({str(given['format'])[:40]}, expected "
            f"{FORMAT}).",
            "Measure again with the same version on both machines.",
        )
    given.pop(_SUMMARY, None)
    try:
        benchmark: Benchmark = record(Benchmark, given)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{name} is damaged: {_short(str(error))}.", advice) from error
    if not benchmark.measured:
        raise InputError(f"{name} holds no model's figures.", advice)
    return benchmark


def read_benchmark_file(path: Path) -> Benchmark:
    """As `read_benchmark`; raises InputError also where there is no such file."""
    require_file(path)
    with path.open("rb") as file:
        return read_benchmark(file.read(MOST_BYTES + 1), path.name)


def _short(reason: str) -> str:
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]} …"


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _rounded(value) for name, value in pairs}


def _rounded(value: Any) -> Any:
    """Numbers as they are read by people, unknown ones null; mappings and tuples plain."""
    if isinstance(value, float):
        return round(value, _DIGITS) if value == value else None
    if isinstance(value, tuple):
        return [_rounded(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value
