"""A server of the app for scripts and tests: what it has at rest, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from browser_support import running_app, server_process  # noqa: E402 - path above

__all__ = [
    "Size",
    "at_rest",
    "back",
    "connections",
    "left_by",
    "server",
    "server_process",
    "status",
]

# After they left; a session is kept for so many seconds (and memory is tidied 10 s later).
LEFT_S = 5
LEEWAY = 1.05
_SHARED = ("/memfd:", "/dev/shm/")


@contextmanager
def server(folder: Path, **settings: str) -> Iterator[str]:
    """The app, which forgets a session soon after it has gone."""
    soon = {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": str(LEFT_S)}
    with running_app(folder, **soon, **settings) as url:
        yield url


@dataclass
class Size:
    """What the app's own process has: memory of its own, threads and open files.

    And how often it and its children have shared memory open.
    """

    def __str__(self) -> str:
        return f"{self.mb:.0f} MB, {self.threads} threads, {self.files} files, {self.shared} shared"

    mb: float
    threads: int
    files: int
    shared: int

    @classmethod
    def of(cls, process: psutil.Process) -> Size:
        shared = sum(map(_shared_memory, [process, *process.children(recursive=True)]))
        return cls(_own_mb(process), process.num_threads(), process.num_fds(), shared)

    def within(self, before: Size) -> bool:
        """Whether nothing is more than 5 % above what it was; of few things, two more."""
        most = Size(
            before.mb * LEEWAY,
            max(before.threads + 2, int(before.threads * LEEWAY)),
            max(before.files + 2, int(before.files * LEEWAY)),
            before.shared + 2,
        )
        return all(
            getattr(self, n) <= getattr(most, n) for n in ("mb", "threads", "files", "shared")
        )


def _own_mb(process: psutil.Process) -> float:
    """Its share (PSS) but for libraries' files, which depends on who else has them open.

    All that is resident where the system tells no more.
    """
    try:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:
        return float(process.memory_info().rss / 1e6)
    kilobytes = re.findall(r"Pss_(?:Anon|Shmem): +(\d+) kB", rollup)
    return sum(map(int, kilobytes)) * 1024 / 1e6


def _shared_memory(process: psutil.Process) -> int:
    count = 0
    with suppress(OSError):  # it has just ended; there is no /proc
        for file in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(OSError):
                count += os.readlink(file).startswith(_SHARED)
    return count


def at_rest(url: str, process: psutil.Process, least_s: float = LEFT_S + 12) -> Size:
    """When all have gone and nothing grows or shrinks any more.

    Args:
        least_s: before that nobody looks; live video takes longer to be let go of.
    """
    time.sleep(least_s)
    _even_threads(url)
    end_s = time.monotonic() + 60.0
    last = Size.of(process)
    while time.monotonic() < end_s:
        time.sleep(3)
        now = Size.of(process)
        if abs(now.mb - last.mb) < 1 and now.threads == last.threads and not connections(url):
            return now
        last = now
    return last


def back(url: str, process: psutil.Process, before: Size, longest_s: float = 120.0) -> Size:
    """What is left once it is back where it was, or after some minutes."""
    end_s = time.monotonic() + longest_s
    while True:
        _even_threads(url)
        now = Size.of(process)
        if (now.within(before) and not connections(url)) or time.monotonic() > end_s:
            return now
        time.sleep(3)


def _even_threads(url: str) -> None:
    """Brings the pools of threads to where they always come to, whatever came at once before.

    asyncio starts one for each question that comes while others are busy, cores + 4 at most, and
    keeps them; anyio lets go of idle ones when it is asked for the next file.
    """
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(status, [url] * 64))
    with urllib.request.urlopen(url, timeout=30) as page:
        page.read()


def status(url: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{url}/_pose/status", timeout=30) as answer:
        told: dict[str, object] = json.load(answer)
    return told


def connections(url: str) -> int:
    return int(str(status(url)["connections"]))


def left_by(process: psutil.Process, how: signal.Signals, temporary: Path) -> list[str]:
    """Ends a server and says what is left of it after a while; sentences.

    Args:
        temporary: its folder for temporary files, which nobody else uses.
    """
    family = process.children(recursive=True)
    os.kill(process.pid, how)
    end_s = time.monotonic() + 60
    while left := _left(family, temporary):
        if time.monotonic() > end_s:
            return left
        time.sleep(0.2)
    return []


def _left(family: list[psutil.Process], temporary: Path) -> list[str]:
    found = [f"{path} is left" for path in temporary.iterdir()]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"process {' '.join(process.cmdline())[:120]} is left")
    return found
