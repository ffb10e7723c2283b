"""Annotated pictures of any format that is known, told by their content: the one way in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from estimators.annotated import AnnotatedSet
from estimators.datasets.archives import is_archive
from estimators.datasets.assembly import assembled
from estimators.datasets.clip_frames import clips_of
from estimators.datasets.coco import read_coco
from estimators.datasets.coco_images import parsed
from estimators.datasets.files import Given, GivenFile, agreeing, files_of, parts_of
from estimators.datasets.health import Findings, HealthReport
from estimators.datasets.listing import Listing, joined
from estimators.datasets.mpii import is_mat, is_mpii, read_mpii_json, read_mpii_mat, require_small
from estimators.datasets.ochuman import is_ochuman, ochuman_as_coco
from estimators.datasets.shelf import measured, pictures_of
from estimators.datasets.yolo import is_description, read_description, read_yolo
from estimators.errors import InputError
from estimators.media.limits import allowed
from estimators.media.names import printable
from estimators.remote import Remote, files_at

# JSON takes about ten times its size in memory: COCO's val2017 has 10 MB, train2017 240.
MOST_ANNOTATION_BYTES = 300_000_000
# A MATLAB file unpacks to several times its size.
_MAT_SHARE = 8
_ENDINGS = (".json", ".yaml", ".yml", ".mat")
_MOST_CANDIDATES = 20
_KNOWN = (
    "COCO keypoints (JSON), YOLO-pose (`data.yaml` with `kpt_shape`) and MPII (`.mat`, or a JSON "
    "list with `image` and `joints`) are known."
)


@dataclass(frozen=True)
class _Annotations:
    """An annotation file as it was read: its bytes, and what they hold if they are JSON.

    `parts` are the other files where a dataset comes in several, as CVAT writes one a subset.
    """

    file: GivenFile
    data: bytes
    content: Any = None
    parts: tuple[_Annotations, ...] = ()

    @property
    def name(self) -> str:
        return printable(", ".join(one.file.name for one in (self, *self.parts[:3])))


def read_annotated_set(
    images: Given | None = None,
    annotations: Path | Remote | Mapping[str, Path] | None = None,
    most_bytes: int = MOST_ANNOTATION_BYTES,
) -> tuple[AnnotatedSet, HealthReport]:
    """Pictures with the people marked in them, and what is odd about them.

    Args:
        images: a folder, a ZIP, either at an address, or files, which a mapping gives the names of.
            Without, the ZIP or folder that the annotations are in.
        annotations: a COCO JSON, a `data.yaml`, an MPII `.mat` or JSON; a ZIP or folder that holds
            one.  Without, one is looked for among `images`.
        most_bytes: that an annotation file may have.

    Raises:
        InputError: there are no annotations of a known format, or nothing can be evaluated.
    """
    findings = Findings()
    pictures = files_of(images, findings) if images is not None else []
    beside = _beside(annotations, findings)
    unread = _unread([*pictures, *beside], findings)
    found = _annotations(pictures, annotations, beside, most_bytes, unread)
    if images is None:
        pictures = beside
    if not pictures_of(pictures) and not clips_of(pictures):
        raise InputError(
            f"There are no pictures beside {found.name}.", "Give them as a folder, files or a ZIP."
        )
    if is_mat(found.data):
        require_small(found.data, _MAT_SHARE * most_bytes, found.name)
    listing, digest = _listing(found, pictures, images, findings)
    people = sum(len(image.people) for image in listing.images)
    if people > allowed().people:
        raise InputError(
            f"{found.name} has {people:,} people; {allowed().people:,} is the most here.",
            "Take only the part of the set that is to be evaluated.",
        )
    return assembled(listing, pictures, digest, findings)


def _listing(
    found: _Annotations, pictures: Sequence[GivenFile], images: Given | None, findings: Findings
) -> tuple[Listing, str]:
    """What the file lists, and a hash of it.

    Raises:
        InputError: there are several files that are not parts of one COCO dataset.
    """
    if found.parts:
        every = (replace(found, parts=()), *found.parts)
        read = [_listing(one, pictures, images, findings) for one in every if one.content]
        if len(read) < len(every) or not (listing := joined([one for one, _ in read], found.name)):
            raise InputError(
                f"There are several annotation files: {found.name}.", "Give the one to read."
            )
        return listing, hashlib.sha256("".join(d for _, d in read).encode()).hexdigest()
    digest = hashlib.sha256(found.data).hexdigest()
    if is_mat(found.data):
        return read_mpii_mat(found.data, found.name, findings), digest
    if is_mpii(found.content):
        return read_mpii_json(found.content, found.name, findings), digest
    if found.content is not None:
        ochuman = is_ochuman(found.content)
        content = ochuman_as_coco(found.content) if ochuman else found.content
        return read_coco(content, found.name, findings), digest
    description = read_description(found.data, found.name, findings)
    texts = {str(file.source): file for file in pictures if file.ending == ".txt"}
    for folder in _label_folders(found.file, images):
        texts |= {str(f.source): f for f in files_of(folder, findings) if f.ending == ".txt"}
    shelf = measured(pictures_of(pictures), findings)
    listing = read_yolo(description, shelf, list(texts.values()), findings)
    return listing, _digest(listing)


def _label_folders(description: GivenFile, images: Given | None) -> list[Path]:
    """Where labels may lie that were not among what was given as pictures."""
    folders = []
    if isinstance(description.source, Path) and description.name == str(description.source):
        folders.append(description.source.absolute().parent)
    if isinstance(images, Path) and images.is_dir() and "images" in images.absolute().parts:
        parts = list(images.absolute().parts)
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
        folders.append(Path(*parts))
    return [folder for folder in folders if folder.is_dir()]


def _digest(listing: Listing) -> str:
    """Of what many label files say together."""
    digest = hashlib.sha256()
    for image in listing.images:
        digest.update(image.file.encode())
        for person in image.people:
            digest.update(person.xy.tobytes() + person.visibility.tobytes())
            digest.update(repr(person.box_xyxy).encode())
    return digest.hexdigest()


def _beside(
    annotations: Path | Remote | Mapping[str, Path] | None, findings: Findings
) -> list[GivenFile]:
    """The files of the ZIP or folder that the annotations are, or are in."""
    if annotations is None:
        return []
    return [] if _is_plain(annotations) else files_of(annotations, findings)


def _is_plain(annotations: Path | Remote | Mapping[str, Path] | None) -> bool:
    """Whether it is one file that is no ZIP; at an address, by its ending."""
    if isinstance(annotations, Remote):
        return annotations.name.lower().endswith(_ENDINGS)
    return (
        isinstance(annotations, Path) and not annotations.is_dir() and not is_archive(annotations)
    )


def _annotations(
    pictures: Sequence[GivenFile],
    annotations: Path | Remote | Mapping[str, Path] | None,
    beside: list[GivenFile],
    most_bytes: int,
    unread: str = "",
) -> _Annotations:
    """The one annotation file.

    Args:
        unread: what may have held it, for the message.

    Raises:
        InputError: there is none, or several.
    """
    if isinstance(annotations, Path | Remote) and _is_plain(annotations):
        file = _named_inside(annotations, pictures) or _one_file(annotations)
        known = _known(file, most_bytes, named=True)
        if known is None:
            raise InputError(f"{printable(file.name)} is of no known format.", _KNOWN)
        if known.content is None and not pictures and isinstance(annotations, Path):
            beside += files_of(annotations.absolute().parent, Findings())
        return known
    candidates = [file for file in beside or pictures if file.ending in _ENDINGS]
    return _only(candidates, most_bytes, unread)


def _named_inside(annotations: Path | Remote, pictures: Sequence[GivenFile]) -> GivenFile | None:
    """The file of that name among the pictures, in their ZIP maybe, where it lies nowhere else."""
    if not isinstance(annotations, Path) or annotations.exists():
        return None
    parts = parts_of(str(annotations))
    found = [f for f in pictures if parts and agreeing(parts_of(f.name), parts) == len(parts)]
    return found[0] if len(found) == 1 else None


def _one_file(annotations: Path | Remote) -> GivenFile:
    if isinstance(annotations, Path):
        return GivenFile(str(annotations), annotations)
    (_, file), *others = files_at(annotations, 2)
    if others:
        raise InputError(f"{annotations} is a folder.", "Name the annotation file in it.")
    return GivenFile(annotations.url, file)


def _unread(files: Sequence[GivenFile], findings: Findings) -> str:
    """What of all that was given is not looked into, in sentences with a space before each."""
    said = "" if files else " What was given holds no files that can be read."
    packed = [printable(file.name) for file in files if file.ending == ".zip"]
    if packed:
        others = f" and {len(packed) - 1:,} more" if len(packed) > 1 else ""
        said += f" {packed[0]}{others}: a ZIP inside of another, or a damaged one, is not opened."
    odd = [finding.text for finding in findings.all() if finding.kind == "archive_member"]
    return said + "".join(f" {text}" for text in odd)


def _only(candidates: Sequence[GivenFile], most_bytes: int, unread: str) -> _Annotations:
    if len(candidates) > _MOST_CANDIDATES:
        raise InputError(
            f"There are {len(candidates)} files that may be annotations.", "Name the one to read."
        )
    found, why = [], unread
    for file in candidates:
        try:
            known = _known(file, most_bytes)
        except InputError as error:
            why = f" {error.message}"
            continue
        if known is not None:
            found.append(known)
    if not found:
        raise InputError(f"There is no annotation file of a known format.{why}", _KNOWN)
    first, *others = found
    return replace(first, parts=tuple(others)) if others else first


def _known(file: GivenFile, most_bytes: int, named: bool = False) -> _Annotations | None:
    """The file if it is of a known format; one that was `named` is taken for COCO in doubt.

    Raises:
        InputError: it cannot be read, or its ending says JSON and it is broken.
    """
    data = file.read(most_bytes)
    if is_mat(data):
        return _Annotations(file, data)
    if file.ending in (".yaml", ".yml"):
        return _Annotations(file, data) if named or is_description(data) else None
    try:
        content = parsed(data, printable(file.name))
    except InputError:
        if file.ending != ".json" and is_description(data):
            return _Annotations(file, data)
        raise
    if (
        is_mpii(content)
        or is_ochuman(content)
        or _is_coco(content)
        or (named and isinstance(content, dict))
    ):
        return _Annotations(file, data, content)
    return None


def _is_coco(content: Any) -> bool:
    """With keypoints anywhere; captions, boxes and masks have the same lists without."""
    if not isinstance(content, dict):
        return False
    lists = [content.get(key) for key in ("images", "annotations")]
    if not all(isinstance(one, list) for one in lists):
        return False
    categories = content.get("categories")
    listed = [*(categories if isinstance(categories, list) else ()), *content["annotations"]]
    return any(isinstance(entry, dict) and "keypoints" in entry for entry in listed)
