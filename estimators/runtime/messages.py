"""What the app and a host process say to each other; pickled by `multiprocessing.connection`.

The app asks, the host answers `Load` with `Ready` or `Failure`, `Ask` with `Answer` or `Failure`,
several in a tuple with a list, and `Forget` not at all.  Pixels are not in here: they lie in the
`FrameSlot`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.devices import Placement
from estimators.errors import PoseError
from estimators.registry import ModelSpec
from estimators.runtime.sessions import SessionKey
from estimators.skeletons import Skeleton
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet, Timings

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Load:
    """Load `spec` with `threads` threads; keep at most `sessions`, each for `idle_s` unused."""

    spec: ModelSpec
    weights: Path
    threads: int
    sessions: int
    idle_s: float

    def picklable(self) -> Load:
        """The same with plain containers: read-only mappings cannot be pickled."""
        return replace(self, spec=replace(self.spec, settings=dict(self.spec.settings)))


@dataclass(frozen=True)
class Ready:
    """The model is loaded, and where it computes."""

    placement: Placement


@dataclass(frozen=True)
class Ask:
    """Estimate the frame in the slot for session `key`."""

    key: SessionKey
    height: int
    width: int
    index: int
    time_s: float

    def __reduce__(self) -> tuple[Any, ...]:
        """Flat: each class in a pickle is looked up by its name again for every frame."""
        (session, options), rest = self.key, (self.height, self.width, self.index, self.time_s)
        return _asked, (session, tuple(vars(options).values()), *rest)

    @classmethod
    def about(cls, key: SessionKey, frame: Frame) -> Ask:
        return cls(key, frame.height, frame.width, frame.index, frame.time_s)


def _asked(session: str, options: tuple[Any, ...], *rest: Any) -> Ask:
    return Ask(SessionKey(session, EstimatorOptions(*options)), *rest)


@dataclass(frozen=True)
class Forget:
    """Close the estimators of a session."""

    session: str


@dataclass(frozen=True, eq=False)
class Answer:
    """An estimate as plain arrays.

    Attributes:
        skeleton: None for the variant's own: both sides know it, and the app's own object is kept.
        busy_ms: what the host spent on the frame, everything from the question to the answer.
        fresh: the estimator was created for this frame.
    """

    skeleton: Skeleton | None
    arrays: tuple[Array, Array, Array | None, Array | None, Array | None]
    timings_ms: tuple[float, float, float]
    frame_index: int
    time_s: float
    busy_ms: float
    fresh: bool

    def __reduce__(self) -> tuple[Any, ...]:
        """Arrays as bytes, flat like `Ask`: NumPy's own pickle names its parts for every array."""
        packed = tuple(None if a is None else (a.shape, a.tobytes()) for a in self.arrays)
        rest = (self.timings_ms, self.frame_index, self.time_s, self.busy_ms, self.fresh)
        return _unpacked, (self.skeleton, packed, *rest)

    @classmethod
    def of(cls, estimate: Estimate, spec: ModelSpec, busy_ms: float, fresh: bool) -> Answer:
        poses, timings = estimate.poses, estimate.timings_ms
        return cls(
            None if poses.skeleton == spec.skeleton else poses.skeleton,
            (poses.xy, poses.score, poses.pose_score, poses.box_xyxy, poses.world_m),
            (timings.preprocess, timings.inference, timings.postprocess),
            estimate.frame_index,
            estimate.time_s,
            busy_ms,
            fresh,
        )

    def estimate(self, spec: ModelSpec) -> Estimate:
        poses = PoseSet(self.skeleton or spec.skeleton, *self.arrays)
        return Estimate(poses, Timings(*self.timings_ms), self.frame_index, self.time_s)


def _unpacked(skeleton: Skeleton | None, packed: Any, *rest: Any) -> Answer:
    arrays: Any = tuple(a and np.frombuffer(a[1], np.float32).reshape(a[0]) for a in packed)
    return Answer(skeleton, arrays, *rest)


@dataclass(frozen=True)
class Failure:
    """Python code in the host raised: `error` where it was one of ours, else its description."""

    error: PoseError | None
    description: str
    trace: str


Reply = Ready | Answer | Failure | list[Answer | Failure]
