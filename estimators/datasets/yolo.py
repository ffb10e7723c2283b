"""YOLO-pose datasets: a `data.yaml` and a text a picture.

A line of a text is a person: class, then the box's middle, width and height, then x, y and maybe a
visibility flag of each joint, all but class and flag in fractions of the picture
(https://docs.ultralytics.com/datasets/pose/).  The fractions are made of COCO's pixel indices.
There are no areas.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from estimators.annotated import AnnotatedPerson
from estimators.datasets.coco_images import text_of
from estimators.datasets.coco_skeletons import PEOPLE
from estimators.datasets.files import GivenFile, agreeing, parts_of
from estimators.datasets.health import Findings
from estimators.datasets.joint_names import COCO_ORDER, JointMap
from estimators.datasets.listing import ListedImage, Listing
from estimators.datasets.people import SHIFT_PX, Described, box_of, person_of, unlabelled
from estimators.datasets.shelf import ShelfPicture
from estimators.errors import InputError
from estimators.skeletons import COCO_17

_MOST_TEXT_BYTES = 10_000_000
_MOST_YAML_BYTES = 1_000_000
_SPLITS = ("val", "valid", "test", "train")


@dataclass(frozen=True)
class YoloDescription:
    """What a `data.yaml` says.

    Attributes:
        joints: of the class that is people.
        dimensions: numbers a joint, 2 or 3.
        person: the class of people, None where the names do not tell it: then all are.
        parts: the folders of each part of the dataset, as paths' parts, the last one first.
    """

    name: str
    joints: JointMap
    dimensions: int
    person: int | None
    parts: Mapping[str, tuple[str, ...]]

    def part_of(self, path: str) -> str:
        """Which part of the dataset a picture belongs to, "" where none."""
        folders = parts_of(path)[1:]
        for part, inside in self.parts.items():
            length = len(inside)
            if any(folders[i : i + length] == inside for i in range(len(folders) - length + 1)):
                return part
        return ""


def is_description(data: bytes) -> bool:
    """Whether it is a YOLO-pose `data.yaml`."""
    return len(data) <= _MOST_YAML_BYTES and b"kpt_shape" in data


def read_description(data: bytes, name: str, findings: Findings) -> YoloDescription:
    """What a `data.yaml` says.

    Raises:
        InputError: it is no YAML, or does not say which joints there are.
    """
    try:
        content = yaml.safe_load(data) if len(data) <= _MOST_YAML_BYTES else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{name} is no YAML ({why}).", "Export the dataset anew.") from error
    content = content if isinstance(content, dict) else {}
    shape = content.get("kpt_shape")
    if not (
        isinstance(shape, list)
        and len(shape) == 2
        and all(type(n) is int for n in shape)
        and shape[0] > 0
        and shape[1] in (2, 3)
    ):
        raise InputError(
            f"{name} has no `kpt_shape` of two numbers, joints and 2 or 3.",
            "Write for example `kpt_shape: [17, 3]`.",
        )
    # Only texts are names: aliases make other values grow without end when they are written out.
    person = _person_class(content.get("names"), findings)
    joints = _joints(content, shape[0], person, name, findings)
    parts = {}
    for part in _SPLITS:
        paths = content.get(part)
        first = paths[0] if isinstance(paths, list) and paths else paths
        if isinstance(first, str) and not first.endswith(".txt") and (inside := parts_of(first)):
            parts[part] = inside
    return YoloDescription(name, joints, shape[1], person, parts)


def _person_class(names: Any, findings: Findings) -> int | None:
    classes = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(classes, dict):
        return None
    numbered = {k: text_of(n) for k, n in classes.items() if type(k) is int}
    called = [k for k, name in numbered.items() if name.lower() in PEOPLE]
    if called or len(numbered) == 1:
        return (called or list(numbered))[0]
    for name in numbered.values():
        findings.add("categories", name)
    return None


def _joints(
    content: Mapping[str, Any], count: int, person: int | None, name: str, findings: Findings
) -> JointMap:
    """By `kpt_names`; without, COCO's where number and mirroring are COCO's."""
    given = content.get("kpt_names")
    if isinstance(given, dict):
        given = given.get(person or 0, next(iter(given.values()), None))
    elif isinstance(given, list) and given and isinstance(given[0], list):
        given = given[min(person or 0, len(given) - 1)]
    if isinstance(given, list) and len(given) == count:
        joints = JointMap.of([text_of(joint) for joint in given])
        if not joints.of_a_person:
            raise InputError(
                f"{name} has no skeleton of a person: `kpt_names` are "
                f"{', '.join(joints.names[:6])}.",
                "Call the joints as COCO does: nose, left_shoulder, ….",
            )
        return joints
    flip = content.get("flip_idx")
    if count != len(COCO_17) or flip not in (None, list(COCO_17.flip_indices)):
        what = "`flip_idx` is not COCO's" if count == len(COCO_17) else f"{count} joints"
        raise InputError(
            f"{name} does not say which joints they are: no `kpt_names`, and {what}.",
            "Add `kpt_names` with the joints' names in their order.",
        )
    findings.add("order_assumed", name)
    return COCO_ORDER


def read_yolo(
    description: YoloDescription,
    pictures: Sequence[ShelfPicture],
    texts: Sequence[GivenFile],
    findings: Findings,
) -> Listing:
    """The pictures with the people of their texts; a picture without a text is empty.

    Args:
        texts: all that may be labels; each picture's is found as YOLO's own tools do, by its path
            with `images` replaced by `labels`.
    """
    index: dict[str, list[GivenFile]] = {}
    for file in texts:
        index.setdefault(posixpath.basename(file.name), []).append(file)
    inside = [p for p in pictures if description.part_of(p.file.path)]
    images: list[ListedImage] = []
    used: set[str] = set()
    for picture in inside or pictures:
        labels = _labels_of(picture.file.path, index)
        used |= {text.name for text in labels}
        people: tuple[AnnotatedPerson, ...] = ()
        if len(labels) > 1:
            findings.add("label_ambiguous", f"{picture.name}: {labels[0].name}, {labels[1].name}")
            continue
        if labels:
            people = _people(labels[0], picture.size, description, findings)
        name, size = picture.file.name, (float(picture.size[0]), float(picture.size[1]))
        images.append(ListedImage(name, name, size, name, people))
        if part := description.part_of(picture.file.path):
            findings.add("split", part)
    for file in texts:
        if file.name not in used and "labels" in parts_of(file.path)[1:]:
            findings.add("label_of_no_picture", file.name)
    return Listing(description.name, images, "yolo-pose", description.joints.joints)


def _labels_of(path: str, index: Mapping[str, Sequence[GivenFile]]) -> list[GivenFile]:
    """The texts whose path agrees most with the picture's: one, or none, or it is not clear."""
    stem, *folders = parts_of(path)
    wanted = f"{posixpath.splitext(stem)[0]}.txt"
    at = folders.index("images") if "images" in folders else -1
    labels = [("labels" if i == at else folder) for i, folder in enumerate(folders)]
    candidates = index.get(wanted, ())
    common = [
        max(agreeing(parts_of(text.path), (wanted, *inside)) for inside in (labels, folders))
        for text in candidates
    ]
    return [text for text, n in zip(candidates, common, strict=True) if n == max(common)]


