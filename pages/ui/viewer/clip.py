"""Poses of a whole clip packed for the browser.

The numbers travel as one binary file: the eight bytes `POSECLP1`, the length of a JSON header as
uint32, the header padded with spaces to a multiple of eight bytes, then the arrays one after the
other, each starting at a multiple of eight bytes.  All numbers are little-endian.  The header says
`{"timestamps": A, "models": {key: {"joints": K, "frames": A, "starts": A, "ids": A, "failed": A,
"score": Q, "xy": Q, "smooth": Q or null, "box": Q or null, "trust": Q or null}}}` where A is
`[type, offset after the header, count]` and Q is `[A, low, step]`: uint16 steps of `step` above
`low`, 65535 for NaN.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import ClipEstimates
from estimators.skeletons import Skeleton
from estimators.types import ScoreKind
from pages.ui.viewer.panels import check_colour, skeleton_payload

_MAGIC = b"POSECLP1"
_NAN = 65535


@dataclass(frozen=True, eq=False)
class ClipPoses:
    """What one model found in the frames of a clip that it was given.

    The people of all frames lie one after the other, P in all.

    Attributes:
        skeleton: the meaning of the K axis.
        frames: int [F], indices of the frames the model answered, ascending.
        starts: int [F + 1]; the people of `frames[f]` are the rows `starts[f]` to `starts[f + 1]`.
        person_ids: int [P], different ones in each frame; one number is one person through the clip
            and across models, a negative one nobody in particular.
        xy: float32 [P, K, 2], pixels of the frame as it is shown, NaN where absent.
        score: float32 [P, K].
        smooth_xy: float32 [P, K, 2], the same positions smoothed over time, or None.
        box_xyxy: float32 [P, 4], or None.
        pose_score: float32 [P], the model's trust in each person, or None.
        failed: indices of frames for which the model failed.

    Raises:
        ValueError: the arrays' shapes do not fit each other.
    """

    skeleton: Skeleton
    frames: NDArray[np.int32]
    starts: NDArray[np.int32]
    person_ids: NDArray[np.int32]
    xy: NDArray[np.float32]
    score: NDArray[np.float32]
    smooth_xy: NDArray[np.float32] | None = None
    box_xyxy: NDArray[np.float32] | None = None
    pose_score: NDArray[np.float32] | None = None
    failed: Sequence[int] = ()

    def __post_init__(self) -> None:
        people, joints = len(self.xy), len(self.skeleton)
        expected: dict[str, tuple[int, ...]] = {
            "starts": (len(self.frames) + 1,),
            "person_ids": (people,),
            "xy": (people, joints, 2),
            "score": (people, joints),
            "smooth_xy": (people, joints, 2),
            "box_xyxy": (people, 4),
            "pose_score": (people,),
        }
        for name, shape in expected.items():
            value = getattr(self, name)
            if value is not None and value.shape != shape:
                raise ValueError(f"{name}: expected shape {list(shape)}, got {list(value.shape)}")
        if np.any(np.diff(self.frames) <= 0):
            raise ValueError("frames: expected ascending indices")
        if np.any(np.diff(self.starts) < 0) or self.starts[0] != 0 or self.starts[-1] != people:
            raise ValueError(f"starts: expected to rise from 0 to {people}")

    @classmethod
    def of(
        cls, clip: ClipEstimates, smooth_xy: NDArray[np.floating[Any]] | None = None
    ) -> ClipPoses:
        """Everyone in `clip`, numbered by its `identity`.

        Args:
            clip: one model's answers; frames that failed are told apart from empty ones.
            smooth_xy: [P, K, 2], smoothed positions of the same people, or None.
        """
        answered = ~clip.failed
        counts = clip.people[answered]
        # People without an identity still differ from each other within a frame.
        ids = np.where(clip.identity < 0, -1 - clip.person_of, clip.identity)
        return cls(
            skeleton=clip.skeleton,
            frames=clip.frame_index[answered].astype(np.int32),
            starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            person_ids=ids.astype(np.int32),
            xy=clip.xy,
            score=clip.score,
            smooth_xy=None if smooth_xy is None else smooth_xy.astype(np.float32),
            box_xyxy=clip.box_xyxy,
            pose_score=clip.pose_score,
            failed=clip.frame_index[clip.failed].tolist(),
        )


@dataclass(frozen=True, eq=False)
class ClipLayer:
    """A model of the clip and how it is drawn.

    Attributes:
        key, title, colour, score_kind, threshold, variant: as in `Layer`.
        score_range: the ends of the threshold slider, on the model's own scale.
        poses: what it found, None where there is only a message.
        pose_threshold: people whose `pose_score` is lower are left out.
        subtitle, message: as in `Panel`.
    """

    key: str
    title: str
    colour: str
    score_kind: ScoreKind
    threshold: float
    score_range: tuple[float, float]
    poses: ClipPoses | None
    pose_threshold: float = -math.inf
    subtitle: str = ""
    message: str = ""
    variant: int = 0

    def __post_init__(self) -> None:
        check_colour(self.colour)
        if not math.isfinite(self.threshold):
            raise ValueError(f"threshold of {self.key}: expected a number, got {self.threshold}")


class _Arrays:
    """Arrays laid out one after the other."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, values: Any, dtype: str) -> list[Any]:
        data = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<")).tobytes()
        place = [dtype, self.size, len(data) // np.dtype(dtype).itemsize]
        data += b"\0" * (-len(data) % 8)
        self.parts.append(data)
        self.size += len(data)
        return place

    def add_steps(self, values: NDArray[np.float32] | None) -> list[Any] | None:
        """Floats in 65535 equal steps: 0.04 px or better over a range of 2,600 px."""
        if values is None:
            return None
        finite = np.isfinite(values)
        some = values[finite]
        low, high = (float(some.min()), float(some.max())) if some.size else (0.0, 0.0)
        step = (high - low) / (_NAN - 1)
        steps = np.full(values.shape, _NAN, np.uint16)
        steps[finite] = np.rint((some.astype(np.float64) - low) / (step or 1.0))
        return [self.add(steps, "uint16"), low, step]


def pack_poses(timestamps_s: NDArray[np.float64], poses: dict[str, ClipPoses]) -> bytes:
    """The file described above.

    Args:
        timestamps_s: float64 [T], presentation time of every frame of the clip as its container
            gives it, ascending.
        poses: by model key.

    Raises:
        ValueError: timestamps are missing or not ascending, or a model names a frame outside them.
    """
    if len(timestamps_s) == 0 or np.any(np.diff(timestamps_s) <= 0):
        raise ValueError("timestamps_s: expected at least one, ascending")
    arrays = _Arrays()
    header: dict[str, Any] = {"timestamps": arrays.add(timestamps_s, "float64"), "models": {}}
    for key, model in poses.items():
        named = [*model.frames[-1:].tolist(), *model.failed]
        if named and max(named) >= len(timestamps_s):
            raise ValueError(f"{key}: frame {max(named)} of a clip of {len(timestamps_s)}")
        header["models"][key] = {
            "joints": len(model.skeleton),
            "frames": arrays.add(model.frames, "int32"),
            "starts": arrays.add(model.starts, "int32"),
            "ids": arrays.add(model.person_ids, "int32"),
            "failed": arrays.add(sorted(model.failed), "int32"),
            "score": arrays.add_steps(model.score),
            "xy": arrays.add_steps(model.xy),
            "smooth": arrays.add_steps(model.smooth_xy),
            "box": arrays.add_steps(model.box_xyxy),
            "trust": arrays.add_steps(model.pose_score),
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(_MAGIC) + 4 + len(text)) % 8)
    return b"".join([_MAGIC, struct.pack("<I", len(text)), text, *arrays.parts])


def layer_payload(layer: ClipLayer) -> dict[str, Any]:
    """What the browser needs to know of `layer` besides the numbers."""
    return {
        "key": layer.key,
        "title": layer.title,
        "colour": layer.colour,
        "variant": layer.variant,
        "kind": layer.score_kind,
        "threshold": layer.threshold,
        "range": list(layer.score_range),
        "trust": layer.pose_threshold if math.isfinite(layer.pose_threshold) else None,
        "subtitle": layer.subtitle,
        "message": layer.message,
        "skeleton": None if layer.poses is None else skeleton_payload(layer.poses.skeleton),
    }
