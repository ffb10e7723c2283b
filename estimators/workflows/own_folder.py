"""One folder for the temporary files of this process, gone with it however it ends.

A process that ends by itself removes its folder.  A small helper does it where the process is ended
by force, and the next process that starts where both were; a lock, which goes with its owner, tells
what is still in use (a process's number would not: it is given out again).
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

_PREFIX = "pose-comparison-"
_LOCK = ".pose-comparison.lock"
# An empty folder is being made, or was left behind in that moment.
_MADE_WITHIN_S = 3600.0
# Waits until its input ends, that is until we do; `start_new_session` keeps a closed terminal's and
# Ctrl-C's signals from it.
_REMOVE = 'read -r _; exec rm -rf -- "$1"'

_making = threading.Lock()
_mine: dict[Path, tuple[int, subprocess.Popen[bytes] | None]] = {}


def own_folder() -> Path:
    """This process's folder, which nobody else may enter; a new one where something removed it.

    Raises:
        OSError: it cannot be made.
    """
    with _making:
        for folder in _mine:
            if folder.is_dir():
                return folder
        remove_abandoned()
        return _made()


def linked(file: Path) -> Path | None:
    """The file by a second name in this folder; None where it can have none.

    Whoever brought it may leave or remove it while others wait for work on it.
    """
    try:
        link = own_folder() / f"held-{uuid.uuid4().hex}"
        link.hardlink_to(file)
    except OSError:  # on another disk, such as the samples
        return None
    return link


def remove_abandoned() -> None:
    """Removes this user's folders whose processes are gone."""
    with suppress(OSError):  # no folder for temporary files can be found
        for folder in Path(tempfile.gettempdir()).iterdir():
            if folder.name.removeprefix(".").startswith(_PREFIX):
                with suppress(OSError):
                    _remove_if_abandoned(folder)


def _made() -> Path:
    # Under its final name only with its lock: nobody takes it for abandoned before.
    early = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}"))
    lock = os.open(early / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    folder = early.rename(early.with_name(early.name[1:]))
    _mine[folder] = lock, _helper(folder)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _helper(folder: Path) -> subprocess.Popen[bytes] | None:
    with suppress(OSError):
        return subprocess.Popen(
            ["/bin/sh", "-c", _REMOVE, "sh", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    return None


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # not a forked copy of the process
        shutil.rmtree(folder, ignore_errors=True)


def _remove_if_abandoned(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        if time.time() - found.st_mtime > _MADE_WITHIN_S:
            folder.rmdir()  # only an empty one: with something in it, it is not ours
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: it is in use
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
