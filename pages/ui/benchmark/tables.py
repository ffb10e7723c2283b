"""The tables of the Benchmark page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from estimators.workflows.benchmark import figures
from estimators.workflows.benchmark.result import Benchmark, Measured
from pages.ui.evaluate.tables import in_brackets, number

if TYPE_CHECKING:
    import pandas as pd


def figures_table(benchmark: Benchmark) -> pd.DataFrame:
    """One row a model and number of threads."""
    import pandas as pd

    rows = []
    for one in benchmark.measured:
        times, whole = figures.latency(one.calls), figures.whole(one.calls)
        busy = "*" if benchmark.busy(one) else ""
        rows.append(
            {
                "model": one.title,
                "threads": str(one.threads),
                "device": one.computed,
                "latency, ms": f"{_spanned(times)}{busy}",
                "p95, ms": number(times.p95_ms, 1),
                "whole, ms": number(whole.median_ms, 1),
                "load, s": number(one.load_s, 1),
                "first call, ms": number(one.first_call_ms, 0),
                "memory, MB": _megabytes(one.pss_mb),
                "peak, MB": _megabytes(one.peak_mb),
                "on disk, MB": number(one.weights_bytes / 1e6, 1),
                "calls": str(times.count),
            }
        )
    return pd.DataFrame(rows).set_index("model")


def row_names(models: Sequence[Measured]) -> list[str]:
    """Their titles, with the device where one title stands twice."""
    often = Counter(one.title for one in models)
    return [m.title if often[m.title] == 1 else f"{m.title}, {m.device}" for m in models]


def ratios_table(models: Sequence[Measured]) -> pd.DataFrame | None:
    """How many times as long each row's model takes as each column's; None for one model."""
    import pandas as pd

    if len(models) < 2:
        return None
    names = row_names(models)
    cells = {
        name: [
            in_brackets(figures.ratio(of.calls, to.calls))
            if of is not to and of.took_turns_with(to)
            else "–"
            for of in models
        ]
        for name, to in zip(names, models, strict=True)
    }
    return pd.DataFrame(cells, index=names)


def machines_table(every: Mapping[str, Benchmark]) -> pd.DataFrame:
    """Latency of each model, number of threads and device, one column a machine.

    The rows of a model stand together, the fewest threads first.
    """
    import pandas as pd

    rows: dict[tuple[str, int, str], dict[str, str]] = {}
    for name, benchmark in every.items():
        for one in benchmark.measured:
            busy = "*" if benchmark.busy(one) else ""
            row = rows.setdefault((one.title, one.threads, one.computed), {})
            row[name] = f"{_spanned(figures.latency(one.calls))}{busy}"
    titles = list(dict.fromkeys(title for title, _, _ in rows))
    together = sorted(rows.items(), key=lambda row: (titles.index(row[0][0]), row[0][1]))
    table = pd.DataFrame(
        [
            {"model": title, "threads": str(threads), "device": device}
            | {name: row.get(name, "–") for name in every}
            for (title, threads, device), row in together
        ]
    )
    return table.set_index("model")


def versions_apart(every: Mapping[str, Benchmark]) -> str:
    """Packages of other versions, those of the machines in their order; "" where all are alike."""
    names = dict.fromkeys(name for b in every.values() for name in b.versions)
    found = {name: [b.versions.get(name, "none") for b in every.values()] for name in names}
    apart = [f"{name} {' / '.join(each)}" for name, each in found.items() if len({*each}) > 1]
    return ", ".join(apart)


def _spanned(times: figures.Times) -> str:
    if math.isnan(times.low_ms):
        return number(times.median_ms, 1)
    return f"{times.median_ms:,.1f} ({times.low_ms:,.1f}–{times.high_ms:,.1f})"


def _megabytes(value: float | None) -> str:
    return "–" if value is None else number(value, 0)
