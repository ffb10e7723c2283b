"""Annotated sets and their pictures' files, read in children where that is asked for.

ZIPs are unpacked and annotations parsed there, too: see `estimators.decode`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from estimators.annotated import AnnotatedImage, AnnotatedSet, Source
from estimators.datasets import coco, content, read
from estimators.datasets.content import PictureContent
from estimators.decode.pool import pool
from estimators.media.names import printable
from estimators.remote import RemoteFile
from estimators.types import Frame

if TYPE_CHECKING:
    from estimators.datasets.health import HealthReport

_READ = "estimators.datasets.read:read_annotated_set"
_MARKS = "estimators.datasets.coco:from_coco"
_LOOK, _LISTED = (f"estimators.datasets.content:{name}" for name in ("look_at", "read_listed"))
# Parsed annotations take the most memory of all that is read.
_ONE_AT_A_TIME = threading.Lock()
# A set is many files.
_TIMES = 5
_LONGEST = 80

_T = TypeVar("_T")


def read_annotated_set(
    files: Mapping[str, Path], most_bytes: int = read.MOST_ANNOTATION_BYTES
) -> tuple[AnnotatedSet, HealthReport]:
    """See `datasets.read.read_annotated_set`; `files` by the names that a person knows them by."""
    decoders = pool()
    if decoders is None:
        return read.read_annotated_set(files, most_bytes=most_bytes)
    named = printable(", ".join(files))[:_LONGEST]
    found: tuple[AnnotatedSet, HealthReport] = decoders.call(
        _READ, (dict(files), None, most_bytes), named, _ONE_AT_A_TIME, _TIMES
    )
    return found


def read_marks(data: bytes, name: str) -> list[AnnotatedImage]:
    """See `datasets.coco.from_coco`."""
    decoders = pool()
    if decoders is None:
        return coco.from_coco(data, name)
    found: list[AnnotatedImage] = decoders.call(_MARKS, (data, name), name, _ONE_AT_A_TIME)
    return found


def look_at(source: Path | Source, name: str) -> PictureContent:
    """See `datasets.content.read_content`; what is read elsewhere comes without its content."""
    return _read_by(content.read_content, _LOOK, source, name)


def read_listed(source: Path | Source, name: str) -> Frame:
    """See `datasets.content.read_listed`."""
    return _read_by(content.read_listed, _LISTED, source, name)


def _read_by(
    read_here: Callable[[Path | Source, str], _T], there: str, source: Path | Source, name: str
) -> _T:
    """By the function called `there` in a decoder's process, or by `read_here` in this one.

    What lies at an address is fetched and read here.
    """
    decoders = pool()
    if decoders is None or isinstance(source, RemoteFile):
        return read_here(source, name)
    found: _T = decoders.call(there, (source, name), name)
    return found
