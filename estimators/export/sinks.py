"""Where exports go: a path, an open file, or bytes in memory.

A file appears under its name when it is whole, and in place of an older one: until then it grows
beside it under another name.
"""

from __future__ import annotations

import errno
import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from estimators.errors import InputError
from estimators.parts import new_part

Sink = Path | BinaryIO
Write = Callable[[BinaryIO], None]

_PROBE_BYTES = 4096
# Already compressed; packing them again costs time and gains nothing.
_STORED = (".mp4", ".parquet")


def to_bytes(write: Write) -> bytes:
    """What `write` writes, for a download: `to_bytes(lambda sink: write_csv(table, sink))`."""
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def opened(sink: Sink) -> AbstractContextManager[BinaryIO]:
    """`sink` for writing; only a path is closed, and put in its place, afterwards."""
    return _whole(sink) if isinstance(sink, Path) else nullcontext(sink)


def write_all(files: Iterable[tuple[Path, Write]]) -> tuple[list[Path], InputError | None]:
    """Writes each file, also when another one could not be written.

    Returns:
        Those that are there now, and what a person should know about the others.
    """
    written: list[Path] = []
    failed: list[tuple[Path, OSError]] = []
    for path, write in files:
        try:
            with opened(path) as sink:
                write(sink)
            written.append(path)
        except OSError as error:
            failed.append((path, error))
    if not failed:
        return written, None
    first, why = failed[0]
    others = f", nor can {len(failed) - 1} other files" if len(failed) > 1 else ""
    return written, InputError(
        f"{first} cannot be written: {why.strerror or why}{others}.",
        "Free some space, or choose another folder.",
    )


def write_zip(
    files: Iterable[tuple[str, Write]], sink: Sink, more: Mapping[str, Path] | None = None
) -> None:
    """Each file by its name in the archive, and `more` (name → file on the disk), in one zip."""
    with opened(sink) as file, zipfile.ZipFile(file, "w") as archive:
        for name, write in files:
            with archive.open(_member(name), "w", force_zip64=True) as member:
                write(cast(BinaryIO, member))
        for name, path in (more or {}).items():
            archive.write(path, name, zipfile.ZIP_STORED)


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    stored = name.endswith(_STORED)
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    return info


def require_writable(folder: Path) -> None:
    """Makes `folder` where it is absent, and tries whether a file fits into it.

    Raises:
        InputError: it cannot be made, or not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made a folder: {error.strerror}.", "Choose another."
        ) from error
    try:
        part = new_part(folder / "probe")
        try:
            with part.open("wb") as file:
                file.write(bytes(_PROBE_BYTES))
                _to_disk(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written to: {error.strerror}.",
            "Free some space, or choose another folder.",
        ) from error


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    target = Path(os.path.realpath(path))  # a link stays one
    if target.exists() and not (target.is_file() or target.is_dir()):
        # A file put in its place would end what others use it for.
        raise OSError(errno.EINVAL, "It is a device or a pipe")
    part = new_part(target)
    try:
        with part.open("wb") as file:
            yield file
            _to_disk(file)
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink()


def _to_disk(file: BinaryIO) -> None:
    """A full disk may only be noticed when the data leave the memory."""
    file.flush()
    os.fsync(file.fileno())
