"""What one model said about a whole clip, in flat arrays: small, and fast to compute over.

A picture is a clip of one frame, so that both leave in the same formats.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.growing import Growing
from estimators.devices import Placement
from estimators.skeletons import Skeleton
from estimators.types import Estimate, PoseSet

TIMINGS = ("preprocess_ms", "inference_ms", "postprocess_ms", "queue_ms", "transport_ms")
NOBODY = -1


class ClipEstimates:
    """One model's answers to F frames with P people in all, appended frame by frame.

    Nothing is hidden here: every person and joint the adapter returned is kept; thresholds come
    later.  The arrays it gives out are read-only views of what was appended so far.

    Args:
        model: key of the variant.
        skeleton: its joints, K.
        file: name of the clip or picture.
        size: (width, height) of its frames in pixels.

    Attributes:
        held_to: most people the model was asked for, where it could find more; None where not.
    """

    def __init__(
        self, model: str, skeleton: Skeleton, file: str = "", size: tuple[int, int] = (0, 0)
    ) -> None:
        self.model, self.skeleton, self.file, self.size = model, skeleton, file, size
        self.errors: dict[int, str] = {}
        self.restarts: list[int] = []
        self._busy: list[int] = []
        self._placements: list[tuple[int, Placement]] = []
        self.held_to: int | None = None
        k = len(skeleton)
        self._frame_index = Growing((), np.int64)
        self._time_s = Growing((), np.float64)
        self._offsets = Growing((), np.int64)
        self._offsets.extend([0])
        self._timings = Growing((len(TIMINGS),), np.float32)
        self._xy = Growing((k, 2), np.float32)
        self._score = Growing((k,), np.float32)
        self._pose_score = Growing((), np.float32)
        self._optional: dict[str, Growing] = {}
        self._identity: NDArray[np.int64] | None = None

    @classmethod
    def of_picture(cls, model: str, file: str, size: tuple[int, int], estimate: Estimate) -> Self:
        """The answer to one picture."""
        clip = cls(model, estimate.poses.skeleton, file, size)
        clip.append(estimate)
        return clip

    def append(
        self,
        estimate: Estimate,
        queue_ms: float = np.nan,
        transport_ms: float = np.nan,
        restarted: bool = False,
        busy: bool = False,
    ) -> None:
        """Adds the next frame.

        Args:
            restarted: the model's process was started anew since the frame before, and whoever
                follows people from frame to frame has lost them.
            busy: the times were measured while other work ran, see `RunResult`.

        Raises:
            ValueError: its index does not come after the last one's, or the skeleton is another.
        """
        poses = estimate.poses
        if poses.skeleton != self.skeleton:
            raise ValueError(f"expected {self.skeleton.name}, got {poses.skeleton.name}")
        t = estimate.timings_ms
        timings = (t.preprocess, t.inference, t.postprocess, queue_ms, transport_ms)
        self._add_frame(estimate.frame_index, estimate.time_s, timings)
        if restarted:
            self.restarts.append(len(self) - 1)
        if busy:
            self._busy.append(len(self) - 1)
        unknown = np.full(len(poses), np.nan)
        self._add_optional("box_xyxy", poses.box_xyxy, len(poses))
        self._add_optional("world_m", poses.world_m, len(poses))
        self._xy.extend(poses.xy)
        self._score.extend(poses.score)
        self._pose_score.extend(unknown if poses.pose_score is None else poses.pose_score)
        self._offsets.extend([self.person_count])

    def computed(self, where: Placement | None) -> None:
        """Says where the model computes from the next frame on."""
        if where is not None and where != self.placement:
            self._placements.append((len(self), where))

    def append_failed(self, frame_index: int, time_s: float, error: str) -> None:
        """Adds a frame that the model gave no answer to, with the reason in plain words."""
        self._add_frame(frame_index, time_s, (np.nan,) * len(TIMINGS))
        self.errors[len(self) - 1] = error
        self._offsets.extend([self.person_count])

    def _add_frame(self, index: int, time_s: float, timings: tuple[float, ...]) -> None:
        if len(self) and index <= self.frame_index[-1]:
            raise ValueError(f"frame {index} cannot come after frame {self.frame_index[-1]}")
        self._frame_index.extend([index])
        self._time_s.extend([time_s])
        self._timings.extend([timings])
        self._identity = None

    def _add_optional(self, name: str, values: NDArray[np.float32] | None, people: int) -> None:
        """Keeps a column that only some models have; NaN for people before its first value."""
        if values is not None and name not in self._optional:
            column = self._optional[name] = Growing(values.shape[1:], np.float32)
            column.extend(np.full((self.person_count, *values.shape[1:]), np.nan))
        if name in self._optional:
            column = self._optional[name]
            shape = column.rows.shape[1:]
            column.extend(np.full((people, *shape), np.nan) if values is None else values)

    def __len__(self) -> int:
        """Frames, failed ones included."""
        return len(self._time_s.rows)

    @property
    def person_count(self) -> int:
        """People over all frames, P: the same person in ten frames counts ten times."""
        return len(self._xy.rows)

    @property
    def frame_index(self) -> NDArray[np.int64]:
        """Int64 [F], position in the clip, increasing; gaps where a stride skipped frames."""
        return self._frame_index.rows

    @property
    def time_s(self) -> NDArray[np.float64]:
        """Float64 [F], seconds from the start of the clip."""
        return self._time_s.rows

    @property
    def timings_ms(self) -> NDArray[np.float32]:
        """Float32 [F, 5], columns as in `TIMINGS`; NaN for failed frames and unmeasured stages."""
        return self._timings.rows

    @property
    def latency_ms(self) -> NDArray[np.float32]:
        """Float32 [F], the model's own time: preprocessing, inference and postprocessing."""
        total: NDArray[np.float32] = self.timings_ms[:, :3].sum(axis=1)
        return total

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Int64 [F + 1]: the people of frame i are the rows offsets[i] to offsets[i + 1]."""
        return self._offsets.rows

    @property
    def people(self) -> NDArray[np.int64]:
        """Int64 [F], people that the model returned in each frame, whatever the thresholds."""
        counts: NDArray[np.int64] = np.diff(self.offsets)
        return counts

    @property
    def frame_of(self) -> NDArray[np.int64]:
        """Int64 [P], the row (0 to F - 1) of each person's frame."""
        return np.repeat(np.arange(len(self)), self.people)

    @property
    def person_of(self) -> NDArray[np.int64]:
        """Int64 [P], the index of each person within its frame."""
        return np.arange(self.person_count) - np.repeat(self.offsets[:-1], self.people)

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Bool [F], frames without an answer."""
        failed = np.zeros(len(self), np.bool_)
        failed[list(self.errors)] = True
        return failed

    @property
    def full(self) -> NDArray[np.bool_]:
        """Bool [F], frames with as many people as were asked for, of whom more may be there."""
        return self.people >= (np.inf if self.held_to is None else self.held_to)

    @property
    def busy(self) -> NDArray[np.bool_]:
        """Bool [F], frames whose times were measured while other work ran."""
        busy = np.zeros(len(self), np.bool_)
        busy[self._busy] = True
        return busy

    @property
    def placement(self) -> Placement | None:
        """Where the model computed at last; None where that is not known."""
        return self._placements[-1][1] if self._placements else None

    @property
    def placements(self) -> tuple[tuple[int, Placement], ...]:
        """From which row on the model computed where."""
        return tuple(self._placements)

    @property
    def device(self) -> list[str]:
        """The device of each frame, "" where it is not known."""
        devices = [""] * len(self)
        for first, where in self._placements:
            devices[first:] = [where.device] * (len(self) - first)
        return devices

    @property
    def restarted(self) -> NDArray[np.bool_]:
        """Bool [F], frames before which the model's process was started anew."""
        restarted = np.zeros(len(self), np.bool_)
        restarted[self.restarts] = True
        return restarted

    @property
    def xy(self) -> NDArray[np.float32]:
        """Float32 [P, K, 2], pixels; NaN where absent."""
        return self._xy.rows

    @property
    def score(self) -> NDArray[np.float32]:
        """Float32 [P, K], the model's own scale."""
        return self._score.rows

    @property
    def pose_score(self) -> NDArray[np.float32]:
        """Float32 [P]; NaN where the model gives none."""
        return self._pose_score.rows

    @property
    def box_xyxy(self) -> NDArray[np.float32] | None:
        """Float32 [P, 4] in pixels, None for models without boxes."""
        column = self._optional.get("box_xyxy")
        return None if column is None else column.rows

    @property
    def world_m(self) -> NDArray[np.float32] | None:
        """Float32 [P, K, 3] in metres, None for models without."""
        column = self._optional.get("world_m")
        return None if column is None else column.rows

    @property
    def identity(self) -> NDArray[np.int64]:
        """Int64 [P], who it is, the same number for one person throughout; -1 where unknown."""
        if self._identity is None:
            return np.full(self.person_count, NOBODY, np.int64)
        return self._identity

    @property
    def found(self) -> NDArray[np.int64] | None:
        """Int64 [F], people in each frame who count as found; None as long as nobody has decided.

        Who counts is decided together with `identity`, at thresholds: see `scale.found`.
        """
        if self._identity is None:
            return None
        counts: NDArray[np.int64] = np.bincount(
            self.frame_of[self._identity != NOBODY], minlength=len(self)
        ).astype(np.int64)
        return counts

    def identify(self, identity: NDArray[np.int64]) -> None:
        """Sets `identity`, [P]; appending a frame forgets it.  Raises ValueError on the shape."""
        if identity.shape != (self.person_count,):
            raise ValueError(f"expected [{self.person_count}] identities, got {identity.shape}")
        self._identity = np.array(identity, np.int64)
        self._identity.flags.writeable = False

    def poses(self, row: int) -> PoseSet:
        """The people of one frame (by row, 0 to F - 1), without copying."""
        people = slice(self.offsets[row], self.offsets[row + 1])

        def part(array: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
            return None if array is None else array[people]

        return PoseSet(
            self.skeleton,
            self.xy[people],
            self.score[people],
            self.pose_score[people],
            part(self.box_xyxy),
            part(self.world_m),
        )
