"""COCO keypoint datasets (https://cocodataset.org/#format-data), read and written.

Those of OCHuman, CrowdPose, Human-Art, CVAT and Label Studio are of this form, too: skeletons are
taken by the names of their joints.  Keypoints are COCO's pixel indices, in which the centre of
pixel 0 is 0, where ours is 0.5.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.scale import joint_box, person_area
from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.datasets.coco_images import any_id, entries, listed_image, parsed, quoted
from estimators.datasets.coco_skeletons import Skeletons
from estimators.datasets.health import Findings
from estimators.datasets.joint_names import JointMap
from estimators.datasets.listing import ListedImage, Listing
from estimators.datasets.people import (
    SHIFT_PX,
    Described,
    box_of,
    numbers,
    person_of,
    unlabelled,
)
from estimators.errors import InputError
from estimators.skeletons import COCO_17

PERSON = 1
_ADVICE = "Load a file that was saved here, or another COCO keypoints dataset."
_YES = (True, 1, "1", "true")


def read_coco(content: Any, name: str, findings: Findings) -> Listing:
    """The images of a COCO keypoints dataset with their people.

    What cannot be used is counted in `findings`; the rest is read.

    Args:
        content: of the JSON.
        name: of the file, for messages.

    Raises:
        InputError: it is no such dataset, or none of its skeletons is a person's.
    """
    images = _images(entries(content, "images", name), findings)
    annotations = entries(content, "annotations", name)
    skeletons = Skeletons(content.get("categories"), annotations, name, findings)
    people: dict[str, list[AnnotatedPerson]] = defaultdict(list)
    ids: Counter[int | str] = Counter()
    for at, entry in enumerate(annotations):
        place = f"annotations[{at}]"
        image = str(any_id(entry.get("image_id"))) if isinstance(entry, dict) else ""
        if not isinstance(entry, dict):
            findings.add("annotation_unreadable", f"{place}: {quoted(entry)}")
        elif image not in images:
            findings.add("annotation_without_picture", f"{place}: {quoted(entry.get('image_id'))}")
        elif (joints := skeletons.of(entry)) is None:
            findings.add("other_category", place)
        elif (person := _person(entry, joints, place, findings)) is not None:
            _count_id(person.source_id, ids, place, findings)
            people[image].append(person)
    found = [replace(entry, people=tuple(people[key])) for key, entry in images.items()]
    return Listing(name, found, "coco", skeletons.joints)


def from_coco(data: bytes, name: str) -> list[AnnotatedImage]:
    """The images of a COCO keypoints dataset with their people, whatever pictures they are of.

    Raises:
        InputError: something of it cannot be used; the message names the entry.
    """
    findings = Findings()
    listing = read_coco(parsed(data, name), name, findings)
    for finding in findings.all():
        if finding.level == "left out":
            raise InputError(f"{name}: {finding.text}", _ADVICE)
    found = []
    for image in listing.images:
        if image.size is None:
            raise InputError(f"{name}: {image} has no `width` and `height` in pixels.", _ADVICE)
        size = int(image.size[0]), int(image.size[1])
        found.append(
            AnnotatedImage(image.file, *size, image.people, image.sha256, image.frame_index)
        )
    if not any(image.keypoints for image in found):
        raise InputError(f"{name} marks nobody in any picture.", _ADVICE)
    return found


def to_coco(images: Sequence[AnnotatedImage]) -> dict[str, Any]:
    """The images as a COCO keypoints dataset, JSON-ready; people's ids count from 1.

    So do the images', unless each of them has one of its own (`image_id`).
    Annotations carry `keypoints` (51 numbers: x, y, v), `num_keypoints`, `bbox` (around the
    labelled keypoints where a person has none) and `area` (`scale.person_area` where it is
    unknown: 0.6 of that box; COCO's own comes from a mask).  Images carry `sha256`, and
    `frame_index` where they are frames of a clip.  People of whom nothing is labelled are left out.
    """
    listed: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    own = all(image.image_id for image in images)
    for at, image in enumerate(images, 1):
        number = image.image_id if own else at
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
    xy = np.round(np.where(person.labelled[:, None], person.xy - SHIFT_PX, 0.0), 2)
    left, top, right, bottom = person.box_xyxy or joint_box(person.xy)
    area = person.area if person.area > 0 else float(np.nan_to_num(person_area(person.xy)))
    return {
        "id": number,
        "image_id": image,
        "category_id": PERSON,
        "iscrowd": int(person.iscrowd),
        "keypoints": [
            value
            for (x, y), flag in zip(xy.tolist(), person.visibility.tolist(), strict=True)
            for value in (x, y, flag)
        ],
        "num_keypoints": int(person.labelled.sum()),
        "bbox": [round(float(v), 2) for v in (left, top, right - left, bottom - top)],
        "area": round(area, 2),
    }


def _images(listed: Sequence[Any], findings: Findings) -> dict[str, ListedImage]:
    """Each by its id as text (`"7"` and `7` are one); those that cannot be told apart left out."""
    found: dict[str, ListedImage] = {}
    unclear: set[str] = set()
    for at, entry in enumerate(listed):
        place = f"images[{at}]"
        source_id = any_id(entry.get("id")) if isinstance(entry, dict) else None
        if source_id is None:
            shown = entry.get("id") if isinstance(entry, dict) else entry
            findings.add("image_without_id", f"{place}: {quoted(shown)}")
            continue
        image, key = listed_image(entry, place, source_id), str(source_id)
        if isinstance(source_id, str) or isinstance(entry.get("id"), float):
            findings.add("id_no_number", f"{place}: {quoted(entry['id'])}")
        if key in found and found[key].parts == image.parts:
            findings.add("image_name_twice", str(image))
        elif key in found:
            findings.add("image_id_twice", f"{found[key].place} and {place}: {quoted(source_id)}")
            unclear.add(key)
        else:
            found[key] = image
    for image in found.values():
        if not image.parts:
            findings.add("image_without_name", image.place)
    return {key: image for key, image in found.items() if key not in unclear and image.parts}


def _person(
    entry: Mapping[str, Any], joints: JointMap, place: str, findings: Findings
) -> AnnotatedPerson | None:
    box, area = numbers(entry.get("bbox"), 4), numbers(entry.get("area"), 1)
    said = Described(
        box_of(box),
        math.nan if area is None else float(area[0]),
        entry.get("iscrowd") in _YES,
        any_id(entry.get("id")),
    )
    given: NDArray[np.float64] | None = None
    if entry.get("keypoints"):
        given = numbers(entry["keypoints"], len(joints), 3)
        if given is None:
            findings.add("keypoints_length", place)
    elif said.box_xyxy is None:
        findings.add("annotation_unreadable", f"{place}: neither keypoints nor bbox")
        return None
    if given is None:
        return unlabelled(said)
    count = entry.get("num_keypoints")
    if type(count) is int and count != int((given[:, 2] > 0).sum()):
        findings.add("count_contradicts", place)
    given[:, :2] += SHIFT_PX
    return person_of(given, joints, said, place, findings)


def _count_id(
    source_id: int | str | None, ids: Counter[int | str], place: str, findings: Findings
) -> None:
    if source_id is None:
        findings.add("annotation_id_missing", place)
        return
    if ids[source_id]:
        findings.add("annotation_id_twice", f"{place}: {source_id}")
    elif source_id == 0:
        findings.add("annotation_id_zero", place)
    elif isinstance(source_id, str):
        findings.add("id_no_number", f"{place}: {source_id}")
    ids[source_id] += 1
