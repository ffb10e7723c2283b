"""`compare --truth`: what somebody marked on the pictures and clips, as the page saves it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from estimators.annotated import AnnotatedImage
from estimators.datasets.coco import from_coco
from estimators.errors import InputError
from estimators.media.kinds import require_file
from estimators.media.names import printable


@dataclass(frozen=True)
class Marks:
    """The truth marked on the files of one comparison.

    Attributes:
        pictures: by the name that results call a picture.
        clips: the frames marked of each clip, by where it lies.
        notes: what was not used; whole sentences.
    """

    pictures: Mapping[str, AnnotatedImage] = field(default_factory=dict)
    clips: Mapping[Path, Sequence[AnnotatedImage]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


NOTHING = Marks()


def read_marks(file: Path, pictures: Mapping[str, str], clips: Sequence[Path]) -> Marks:
    """The marks of these files; a file is known by its content, as on the page.

    Args:
        file: a COCO keypoints dataset whose images have `sha256`, and `frame_index` in clips.
        pictures: the SHA-256 of each picture by its name.
        clips: where they lie.

    Raises:
        InputError: it cannot be read, or marks none of them.
    """
    require_file(file)
    name = printable(file.name)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}.") from error
    marked = [image for image in from_coco(content, name) if image.keypoints]
    on_pictures = {
        called: image for called, sha in pictures.items() for image in marked if image.is_of(sha)
    }
    on_clips = {clip: _frames(marked, clip) for clip in clips}
    used = {id(i) for i in (*on_pictures.values(), *(i for of in on_clips.values() for i in of))}
    if not used:
        raise InputError(
            f"{name} marks none of the files given: their SHA-256 is none of its images' `sha256`.",
            "Give the files that were marked; for a set of annotated pictures use `evaluate`.",
        )
    left = sum(id(image) not in used for image in marked)
    note = f"{name}: {left} of {len(marked)} marked images are none of the files given."
    return Marks(on_pictures, on_clips, (note,) if left else ())


def sha256_of(content: Path | bytes) -> str:
    """In hexadecimal, as marks name a file."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _frames(marked: Sequence[AnnotatedImage], clip: Path) -> list[AnnotatedImage]:
    sha = sha256_of(clip)
    return [i for i in marked if i.frame_index is not None and i.is_of(sha, i.frame_index)]
