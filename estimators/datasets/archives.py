"""ZIP files that somebody brings: their members are read where they lie, nothing is unpacked.

What a member claims to be is bounded before it is read, and no more than that is ever read of it.
"""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from estimators.annotated import ZipMember, zip_file
from estimators.datasets.health import Findings
from estimators.errors import InputError
from estimators.media.limits import allowed
from estimators.media.names import printable
from estimators.remote import RemoteFile

# The list of a ZIP's files is read as a whole: names of 600 letters for as many as there may be.
MOST_LISTED_BYTES = 64_000_000
# Pictures hardly shrink and annotations do so tenfold; what claims more than this in all would be
# no set of pictures.
MOST_RATIO, SMALL_BYTES = 100, 200_000_000
# What reading a damaged ZIP may end with.
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(RuntimeError, EOFError, OSError, ValueError, LookupError, ArithmeticError),
)
_BEGIN = (b"PK\x03\x04", b"PK\x05\x06")
# Where a ZIP's end says how many files it has, and how long their list is (APPNOTE, 4.3.16).
_COUNT, _LISTED = 4, 5
_ADVICE = "Pack the pictures and their annotations anew, without anything else."


def is_archive(path: Path | RemoteFile) -> bool:
    """Whether it is a ZIP by its content; elsewhere by its name, too, since each look takes time.

    Raises:
        InputError: a package for its address is missing.
    """
    if isinstance(path, RemoteFile) and not path.name.lower().endswith(".zip"):
        return False
    try:
        if isinstance(path, RemoteFile):
            with path.open() as file:
                return file.read(4) in _BEGIN
        if not path.is_file():  # opening a pipe would wait
            return False
        with path.open("rb") as file:
            return file.read(4) in _BEGIN
    except OSError:
        return False


def members(
    archive: Path | RemoteFile, name: str, findings: Findings
) -> Iterator[tuple[str, ZipMember]]:
    """The files in a ZIP by their names with `/`; odd entries are counted and left out.

    Raises:
        InputError: it is damaged, or claims to hold too much.
    """
    try:
        _refuse_long_list(archive, name)
        with zip_file(archive) as opened:
            infos = opened.infolist()
    except UNREADABLE as error:
        raise InputError(f"{name} is a damaged ZIP ({error}).", "Pack or copy it anew.") from error
    size = archive.stat().st_size if isinstance(archive, Path) else archive.size_bytes
    _refuse_bomb(infos, size, name)
    for info in infos:
        plain = info.filename.replace("\\", "/")
        if plain.endswith("/") or _of_a_mac(plain):
            continue
        odd = _odd(info, plain)
        if odd:
            findings.add("archive_member", f"{info.filename}: {odd}")
        else:
            yield plain, ZipMember(archive, info.filename, info.file_size)


def read_member(member: ZipMember, name: str) -> bytes:
    """Its content.

    Raises:
        InputError: it is damaged, or not what the ZIP says.
    """
    try:
        return member.read()
    except UNREADABLE as error:
        raise InputError(f"{name} is damaged in the ZIP ({error}).", "Pack it anew.") from error


def _refuse_bomb(infos: list[zipfile.ZipInfo], size_bytes: int, name: str) -> None:
    unpacked = sum(info.file_size for info in infos)
    if len(infos) > allowed().files:
        raise _too_many(len(infos), name)
    bomb = unpacked > SMALL_BYTES and unpacked > MOST_RATIO * size_bytes
    if bomb or unpacked > allowed().unpacked_mb * 1_000_000:
        raise InputError(
            f"{name} has {size_bytes / 1e6:,.1f} MB, but would unpack to {unpacked / 1e9:,.1f} GB.",
            _ADVICE,
        )


def _refuse_long_list(archive: Path | RemoteFile, name: str) -> None:
    """By what the end of the file says, before its list of files is read."""
    with archive.open("rb") if isinstance(archive, Path) else archive.open() as file:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # what ZipFile goes by
    if end is None:
        return  # told when it is opened
    count, size = end[_COUNT], end[_LISTED]
    if count > allowed().files:
        raise _too_many(count, name)
    if size > MOST_LISTED_BYTES:
        raise InputError(f"{name} has a list of files of {size / 1e6:,.0f} MB.", _ADVICE)


def _too_many(count: int, name: str) -> InputError:
    return InputError(f"{name} holds {count:,} files.", f"Bring at most {allowed().files:,}.")


def _odd(info: zipfile.ZipInfo, plain: str) -> str:
    """Why an entry is not read, "" where it is."""
    path = PurePosixPath(plain)
    if not path.parts:
        return "it has no name"
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return "its name leads out of the ZIP"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link"
    if info.flag_bits & 1:
        return "encrypted"
    return "its name is no text" if printable(plain) != plain else ""


def _of_a_mac(plain: str) -> bool:
    return plain.startswith("__MACOSX/") or PurePosixPath(plain).name.startswith("._")
