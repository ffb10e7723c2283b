"""Where numbers come from: the machine, the versions and the weights behind them."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from estimators import weights
from estimators.export.metadata import model_metadata
from estimators.registry import get
from estimators.runtime.machine import available_cores

PACKAGES = (
    *("ai-edge-litert", "mediapipe", "torch", "torchvision", "tensorflow", "tensorflow-hub"),
    *("numpy", "opencv-contrib-python", "av", "streamlit"),
)

_INSTRUCTION_SETS = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16"),
    *("avx512_fp16", "amx_bf16", "amx_int8", "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve"),
)


def machine() -> dict[str, Any]:
    """The machine's processor, cores, memory and system, JSON-ready; no host or user name."""
    return {
        "processor": _processor(),
        "cores_available": available_cores(),
        "cores_total": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def instruction_sets() -> tuple[str, ...]:
    """Those that decide the speed of the models' kernels, as the system calls them; Linux tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ()
    told = (li.partition(":")[2].split() for li in lines if li.startswith(("flags", "Features")))
    has = set(next(told, []))
    return tuple(name for name in _INSTRUCTION_SETS if name in has)


def governor() -> str | None:
    """How the system chooses the clock of the first core (Linux: `powersave`, `performance` …)."""
    try:
        return Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").read_text().strip()
    except OSError:
        return None


def versions() -> dict[str, str]:
    """The version of each package that decides the numbers; absent ones are left out."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def models(keys: Iterable[str]) -> dict[str, Any]:
    """Each variant with its weights' file, SHA-256 and source, JSON-ready.

    Raises:
        InputError: a key is not in the registry.
    """
    return {key: {**model_metadata(key), "weights": _weights(get(key).weights)} for key in keys}


def _weights(key: str) -> dict[str, Any]:
    entry = weights.entry(key)
    return {
        "file": entry.file_name,
        "sha256": entry.sha256 or None,
        "url": entry.url,
        "licence": entry.licence,
    }


def _processor() -> str:
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or sys.platform
