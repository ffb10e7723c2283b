"""Annotated sets and predictions changed in ways that must not change what is said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from accuracy_sets import SIDE, K, result

from estimators.annotated import AnnotatedImage
from estimators.skeletons import COCO_17

CHANGES = ("shuffled", "renumbered", "mirrored", "scaled", "turned")
SCALE = 3

Answers = list[dict[str, Any]]


def changed(
    pictures: list[AnnotatedImage], models: dict[str, Answers], how: str
) -> tuple[list[AnnotatedImage], dict[str, Answers]]:
    """The same people and answers; "" changes nothing."""
    numbers = {p.image_id: p.image_id * 7 + 3 for p in pictures} if how == "renumbered" else {}
    made = [_picture(image, how, numbers) for image in pictures]
    answers = {m: [_answer(r, how, numbers) for r in found] for m, found in models.items()}
    if how == "shuffled":
        order = np.random.default_rng(0).permutation(len(made))
        made = [made[i] for i in order]
        answers = {m: found[::-1] for m, found in answers.items()}
    return made, answers


def without_absent(results: Answers) -> Answers:
    """Absent joints stand at 0, 0 for COCO, wherever the picture is turned: here there are none."""
    return [
        {**r, "keypoints": [1.0 if i % 3 == 2 else v or 300.0 for i, v in enumerate(points)]}
        for r in results
        for points in [r["keypoints"]]
    ]


def _moved(xy: np.ndarray, how: str) -> np.ndarray:
    if how == "mirrored":
        return (xy * (-1, 1) + (SIDE, 0))[_order(how)]
    if how == "turned":
        return xy[:, ::-1] * (1, -1) + (0, SIDE)
    return xy * SCALE if how == "scaled" else xy


def _order(how: str) -> list[int]:
    return list(COCO_17.flip_indices) if how == "mirrored" else list(range(K))


def _picture(image: AnnotatedImage, how: str, numbers: dict[int, int]) -> AnnotatedImage:
    by = SCALE if how == "scaled" else 1
    people = tuple(
        replace(
            p,
            xy=_moved(p.xy, how),
            visibility=p.visibility[_order(how)],
            area=p.area * by**2,
            box_xyxy=_moved_box(p.box_xyxy, how),
        )
        for p in image.people
    )
    number = numbers.get(image.image_id, image.image_id)
    size = {"width": image.width * by, "height": image.height * by}
    return replace(image, people=people, image_id=number, **size)


def _answer(r: dict[str, Any], how: str, numbers: dict[int, int]) -> dict[str, Any]:
    points = np.reshape(r["keypoints"], (K, 3))
    xy = np.where(points[:, 2:] > 0, points[:, :2] + 0.5, np.nan)
    scores = np.array(r["keypoint_scores"])[_order(how)]
    number = numbers.get(r["image_id"], r["image_id"])
    return result(number, _moved(xy, how), r["score"], scores)


def _moved_box(box: Any, how: str) -> Any:
    if box is None:
        return box
    corners = np.full((K, 2), box[:2])
    corners[1] = box[2:]
    moved = _moved(corners, how)
    return (*moved.min(axis=0), *moved.max(axis=0))
