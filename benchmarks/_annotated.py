"""Annotated pictures, what models are worth on them, and more scenes made of few."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.analysis.matching import DEFAULT_MIN_OKS, assign, joint_similarity
from estimators.analysis.scale import coco_xy
from estimators.media.clips import frames, open_clip
from estimators.media.pictures import read_picture
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

# A model within this of the best compared is as good a recommendation.
SUPPORTED_WITHIN = 0.05
SETS = {
    "two models": ("movenet-lightning", "blazepose-full"),
    "and PoseNet": ("movenet-lightning", "blazepose-full", "posenet"),
    "and MultiPose 512": (
        *("movenet-lightning", "blazepose-full", "posenet", "movenet-multipose-512"),
    ),
    "and Thunder": (
        *("movenet-lightning", "blazepose-full", "posenet", "movenet-multipose-512"),
        "movenet-thunder",
    ),
}
_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
_BESIDE = [_SHARED / name / "person_keypoints.json" for name in ("coco20", "coco4")]
_FLIP = list(COCO_17.flip_indices)
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody annotated: joints [17, 2] in our pixels, NaN where not labelled; COCO's area."""

    xy: NDArray[np.float64]
    area: float
    box: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, or a part of one, with the people annotated in it; `source` is the picture."""

    source: str
    name: str
    image: NDArray[np.uint8]
    people: tuple[Person, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--annotations", type=Path, action="append", metavar="FILE")
    parser.add_argument("--images", type=Path, action="append", metavar="DIR")


def chosen_scenes(parser: argparse.ArgumentParser) -> list[Scene]:
    """The annotated pictures that the command names, else those beside the repository."""
    chosen = parser.parse_args()
    files = chosen.annotations or [file for file in _BESIDE if file.is_file()]
    folders = chosen.images or [None] * len(files)
    if len(folders) != len(files):
        parser.error("name as many --images as --annotations, or none")
    pairs = zip(files, folders, strict=True)
    scenes = [scene for file, folder in pairs for scene in read_scenes(file, folder)]
    if not scenes:
        parser.error("no annotated picture was found: name a file by --annotations")
    return scenes


def read_scenes(annotations: Path, images: Path | None = None) -> Iterator[Scene]:
    """The annotated pictures and clips' frames of a COCO keypoints file, with somebody annotated.

    People without keypoints are left out.  Files lie in `images`, or beside the annotations, or in
    the folder `images` beside them.
    """
    data = json.loads(annotations.read_text("utf-8"))
    folders = [images] if images else [annotations.parent, annotations.parent / "images"]
    for image in data["images"]:
        name = image["file_name"]
        path = next((f / name for f in folders if f and (f / name).is_file()), None)
        people = tuple(
            _person(a)
            for a in data["annotations"]
            if a["image_id"] == image["id"] and a.get("num_keypoints") and not a.get("iscrowd")
        )
        if path is not None and people:
            index = image.get("frame_index")
            part = "as it is" if index is None else f"frame {index}"
            yield Scene(name, part, _picture(path, index), people)


def _picture(path: Path, frame_index: int | None) -> NDArray[np.uint8]:
    if frame_index is None:
        return read_picture(path).image
    clip = open_clip(path)
    time_s = float(clip.timestamps_s[frame_index])
    return next(frames(clip, time_s, time_s)).image


def _person(annotation: dict[str, Any]) -> Person:
    joints = np.array(annotation["keypoints"], np.float64).reshape(17, 3)
    xy = np.where(joints[:, 2:] > 0, joints[:, :2] + 0.5, np.nan)
    return Person(xy, float(annotation["area"]), np.array(annotation["bbox"], np.float64))


def true_oks(people: Sequence[Person], poses: PoseSet) -> tuple[NDArray[np.float64], int]:
    """OKS of each of a model's people against the truth, 0 where it is nobody; and people missed.

    All joints count, hidden ones too; matched one to one at an OKS of 0.2 or more.
    """
    xy = coco_xy(poses)
    out = np.zeros(len(xy))
    if not len(xy):
        return out, len(people)
    table = np.zeros((len(people), len(xy)))
    for i, person in enumerate(people):
        labelled = np.isfinite(person.xy[:, 0])
        near = np.nan_to_num(joint_similarity(xy, person.xy, np.full(len(xy), person.area)))
        table[i] = near[:, labelled].mean(axis=1)
    pairs = assign(table, DEFAULT_MIN_OKS)
    for i, j in pairs:
        out[j] = table[i, j]
    return out, len(people) - len(pairs)


def quality(people: Sequence[Person], poses: PoseSet) -> float:
    """Sum of the OKS of matched people over annotated people and those found that are nobody."""
    oks, missed = true_oks(people, poses)
    return float(oks.sum() / (len(oks) + missed))


def more_scenes(scenes: Sequence[Scene], seed: int = 7) -> list[Scene]:
    """Each picture as it is, mirrored, turned, and parts around each person and group, changed."""
    rng = np.random.default_rng(seed)
    return [made for scene in scenes for made in _parts(scene, rng)]


def _parts(scene: Scene, rng: np.random.Generator) -> Iterator[Scene]:
    height, width = scene.image.shape[:2]
    yield scene
    yield mirrored(scene, "mirrored")
    on_its_head = np.array([[-1.0, 0, width], [0, -1.0, height]])
    lying = np.array([[0, -1.0, height], [1.0, 0, 0]])
    yield _warped(scene, on_its_head, (width, height), "turned by 180")
    yield _warped(scene, lying, (height, width), "turned by 90")
    order = sorted(range(len(scene.people)), key=lambda i: -scene.people[i].area)
    chosen = [[i] for i in order[:4]] + [order[:2], order[:3], order[1:3]]
    for group in dict.fromkeys(tuple(sorted(c)) for c in chosen if c):
        boxes = np.array([scene.people[i].box for i in group])
        low, high = boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
        reach = (high - low).max()
        if reach < 60:
            continue
        margin = rng.uniform(0.08, 0.4) * reach * rng.uniform(0.3, 1, 4)
        left, top = np.rint(np.maximum(low - margin[:2], 0)).astype(int)
        right, bottom = np.rint(np.minimum(high + margin[2:], (width, height))).astype(int)
        scale = float(rng.uniform(0.8, 1.6))
        moved = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        size = (int((right - left) * scale), int((bottom - top) * scale))
        part = _warped(scene, moved, size, f"part {group}")
        if part.people:
            yield part
            yield _changed(scene, part, moved, rng)


def _changed(scene: Scene, part: Scene, moved: Matrix, rng: np.random.Generator) -> Scene:
    """Blurred, darkened, turned, made smaller, or mirrored."""
    kind = int(rng.integers(0, 5))
    size = (part.image.shape[1], part.image.shape[0])
    if kind == 0:
        image = cv2.GaussianBlur(part.image, (0, 0), rng.uniform(1, 3))
        return Scene(part.source, f"{part.name} blurred", np.asarray(image, np.uint8), part.people)
    if kind == 1:
        image = (part.image * rng.uniform(0.2, 0.5)).astype(np.uint8)
        return Scene(part.source, f"{part.name} darkened", image, part.people)
    if kind == 2:
        angle = float(rng.choice([-25, 25, -60, 60, 90, -90, 180]))
        turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), angle, 1)
        cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
        new = (int(size[1] * sin + size[0] * cos), int(size[1] * cos + size[0] * sin))
        turn[:, 2] += (new[0] / 2 - size[0] / 2, new[1] / 2 - size[1] / 2)
        both = np.vstack([turn, [0, 0, 1]]) @ np.vstack([moved, [0, 0, 1]])
        turned = _warped(scene, both[:2], new, f"{part.name} turned by {angle:g}")
        return turned if turned.people else part
    if kind == 3:
        less = float(rng.uniform(0.3, 0.6))
        new = (max(int(size[0] * less), 24), max(int(size[1] * less), 24))
        return _warped(scene, moved * less, new, f"{part.name} smaller")
    return mirrored(part, f"{part.name} mirrored")


def _warped(scene: Scene, matrix: Matrix, size: tuple[int, int], name: str) -> Scene:
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    image = cv2.warpAffine(
        scene.image, matrix, size, flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    people = []
    for person in scene.people:
        xy = person.xy @ matrix[:, :2].T + matrix[:, 2]
        inside = ((xy >= 0) & (xy < size)).all(axis=1)
        if inside.any():
            xy = np.where(inside[:, None], xy, np.nan)
            people.append(Person(xy, person.area * scale**2, person.box))
    return Scene(scene.source, name, np.asarray(image, np.uint8), tuple(people))


def mirrored(scene: Scene, name: str) -> Scene:
    """The same scene in a mirror, with left and right exchanged."""
    width = scene.image.shape[1]
    people = tuple(
        Person((p.xy * (-1, 1) + (width, 0))[_FLIP], p.area, p.box) for p in scene.people
    )
    return Scene(scene.source, name, np.ascontiguousarray(scene.image[:, ::-1]), people)
