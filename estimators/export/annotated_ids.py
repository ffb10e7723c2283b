"""The COCO ids of annotated pictures, each compared with what its annotations say about it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from estimators.datasets.annotated_pixels import AnnotatedPixels, Size, annotated_pixels
from estimators.datasets.coco_images import read_annotations
from estimators.datasets.listing import ListedImage, Listing
from estimators.errors import InputError
from estimators.export.coco import ImageIds

_NAMED = 3  # of many, in a message


@dataclass(frozen=True)
class SourcePicture:
    """A picture file: where it lies, its size when upright, and how it is stored (EXIF, 1 to 8)."""

    path: Path
    size: tuple[int, int]
    orientation: int = 1


def annotated_ids(pictures: Mapping[str, SourcePicture], annotations: Path) -> ImageIds:
    """The `image_id` of each picture, by the end of its path.

    Where the annotated width and height are those of the picture scaled, or as it is stored before
    EXIF turns it, `pixels` leads there and `notes` say so.

    Args:
        pictures: by the names that results call them.
        annotations: a COCO JSON.

    Raises:
        InputError: the file is unusable, does not list every picture or not clearly, or a picture
            has another shape than the annotated one.
    """
    known, passed_over = read_annotations(annotations)
    images = _images(pictures, known)
    pixels = {
        name: annotated_pixels(picture.size, picture.orientation, images[name].size)
        for name, picture in pictures.items()
    }
    for name, relation in pixels.items():
        if relation.kind == "other":
            raise _other_shape(name, pictures[name], images[name], known)
    return ImageIds(
        {name: int(image.source_id) for name, image in images.items()},
        "annotations",
        {name: relation for name, relation in pixels.items() if relation.matrix is not None},
        (*passed_over, *_notes(pictures, images, pixels)),
    )


def _images(pictures: Mapping[str, SourcePicture], known: Listing) -> dict[str, ListedImage]:
    found = {
        name: known.image_of(os.path.abspath(picture.path)) for name, picture in pictures.items()
    }
    missing = [name for name, image in found.items() if image is None]
    if missing:
        raise InputError(
            f"{known.name} does not list {_some(missing)}.",
            "Give only annotated pictures, or leave the annotations out.",
        )
    images = {name: image for name, image in found.items() if image is not None}
    taken: dict[int | str, str] = {}
    for name, image in images.items():
        if image.source_id in taken:
            raise InputError(
                f"{taken[image.source_id]} and {name} both agree with {image} of {known.name}.",
                "Leave out the one that is not annotated.",
            )
        taken[image.source_id] = name
    return images


def _other_shape(
    name: str, picture: SourcePicture, image: ListedImage, known: Listing
) -> InputError:
    assert image.size is not None
    turned = " (turned?)" if image.size == picture.size[::-1] else ""
    return InputError(
        f"{name} has {_pixels(picture.size)}, but by {image} of {known.name} it was annotated at "
        f"{_pixels(image.size)}{turned}.",
        "Compare the picture that was annotated; poses in another would be scored as wrong.",
    )


def _notes(
    pictures: Mapping[str, SourcePicture],
    images: Mapping[str, ListedImage],
    pixels: Mapping[str, AnnotatedPixels],
) -> Iterator[str]:
    """One sentence for all pictures of a kind."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for name, relation in pixels.items():
        size, annotated = pictures[name].size, images[name].size
        if relation.matrix is not None and annotated is not None:
            example = f"{name} ({_pixels(annotated)} instead of {_pixels(size)})"
            kinds[relation.kind].append(example)
        if relation.unclear:
            kinds["unclear"].append(name)
    texts = {
        "scaled": "annotated at another size; COCO results are in the annotated pixels",
        "stored": "annotated as stored, before EXIF turns it; COCO results are in those pixels",
        "unclear": "turned by EXIF; taken as annotated upright, though its annotated size, if any, "
        "would fit the stored picture as well",
    }
    for kind, text in texts.items():
        if kinds[kind]:
            yield f"{_some(kinds[kind])}: {text}."


def _some(names: Sequence[str]) -> str:
    others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + others


def _pixels(size: Size) -> str:
    return f"{size[0]:g}×{size[1]:g} pixels"
