"""Fetching with one download at a time: the others wait, see the progress and get the same file."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from estimators.errors import WeightsError
from estimators.weights import download, store, tfhub
from estimators.weights.download import Cancelled, Progress
from estimators.weights.manifest import WeightsEntry, entry
from estimators.weights.store import FetchCancelledError

_POLL_S = 0.1

_failures: dict[Path, tuple[float, WeightsError]] = {}
_failures_lock = threading.Lock()


def fetch(key: str, progress: Progress | None = None, cancelled: Cancelled | None = None) -> Path:
    """Brings the weights onto this machine unless they are here; returns their verified path.

    Threads and processes that want the same file wait for whoever began, and share the outcome.

    Args:
        progress: called with bytes done and bytes in all (0 where not known), also while waiting.
        cancelled: asked several times a second; True ends this caller's part.

    Raises:
        FetchCancelledError: `cancelled` said so; what was fetched is kept and resumed next time.
        WeightsError: it could not be fetched; tells the URL and where to put the file by hand.
    """
    wanted = entry(key)
    report = progress or (lambda _done, _total: None)
    stop = cancelled or (lambda: False)
    began = time.monotonic()
    here = _here(wanted)
    if here is None and wanted.kind == "embedded":
        raise WeightsError(f"{key}: {wanted.file_name} is not here.", store.how_to_get(wanted))
    if here is None:
        with _turn(wanted, report, stop):
            here = _here(wanted) or _fetch_now(wanted, began, report, stop)
    report(wanted.size_bytes, wanted.size_bytes)
    return here


def last_failure(wanted: WeightsEntry, since: float = 0.0) -> WeightsError | None:
    """Why the last try of this process failed, if it did and nobody has tried since."""
    with _failures_lock:
        when, error = _failures.get(store.target(wanted), (-1.0, None))
    return error if error is not None and when >= since else None


def in_progress(wanted: WeightsEntry) -> bool:
    """Whether any thread or process is fetching `wanted` now."""
    lock_file = _lock_file(wanted)
    if not lock_file.exists():
        return False
    try:
        # Longer than another probe holds it, so that two probes do not take each other for one.
        with FileLock(lock_file, timeout=0.05, poll_interval=0.01):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def done_bytes(wanted: WeightsEntry) -> int:
    """How much of an unfinished download is here."""
    target = store.target(wanted)
    if wanted.kind == "tfhub":
        return tfhub.fetched_bytes(target)
    try:
        return download.part_file(target).stat().st_size
    except OSError:
        return 0


def _fetch_now(wanted: WeightsEntry, began: float, report: Progress, stop: Cancelled) -> Path:
    failure = last_failure(wanted, since=began)
    if failure is not None:  # whoever we waited for has just failed: do not ask the server again
        raise WeightsError(failure.message, failure.advice, failure.steps)
    target = store.target(wanted)
    _note(target, None)
    try:
        bring = tfhub.resolve if wanted.kind == "tfhub" else download.download
        bring(wanted, target, report, stop)
    except FetchCancelledError:
        raise
    except WeightsError as error:
        _note(target, error)
        raise
    return target


def _here(wanted: WeightsEntry) -> Path | None:
    """The verified file; a damaged one in the cache counts as absent, one a person brought not."""
    if store.brought(wanted) is not None:
        return store.find(wanted)
    try:
        return store.find(wanted)
    except WeightsError:
        if wanted.kind == "embedded":
            raise
        return None


@contextlib.contextmanager
def _turn(wanted: WeightsEntry, report: Progress, stop: Cancelled) -> Iterator[None]:
    """Holds the lock of `wanted`; while others hold it, reports how far they are."""
    lock_file = _lock_file(wanted)
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_file)
        while True:
            try:
                lock.acquire(timeout=_POLL_S, poll_interval=_POLL_S / 4)
                break
            except Timeout:
                report(done_bytes(wanted), wanted.size_bytes)
            if stop():
                raise FetchCancelledError(f"{wanted.key}: the download was cancelled.")
    except OSError as error:
        raise download.local_error(wanted, lock_file, error) from error
    try:
        yield
    finally:
        lock.release()


def _lock_file(wanted: WeightsEntry) -> Path:
    target = store.target(wanted)
    # Hidden, and not <name>.lock: tensorflow_hub uses that for itself.
    return target.with_name(f".{target.name}.lock")


def _note(target: Path, error: WeightsError | None) -> None:
    with _failures_lock:
        if error is None:
            _failures.pop(target, None)
        else:
            _failures[target] = (time.monotonic(), error)
