"""Files of lines that each stand for themselves: JSON behind its checksum, appended in one piece.

A process that is killed leaves a torn last line at most, a damaged line costs what it says and no
other, and the files of several runs may be joined one behind the other.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from estimators.errors import InputError

# Takes what a line says; raises ValueError, KeyError or TypeError where it cannot.
Take = Callable[[dict[str, Any]], None]


def read_lines(content: bytes, take: Take) -> int:
    """Gives every line to `take`; how many could not be used."""
    damaged = 0
    for line in content.split(b"\n"):
        if not line:
            continue
        try:
            checksum, _, text = line.partition(b" ")
            if int(checksum, 16) != zlib.crc32(text):
                raise ValueError("the checksum is another")
            take(json.loads(text))
        except (ValueError, KeyError, TypeError):
            damaged += 1
    return damaged


class LineFile:
    """A file of lines that is read and then written to, by one process at a time.

    Args:
        path: made where it is absent, with its folder.
        take: is given what is there.
        first: the line that a new file begins with.

    Attributes:
        damaged: how many lines could not be used.
        unkept: why lines are not kept any more (a full disk, …), "" where they are.

    Raises:
        InputError: another process is writing there, or the file cannot be used.
    """

    def __init__(self, path: Path, take: Take, first: Mapping[str, Any]) -> None:
        self.path = path
        self.damaged = 0
        self.unkept = ""
        self._writing = threading.Lock()
        self._file: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            lock(self._file, path.parent)
            content = path.read_bytes()
            self.damaged = read_lines(content, take)
            if content and not content.endswith(b"\n"):
                os.write(self._file, b"\n")
            if not content:
                _append(self._file, first)
        except InputError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise InputError(
                f"{path.parent} cannot be used for estimates: {error.strerror or error}.",
                "Choose another folder.",
            ) from error

    def append(self, entry: Mapping[str, Any]) -> None:
        """Keeps a line; where the disk does not take it, `unkept` says so and the run goes on."""
        with self._writing:
            if self._file is None:
                return
            try:
                _append(self._file, entry)
            except OSError as error:
                self.unkept = f"Estimates are not kept any more: {error.strerror or error}."
                self._close()

    def close(self) -> None:
        """Lets go of the file; safe to call twice."""
        with self._writing:
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def lock(file: int, folder: Path) -> None:
    """Takes an open file for this process.

    Raises:
        InputError: another one has it.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(
            f"Another run is keeping its estimates in {folder}.",
            "Wait for it, or choose another folder.",
        ) from error


def _append(file: int, entry: Mapping[str, Any]) -> None:
    """One line in one piece: a reader, or whoever continues, sees all of it or knows it is torn."""
    text = json.dumps(entry, separators=(",", ":")).encode()
    line = b"%08x %s\n" % (zlib.crc32(text), text)
    if os.write(file, line) != len(line):
        raise OSError(28, "no space is left")
