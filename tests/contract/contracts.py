"""What every adapter promises, whatever its model; each contract takes a `Subject`.

Tolerances are in pixels of the frames used here, in which the person is about 400 pixels tall, and
hold for the median over the joints that the model itself is sure of: what differs is the model's
own reaction to other pixels, while a mistake in the geometry moves all joints alike.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from estimators.errors import ModelError
from estimators.media import clips
from estimators.media.pictures import read_picture
from estimators.media.samples import FOLDER
from estimators.registry import ModelSpec
from estimators.skeletons import COCO_17
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet

MOVE_PX = (37, 21)
MOVED_TOLERANCE_PX = 8.0
MIRRORED_TOLERANCE_PX = 8.0
JPEG_TOLERANCE_PX = 4.0
FOLLOWED_TOLERANCE_TORSO = 0.1
GREY = 127

CONTRACTS: list[Callable[[Subject], None]] = []

Person = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""COCO-17 joints [17, 2] in frame pixels, and which of them the model is sure of [17]."""


@dataclass(frozen=True)
class Subject:
    """A model under contract.

    Attributes:
        picture: estimates one picture.
        clip: estimates frames in a new session with `EstimatorOptions(video=True)`.
    """

    spec: ModelSpec
    picture: Callable[[Frame, EstimatorOptions], Estimate]
    clip: Callable[[Sequence[Frame]], list[Estimate]]

    def poses(self, image: NDArray[np.uint8], max_people: int | None = None) -> PoseSet:
        return self.picture(Frame(image), EstimatorOptions(max_people=max_people)).poses

    def person(self, image: NDArray[np.uint8]) -> Person:
        return clearest(self.poses(image), self.spec)


def contract(check: Callable[[Subject], None]) -> Callable[[Subject], None]:
    """Registers a check, which from then on every adapter has to pass."""
    CONTRACTS.append(check)
    return check


def clearest(poses: PoseSet, spec: ModelSpec) -> Person:
    """The clearest person."""
    assert len(poses) >= 1, "nobody was found"
    person = poses.select([int(np.argmax(scores(poses)))]).to_skeleton(COCO_17)
    return person.xy[0], person.visible(spec.default_threshold)[0]


@cache
def clip_frames() -> tuple[Frame, ...]:
    """Eight frames of the sample clip around a man who stands upright and faces the camera."""
    clip = clips.open_clip(FOLDER / "balance.mp4")
    return tuple(
        Frame(np.ascontiguousarray(frame.image[150:680, 60:460]), frame.index, frame.time_s)
        for frame in clips.frames(clip)
        if 78 <= frame.index < 86
    )


def person_image() -> NDArray[np.uint8]:
    return clip_frames()[4].image


def scores(poses: PoseSet) -> NDArray[np.float32]:
    """The model's trust in each person, or that in their joints where it says no more."""
    return poses.score.mean(axis=1) if poses.pose_score is None else poses.pose_score


def same(one: PoseSet, other: PoseSet) -> bool:
    """Equal to the last bit."""
    pairs = [(one.xy, other.xy), (one.score, other.score), (scores(one), scores(other))]
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def apart_px(
    one: NDArray[np.float32], other: NDArray[np.float32], sure: NDArray[np.bool_]
) -> float:
    """Median distance of the joints that are sure in both, which must be half of them."""
    assert sure.sum() >= len(sure) / 2, f"only {sure.sum()} joints are sure"
    return float(np.median(np.linalg.norm(one - other, axis=-1)[sure]))


@contract
def nobody_in_the_picture(subject: Subject) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    ramp = np.linspace(0, 255, 640).astype(np.uint8)
    for image in (
        np.full((480, 640, 3), GREY, np.uint8),
        np.zeros((640, 360, 3), np.uint8),
        np.broadcast_to(ramp[None, :, None], (480, 640, 3)),
        noise,
    ):
        poses = subject.poses(image).strong(subject.spec.default_pose_threshold)
        assert len(poses) == 0


@contract
def well_formed_answers(subject: Subject) -> None:
    spec = subject.spec
    frame = Frame(person_image(), index=41, time_s=1.25)
    estimate = subject.picture(frame, EstimatorOptions())
    poses, timings = estimate.poses, estimate.timings_ms
    assert (estimate.frame_index, estimate.time_s) == (41, 1.25)
    assert min(timings.preprocess, timings.inference, timings.postprocess) >= 0
    assert timings.inference > 0
    assert poses.skeleton == spec.skeleton
    assert 1 <= len(poses) <= spec.max_people
    if poses.pose_score is not None:
        assert (np.diff(poses.pose_score) <= 0).all(), "strongest first"
    assert np.isfinite(poses.score).all()
    assert (poses.world_m is not None) == spec.gives_3d
    if spec.score_kind != "logit":
        assert ((poses.score >= 0) & (poses.score <= 1)).all()


