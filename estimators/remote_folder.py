"""A folder at an address (`s3://`, …) as a folder here, for as long as somebody works in it."""

from __future__ import annotations

import posixpath
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from estimators.errors import InputError
from estimators.parts import is_part
from estimators.remote import WEB, Remote, as_os_error, store_of

# How often what is new is written there.
KEPT_UP_S = 60.0
# Size and time of each file when it was written there.
_There = dict[Path, tuple[int, int]]


@contextmanager
def local_copy(
    remote: Remote, required: bool = False, within: Path | None = None
) -> Iterator[Path]:
    """A folder here with what lies at an address; what is in it afterwards is written there.

    What is new is written there meanwhile, too, so that a process that is killed loses a minute.

    Args:
        required: it has to be there, and is left as it is.
        within: a folder for temporary files.

    Raises:
        InputError: it cannot be read, or not be written.
    """
    if remote.url.startswith(WEB):
        raise InputError(
            f"{remote} is at a web server, where results can be neither listed nor written.",
            "Name a folder here, at s3:// or at gs://.",
        )
    with TemporaryDirectory(prefix="pose-results-", dir=within) as folder:
        inside = Path(folder, remote.name or "results")
        inside.mkdir()
        try:
            with as_os_error(remote.url):
                store, path = store_of(remote.url)
                if store.isdir(path):
                    store.get(path.rstrip("/") + "/", f"{inside}/", recursive=True)
                elif required:
                    raise FileNotFoundError(2, "there is no such folder")
                if not required:
                    _probe(store, path)
        except OSError as error:
            raise _unusable(remote, error) from error
        if required:
            yield inside
            return
        # What was brought and is not changed here stays as it is there: others may write beside us.
        there: _There = {file: _state(file) for file in inside.rglob("*") if file.is_file()}
        try:
            with _kept_up(remote, inside, there):
                yield inside
        finally:
            _put(remote, inside, there)


@contextmanager
def _kept_up(remote: Remote, folder: Path, there: _There) -> Iterator[None]:
    """Writes what is new every now and then, a tenth of the time at most."""
    ended = threading.Event()

    def work() -> None:
        pause_s = KEPT_UP_S
        while not ended.wait(pause_s):
            begun_s = time.monotonic()
            with suppress(InputError):  # told in the end, if it still cannot be written
                _put(remote, folder, there)
            pause_s = max(KEPT_UP_S, 9 * (time.monotonic() - begun_s))

    thread = threading.Thread(target=work, name="kept-up", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _state(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _put(remote: Remote, folder: Path, there: _There) -> None:
    """Writes the files that are not there as they are now."""
    try:
        with as_os_error(remote.url):
            store, path = store_of(remote.url)
            for file in sorted(p for p in folder.rglob("*") if p.is_file()):
                if is_part(file):
                    continue
                state = _state(file)
                if there.get(file) == state:
                    continue
                target = posixpath.join(path, file.relative_to(folder).as_posix())
                store.makedirs(posixpath.dirname(target), exist_ok=True)
                store.put_file(str(file), target)
                there[file] = state
    except OSError as error:
        raise _unusable(remote, error) from error


def _probe(store: Any, path: str) -> None:
    """Before hours of work: whether anything can be written there."""
    probe = posixpath.join(path, ".probe")
    store.makedirs(path, exist_ok=True)
    store.pipe_file(probe, b"")
    store.rm_file(probe)


def _unusable(remote: Remote, error: OSError) -> InputError:
    return InputError(
        f"{remote} cannot be used: {error.strerror or error}.",
        "Check the address, and that the environment holds credentials for it.",
    )
