"""What benchmarks found against their limits: each says its own, `make bench` prints one table."""

from __future__ import annotations

import json
import os
from pathlib import Path

from estimators.cli.text import table
from estimators.workflows.benchmark.notes import machine_text
from estimators.workflows.benchmark.result import Machine
from estimators.workflows.provenance import governor, instruction_sets, machine

# The file that all benchmarks of one `make bench` write to.
FILE = "BENCH_TABLE"


def here() -> Machine:
    """This machine, described."""
    return Machine(**machine(), instruction_sets=instruction_sets(), governor=governor())


def here_text() -> str:
    """This machine in a line."""
    return machine_text(here())


def kept(value: float, *, most: float | None = None, least: float | None = None) -> bool:
    """The value is within its limit."""
    return (most is None or value <= most) and (least is None or value >= least)


def say(
    name: str,
    value: float,
    *,
    most: float | None = None,
    least: float | None = None,
    unit: str = "",
) -> None:
    """Adds a row to the table of `make bench`; does nothing in a benchmark run by itself."""
    if file := os.environ.get(FILE):
        row = {"name": name, "value": value, "most": most, "least": least, "unit": unit}
        with Path(file).open("a", encoding="utf-8") as sink:
            sink.write(json.dumps(row) + "\n")


def told(lines: str) -> str:
    """The table of all rows."""
    rows = []
    for row in map(json.loads, lines.splitlines()):
        most, least = row["most"], row["least"]
        limit = f"at most {most:g}" if most is not None else f"at least {least:g}"
        verdict = "kept" if kept(row["value"], most=most, least=least) else "NOT KEPT"
        value = f"{row['value']:.2f}"
        rows.append((row["name"], value, limit, row["unit"], verdict))
    return table(("BENCHMARK", "VALUE", "LIMIT", "UNIT", ""), rows, right=(1,))
