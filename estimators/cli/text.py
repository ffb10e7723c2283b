"""Plain tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Columns under their header, two spaces apart; those numbered in `right` are right-aligned."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]

    def laid_out(line: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join(laid_out(line) for line in lines)


def number(value: float | None, digits: int) -> str:
    """`value` with `digits` decimals; a dash where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def megabytes(size_bytes: int) -> str:
    """`size_bytes` in MB (10^6 bytes); a dash where not known."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes else "-"
