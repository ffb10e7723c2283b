"""Files that Streamlit announces under an address without having them in memory.

Its store of pictures, clips and downloads holds bytes.  `OnDisk` are a few bytes that stand for a
file; `pages.ui.server.asgi` sends the file where they are asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Self

# Only behind our own server does somebody look what the bytes stand for.
_served = False


def serve() -> None:
    """From now on `content` gives stand-ins."""
    global _served
    _served = True


class _Temporary:
    """Removes a file with its last reference."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __del__(self, unlink: Callable[[Path], None] = os.unlink) -> None:
        with contextlib.suppress(OSError):
            unlink(self._path)


class OnDisk(bytes):
    """Stands for the file at `path`; differs whenever the file does."""

    path: Path
    _temporary: _Temporary | None

    def __new__(cls, path: Path, temporary: bool = False) -> Self:
        about = path.stat()
        name = f"{path} {about.st_size} {about.st_mtime_ns}"
        self = super().__new__(cls, hashlib.sha256(name.encode()).digest())
        self.path = path
        self._temporary = _Temporary(path) if temporary else None
        return self


def content(path: Path, temporary: bool = False) -> bytes:
    """The content of `path` for Streamlit: a stand-in, or the bytes where nobody would know it.

    Args:
        temporary: the file is removed when nobody can ask for it any more.
    """
    if _served:
        return OnDisk(path, temporary)
    data = path.read_bytes()
    if temporary:
        path.unlink(missing_ok=True)
    return data


def made(write: Callable[[BinaryIO], None], where: Path) -> bytes:
    """What `write` writes, as `content` of a temporary file in the folder `where`."""
    path = where / uuid.uuid4().hex
    try:
        with path.open("wb") as sink:
            write(sink)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return content(path, temporary=True)
