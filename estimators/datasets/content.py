"""The file of one picture of an annotated set, wherever it lies: read within bounds."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from estimators.annotated import Source, ZipMember
from estimators.datasets.archives import UNREADABLE
from estimators.errors import InputError
from estimators.media import pictures
from estimators.media.kinds import require_file
from estimators.media.limits import MAX_PICTURE_BYTES
from estimators.remote import RemoteFile
from estimators.types import Frame


@dataclass(frozen=True)
class PictureContent:
    """A picture's file.

    Attributes:
        sha256: of its content.
        size: width and height, upright; 0, 0 where it is no picture that can be read.
        orientation: how it is stored, 1 to 8.
        data: its content, empty where it was left out.
    """

    sha256: str
    size: tuple[int, int] = (0, 0)
    orientation: int = 1
    data: bytes = b""


def read_content(source: Path | Source, name: str) -> PictureContent:
    """The file of a picture.

    Args:
        name: of the picture, for messages.

    Raises:
        InputError: it cannot be read, or is larger than any picture may be.
    """
    data = _bytes(source, name)
    found = PictureContent(hashlib.sha256(data).hexdigest(), data=data)
    with suppress(InputError):  # told when it is decoded
        size, orientation = pictures.size_of(io.BytesIO(data), name)
        found = replace(found, size=size, orientation=orientation)
    return found


def look_at(source: Path | Source, name: str) -> PictureContent:
    """As `read_content`, without the content itself."""
    return replace(read_content(source, name), data=b"")


def read_listed(source: Path | Source, name: str) -> Frame:
    """The picture itself, as `media.pictures.read_picture`.

    Raises:
        InputError: as `read_content`, or it cannot be decoded.
    """
    return pictures.read_picture(_bytes(source, name), name)


def _bytes(source: Path | Source, name: str) -> bytes:
    try:
        _refuse_large(source, name)
        return source.read_bytes() if isinstance(source, Path) else source.read()
    except InputError:
        raise
    except UNREADABLE as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"{name} cannot be read: {why}.", "Copy it once more.") from error


def _refuse_large(source: Path | Source, name: str) -> None:
    """By what the disk or the ZIP says, before anything is read."""
    size = 0
    if isinstance(source, Path):
        require_file(source, name)
        size = source.stat().st_size
    elif isinstance(source, ZipMember | RemoteFile):
        size = source.size_bytes
    if size > MAX_PICTURE_BYTES:
        raise InputError(
            f"{name} is too large for a picture: {size / 1e6:,.0f} MB "
            f"(limit {MAX_PICTURE_BYTES / 1e6:.0f} MB).",
            "Make it smaller and try again.",
        )
