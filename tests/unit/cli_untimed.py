"""What two runs' files have to agree in: all but what is measured anew in each."""

from __future__ import annotations

import csv
import json
from pathlib import Path

_COSTS = ("ms", "MB", "s")  # units of times and memory
_KEPT = ("shard-", ".estimates")  # by a run, for the next
_BUSY = "frames_busy"
_TIMED = ("created", "elapsed_s", "busy")


def untimed(path: Path) -> object:
    """A file without what is measured anew in each run."""
    text = path.read_text()
    if path.name == "frames.csv":
        header, *rows = csv.reader(text.splitlines())
        timed = {i for i, name in enumerate(header) if "_ms" in name or name == "busy"}
        return [[c for i, c in enumerate(row) if i not in timed] for row in rows]
    if path.name == "summary.csv":
        rows = csv.reader(text.splitlines())
        return [r for r in rows if r[-1] not in _COSTS and _BUSY not in r]
    if path.name == "summary.json":
        figures = json.loads(text)["figures"]
        return [f for f in figures if f["unit"] not in _COSTS and f["figure"] != _BUSY]
    return _without(json.loads(text)) if path.suffix == ".json" else text


def require_same(one: Path, many: Path) -> set[str]:
    """The files that are equal byte by byte; the others have to be but for times."""
    equal, others = compared(one, many)
    for name in others:
        if Path(name).name != "verdict.json":  # it tells of times in words
            assert untimed(one / name) == untimed(many / name), name
    return equal


def compared(one: Path, many: Path) -> tuple[set[str], set[str]]:
    """The names of files that are equal byte by byte, and of the others; both have to have all.

    What is kept for the next run is passed over.
    """
    names, theirs = (
        {
            str(p.relative_to(folder))
            for p in folder.rglob("*")
            if p.is_file() and not p.relative_to(folder).parts[0].startswith(_KEPT)
        }
        for folder in (one, many)
    )
    assert names == theirs
    equal = {n for n in names if (one / n).read_bytes() == (many / n).read_bytes()}
    return equal, names - equal


def _without(data: object) -> object:
    if isinstance(data, dict):
        return {k: _without(v) for k, v in data.items() if k not in _TIMED and "_ms" not in k}
    return [_without(v) for v in data] if isinstance(data, list) else data
