"""OCHuman's own file (https://github.com/liruilong940607/OCHumanApi) in the form of COCO.

As its authors convert it (`toCocoFormart` in `ochumanApi/ochuman.py`): joints that the person hides
themselves count as visible, those that others hide as hidden, and the area is the box's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from estimators.datasets.people import numbers

# By OCHuman's flag: missing, visible, hidden by themselves, hidden by others.
_FLAGS = {0: 0, 1: 2, 2: 2, 3: 1}


def is_ochuman(content: Any) -> bool:
    """Whether a JSON is OCHuman's own: people within each image, joints' names beside."""
    if not isinstance(content, dict) or not isinstance(content.get("keypoint_names"), list):
        return False
    images = content.get("images")
    return isinstance(images, list) and all(
        isinstance(i, dict) and isinstance(i.get("annotations"), list) for i in images
    )


def ochuman_as_coco(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same as a COCO keypoints dataset."""
    images: list[dict[str, Any]] = []
    annotations: list[Any] = []
    for image in content["images"]:
        images.append({**image, "id": image.get("image_id"), "annotations": None})
        for person in image["annotations"]:
            annotations.append(
                _person(person, image.get("image_id"), len(annotations) + 1)
                if isinstance(person, dict)
                else person
            )
    category = {"id": 1, "name": "person", "keypoints": content["keypoint_names"]}
    return {"images": images, "annotations": annotations, "categories": [category]}


def _person(person: Mapping[str, Any], image_id: Any, number: int) -> dict[str, Any]:
    keypoints, corners = person.get("keypoints"), numbers(person.get("bbox"), 4)
    if isinstance(keypoints, list) and len(keypoints) % 3 == 0:
        keypoints = list(keypoints)
        keypoints[2::3] = [_FLAGS.get(v, v) if type(v) is int else v for v in keypoints[2::3]]
    found = {"id": number, "image_id": image_id, "category_id": 1, "keypoints": keypoints}
    if corners is not None:
        left, top, right, bottom = corners.tolist()
        width, height = right - left, bottom - top
        found |= {"bbox": [left, top, width, height], "area": width * height}
    return found
