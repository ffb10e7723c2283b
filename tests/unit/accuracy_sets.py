"""Small annotated sets and predictions on them, for the tests of accuracy."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.cocoeval import Params

from estimators.annotated import VISIBLE, AnnotatedImage, AnnotatedPerson, AnnotatedSet
from estimators.skeletons import COCO_17

K = len(COCO_17)
SIDE = 640
# Upright, the torso 100 px long, the box around the joints 60 × 285 px.
STANDING = np.array(
    [
        *((50, 0), (55, -5), (45, -5), (60, 0), (40, 0), (75, 40), (25, 40), (80, 90), (20, 90)),
        *((80, 130), (20, 130), (65, 140), (35, 140), (65, 210), (35, 210), (65, 280), (35, 280)),
    ],
    np.float64,
)
AREA = 10_000.0


def joint(name: str) -> int:
    return COCO_17.index(name)


def at(x: float, y: float = 100.0, scale: float = 1.0) -> np.ndarray:
    """Somebody standing with the left edge there."""
    return STANDING * scale + (x, y)


def at_ks(name: str, ks: float) -> float:
    """Pixels that give a joint of somebody with `AREA` this KS, by pycocotools' own numbers."""
    return (
        2
        * float(Params("keypoints").kpt_oks_sigmas[joint(name)])
        * math.sqrt(-2 * AREA * math.log(ks))
    )


def person(
    xy: np.ndarray, joints: Sequence[str] = COCO_17.joints, flag: int = VISIBLE, **given: Any
) -> AnnotatedPerson:
    flags = np.array([flag if name in joints else 0 for name in COCO_17.joints])
    given.setdefault("area", AREA)
    return AnnotatedPerson(xy, flags, **given)


def images(*people: Sequence[AnnotatedPerson], side: int = SIDE) -> list[AnnotatedImage]:
    """One picture for each group of people; ids from 1."""
    return [
        AnnotatedImage(f"{i}.jpg", side, side, tuple(group), image_id=i)
        for i, group in enumerate(people, 1)
    ]


def result(
    image_id: int, xy: np.ndarray, score: float = 1.0, joint_score: Any = 1.0
) -> dict[str, Any]:
    """One person as `export.coco.coco_results` writes it; NaN is an absent joint."""
    present = np.isfinite(xy).all(axis=1)
    points = np.where(present[:, None], np.round(xy - 0.5, 3), 0.0)
    return {
        "image_id": image_id,
        "category_id": 1,
        "keypoints": np.column_stack([points, present]).ravel().tolist(),
        "score": score,
        "keypoint_scores": np.broadcast_to(joint_score, K).tolist(),
    }


def random_set(seed: int = 0, pictures: int = 12) -> list[AnnotatedImage]:
    """Pictures with none to three people of all of COCO's sizes, a crowd and unlabelled joints."""
    rng = np.random.default_rng(seed)
    groups = []
    for number in range(pictures):
        group = []
        for _ in range(int(rng.integers(0 if number else 1, 4))):
            scale = float(rng.choice([0.1, 0.3, 0.9]))
            xy = at(*rng.uniform(20, 350, 2), scale=scale) + rng.normal(0, 8 * scale, (K, 2))
            some = rng.choice(COCO_17.joints, int(rng.integers(4, 18)), replace=False)
            group.append(person(xy, tuple(some), area=scale**2 * 12_000, box_xyxy=_box(xy)))
        groups.append(group)
    crowd = person(at(300), (), area=5000.0, iscrowd=True, box_xyxy=(250, 50, 450, 400))
    groups[0].append(crowd)
    return images(*groups)


def random_results(
    pictures: Sequence[AnnotatedImage], seed: int = 1, noise: float = 0.08
) -> list[dict[str, Any]]:
    """A middling model: some people missed, some invented, joints off, scores with ties."""
    rng = np.random.default_rng(seed)
    found = []
    for image in pictures:
        for somebody in image.people:
            if rng.random() < 0.85:
                spread = np.sqrt(somebody.area) * noise * rng.uniform(0.2, 1.5)
                known = np.where(somebody.labelled[:, None], somebody.xy, 300.0)
                xy = known + rng.normal(0, spread, (K, 2))
                found.append(_scored(rng, image.image_id, xy))
        if rng.random() < 0.3:
            found.append(_scored(rng, image.image_id, at(*rng.uniform(0, 400, 2))))
    return found


def _scored(rng: np.random.Generator, image_id: int, xy: np.ndarray) -> dict[str, Any]:
    xy[rng.random(K) < 0.05] = np.nan
    score = round(float(rng.random()), 1)
    return result(image_id, xy, score, np.round(rng.random(K), 3))


def _box(xy: np.ndarray) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = xy.min(axis=0), xy.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def coco_dataset(pictures: Sequence[AnnotatedImage]) -> dict[str, Any]:
    """The set as a COCO file, written without any code of the product."""
    annotations = []
    for image in pictures:
        for p in image.people:
            xy = np.where(p.labelled[:, None], p.xy - 0.5, 0.0)
            left, top, right, bottom = p.box_xyxy or _box(np.nan_to_num(p.xy))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image.image_id,
                    "category_id": 1,
                    "iscrowd": int(p.iscrowd),
                    "num_keypoints": int((p.visibility > 0).sum()),
                    "keypoints": np.column_stack([xy, p.visibility]).ravel().tolist(),
                    "bbox": [left, top, right - left, bottom - top],
                    "area": p.area,
                }
            )
    listed = [{"id": i.image_id, "file_name": i.file} for i in pictures]
    return {"images": listed, "annotations": annotations, "categories": [{"id": 1}]}


def pycocotools_stats(dataset: dict[str, Any], results: list[dict[str, Any]]) -> np.ndarray:
    """What `pycocotools` itself says, by its own way in."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO()
    truth.dataset = json.loads(json.dumps(dataset))
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(json.loads(json.dumps(results))), "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return np.where(evaluation.stats < 0, np.nan, evaluation.stats)


def read_coco(path: Path) -> list[AnnotatedImage]:
    """A COCO file's pictures, read without any code of the product."""
    data = json.loads(path.read_text("utf-8"))
    people: dict[int, list[AnnotatedPerson]] = {}
    for a in data["annotations"]:
        points = np.reshape(a["keypoints"], (K, 3)).astype(float)
        x, y, w, h = a["bbox"]
        people.setdefault(a["image_id"], []).append(
            AnnotatedPerson(
                points[:, :2] + 0.5,
                points[:, 2],
                (x, y, x + w, y + h),
                a["area"],
                iscrowd=bool(a["iscrowd"]),
            )
        )
    return [
        AnnotatedImage(
            i["file_name"],
            i["width"],
            i["height"],
            tuple(people.get(i["id"], ())),
            image_id=i["id"],
        )
        for i in data["images"]
    ]


def annotated_set(pictures: Sequence[AnnotatedImage]) -> AnnotatedSet:
    """The pictures as a set, everybody with a number of their own."""
    numbers = count(1)
    made = []
    for image in pictures:
        people = tuple(replace(p, annotation_id=next(numbers)) for p in image.people)
        made.append(replace(image, people=people, picture=Path(image.file)))
    return AnnotatedSet(tuple(made))
