"""Core types: frames in, poses out.

Arrays are validated on construction and read-only afterwards.  Coordinates are continuous pixels of
the original frame: the origin is the outer corner of the top-left pixel, x grows to the right, y
downwards, so the centre of pixel (column c, row r) is (c + 0.5, r + 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from estimators import devices
from estimators.errors import InputError
from estimators.skeletons import Skeleton

ScoreKind = Literal["confidence", "visibility", "logit"]


def _frozen(name: str, value: Any, dtype: DTypeLike, shape: tuple[int | None, ...]) -> Any:
    """`value` as a read-only array of `dtype`; raises ValueError when `shape` does not fit."""
    array = np.asarray(value)
    fits = array.ndim == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        expected = "[" + ", ".join("any" if s is None else str(s) for s in shape) + "]"
        raise ValueError(f"{name}: expected shape {expected}, got {list(array.shape)}")
    array = np.ascontiguousarray(array, dtype=dtype)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture or one frame of a clip.

    Attributes:
        image: uint8 [H, W, 3], RGB; not copied, treated as read-only.
        index: position in its clip, 0 for a picture.
        time_s: seconds from the start of the clip.
        full_size: width and height of the picture that `image` is a smaller copy of; the size of
            `image` where it is none.  Poses are told in pixels of that picture.

    Raises:
        ValueError: wrong shape, empty picture, or a dtype other than uint8.
    """

    image: NDArray[np.uint8]
    index: int = 0
    time_s: float = 0.0
    full_size: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if np.asarray(self.image).dtype != np.uint8:
            raise ValueError(f"image: expected uint8, got {np.asarray(self.image).dtype}")
        image = _frozen("image", self.image, np.uint8, (None, None, 3))
        if 0 in image.shape:
            raise ValueError(f"image: expected at least one pixel, got {list(image.shape)}")
        object.__setattr__(self, "image", image)
        if self.full_size == (0, 0):
            object.__setattr__(self, "full_size", (self.width, self.height))

    @property
    def height(self) -> int:
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        return int(self.image.shape[1])


@dataclass(frozen=True, eq=False)
class PoseSet:
    """The N people that one model found in one frame, strongest first where the model ranks them.

    Attributes:
        skeleton: the meaning of the K axis.
        xy: float32 [N, K, 2], pixels of the original frame (see module); NaN where absent; may lie
            outside the frame.
        score: float32 [N, K] on the model's own scale (`ModelSpec.score_kind` names it).
        pose_score: float32 [N], the model's trust in each person, or None.
        box_xyxy: float32 [N, 4], (left, top, right, bottom) in pixels, or None.
        world_m: float32 [N, K, 3], metres around the hip centre, or None.

    Raises:
        ValueError: an array's shape does not fit the others; the message gives both.
    """

    skeleton: Skeleton
    xy: NDArray[np.float32]
    score: NDArray[np.float32]
    pose_score: NDArray[np.float32] | None = None
    box_xyxy: NDArray[np.float32] | None = None
    world_m: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        k = len(self.skeleton)
        n = len(self.xy)
        shapes: dict[str, tuple[int, ...]] = {
            "xy": (n, k, 2),
            "score": (n, k),
            "pose_score": (n,),
            "box_xyxy": (n, 4),
            "world_m": (n, k, 3),
        }
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _frozen(name, value, np.float32, shape))

    def __len__(self) -> int:
        return len(self.xy)

    @classmethod
    def empty(cls, skeleton: Skeleton) -> Self:
        """Nobody: N = 0."""
        k = len(skeleton)
        return cls(skeleton, np.zeros((0, k, 2), np.float32), np.zeros((0, k), np.float32))

    def select(self, people: Any) -> PoseSet:
        """The people picked by `people`, a bool [N] mask or an integer index array."""

        def pick(array: Any) -> Any:
            return None if array is None else array[people]

        return replace(
            self,
            xy=self.xy[people],
            score=self.score[people],
            pose_score=pick(self.pose_score),
            box_xyxy=pick(self.box_xyxy),
            world_m=pick(self.world_m),
        )

    def scaled(self, x: float, y: float) -> PoseSet:
        """The same people in a picture that is `x` times as wide and `y` times as high."""
        if (x, y) == (1.0, 1.0):
            return self
        by = np.array([x, y], np.float32)
        box = None if self.box_xyxy is None else self.box_xyxy * np.tile(by, 2)
        return replace(self, xy=self.xy * by, box_xyxy=box)

    def strong(self, pose_threshold: float) -> PoseSet:
        """The people whose `pose_score` is at least `pose_threshold`, or who have none."""
        return self if self.pose_score is None else self.select(self.over(pose_threshold))

    def over(self, pose_threshold: float) -> NDArray[np.bool_]:
        """Bool [N]: the `pose_score` is at least `pose_threshold`, or there is none."""
        if self.pose_score is None:
            return np.ones(len(self), np.bool_)
        over: NDArray[np.bool_] = ~(self.pose_score < pose_threshold)
        return over

    def visible(self, threshold: float) -> NDArray[np.bool_]:
        """Bool [N, K]: the joint has a position and its score is at least `threshold`."""
        present = np.isfinite(self.xy[..., 0]) & np.isfinite(self.xy[..., 1])
        return present & (self.score >= threshold)

    def to_skeleton(self, target: Skeleton) -> PoseSet:
        """The same people on `target`, joints mapped by name; joints it lacks become NaN, score 0.

        Raises:
            ValueError: the two skeletons share no joint.
        """
        if target is self.skeleton:
            return self
        have = self.skeleton.joints
        source = [have.index(j) for j in target.joints if j in have]
        dest = [i for i, j in enumerate(target.joints) if j in have]
        if not dest:
            raise ValueError(f"{self.skeleton.name} and {target.name} share no joint")

        def mapped(array: NDArray[np.float32], fill: float) -> NDArray[np.float32]:
            out = np.full((len(self), len(target), *array.shape[2:]), fill, np.float32)
            out[:, dest] = array[:, source]
            return out

        world = None if self.world_m is None else mapped(self.world_m, np.nan)
        return replace(
            self,
            skeleton=target,
            xy=mapped(self.xy, np.nan),
            score=mapped(self.score, 0.0),
            world_m=world,
        )


