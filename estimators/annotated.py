"""What people have marked in pictures: the truth that models are held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.skeletons import COCO_17

# COCO's visibility flags (https://cocodataset.org/#format-data).
NOT_LABELLED, HIDDEN, VISIBLE = 0, 1, 2


@dataclass(frozen=True, eq=False)
class AnnotatedPerson:
    """One person whose keypoints somebody has marked, on COCO-17.

    Attributes:
        xy: float64 [17, 2], pixels as in `estimators.types`; NaN where not labelled.
        visibility: int8 [17], COCO's flags: 0 not labelled, 1 hidden, 2 visible.

    Raises:
        ValueError: a shape or flag is wrong, or a labelled keypoint has no position.
    """

    xy: NDArray[np.float64]
    visibility: NDArray[np.int8]

    def __post_init__(self) -> None:
        xy = np.array(self.xy, np.float64)
        given = np.asarray(self.visibility)
        k = len(COCO_17)
        if xy.shape != (k, 2) or given.shape != (k,):
            raise ValueError(f"expected xy [{k}, 2] and flags [{k}], got {xy.shape}, {given.shape}")
        if not np.isin(given, (NOT_LABELLED, HIDDEN, VISIBLE)).all():
            raise ValueError("a visibility flag is none of 0, 1 and 2")
        flags = given.astype(np.int8)
        labelled = flags != NOT_LABELLED
        if not np.isfinite(xy[labelled]).all():
            raise ValueError("a labelled keypoint has no position")
        xy[~labelled] = np.nan
        _freeze(self, xy=xy, visibility=flags)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Bool [17]: the keypoints that count."""
        labelled: NDArray[np.bool_] = self.visibility != NOT_LABELLED
        return labelled


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """One picture, or one frame of a clip, with the people marked in it.

    Attributes:
        file: name of the picture or clip.
        width, height: in pixels, as the keypoints are counted.
        sha256: of the file, "" where unknown.
        frame_index: of a clip's frame, None for a picture.
    """

    file: str
    width: int
    height: int
    people: tuple[AnnotatedPerson, ...]
    sha256: str = ""
    frame_index: int | None = None

    @property
    def keypoints(self) -> int:
        """How many keypoints are labelled."""
        return sum(int(person.labelled.sum()) for person in self.people)

    def is_of(self, sha256: str, frame_index: int | None = None) -> bool:
        """Whether it belongs to the file with this hash (and this frame of it)."""
        return bool(sha256) and self.sha256 == sha256 and self.frame_index == frame_index


def _freeze(instance: Any, **arrays: NDArray[Any]) -> None:
    for name, array in arrays.items():
        array.flags.writeable = False
        object.__setattr__(instance, name, array)
