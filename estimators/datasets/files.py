"""What somebody brings, a folder, files or a ZIP: one list of names and where each lies."""

from __future__ import annotations

import os
import posixpath
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import ZipFile

from estimators.annotated import ZipMember
from estimators.datasets.archives import is_archive, members, read_member
from estimators.datasets.health import Findings
from estimators.errors import InputError
from estimators.media.kinds import require_file
from estimators.media.names import printable
from estimators.remote import Remote, RemoteFile, files_at

# A folder, a ZIP, or files; a mapping gives the name that a person knows each file by.
Given = Path | Remote | Sequence[Path] | Mapping[str, Path]

MOST_FILES = 2_000_000
PICTURES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
        *(".heic", ".heif", ".avif"),  # refused, with advice
    )
)


@dataclass(frozen=True)
class GivenFile:
    """A file by the name that a person knows it by, with `/` between folders."""

    name: str
    source: Path | ZipMember | RemoteFile

    @property
    def ending(self) -> str:
        """Of its name, in small letters, with the dot."""
        return posixpath.splitext(self.name)[1].lower()

    @property
    def path(self) -> str:
        """Its whole path, as far as it is known: its end decides which listed picture it is."""
        if isinstance(self.source, RemoteFile):
            return self.source.url
        if isinstance(self.source, ZipMember) or posixpath.basename(self.name) != self.source.name:
            return self.name
        return os.path.abspath(self.source)

    def read(self, most_bytes: int) -> bytes:
        """Its content.

        Raises:
            InputError: it is too large, damaged or cannot be read.
        """
        shown = printable(self.name)
        try:
            size = self._size()
            if size > most_bytes:
                raise InputError(
                    f"{shown} is too large: {size / 1e6:.0f} MB (limit {most_bytes / 1e6:.0f} MB).",
                    "Take only the part of the set that is to be evaluated.",
                )
            if isinstance(self.source, ZipMember):
                return read_member(self.source, shown)
            if isinstance(self.source, RemoteFile):
                return self.source.read()
            return self.source.read_bytes() if size else b""
        except OSError as error:
            raise InputError(f"{shown} cannot be read: {error.strerror}.") from error

    def _size(self) -> int:
        if not isinstance(self.source, Path):
            return self.source.size_bytes
        require_file(self.source, printable(self.name))
        return self.source.stat().st_size


def parts_of(path: str) -> tuple[str, ...]:
    """The parts of a path from Windows or elsewhere, the last one first."""
    plain = posixpath.normpath(unicodedata.normalize("NFC", path).replace("\\", "/"))
    return tuple(part for part in reversed(plain.split("/")) if part not in ("", ".", ".."))


def agreeing(path: Sequence[str], other: Sequence[str]) -> int:
    """How many parts of two paths agree, from their ends."""
    length = min(len(path), len(other))
    return next((i for i in range(length) if path[i] != other[i]), length)


def files_of(given: Given, findings: Findings) -> list[GivenFile]:
    """Every file of a folder, a ZIP, or of files among which are ZIPs; in the order of their names.

    Hidden files and folders are passed over; links to folders are not followed.

    Raises:
        InputError: something is not there, is no file, or is a ZIP that cannot be used.
    """
    if isinstance(given, Remote):
        found = list(_elsewhere(given, findings))
    elif isinstance(given, Path) and given.is_dir():
        inside = islice(_in_folder(given), MOST_FILES + 1)
        found = [GivenFile(_plain(name), path) for name, path in inside]
    else:
        named = {given.name: given} if isinstance(given, Path) else given
        items = named.items() if isinstance(named, Mapping) else [(str(p), p) for p in named]
        found = [file for name, path in items for file in _files(name, path, findings)]
    if len(found) > MOST_FILES:
        raise InputError(f"There are over {MOST_FILES:,} files.", "Name a folder with fewer.")
    return sorted(_told_apart(found, findings), key=lambda file: file.name)


def opened(file: GivenFile, archives: dict[Path | RemoteFile, ZipFile]) -> BinaryIO:
    """`file` for reading its beginning; `archives` keeps ZIPs open between calls.

    Raises:
        OSError, BadZipFile and what else a damaged ZIP causes.
    """
    if isinstance(file.source, Path):
        require_file(file.source, printable(file.name))
        return file.source.open("rb")
    if isinstance(file.source, RemoteFile):
        return file.source.open()
    where = file.source.archive
    if where not in archives:
        archives[where] = ZipFile(where if isinstance(where, Path) else where.open())
    return cast(BinaryIO, archives[where].open(file.source.name))


def _files(name: str, path: Path, findings: Findings) -> Iterator[GivenFile]:
    if path.is_dir():
        for inner, file in _in_folder(path):
            yield GivenFile(posixpath.join(_plain(name), _plain(inner)), file)
        return
    require_file(path, printable(name))
    if is_archive(path):
        for inner, member in members(path, printable(name), findings):
            yield GivenFile(inner, member)
    else:
        yield GivenFile(_plain(name), path)


def _elsewhere(given: Remote, findings: Findings) -> Iterator[GivenFile]:
    """The files at an address; the members of a ZIP there."""
    there = files_at(given, MOST_FILES)
    if len(there) == 1 and is_archive(there[0][1]):
        name, archive = there[0]
        for inner, member in members(archive, printable(name), findings):
            yield GivenFile(inner, member)
        return
    for name, file in there:
        yield GivenFile(name, file)


def _told_apart(files: Sequence[GivenFile], findings: Findings) -> Iterator[GivenFile]:
    """Files of one name in several ZIPs get that of their ZIP before it; a second one is odd."""
    counts = Counter(file.name for file in files)
    taken = set()
    for file in files:
        if counts[file.name] > 1 and isinstance(file.source, ZipMember):
            file = replace(file, name=f"{file.source.archive.name}/{file.name}")
        if file.name in taken:
            findings.add("archive_member", f"{file.name}: twice")
        else:
            taken.add(file.name)
            yield file


def _in_folder(folder: Path) -> Iterator[tuple[str, Path]]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(root, name)
            if not name.startswith(".") and path.is_file():
                yield str(path.relative_to(folder)), path


def _plain(name: str) -> str:
    return name.replace("\\", "/") if os.sep == "\\" else name
