"""What this machine has to give and what a process takes of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import psutil

_MB = 1e6
_CGROUP = Path("/sys/fs/cgroup")


class ProcessMemory(NamedTuple):
    """Resident memory in MB (10^6 bytes); `pss_mb` is None where the system does not tell it."""

    rss_mb: float
    pss_mb: float | None

    @property
    def share_mb(self) -> float:
        """The proportional set size where known, else the resident set size."""
        return self.rss_mb if self.pss_mb is None else self.pss_mb


def process_memory(pid: int) -> ProcessMemory | None:
    """What process `pid` holds now; None when it has ended or is not ours to look at."""
    try:
        # Linux: about a millisecond; psutil's own PSS reads the much longer list of all mappings.
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        fields = {name: rest for name, _, rest in (li.partition(":") for li in text.splitlines())}
        kb = {name: int(fields[name].split()[0]) for name in ("Rss", "Pss")}
        return ProcessMemory(kb["Rss"] * 1024 / _MB, kb["Pss"] * 1024 / _MB)
    except (OSError, KeyError):
        pass
    try:
        return ProcessMemory(psutil.Process(pid).memory_info().rss / _MB, None)
    except psutil.Error:
        return None


class MachineMemory(NamedTuple):
    """Memory in MB (10^6 bytes) that this process and its children may take, and what is free."""

    total: float
    free: float


def memory_mb() -> MachineMemory:
    """The machine's memory, or what its container may take where that is less."""
    found = psutil.virtual_memory()
    total, free = found.total / _MB, found.available / _MB
    for limit, used in (
        ("memory.max", "memory.current"),  # cgroup v2, then v1
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            allowed = int((_CGROUP / limit).read_text()) / _MB  # ValueError: "max"
            left = allowed - int((_CGROUP / used).read_text()) / _MB
        except (OSError, ValueError):
            continue
        total, free = min(total, allowed), min(free, max(0.0, left))
    return MachineMemory(total, free)


def peak_mb(pid: int) -> float | None:
    """Most resident memory in MB that process `pid` ever held; None where not told."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kb = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return int(kb) * 1024 / _MB
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def available_cores() -> int:
    """CPU cores that this process may use: affinity and the container's quota, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(os.getpid()))  # a thread may be kept off some for a while
    else:
        cores = os.cpu_count() or 1
    quota = _quota_cores()
    return max(1, cores if quota is None else min(cores, round(quota)))


def _quota_cores() -> float | None:
    """The cgroup's CPU quota in cores, None where there is none."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:  # cgroup v1
        folder = Path("/sys/fs/cgroup/cpu")
        limit = int((folder / "cpu.cfs_quota_us").read_text())
        period_us = int((folder / "cpu.cfs_period_us").read_text())
        return limit / period_us if limit > 0 else None
    except (OSError, ValueError):
        return None
