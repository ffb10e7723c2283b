"""COCO keypoint datasets of pictures that were marked here (https://cocodataset.org/#format-data).

What other tools write is read by the same rules: keypoints in COCO's pixel indices, in which the
centre of pixel 0 is 0, where ours is 0.5.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.scale import joint_box, person_area
from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.errors import InputError
from estimators.skeletons import COCO_17

PERSON = 1
_SHIFT_PX = 0.5
_ADVICE = "Load a file that was saved here, or another COCO keypoints dataset."


def to_coco(images: Sequence[AnnotatedImage]) -> dict[str, Any]:
    """The images as a COCO keypoints dataset, JSON-ready; ids count from 1.

    Annotations carry `keypoints` (51 numbers: x, y, v), `num_keypoints`, `bbox` around the labelled
    keypoints and `area` (`scale.person_area`: 0.6 of that box; COCO's own comes from a mask).
    Images carry `sha256`, and `frame_index` where they are frames of a clip.  People of whom
    nothing is labelled are left out.
    """
    listed: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, image in enumerate(images, 1):
        entry: dict[str, Any] = {
            "id": number,
            "file_name": image.file,
            "width": image.width,
            "height": image.height,
            "sha256": image.sha256,
        }
        if image.frame_index is not None:
            entry["frame_index"] = image.frame_index
        listed.append(entry)
        for person in image.people:
            if person.labelled.any():
                annotations.append(_annotation(person, len(annotations) + 1, number))
    bones = [[a + 1, b + 1] for a, b in COCO_17.bone_indices]
    category = {
        "id": PERSON,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(COCO_17.joints),
        "skeleton": bones,
    }
    return {"images": listed, "annotations": annotations, "categories": [category]}


def _annotation(person: AnnotatedPerson, number: int, image: int) -> dict[str, Any]:
    flags = person.visibility.astype(float)[:, None]
    xy = np.round(np.where(person.labelled[:, None], person.xy - _SHIFT_PX, 0.0), 2)
    left, top, right, bottom = joint_box(person.xy)
    area = float(np.nan_to_num(person_area(person.xy)))
    return {
        "id": number,
        "image_id": image,
        "category_id": PERSON,
        "iscrowd": 0,
        "keypoints": np.concatenate([xy, flags], axis=1).ravel().tolist(),
        "num_keypoints": int(person.labelled.sum()),
        "bbox": [round(float(v), 2) for v in (left, top, right - left, bottom - top)],
        "area": round(area, 2),
    }


def from_coco(data: bytes, name: str) -> list[AnnotatedImage]:
    """The images of a COCO keypoints dataset with their people.

    Args:
        data: the file's content.
        name: as the person knows it, for messages.

    Raises:
        InputError: it is no such dataset; the message names the entry.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not readable JSON ({error}).", _ADVICE) from error
    images = _listed(content, "images", name)
    _require_own_ids(images, name)
    people: dict[Any, list[AnnotatedPerson]] = {}
    for at, entry in enumerate(_listed(content, "annotations", name)):
        people.setdefault(_id_of(entry.get("image_id")), []).append(
            _person(entry, f"{name}: annotations[{at}]")
        )
    found = [_image(entry, people, f"{name}: images[{at}]") for at, entry in enumerate(images)]
    if not any(image.keypoints for image in found):
        raise InputError(f"{name} marks nobody in any picture.", _ADVICE)
    return found


def _require_own_ids(images: Sequence[Mapping[str, Any]], name: str) -> None:
    """Raises InputError where an image has no id, or another's: their people would be mixed."""
    places: dict[Any, str] = {}
    for at, entry in enumerate(images):
        place, image_id = f"images[{at}]", _id_of(entry.get("id"))
        if image_id is None:
            raise InputError(f"{name}: {place} has no `id` that is a number or a text.", _ADVICE)
        if image_id in places:
            raise InputError(f"{name}: {places[image_id]} and {place} have the same `id`.", _ADVICE)
        places[image_id] = place


def _id_of(value: Any) -> int | str | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) else None


def _listed(content: Any, key: str, name: str) -> list[dict[str, Any]]:
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise InputError(f"{name} has no list of `{key}`.", _ADVICE)
    return entries


def _image(
    entry: Mapping[str, Any], people: Mapping[Any, list[AnnotatedPerson]], place: str
) -> AnnotatedImage:
    file, size = entry.get("file_name"), (entry.get("width"), entry.get("height"))
    if not isinstance(file, str) or not file:
        raise InputError(f"{place} has no `file_name`.", _ADVICE)
    if not all(isinstance(s, int) and not isinstance(s, bool) and s > 0 for s in size):
        raise InputError(f"{place} has no `width` and `height` in pixels.", _ADVICE)
    frame, digest = entry.get("frame_index"), entry.get("sha256", "")
    return AnnotatedImage(
        file,
        int(entry["width"]),
        int(entry["height"]),
        tuple(people.get(_id_of(entry.get("id")), ())),
        digest if isinstance(digest, str) else "",
        frame if isinstance(frame, int) and not isinstance(frame, bool) else None,
    )


def _person(entry: Mapping[str, Any], place: str) -> AnnotatedPerson:
    k = len(COCO_17)
    try:
        values: NDArray[np.float64] = np.array(entry.get("keypoints"), np.float64)
        values = values.reshape(k, 3)
        # COCO writes x = y = 0 where nothing is labelled.
        return AnnotatedPerson(values[:, :2] + _SHIFT_PX, values[:, 2])  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{place} does not hold {3 * k} numbers x, y, v in `keypoints` ({error}).", _ADVICE
        ) from error
