"""Annotated people and predicted people in flat arrays: what every number here is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.scale import joint_box
from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.skeletons import COCO_17

# COCO's keypoints are pixel indices: the centre of pixel 0 is 0, where ours is 0.5.  Boxes are not.
COCO_SHIFT_PX = 0.5
K = len(COCO_17)
# So large that whoever is left over in the picture is near enough; COCO's own largest.
_ANY_AREA = 1e10

Results = Sequence[Mapping[str, Any]]
"""One model's people as `export.coco.coco_results` writes them, in the upright picture's pixels."""


@dataclass(frozen=True, eq=False)
class Truth:
    """I pictures in the order of their ids, and the G people in them who are judged.

    Like `pycocotools` it judges whoever is no crowd and has a labelled joint; but nobody whose area
    is unknown or zero, since OKS cannot be told: one prediction in the picture may be them.

    Attributes:
        pictures: the pictures; everything below counts them from 0.
        picture: int64 [G], the picture of each person.
        person: int64 [G], its place in `AnnotatedImage.people`.
        xy: float64 [G, 17, 2], continuous pixels (`estimators.types`), NaN where not labelled.
        visibility: int8 [G, 17], COCO's flags.
        area: float64 [G], square pixels.
        box: float64 [G, 4], left, top, right, bottom; around the joints where there is none.
        head_px: float64 [G], what PCKh divides by, NaN where there is no head.
        entries: everybody as COCO annotations, those who are not judged too, in the pixels that the
            file counts in: `pycocotools` tells medium people from large ones by them.
    """

    pictures: tuple[AnnotatedImage, ...]
    picture: NDArray[np.int64]
    person: NDArray[np.int64]
    xy: NDArray[np.float64]
    visibility: NDArray[np.int8]
    area: NDArray[np.float64]
    box: NDArray[np.float64]
    head_px: NDArray[np.float64]
    entries: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, images: Sequence[AnnotatedImage]) -> Self:
        """The table of a set.

        Raises:
            ValueError: two pictures have one id.
        """
        pictures = tuple(sorted(images, key=lambda image: image.image_id))
        if len({image.image_id for image in pictures}) < len(pictures):
            raise ValueError("two pictures have the same id")
        everybody = [(i, j, p) for i, im in enumerate(pictures) for j, p in enumerate(im.people)]
        judged = [(i, j, p) for i, j, p in everybody if _is_judged(p)]
        return cls(
            pictures,
            np.array([i for i, _, _ in judged], np.int64),
            np.array([j for _, j, _ in judged], np.int64),
            np.array([p.xy for _, _, p in judged], np.float64).reshape(len(judged), K, 2),
            np.array([p.visibility for _, _, p in judged], np.int8).reshape(len(judged), K),
            np.array([p.area for _, _, p in judged], np.float64),
            np.array([_box(p) for _, _, p in judged], np.float64).reshape(len(judged), 4),
            np.array([p.head_px for _, _, p in judged], np.float64),
            tuple(_entry(p, n, i, pictures[i]) for n, (i, _, p) in enumerate(everybody, 1)),
        )

    def __len__(self) -> int:
        return len(self.picture)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Bool [G, 17]: the joints that count."""
        labelled: NDArray[np.bool_] = self.visibility > 0
        return labelled

    @cached_property
    def annotation(self) -> NDArray[np.int64]:
        """Int64 [G], the number of each person in `entries`."""
        judged = [e["id"] for e in self.entries if e["num_keypoints"] and not e["iscrowd"]]
        return np.array(judged, np.int64)

    def a_picture(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Float64 [I]: the sum of [G] or [G, 17] values over the people of each picture."""
        sums = np.zeros(len(self.pictures))
        np.add.at(sums, self.picture, values.sum(axis=tuple(range(1, values.ndim))))
        return sums


def _is_judged(person: AnnotatedPerson) -> bool:
    return person.judged and 0 < person.area < np.inf


def _box(person: AnnotatedPerson) -> NDArray[np.float64]:
    if person.box_xyxy is not None:
        return np.array(person.box_xyxy, np.float64)
    return np.nan_to_num(joint_box(person.xy))


def _entry(
    person: AnnotatedPerson, number: int, picture: int, image: AnnotatedImage
) -> dict[str, Any]:
    """One COCO annotation; `keypoints` is an array so that nothing is converted for every pair."""
    sized = person.iscrowd or 0 < person.area < np.inf
    flags = person.visibility if sized else np.zeros(K, np.int8)
    labelled = flags[:, None] > 0
    xy = np.where(labelled, as_counted(np.where(labelled, person.xy, 0) - COCO_SHIFT_PX, image), 0)
    corners = _box(person).reshape(2, 2)
    if image.to_annotated is not None:
        corners = as_counted(corners - COCO_SHIFT_PX, image) + COCO_SHIFT_PX
    left, top = corners.min(axis=0).tolist()
    width, height = np.ptp(corners, axis=0).tolist()
    return {
        "id": number,
        "image_id": picture,
        "iscrowd": int(person.iscrowd),
        "num_keypoints": int((flags > 0).sum()),
        "keypoints": np.column_stack([xy, flags]).ravel(),
        "bbox": [left, top, width, height],
        "area": float(person.area) * _magnified(image) if sized else _ANY_AREA,
    }


def as_counted(indices: NDArray[np.float64], image: AnnotatedImage) -> NDArray[np.float64]:
    """Pixel indices [..., 2] of the upright picture in the pixels that the file counts in."""
    if image.to_annotated is None:
        return indices
    matrix = image.to_annotated
    counted: NDArray[np.float64] = (indices + COCO_SHIFT_PX) @ matrix[:, :2].T + matrix[:, 2]
    return counted - COCO_SHIFT_PX


def _magnified(image: AnnotatedImage) -> float:
    """How many of the file's square pixels one of the picture's is."""
    return 1.0 if image.to_annotated is None else abs(np.linalg.det(image.to_annotated[:, :2]))


@dataclass(frozen=True, eq=False)
class Predictions:
    """The D people that one model found in the pictures of a `Truth`, in the order given.

    Attributes:
        picture: int64 [D].
        keypoints: float64 [D, 51], as exported: what `pycocotools` compares.
        xy: float64 [D, 17, 2], continuous pixels, NaN where the model gives no position.
        joint_score: float64 [D, 17], the model's own scale; NaN where the results have none.
        score: float64 [D].
    """

    picture: NDArray[np.int64]
    keypoints: NDArray[np.float64]
    xy: NDArray[np.float64]
    joint_score: NDArray[np.float64]
    score: NDArray[np.float64]

    @classmethod
    def of(cls, results: Results, truth: Truth) -> Self:
        """The table of one model's results.

        A joint at x = y = v = 0, or at no number, counts as absent.

        Raises:
            ValueError: a result is of a picture that is not in the set, or has no score.
        """
        places = {image.image_id: i for i, image in enumerate(truth.pictures)}
        unknown = {r["image_id"] for r in results} - places.keys()
        if unknown:
            raise ValueError(f"the set has no picture {sorted(unknown)[0]}")
        score = np.array([r["score"] for r in results], np.float64)
        if not np.isfinite(score).all():
            raise ValueError("a result has no score")
        given = np.array([r["keypoints"] for r in results], np.float64).reshape(len(results), K, 3)
        given = np.where(np.isfinite(given).all(axis=-1, keepdims=True), given, 0.0)
        absent = (given == 0).all(axis=-1, keepdims=True)
        none = [np.nan] * K
        joint_score = [r.get("keypoint_scores", none) for r in results]
        return cls(
            np.array([places[r["image_id"]] for r in results], np.int64),
            given.reshape(len(results), 3 * K),
            np.where(absent, np.nan, given[..., :2] + COCO_SHIFT_PX),
            np.array(joint_score, np.float64).reshape(len(results), K),
            score,
        )

    def __len__(self) -> int:
        return len(self.picture)

    @property
    def positioned(self) -> NDArray[np.bool_]:
        """Bool [D, 17]: the joints that the model gives a position."""
        return np.asarray(np.isfinite(self.xy).all(axis=2))

    def select(self, people: NDArray[np.bool_]) -> Predictions:
        """The people picked by a bool [D] mask."""
        return Predictions(
            self.picture[people],
            self.keypoints[people],
            self.xy[people],
            self.joint_score[people],
            self.score[people],
        )


def of_found(values: NDArray[np.float64], found: NDArray[np.int64]) -> NDArray[np.float64]:
    """[G, ...]: of `values` [D, ...] those of the prediction that each person is.

    Args:
        found: int64 [G]; -1, nobody, gives NaN.
    """
    out = np.full((len(found), *values.shape[1:]), np.nan)
    there = found >= 0
    out[there] = values[found[there]]
    return out
