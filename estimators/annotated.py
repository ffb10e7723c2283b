"""What people have marked in pictures: the truth that models are held against."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from estimators.remote import RemoteFile
from estimators.skeletons import COCO_17

# COCO's visibility flags (https://cocodataset.org/#format-data).
NOT_LABELLED, HIDDEN, VISIBLE = 0, 1, 2

# Where an area comes from: the file itself, 0.53 of the box (as YOLO-pose's own tools take it), or
# the joints (`analysis.scale.person_area`).
AreaFrom = Literal["file", "box", "joints", "unknown"]
Format = Literal["coco", "yolo-pose", "mpii"]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class AnnotatedPerson:
    """One person whose keypoints somebody has marked, on COCO-17.

    Attributes:
        xy: float64 [17, 2], pixels as in `estimators.types`; NaN where not labelled.
        visibility: int8 [17], COCO's flags: 0 not labelled, 1 hidden, 2 visible.
        box_xyxy: left, top, right, bottom in the same pixels, None where there is none.
        area: in square pixels, NaN if unknown; it decides OKS.
        area_from: where it comes from.
        iscrowd: stands for a group, which is not judged.
        annotation_id: its number in an `AnnotatedSet`, from 1; 0 outside of one.
        source_id: what the file calls it, None where it does not.
        head_px: length by which PCKh divides, NaN if unknown: 0.6 × the diagonal of the head's box
            (MPII), or the distance from neck to top of the head where there is no box.
        beyond: labelled joints that COCO-17 lacks (`pelvis`, `upper_neck`, …): x, y in pixels.

    Raises:
        ValueError: a shape or flag is wrong, or a labelled keypoint has no position.
    """

    xy: NDArray[np.float64]
    visibility: NDArray[np.int8]
    box_xyxy: Box | None = None
    area: float = float("nan")
    area_from: AreaFrom = "unknown"
    iscrowd: bool = False
    annotation_id: int = 0
    source_id: int | str | None = None
    head_px: float = float("nan")
    beyond: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        xy = np.array(self.xy, np.float64)
        given = np.asarray(self.visibility)
        k = len(COCO_17)
        if xy.shape != (k, 2) or given.shape != (k,):
            raise ValueError(f"expected xy [{k}, 2] and flags [{k}], got {xy.shape}, {given.shape}")
        # Not `isin`, which takes longer than all the rest.
        if not ((given == NOT_LABELLED) | (given == HIDDEN) | (given == VISIBLE)).all():
            raise ValueError("a visibility flag is none of 0, 1 and 2")
        flags = given.astype(np.int8)
        labelled = flags != NOT_LABELLED
        if not np.isfinite(xy[labelled]).all():
            raise ValueError("a labelled keypoint has no position")
        xy[~labelled] = np.nan
        _freeze(self, xy=xy, visibility=flags)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Bool [17]: the keypoints that count."""
        labelled: NDArray[np.bool_] = self.visibility != NOT_LABELLED
        return labelled

    @property
    def judged(self) -> bool:
        """Whether missing them counts: `pycocotools` passes over crowds and who has no labels."""
        return not self.iscrowd and bool(self.labelled.any())


class Source(Protocol):
    """Where a picture comes from that is no file of its own."""

    def read(self) -> bytes:
        """A picture file's content."""
        ...


@contextmanager
def zip_file(archive: Path | RemoteFile) -> Iterator[zipfile.ZipFile]:
    """A ZIP for reading, here or elsewhere; OSError or BadZipFile where it cannot be."""
    if isinstance(archive, Path):
        with zipfile.ZipFile(archive) as opened:
            yield opened
    else:
        with archive.open() as file, zipfile.ZipFile(file) as opened:
            yield opened


@dataclass(frozen=True)
class ZipMember:
    """A picture that lies in a ZIP: read from there, never unpacked to a disk."""

    archive: Path | RemoteFile
    name: str
    size_bytes: int

    def read(self) -> bytes:
        """Its content; no more is unpacked than the directory of the archive tells.

        Raises:
            OSError, BadZipFile, zlib.error, KeyError, RuntimeError: it can no longer be read.
        """
        try:
            with zip_file(self.archive) as opened, opened.open(self.name) as file:
                return file.read(self.size_bytes)
        except EOFError as error:
            raise zipfile.BadZipFile(f"{self.name} ends too early") from error


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """One picture, or one frame of a clip, with the people marked in it.

    Attributes:
        file: name of the picture or clip; in a set no two are the same, and frames tell theirs.
        width, height: in pixels, as the keypoints are counted: of the upright picture in a set.
        sha256: of the file, "" where unknown.
        frame_index: of a clip's frame, None for a picture.
        image_id: its number in an `AnnotatedSet`, the file's own where that can be; 0 outside.
        picture: where it lies, None outside of a set.
        to_annotated: float64 [2, 3], from the continuous pixels (x, y, 1) of the upright picture to
            those that the file counts in; None where they are the same.
    """

    file: str
    width: int
    height: int
    people: tuple[AnnotatedPerson, ...]
    sha256: str = ""
    frame_index: int | None = None
    image_id: int = 0
    picture: Path | Source | None = None
    to_annotated: NDArray[np.float64] | None = None

    @property
    def keypoints(self) -> int:
        """How many keypoints are labelled."""
        return sum(int(person.labelled.sum()) for person in self.people)

    def is_of(self, sha256: str, frame_index: int | None = None) -> bool:
        """Whether it belongs to the file with this hash (and this frame of it)."""
        return bool(sha256) and self.sha256 == sha256 and self.frame_index == frame_index


@dataclass(frozen=True, eq=False)
class AnnotatedSet:
    """Pictures and the people marked in them, whatever the format they came in.

    Pictures without people belong to it: who is found there is one too many.

    Attributes:
        images: each with its `image_id` and `picture`; people's `annotation_id` are 1, 2, 3, ….
        joints: those of COCO-17 that the format can label at all; others are never labelled.
        format: what was read.
        name: of the annotation file.
        sha256: of its content.

    Raises:
        ValueError: two images or two people have one number, or an image no picture.
    """

    images: tuple[AnnotatedImage, ...]
    joints: tuple[str, ...] = COCO_17.joints
    format: Format = "coco"
    name: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        people = [person.annotation_id for _, person in self.people()]
        images = [image.image_id for image in self.images]
        files = [image.file for image in self.images]
        if any(len(set(numbers)) < len(numbers) for numbers in (people, images, files)):
            raise ValueError("two images or two people of a set have one number or name")
        if min(people, default=1) < 1:
            raise ValueError("people are numbered from 1: pycocotools takes 0 for nobody")
        if any(image.picture is None for image in self.images):
            raise ValueError("an image of a set has no picture")

    def people(self) -> list[tuple[AnnotatedImage, AnnotatedPerson]]:
        """Everybody, with the picture they are in."""
        return [(image, person) for image in self.images for person in image.people]


def _freeze(instance: Any, **arrays: NDArray[Any]) -> None:
    for name, array in arrays.items():
        array.flags.writeable = False
        object.__setattr__(instance, name, array)