@contract
def sure_joints_lie_in_the_frame(subject: Subject) -> None:
    image = person_image()
    xy, sure = subject.person(image)
    height, width = image.shape[:2]
    assert sure.sum() >= 9
    assert ((xy[sure] > 0) & (xy[sure] < (width, height))).all()


@contract
def a_moved_picture_moves_the_pose(subject: Subject) -> None:
    """Seen through a window that moves over it, so that nothing new has to be painted."""
    image = person_image()
    right, down = MOVE_PX
    first, sure = subject.person(np.ascontiguousarray(image[down:, right:]))
    second, also = subject.person(np.ascontiguousarray(image[:-down, :-right]))
    assert apart_px(first + MOVE_PX, second, sure & also) < MOVED_TOLERANCE_PX


@contract
def a_mirrored_picture_mirrors_the_pose(subject: Subject) -> None:
    image = person_image()
    xy, sure = subject.person(image)
    other, other_sure = subject.person(np.ascontiguousarray(image[:, ::-1]))
    flip = list(COCO_17.flip_indices)
    back = (image.shape[1], 0) - other[flip] * (1, -1)
    assert apart_px(xy, back.astype(np.float32), sure & other_sure[flip]) < MIRRORED_TOLERANCE_PX


@contract
def the_file_format_does_not_matter(subject: Subject) -> None:
    found = []
    for options in ({"format": "PNG"}, {"format": "JPEG", "quality": 95}):
        file = io.BytesIO()
        Image.fromarray(person_image()).save(file, **options)
        found.append(subject.person(read_picture(file.getvalue()).image))
    (png, png_sure), (jpeg, jpeg_sure) = found
    assert apart_px(png, jpeg, png_sure & jpeg_sure) < JPEG_TOLERANCE_PX


@contract
def the_same_picture_gives_the_same_answer(subject: Subject) -> None:
    first = subject.poses(person_image())
    subject.poses(np.full((300, 200, 3), GREY, np.uint8))
    assert same(subject.poses(person_image()), first)


@contract
def no_more_people_than_asked_for(subject: Subject) -> None:
    everyone = subject.poses(person_image())
    one = subject.poses(person_image(), max_people=1)
    assert len(one) == 1
    assert abs(float(scores(one)[0]) - float(scores(everyone)[0])) < 0.05


@contract
def odd_shapes_are_taken(subject: Subject) -> None:
    """Answered or refused in words, by a picture and in a clip; none ends the model's process.

    At 32,767 pixels 16-bit numbers end, inside more than one library.
    """
    shapes = (1, 1), (40, 3), (33, 900), (2, 8000), (40_000, 3), (3, 40_000), (32_767, 20)
    for height, width in shapes:
        frame = Frame(np.full((height, width, 3), GREY, np.uint8))
        for answer in (_answered(subject.poses, frame.image), _answered(subject.clip, [frame])):
            assert not isinstance(answer, ModelError) or (
                # The subclasses tell of processes that were lost.
                type(answer) is ModelError and answer.advice
            ), answer


def _answered(ask: Callable[..., object], *arguments: object) -> object:
    try:
        return ask(*arguments)
    except ModelError as refusal:
        return refusal


@contract
def the_same_clip_gives_the_same_answers(subject: Subject) -> None:
    """A new session knows nothing of an earlier one."""
    first, second = (subject.clip(clip_frames()) for _ in range(2))
    assert all(same(a.poses, b.poses) for a, b in zip(first, second, strict=True))
    assert [e.frame_index for e in first] == [f.index for f in clip_frames()]


@contract
def a_clip_follows_its_person(subject: Subject) -> None:
    """The median frame lies within a tenth of the torso of what the picture alone gives."""
    sides = ("left", "right")
    distances = []
    for frame, estimate in zip(clip_frames(), subject.clip(clip_frames()), strict=True):
        alone = subject.person(frame.image)
        followed = clearest(estimate.poses, subject.spec)
        ends = [
            alone[0][[COCO_17.index(f"{s}_{end}") for s in sides]] for end in ("hip", "shoulder")
        ]
        torso = np.linalg.norm(ends[0].mean(axis=0) - ends[1].mean(axis=0))
        distances.append(apart_px(alone[0], followed[0], alone[1] & followed[1]) / torso)
        if not subject.spec.stateful:
            assert distances[-1] == 0
    assert np.median(distances) < FOLLOWED_TOLERANCE_TORSO
