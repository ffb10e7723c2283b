"""The child process that decodes: `python -m estimators.decode.child CHANNEL`.

Started by `estimators.decode.decoder`; CHANNEL is the descriptor of a socket for messages.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from estimators.decode.messages import Call, Ended, Next, Raised, Ready
from estimators.decode.parcels import packed
from estimators.errors import PoseError
from estimators.media.limits import allowed
from estimators.runtime.child_side import (
    go_first_when_memory_is_short,
    release_memory,
    watch_parent,
)

# Imported before anything is asked, so that the first file need not wait.
WARM = ("estimators.media.pictures", "estimators.media.clips")
_TIDY_AFTER_S = 2.0
# How often a system that knows no limit of address space is asked for the memory in use.
_WATCH_S = 0.1
OUT_OF_MEMORY = 78


def limit_memory(most_mb: int) -> None:
    """From now on this process gets no more than `most_mb` beside what it has."""
    most = most_mb * 1_000_000
    try:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + most, now + most))
    except (OSError, ValueError):  # not Linux
        limit = psutil.Process().memory_info().rss + most
        threading.Thread(target=_watch_memory, args=(limit,), daemon=True).start()


def _watch_memory(limit: int) -> None:
    process = psutil.Process()
    while process.memory_info().rss < limit:
        time.sleep(_WATCH_S)
    os._exit(OUT_OF_MEMORY)


def serve(channel: Connection) -> None:
    """Answers until the app closes the channel."""
    for module in WARM:
        importlib.import_module(module)
    limit_memory(allowed().decode_mb)
    channel.send(Ready())
    tidy = False
    while True:
        if not channel.poll(_TIDY_AFTER_S if tidy else None):
            release_memory()
            tidy = False
            continue
        call: Call = channel.recv()
        try:
            _answer(channel, call)
        except (EOFError, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - one file's failure must not end the process
            channel.send(_raised(error))
        tidy = True


def _answer(channel: Connection, call: Call) -> None:
    module, _, name = call.function.partition(":")
    value = getattr(importlib.import_module(module), name)(*call.arguments)
    if call.stream:
        _stream(channel, value)
    else:
        _give(channel, value)


def _stream(channel: Connection, items: Iterator[Any]) -> None:
    with contextlib.closing(items):  # type: ignore[type-var]  # only generators are streamed
        for item in items:
            _give(channel, item)
            del item
            if not isinstance(channel.recv(), Next):
                break
    channel.send(Ended())


def _give(channel: Connection, value: Any) -> None:
    given, fd = packed(value)
    try:
        channel.send(given)
        reduction.send_handle(channel, fd, os.getppid())
    finally:
        os.close(fd)


def _raised(error: Exception) -> Raised:
    own = error if isinstance(error, PoseError) else None
    memory = isinstance(error, MemoryError)
    return Raised(own, f"{type(error).__name__}: {error}".rstrip(": "), memory)


def main(arguments: list[str]) -> None:
    # Ctrl-C goes to the whole process group; the app decides what becomes of its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch_parent()
    go_first_when_memory_is_short()
    with contextlib.suppress(EOFError, ConnectionError):  # the app closed the channel
        serve(Connection(int(arguments[0])))
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
