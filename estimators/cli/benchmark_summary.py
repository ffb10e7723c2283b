"""The tables that `benchmark` prints: latency with its interval, stages, ratios, what it takes."""

from __future__ import annotations

from collections.abc import Iterator

from estimators.cli.text import number, table
from estimators.workflows.benchmark import figures
from estimators.workflows.benchmark.notes import machine_text, notes
from estimators.workflows.benchmark.result import STAGES, Benchmark, Measured

_LATENCY = ("MODEL", "THREADS", "DEVICE", "MEDIAN ms", "(95 %)", "P95 ms", "WHOLE ms", "CALLS")
_STAGES = ("STAGES OF", "THREADS", *(f"{name.upper()} ms" for name in STAGES), "SUM ms")
_COSTS = ("COST OF", "THREADS", "LOAD s", "FIRST ms", "PSS MB", "PEAK MB", "ON DISK MB")
_RATIOS = ("TIME OF", "OVER THAT OF", "THREADS", "RATIO", "(95 %)")


def text(benchmark: Benchmark) -> str:
    """The whole report."""
    media, every = benchmark.media, benchmark.measured
    ratios = list(_ratios(every))
    parts = [
        f"{machine_text(benchmark.machine)}\n{media.name}, {media.width}×{media.height}; latency "
        "is the model's own: preprocess, inference and postprocess; the whole adds the way to its "
        "process and back; stages are means over the middle half of the calls",
        table(_LATENCY, [_latency(benchmark, m) for m in every], right=(1, 3, 5, 6, 7)),
        table(_STAGES, [_stages(m) for m in every], right=range(1, len(_STAGES))),
        table(_COSTS, [_costs(m) for m in every], right=range(1, len(_COSTS))),
        table(_RATIOS, ratios, right=(2, 3)) if ratios else "",
        "\n".join(f"- {note}" for note in notes(benchmark)),
    ]
    return "\n\n".join(part for part in parts if part)


def _latency(benchmark: Benchmark, measured: Measured) -> tuple[str, ...]:
    times = figures.latency(measured.calls)
    return (
        measured.model,
        str(measured.threads),
        measured.computed + (" (busy)" if benchmark.busy(measured) else ""),
        number(times.median_ms, 2),
        _interval(times.low_ms, times.high_ms),
        number(times.p95_ms, 2),
        number(figures.whole(measured.calls).median_ms, 2),
        str(times.count),
    )


def _stages(measured: Measured) -> tuple[str, ...]:
    stages = figures.stages(measured.calls)
    every = (*stages.values(), sum(stages.values()))
    return (measured.model, str(measured.threads), *(number(ms, 2) for ms in every))


def _costs(measured: Measured) -> tuple[str, ...]:
    return (
        measured.model,
        str(measured.threads),
        number(measured.load_s, 1),
        number(measured.first_call_ms, 0),
        number(measured.pss_mb, 0),
        number(measured.peak_mb, 0),
        number(measured.weights_bytes / 1e6, 1),
    )


def _ratios(every: tuple[Measured, ...]) -> Iterator[tuple[str, ...]]:
    """Each model over the first one that it took turns with."""
    firsts: dict[tuple[int, int], Measured] = {}
    for measured in every:
        first = firsts.setdefault((measured.pass_number, measured.group), measured)
        if first is not measured:
            ratio = figures.ratio(measured.calls, first.calls)
            yield (
                measured.model,
                first.model,
                str(measured.threads),
                number(ratio.value, 2),
                _interval(ratio.low, ratio.high),
            )


def _interval(low: float, high: float) -> str:
    return "-" if low != low else f"{number(low, 2)} to {number(high, 2)}"
