"""Streaming download of one file: resumed where it was cut, hashed on the way, moved in one step.

The file grows as `<name>.part`; the server's ETag lies beside it as `<name>.part.etag`, so that a
resumed download never joins the halves of two different files (RFC 9110, If-Range).
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from estimators.errors import WeightsError
from estimators.weights import reasons, store
from estimators.weights.manifest import WeightsEntry
from estimators.weights.store import FetchCancelledError

if TYPE_CHECKING:
    from hashlib import _Hash

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]

_CONNECT_S, _READ_S = 10.0, 30.0
_CHUNK_BYTES = 1 << 18
_MOST_RESUMES = 3
# What a system says that has no memory, process or file left to give.
EXHAUSTED = (errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE)
OTHER_FILE = "what came is not the expected file; a proxy or a login page may have answered instead"


class _CutError(Exception):
    """The connection ended early after it had brought something."""


def part_file(target: Path) -> Path:
    """Where the unfinished download of `target` grows."""
    return target.with_name(f"{target.name}.part")


def download(entry: WeightsEntry, target: Path, progress: Progress, cancelled: Cancelled) -> None:
    """Fetches `entry` into `target`; the caller holds its lock.

    Args:
        target: final path; appears only when the SHA-256 fits.
        progress: called with bytes done and bytes in all.
        cancelled: asked between pieces.

    Raises:
        FetchCancelledError: `cancelled` said so.
        WeightsError: no connection, an error status, a wrong SHA-256, a full or read-only disk.
    """
    part = part_file(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _require_space(entry, part)
        _fetch_all(entry, part, progress, cancelled)
        os.replace(part, target)
        _etag_file(part).unlink(missing_ok=True)
        store.remember(target, entry.sha256)
    # requests' errors are OSErrors too: first those of the connection, then those of the disk.
    except requests.RequestException as error:
        raise not_fetched(entry, _reason(error)) from error
    except OSError as error:
        raise local_error(entry, target, error) from error


def _fetch_all(entry: WeightsEntry, part: Path, progress: Progress, cancelled: Cancelled) -> None:
    """Streams until `part` is whole and right; picks up again when the connection is cut."""
    for _ in range(_MOST_RESUMES + 1):
        before = _size(part)
        try:
            actual = _stream(entry, part, progress, cancelled)
        except _CutError as cut:
            if _size(part) <= before:  # nothing came: trying again at once would not help
                raise requests.ConnectionError(str(cut)) from cut
            continue
        if actual == entry.sha256:
            return
        _discard(part)
        if not before:  # a resumed file may have joined two versions: that deserves a clean start
            raise not_fetched(entry, OTHER_FILE) from ValueError(
                f"SHA-256 expected {entry.sha256}, got {actual}"
            )
    raise requests.ConnectionError("cut again and again")


def _stream(entry: WeightsEntry, part: Path, progress: Progress, cancelled: Cancelled) -> str:
    """One request; returns the SHA-256 of the whole `part`. Raises _CutError when cut short."""
    start = _size(part)
    if start >= entry.size_bytes:
        _discard(part)  # finished but never moved, or too long: not worth telling apart
        start = 0
    with requests.get(
        entry.url, headers=_headers(part, start), stream=True, timeout=(_CONNECT_S, _READ_S)
    ) as response:
        if start and response.status_code == requests.codes.requested_range_not_satisfiable:
            _discard(part)
            return _stream(entry, part, progress, cancelled)
        response.raise_for_status()
        if not _continues(response, start):
            start = 0
        _remember_etag(part, response)
        digest = hashlib.sha256()
        with part.open("r+b" if start else "wb") as file:
            _hash_first(file, start, digest)
            _copy(entry, response, file, digest, (progress, cancelled))
            file.flush()
            os.fsync(file.fileno())
    return digest.hexdigest()


def _copy(
    entry: WeightsEntry,
    response: requests.Response,
    file: IO[bytes],
    digest: _Hash,
    hooks: tuple[Progress, Cancelled],
) -> None:
    """Writes the body behind the file's position; raises _CutError when it ends too early."""
    progress, cancelled = hooks
    done, total = file.tell(), entry.size_bytes
    progress(done, total)
    try:
        for piece in response.iter_content(_CHUNK_BYTES):
            if cancelled():
                raise FetchCancelledError(f"{entry.key}: the download was cancelled.")
            file.write(piece)
            digest.update(piece)
            done += len(piece)
            progress(done, total)
            if done > total:
                break  # not our file (a login page, another version): the SHA-256 will say so
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        raise _CutError(f"the connection was cut after {done} of {total} bytes") from error
    if done < total and "Content-Length" not in response.headers:  # then the end tells nothing
        raise _CutError(f"the connection ended after {done} of {total} bytes")


