"""NVIDIA's GPUs as their driver tells of them (NVML): names and memory, without a framework.

Numbers are those that CUDA uses in the models' processes, which are started with
`CUDA_DEVICE_ORDER=PCI_BUS_ID`: NVML's own order, or what `CUDA_VISIBLE_DEVICES` leaves of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from estimators.devices import AUTO, CUDA, gpu_seen

_MB = 1e6


class Gpu(NamedTuple):
    """One GPU; memory in MB (10^6 bytes)."""

    device: str
    name: str
    total_mb: float
    free_mb: float


def gpus() -> tuple[Gpu, ...]:
    """Those that models may use; none where no driver tells of any."""
    nvml = _nvml()
    if nvml is None:
        return ()
    with suppress(nvml.NVMLError):
        return tuple(_gpu(nvml, n, handle) for n, handle in enumerate(_handles(nvml)))
    return ()


def free_mb(wanted: str) -> float | None:
    """Most memory that is free on one of the GPUs that a wish allows; None where not known."""
    allowed = [g.free_mb for g in gpus() if wanted in (AUTO, CUDA, g.device)]
    return max(allowed, default=None)


def held_mb(pid: int) -> float | None:
    """What process `pid` holds on all GPUs; None where that is not told, as in some containers."""
    nvml = _nvml()
    if nvml is None:
        return None
    with suppress(nvml.NVMLError):
        found = [
            process.usedGpuMemory
            for handle in _handles(nvml)
            for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)
            if process.pid == pid and process.usedGpuMemory is not None
        ]
        return sum(found) / _MB if found else None
    return None


@cache
def _nvml() -> Any:
    """The driver's library, opened; None where there is none, which is found out once."""
    if not gpu_seen():
        return None
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


def _handles(nvml: Any) -> Iterator[Any]:
    """Of each GPU in CUDA's order."""
    handles = [nvml.nvmlDeviceGetHandleByIndex(n) for n in range(nvml.nvmlDeviceGetCount())]
    uuids = [_text(nvml.nvmlDeviceGetUUID(handle)) for handle in handles]
    for n in visible(uuids, os.environ):
        yield handles[n]


def visible(uuids: list[str], environment: Mapping[str, str]) -> list[int]:
    """Which GPUs CUDA shows, in its order: all, or those of `CUDA_VISIBLE_DEVICES`.

    That is a list of numbers, or of UUIDs' beginnings; it ends at the first that is none.
    """
    listed = environment.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return list(range(len(uuids)))
    found: list[int] = []
    for text in (text.strip() for text in listed.split(",")):
        matches = [n for n, uuid in enumerate(uuids) if text and uuid.startswith(text)]
        if text.isdecimal() and len(text) < 4 and int(text) < len(uuids):
            matches = [int(text)]
        if len(matches) != 1 or matches[0] in found:
            break
        found += matches
    return found


def _gpu(nvml: Any, number: int, handle: Any) -> Gpu:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    name = _text(nvml.nvmlDeviceGetName(handle))
    return Gpu(f"{CUDA}:{number}", name, memory.total / _MB, memory.free / _MB)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
