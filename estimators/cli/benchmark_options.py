"""What `benchmark` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from estimators.cli.values import seconds


def add_benchmark(commands: Any) -> None:
    """Adds the command to those of the parser."""
    benchmark = commands.add_parser(
        "benchmark",
        help="how fast models are on this machine, and what they take",
        description="Measures each model by itself, one call at a time, models taking turns. Close "
        "other programs first: the report says how much of the machine they used.",
    )
    benchmark.add_argument(
        "models", nargs="*", metavar="MODEL", help="variants by key (default: as for compare)"
    )
    benchmark.add_argument(
        "--media", type=Path, metavar="FILE", help="a picture or a clip (default: a sample picture)"
    )
    benchmark.add_argument(
        "--threads",
        default="1,2,all",
        metavar="N,N,all",
        help="CPU threads of each model, one pass each (default: %(default)s)",
    )
    benchmark.add_argument(
        "--seconds",
        type=seconds,
        default=10.0,
        metavar="S",
        help="how long each model is measured in each pass (default: %(default)g)",
    )
    benchmark.add_argument(
        "--json", type=Path, metavar="FILE", help="everything measured, to lay beside another's"
    )
    benchmark.set_defaults(module="estimators.cli.benchmark")


def add_benchmark_file(command: Any) -> None:
    """Adds the option that puts a benchmark into a report."""
    command.add_argument(
        "--benchmark",
        type=Path,
        metavar="FILE",
        help="what `benchmark --json` wrote: the report tells the models' speed, too",
    )
