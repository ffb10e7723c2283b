"""SavedModels from TF Hub: `tensorflow_hub.resolve` in a process of its own."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from estimators.errors import WeightsError
from estimators.weights import reasons, store
from estimators.weights.download import (
    EXHAUSTED,
    OTHER_FILE,
    Cancelled,
    Progress,
    local_error,
    not_fetched,
)
from estimators.weights.manifest import WeightsEntry
from estimators.weights.store import FetchCancelledError

_ROOT = Path(__file__).parents[2]
_POLL_S = 0.2
_STALLED_POLLS = 900  # three minutes without a new byte
_OTHER_WAYS = "the LiteRT variant works without it"

# What a disk says that is full or cannot be written to, and a machine that can no more.
_LOCAL = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, *EXHAUSTED)
_NOT_INSTALLED = ("ModuleNotFoundError", "ImportError")


def resolve(entry: WeightsEntry, target: Path, progress: Progress, cancelled: Cancelled) -> None:
    """Fetches the SavedModel of `entry` into `target`; the caller holds its lock.

    What is there already is not what the manifest says, and makes room: tensorflow_hub would take
    it for good.

    Raises:
        FetchCancelledError: `cancelled` said so.
        WeightsError: tensorflow_hub could not get it (its last words are in the cause), or what
            came has another SHA-256 and was removed.
    """
    store.forget(entry)
    with tempfile.TemporaryFile() as words:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            child = _start(entry, target, words)
        except OSError as error:
            raise local_error(entry, target, error) from error
        try:
            _watch(entry, target, child, (progress, cancelled))
        finally:
            _end(child)
        if child.returncode != 0 or not (target / "saved_model.pb").is_file():
            words.seek(0)
            raise _failed(entry, _last_words(words.read().decode(errors="replace")))
    _verify(entry, target)


def _verify(entry: WeightsEntry, target: Path) -> None:
    """Checks what came against the manifest's SHA-256, and notes its own for every later load."""
    try:
        store.verify(entry, target, "")
        store.record(entry)
    except OSError as error:
        store.forget(entry)
        raise local_error(entry, target, error) from error
    except WeightsError as error:
        store.forget(entry)
        raise not_fetched(entry, f"{OTHER_FILE}; {_OTHER_WAYS}") from error.__cause__


def fetched_bytes(target: Path) -> int:
    """Bytes in the temporary folders that tensorflow_hub unpacks `target` into."""
    total = 0
    for folder in target.parent.glob(f"{target.name}.*.tmp"):
        for file in folder.rglob("*"):
            with contextlib.suppress(OSError):  # it is moved away when it is whole
                total += file.stat().st_size
    return total


def _start(entry: WeightsEntry, target: Path, words: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "estimators.weights.tfhub_child", entry.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=words,
        cwd=_ROOT,
        env={**os.environ, "TFHUB_CACHE_DIR": str(target.parent), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def _watch(
    entry: WeightsEntry,
    target: Path,
    child: subprocess.Popen[bytes],
    hooks: tuple[Progress, Cancelled],
) -> None:
    progress, cancelled = hooks
    seen, idle = 0, 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_POLL_S)
            return
        if cancelled():
            raise FetchCancelledError(f"{entry.key}: the download was cancelled.")
        done = fetched_bytes(target)
        idle = 0 if done > seen else idle + 1
        seen = max(seen, done)
        if idle > _STALLED_POLLS:
            raise _failed(entry, "nothing arrived for three minutes")
        progress(done, max(entry.size_bytes, done))


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the child, gently first so that it removes its lock."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _last_words(text: str) -> str:
    """The exception that ended the child: the last line that looks like one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Timeout)\b", line)]
    return (named or lines or ["tensorflow_hub gave no reason"])[-1]


def _failed(entry: WeightsEntry, said: str) -> WeightsError:
    """What is told of `said`, the last words of tensorflow_hub; they are in its cause."""
    if said.startswith(_NOT_INSTALLED):
        error = WeightsError(
            f"The weights {entry.key} come through tensorflow_hub, which cannot be used here.",
            steps=(
                "Install tensorflow and tensorflow-hub as in requirements.txt (setuptools below "
                "81), then try again.",
                "Or use the LiteRT variant, which gives the same answers without them.",
            ),
        )
    elif (number := _errno(said)) in _LOCAL:
        error = local_error(entry, store.target(entry), OSError(number, said))
    else:
        error = not_fetched(entry, f"{reasons.of_connection(said)}; {_OTHER_WAYS}")
    error.__cause__ = RuntimeError(said)
    return error


def _errno(said: str) -> int:
    """The system's number for what went wrong; 0 where the words tell none."""
    if said.startswith("MemoryError"):
        return errno.ENOMEM
    number = re.search(r"\[Errno (\d+)\]", said)
    return int(number[1]) if number else 0
