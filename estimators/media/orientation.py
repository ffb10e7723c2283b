"""How stored pixels are turned before they are shown: the display matrix of a video track.

The matrix maps stored to shown coordinates, (x', y') = (a·x + c·y, b·x + d·y), with a, b, c, d in
16.16 fixed point (ISO/IEC 14496-12, track header box; FFmpeg hands it out as nine int32).  Phones
write rotations by quarter turns and, rarely, mirrorings: the eight symmetries of a rectangle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Orientation:
    """Swap the axes first if `transpose`, then mirror left-right and top-bottom as told."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_matrix(cls, matrix: Any) -> Orientation:
        """From a buffer of nine native-endian int32; other angles go to the nearest quarter."""
        values = np.frombuffer(bytes(matrix), np.int32)
        if values.size < 9:
            return cls()
        a, b, c, d = (int(values[i]) for i in (0, 1, 3, 4))
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @property
    def identity(self) -> bool:
        return not (self.transpose or self.flip_x or self.flip_y)

    @property
    def rotation(self) -> int:
        """Degrees clockwise from stored to shown, a mirroring left aside: 0, 90, 180 or 270."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Shown (width, height) of a stored picture, and the other way round."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The stored picture [H, W, 3] as it is to be shown; a view where nothing moves."""
        if self.transpose:
            image = image.swapaxes(0, 1)
        if self.flip_x:
            image = image[:, ::-1]
        if self.flip_y:
            image = image[::-1]
        return np.ascontiguousarray(image)