def _headers(part: Path, start: int) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity", "User-Agent": "pose-comparison"}
    if start:
        headers["Range"] = f"bytes={start}-"
        etag = _etag_file(part)
        if etag.is_file():
            headers["If-Range"] = etag.read_text(encoding="utf-8")
    return headers


def _continues(response: requests.Response, start: int) -> bool:
    """Whether the body goes on at byte `start`; a server may also send the whole file (200)."""
    return response.status_code == requests.codes.partial_content and response.headers.get(
        "Content-Range", ""
    ).startswith(f"bytes {start}-")


def _remember_etag(part: Path, response: requests.Response) -> None:
    etag = response.headers.get("ETag", "")
    if etag.startswith('"'):  # If-Range compares strongly: a weak one (W/"…") may not be sent
        _etag_file(part).write_text(etag, encoding="utf-8")
    else:
        _etag_file(part).unlink(missing_ok=True)


def _hash_first(file: IO[bytes], count: int, digest: _Hash) -> None:
    """Hashes the first `count` bytes, already here, and leaves the position behind them."""
    left = count
    while left:
        piece = file.read(min(left, 1 << 20))
        digest.update(piece)
        left -= len(piece)
    file.seek(count)


def _etag_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _etag_file(part).unlink(missing_ok=True)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _require_space(entry: WeightsEntry, part: Path) -> None:
    if shutil.disk_usage(part.parent).free < entry.size_bytes - _size(part):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def not_fetched(entry: WeightsEntry, reason: str) -> WeightsError:
    """What is told where `entry` did not come: why, and the two ways to it."""
    return WeightsError(
        f"The weights {entry.key} could not be fetched: {reason}.",
        steps=(
            f"Check that this machine can reach {urlsplit(entry.url).hostname or entry.url}, then "
            "try again.",
            f"If it still does not come, {store.by_hand(entry)}.",
        ),
    )


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return reasons.of_status(error.response.status_code)
    return reasons.of_connection(f"{type(error).__name__}: {error}")


def local_error(entry: WeightsEntry, target: Path, error: OSError) -> WeightsError:
    """What is told where this machine keeps `entry` from coming into the folder of `target`."""
    if error.errno in EXHAUSTED:
        return WeightsError(
            f"The weights {entry.key} could not be fetched: this machine has no memory, process or "
            f"file left for it ({os.strerror(error.errno)}).",
            steps=("Stop other work, or wait until it has ended, then try again.",),
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        needed = f"{entry.size_bytes / 1e6:.0f} MB are" if entry.size_bytes else "more room is"
        return WeightsError(
            f"The weights {entry.key} do not fit: the disk is full, and {needed} needed in "
            f"{target.parent}.",
            steps=(
                "Free some space, or let POSE_CACHE_DIR name a folder elsewhere, then try again.",
                _elsewhere(entry),
            ),
        )
    return WeightsError(
        f"The weights {entry.key} could not be kept: {target.parent} cannot be written to.",
        steps=(
            "Let POSE_CACHE_DIR name a folder that can be written to, then try again.",
            _elsewhere(entry),
        ),
    )


def _elsewhere(entry: WeightsEntry) -> str:
    if entry.kind == "tfhub":
        return "Or use the LiteRT variant, which gives the same answers without them."
    return (
        f"If there is none, put the file {entry.file_name} from {entry.url} into a folder that "
        "POSE_WEIGHTS_DIR names."
    )