def _people(
    text: GivenFile, size: tuple[int, int], description: YoloDescription, findings: Findings
) -> tuple[AnnotatedPerson, ...]:
    try:
        lines = text.read(_MOST_TEXT_BYTES).decode("utf-8-sig").splitlines()
    except (InputError, UnicodeDecodeError) as error:
        findings.add("annotation_unreadable", f"{text.name}: {error}")
        return ()
    people = []
    for number, line in enumerate(lines, 1):
        place = f"{text.name} line {number}"
        if line.strip() and (person := _person(line, size, description, (place, findings))):
            people.append(person)
    return tuple(people)


def _person(
    line: str, size: tuple[int, int], description: YoloDescription, at: tuple[str, Findings]
) -> AnnotatedPerson | None:
    place, findings = at
    try:
        values = np.array([float(word) for word in line.split()])
    except ValueError:
        findings.add("annotation_unreadable", place)
        return None
    if len(values) < 5:
        findings.add("annotation_unreadable", place)
        return None
    if description.person is not None and values[0] != description.person:
        findings.add("other_category", f"{place}: class {values[0]:g}")
        return None
    middle_x, middle_y, width, height = values[1:5] * (*size, *size)
    box = box_of((middle_x - width / 2, middle_y - height / 2, width, height))
    said = Described(box, math.nan)
    k, dimensions = len(description.joints), description.dimensions
    if len(values) != 5 + k * dimensions:
        if len(values) > 5:
            wanted = f"{len(values)} numbers instead of {5 + k * dimensions}"
            findings.add("keypoints_length", f"{place}: {wanted}")
        if box is None:
            findings.add("annotation_unreadable", place)
        return None if box is None else unlabelled(said)
    joints = _with_flags(values[5:].reshape(k, dimensions))
    joints[:, :2] = joints[:, :2] * size + SHIFT_PX
    return person_of(joints, description.joints, said, place, findings)


def _with_flags(given: NDArray[np.float64]) -> NDArray[np.float64]:
    """[K, 3]: without a flag, a joint in the picture's corner or before it is not labelled."""
    if given.shape[1] == 3:
        return given.copy()
    labelled = (given >= 0).all(axis=1) & (given > 0).any(axis=1)
    return np.column_stack([given, np.where(labelled, 2.0, 0.0)])
