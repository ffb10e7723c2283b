"""What the C library is told: a few heaps for however many threads, and to keep what is freed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Threads that are all there at once, each with something of its own; prints how many heaps are.
THREADS = """
import ctypes, re, sys, tempfile, threading
from estimators.memory import few_arenas
if sys.argv[1] == "few":
    assert few_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
there = threading.Barrier(12)
def own():
    libc.malloc(1000)
    there.wait()
threads = [threading.Thread(target=own) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as told:
    file = ctypes.c_void_p(libc.fopen(told.name.encode(), b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)
    print(told.read().count(b"<heap nr="))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_threads_share_a_few_heaps() -> None:
    def heaps(how: str) -> int:
        command = [sys.executable, "-c", THREADS, how]
        # Whoever has set them wants something else.
        set_already = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")
        plain = {name: value for name, value in os.environ.items() if name not in set_already}
        told = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=ROOT, env=plain
        )
        return int(told.stdout)

    assert heaps("few") <= 3 < heaps("as it is")


# Something large, freed and wanted again; prints how often the system was asked for pages at the
# second and third time, and how many went back with `trim`.
AGAIN = """
import resource, sys
from pathlib import Path
import numpy as np
from estimators.memory import keep_freed, trim
if sys.argv[1] == "kept":
    assert keep_freed()
def pages():
    np.ones(64 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def held():
    return int(Path("/proc/self/statm").read_text().split()[1])
first = pages()
pages()
again, kept = pages() - first, held()
assert trim()
print(again, kept - held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_freed_memory_is_used_again_and_given_back_when_told() -> None:
    def told(how: str) -> tuple[int, ...]:
        plain = {name: value for name, value in os.environ.items() if "MALLOC" not in name}
        command = [sys.executable, "-c", AGAIN, how]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=ROOT, env=plain
        )
        return tuple(int(number) for number in done.stdout.split())

    again, back = told("kept")
    plain_again, plain_back = told("as it is")
    assert again < plain_again / 4  # how many that are depends on how large the system's pages are
    assert back * os.sysconf("SC_PAGESIZE") > 60 << 20
    assert plain_back * os.sysconf("SC_PAGESIZE") < 4 << 20
