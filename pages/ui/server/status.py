"""What this server is doing now, for whoever watches over it: `GET /_pose/status`, as JSON.

Numbers and models' keys only: nothing of a visitor, no name of a file, no text of an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil

from estimators.decode.pool import pool
from estimators.runtime.api import Runner
from estimators.runtime.machine import memory_mb, process_memory
from estimators.workflows.room import room
from pages.ui.server import leaving
from pages.ui.server.files import MOST_BYTES, folders

PATH = "/_pose/status"
_started_s = time.monotonic()
_asked: dict[str, Callable[[], Any]] = {}


def tells(name: str, ask: Callable[[], Any]) -> None:
    """From now on the status has an entry `name` with what `ask`, called by any thread, gives."""
    _asked[name] = ask


def models_of(runner: Runner) -> list[dict[str, Any]]:
    """The state of each model that was used."""
    return [
        {
            "model": status.model,
            "state": status.state,
            "memory_mb": _rounded(status.memory_mb),
            "calls": status.calls,
            "restarts": status.restarts,
            "median_ms": _rounded(status.median_ms),
            "p95_ms": _rounded(status.p95_ms),
            "device": status.placement.device if status.placement else None,
            "gpu_mb": _rounded(status.gpu_mb),
        }
        for status in runner.status()
    ]


def report(models_mb: int) -> dict[str, Any]:
    """Everything, JSON-ready; `models_mb` is the budget of all models together."""
    decoders, work, machine = pool(), room(), memory_mb()
    process = psutil.Process()
    own = process_memory(process.pid)
    return {
        "status": "ok",
        "uptime_s": round(time.monotonic() - _started_s),
        "connections": leaving.connected(),
        "memory": {
            "app_mb": _rounded(own.share_mb if own else None),
            "models_budget_mb": models_mb,
            "machine_mb": _rounded(machine.total),
            "free_mb": _rounded(machine.free),
        },
        "threads": process.num_threads(),
        "files": {"bytes": folders().bytes_of(None), "most_bytes": MOST_BYTES},
        "decoding": {
            "processes": len(decoders.pids()) if decoders else 0,
            "waiting": decoders.waiting if decoders else 0,
        },
        "work": work.report() if work else {},
        "models": [],
        **{name: ask() for name, ask in list(_asked.items())},
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
