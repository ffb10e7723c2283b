"""Joints that a model invents: what it says about parts of a person that a picture does not show.

Crops cut through annotated people, so that the truth of what is outside is known.  Source: Ex-OKS
of M. Purkrábek, J. Matas, "ProbPose: A Probabilistic Approach to 2D Human Pose Estimation", CVPR
2025 (https://arxiv.org/abs/2412.02254), whose CropCOCO is made alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.bootstrap import SEED, Figure, figure, once, picture_draws, share
from estimators.analysis.accuracy.protocol import Window, box_of, depth_in, window_around
from estimators.analysis.agreement import median_of
from estimators.analysis.matching import joint_similarity
from estimators.analysis.scale import on_coco, torso_length
from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

# A crop is made only where enough joints are known, cuts off this share of them and leaves some.
FEWEST_LABELLED, FEWEST_INSIDE = 6, 3
CUT_SHARES = (0.25, 0.6)
SMALLEST_SIDE_PX = 24
MOST_CROPS = 200


@dataclass(frozen=True, eq=False)
class CutCrop:
    """A part of a picture that cuts through one annotated person.

    Attributes:
        image: the picture.
        person: the person.
        window: what the model sees.
    """

    image: AnnotatedImage
    person: AnnotatedPerson
    window: Window

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Bool [17]: labelled joints that the window shows."""
        return depth_in(self.window, self.person.xy) >= 0

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Bool [17]: labelled joints that it does not show."""
        return self.person.labelled & ~self.inside


def cut_crops(
    images: Sequence[AnnotatedImage], most: int = MOST_CROPS, seed: int = SEED
) -> tuple[CutCrop, ...]:
    """One crop a person, at most `most` of them, in the order of the pictures' ids.

    The window around the person (`protocol.window_around`), cut off from a random side so that a
    random 25 to 60 % of the labelled joints lie outside.  What a picture's crops are depends on its
    id and the seed alone, not on the other pictures.
    """
    crops = []
    for image in sorted(images, key=lambda i: i.image_id):
        for number, person in enumerate(image.people):
            rng = np.random.default_rng([seed, abs(image.image_id), number])
            if person.judged and person.labelled.sum() >= FEWEST_LABELLED:
                crop = _cut(image, person, rng)
                if crop is not None:
                    crops.append(crop)
    if len(crops) > most:
        kept = np.random.default_rng(seed).choice(len(crops), most, replace=False)
        crops = [crops[i] for i in sorted(kept.tolist())]
    return tuple(crops)


def _cut(
    image: AnnotatedImage, person: AnnotatedPerson, rng: np.random.Generator
) -> CutCrop | None:
    """None where the joints lie so that no cut leaves enough of them."""
    whole = window_around(box_of(person), (image.width, image.height))
    seen = person.xy[depth_in(whole, person.xy) >= 0]
    side, outside = int(rng.integers(4)), round(rng.uniform(*CUT_SHARES) * len(seen))
    if not FEWEST_INSIDE <= len(seen) - outside < len(seen):
        return None
    along = np.sort(seen[:, side % 2])  # left, top, right, bottom
    along = along[::-1] if side >= 2 else along
    edges = list(whole)
    edges[side] = round((along[outside - 1] + along[outside]) / 2)
    left, top, right, bottom = edges
    crop = CutCrop(image, person, (left, top, right, bottom))
    small = min(right - left, bottom - top) < SMALLEST_SIDE_PX
    few = crop.inside.sum() < FEWEST_INSIDE or not crop.outside.any()
    return None if small or few else crop


@dataclass(frozen=True)
class InventedJoints:
    """What a model does with joints that its picture does not show.

    Attributes:
        crops: how many were judged.
        joints: labelled joints outside them.
        invented: share of those that it shows inside the picture.
        guessed: share that it shows outside the picture, where they may be.
        left_out: share that it does not show; the three make 1.
        invented_depth: how far inside the picture invented joints lie, median, torso lengths.
        guessed_error: how far from their true place guessed joints lie, median, torso lengths.
        ex_oks: mean over the crops of Ex-OKS over all labelled joints.
        oks: the same of plain OKS over those inside, which no invented joint changes.
    """

    crops: int
    joints: int
    invented: Figure
    guessed: Figure
    left_out: Figure
    invented_depth: float
    guessed_error: float
    ex_oks: Figure
    oks: Figure


@dataclass(frozen=True, eq=False)
class _Judged:
    """One crop, with the answer on COCO-17."""

    picture: int
    outside: NDArray[np.bool_]
    invented: NDArray[np.bool_]
    guessed: NDArray[np.bool_]
    depth: NDArray[np.float64]
    error: NDArray[np.float64]
    ex_oks: float
    oks: float


def invented_joints(
    crops: Sequence[CutCrop], answers: Sequence[PoseSet], threshold: float
) -> InventedJoints:
    """Judges one model's answers to the crops.

    Args:
        answers: for each crop the one person found, or nobody, in pixels of the picture.
        threshold: joints with this score and over are shown.
    """
    judged = [_judge(c, a, threshold) for c, a in zip(crops, answers, strict=True)]
    outside = [j.outside.sum() for j in judged]
    invented, guessed = [j.invented.sum() for j in judged], [j.guessed.sum() for j in judged]
    left = [o - i - g for o, i, g in zip(outside, invented, guessed, strict=True)]
    each = [1.0] * len(judged)
    over = partial(_figure, [j.picture for j in judged])
    return InventedJoints(
        len(judged),
        int(sum(outside)),
        over(invented, outside),
        over(guessed, outside),
        over(left, outside),
        median_of(np.concatenate([np.zeros(0), *(j.depth[j.invented] for j in judged)])),
        median_of(np.concatenate([np.zeros(0), *(j.error[j.guessed] for j in judged)])),
        over([j.ex_oks for j in judged], each),
        over([j.oks for j in judged], each),
    )


def _figure(pictures: Sequence[int], top: Sequence[float], bottom: Sequence[float]) -> Figure:
    """Sum of `top` over sum of `bottom`, a value a crop, with the interval over pictures."""
    numbers, place = np.unique(pictures, return_inverse=True)
    tops, bottoms = np.zeros(len(numbers)), np.zeros(len(numbers))
    np.add.at(tops, place, top)
    np.add.at(bottoms, place, bottom)
    value = share(tops, bottoms, once(len(numbers))).item()
    draws = share(tops, bottoms, picture_draws(len(numbers)))
    return figure(value, draws, len(numbers), int(bottoms.sum()))


def _judge(crop: CutCrop, answer: PoseSet, threshold: float) -> _Judged:
    xy = np.full((len(COCO_17), 2), np.nan)
    if len(answer):
        shown = np.where(answer.visible(threshold)[..., None], answer.xy, np.nan)
        (xy,) = on_coco(shown, answer.skeleton)
    person, there = crop.person, depth_in(crop.window, xy) >= 0
    distance = ex_oks_distance(crop, xy)
    torso = float(torso_length(person.xy))
    off = np.column_stack([distance, np.zeros_like(distance)])
    similarity = joint_similarity(off, np.zeros_like(off), np.asarray(person.area))
    plain = np.nan_to_num(joint_similarity(xy, person.xy, np.asarray(person.area)))
    present = np.isfinite(xy).all(axis=1)
    return _Judged(
        crop.image.image_id,
        crop.outside,
        crop.outside & there,
        crop.outside & present & ~there,
        depth_in(crop.window, xy) / torso,
        np.linalg.norm(xy - person.xy, axis=1) / torso,
        float(similarity[person.labelled].mean()),
        float(plain[crop.inside].mean()),
    )


def ex_oks_distance(crop: CutCrop, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distance that Ex-OKS counts for each joint, float64 [17], pixels.

    d(x*, x') where truth x* and prediction x' are both in the window; where only one is, its
    distance from the window's edge; 0 where neither is.  A joint that is not shown, or shown
    outside the window, is not in it.  The distance from the edge is to its nearest point; the
    published code adds the squares of both axes' distances.

    Args:
        xy: [17, 2], the joints shown, NaN where none is.
    """
    truth, window = crop.person.xy, crop.window
    here, there = crop.inside, depth_in(window, xy) >= 0
    both = np.linalg.norm(np.nan_to_num(xy) - np.nan_to_num(truth), axis=1)
    return np.select(
        [here & there, there, here], [both, depth_in(window, xy), depth_in(window, truth)], 0.0
    )
