"""However many threads a server has had, its C library keeps a few heaps."""

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
