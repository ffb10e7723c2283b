"""The pictures that somebody brings: each with its size, and with what annotations list of it."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from estimators.annotated import Source
from estimators.datasets.archives import UNREADABLE
from estimators.datasets.files import PICTURES, GivenFile, agreeing, opened, parts_of
from estimators.datasets.health import Findings
from estimators.datasets.listing import ListedImage, Listing
from estimators.errors import InputError
from estimators.media.names import printable
from estimators.media.pictures import size_of
from estimators.remote import RemoteFile

_AT_ONCE = 32
# Label Studio puts eight digits before the name of what was uploaded to it, and writes what lies
# elsewhere as an address.
_PREFIX = re.compile(r"^[0-9a-f]{8}-")


@dataclass(frozen=True)
class ShelfPicture:
    """A picture by its name, its upright size in pixels, and how it is stored (EXIF, 1 to 8)."""

    file: GivenFile
    size: tuple[int, int]
    orientation: int = 1
    frame: Source | None = None

    @property
    def name(self) -> str:
        """In the set."""
        return self.file.name

    @property
    def source(self) -> Path | Source:
        """Where its content comes from."""
        return self.frame or self.file.source


def pictures_of(files: Iterable[GivenFile]) -> list[GivenFile]:
    """Those that are pictures by the ending of their names."""
    return [file for file in files if file.ending in PICTURES]


def measured(files: Iterable[GivenFile], findings: Findings) -> list[ShelfPicture]:
    """The pictures that can be read, with their sizes; others are counted."""
    archives: dict[Path | RemoteFile, zipfile.ZipFile] = {}
    listed = list(files)
    far = [file for file in listed if isinstance(file.source, RemoteFile)]
    try:
        with ThreadPoolExecutor(_AT_ONCE if far else 1) as pool:
            # Each look at an address waits for its answer; here a thread gains nothing.
            looks = {file.name: pool.submit(_measure, file, archives) for file in far}
            seen = [
                looks[file.name].result() if file.name in looks else _measure(file, archives)
                for file in listed
            ]
    finally:
        for archive in archives.values():
            archive.close()
    for one in seen:
        if isinstance(one, str):
            findings.add("picture_unreadable", one)
    return [one for one in seen if isinstance(one, ShelfPicture)]


def _measure(
    file: GivenFile, archives: dict[Path | RemoteFile, zipfile.ZipFile]
) -> ShelfPicture | str:
    """Its size, or why it cannot be read."""
    name = printable(file.name)
    try:
        with opened(file, archives) as content:
            size, orientation = size_of(content, name)
        return ShelfPicture(file, size, orientation)
    except InputError as error:
        return error.message
    except UNREADABLE as error:
        return f"{name}: {error}"


def placed(
    listing: Listing, files: Sequence[GivenFile], findings: Findings
) -> list[tuple[ListedImage, GivenFile]]:
    """Each listed picture that is there with its file, by the ends of their paths, as listed.

    Frames of clips are passed over.
    """
    for nameless in (image for image in listing.images if not image.parts):
        findings.add("image_without_name", nameless.place)
    pictures = [image for image in listing.images if image.parts and not image.of_clip]
    listing = Listing(listing.name, pictures, listing.format, listing.joints)
    found: dict[str, list[GivenFile]] = {}
    left: list[GivenFile] = []
    for file in files:
        try:
            image = listing.image_of(file.path)
        except InputError as error:
            findings.add("picture_ambiguous", error.message)
            continue
        if image is None:
            left += pictures_of([file])
        else:
            found.setdefault(image.place, []).append(file)
    _by_other_name(listing, found, left, findings)
    pairs = []
    for image in listing.images:
        candidates = _nearest(found.get(image.place, []), image)
        if len(candidates) == 1:
            pairs.append((image, candidates[0]))
        elif candidates:
            names = " or ".join(file.name for file in candidates[:2])
            findings.add("picture_ambiguous", f"{image} may be {names}")
        else:
            findings.add("picture_absent", image.file)
    for file in left:
        findings.add("picture_not_listed", file.name)
    return pairs


def _nearest(files: Sequence[GivenFile], image: ListedImage) -> list[GivenFile]:
    """Those whose path agrees most with the listed one."""
    common = [agreeing(parts_of(file.path), image.parts) for file in files]
    return [f for f, n in zip(files, common, strict=True) if n == max(common)]


def _by_other_name(
    listing: Listing,
    found: dict[str, list[GivenFile]],
    left: list[GivenFile],
    findings: Findings,
) -> None:
    """Gives listed pictures that are still without file one that is called nearly the same."""
    wanted: dict[str, list[ListedImage]] = {}
    for image in listing.images:
        if image.place not in found:
            wanted.setdefault(_nearly(image.parts[0]), []).append(image)
    for file in list(left):
        near = wanted.get(_nearly(posixpath.basename(file.name)), [])
        if len(near) == 1:
            found.setdefault(near[0].place, []).append(file)
            left.remove(file)
            findings.add("name_prefix", f"{near[0].parts[0]} is {file.name}")


def _nearly(name: str) -> str:
    """A name that may be part of an address: what it asks for, or what stands before a question."""
    plain = name.rpartition("?d=")[2]
    return _PREFIX.sub("", unquote(plain.partition("?")[0])).casefold()