@dataclass(frozen=True)
class Timings:
    """Milliseconds of each stage, measured inside the process that hosts the model."""

    preprocess: float
    inference: float
    postprocess: float

    @property
    def total(self) -> float:
        return self.preprocess + self.inference + self.postprocess


@dataclass(frozen=True, eq=False)
class Estimate:
    """What one model says about one frame."""

    poses: PoseSet
    timings_ms: Timings
    frame_index: int = 0
    time_s: float = 0.0

    def in_full_size(self, frame: Frame) -> Estimate:
        """The answer about `frame.image` in pixels of the picture that it is a copy of."""
        width, height = frame.full_size
        if (width, height) == (frame.width, frame.height):
            return self
        return replace(self, poses=self.poses.scaled(width / frame.width, height / frame.height))


@dataclass(frozen=True)
class EstimatorOptions:
    """How one estimator is used; the knobs that change its answers.

    Attributes:
        video: frames are consecutive frames of one clip or stream, so that stateful models may
            follow their person; False treats every frame as an unrelated picture.
        max_people: most people to return, None for the variant's own limit.
        device: where to compute, a wish of `devices`; "" for what the runner was told.

    Raises:
        InputError: one of them has no such value.
    """

    video: bool = False
    max_people: int | None = None
    device: str = ""

    def __post_init__(self) -> None:
        people = self.max_people
        if people is not None and (type(people) is not int or people < 1):
            raise InputError(f"max_people is {people!r}.", "Ask for at least one person.")
        if type(self.video) is not bool:
            raise InputError(f"video is {self.video!r}.", "Say True for a clip, else False.")
        if self.device:
            devices.wish("device", self.device)


class PoseEstimator(Protocol):
    """One picture sequence through one model.

    One whose frames do not depend on each other may also offer `estimate_together(frames)`, a list
    of estimates in their order; `Placement.batch` of its model says for how many at most.
    """

    def estimate(self, frame: Frame) -> Estimate:
        """Poses in pixels of `frame`, with the time each stage took."""

    def reset(self) -> None:
        """Forget earlier frames: the next frame starts a new clip."""

    def close(self) -> None:
        """Free what this estimator holds; safe to call twice."""


class PoseModel(Protocol):
    """Loaded weights of one variant; hands out estimators that share them."""

    def open(self, options: EstimatorOptions) -> PoseEstimator:
        """A new estimator with no memory of earlier frames."""

    def close(self) -> None:
        """Free the weights."""
