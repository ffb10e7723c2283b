"""Pictures that were annotated in other pixels: scaled, or as stored, before EXIF turned them.

Which pixels those were is told by the width and height beside the annotations.  COCO's tools
compare numbers only, so poses must be told in the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Size = tuple[float, float]  # width, height
Kind = Literal["same", "scaled", "stored", "other"]


@dataclass(frozen=True)
class AnnotatedPixels:
    """How the pixels of a picture's annotations relate to those of the upright picture.

    Attributes:
        kind: `same`; `scaled`; `stored`: those of the picture as it is stored (maybe scaled);
            `other`: of another shape, so that nothing can be said.
        unclear: they are taken for those of the upright picture, but their size fits the picture
            as it is stored, turned, as well.
        matrix: float64 [2, 3], from upright continuous pixels (x, y, 1) to the annotated ones;
            None where they are the same.
    """

    kind: Kind
    unclear: bool = False
    matrix: NDArray[np.float64] | None = None

    def of(self, indices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixel indices [..., 2] (the centre of a pixel is a whole number) in annotated ones."""
        if self.matrix is None:
            return indices
        continuous = indices + 0.5
        return continuous @ self.matrix[:, :2].T + self.matrix[:, 2] - 0.5


def annotated_pixels(size: Size, orientation: int, annotated: Size | None) -> AnnotatedPixels:
    """Compares a picture's sizes with the annotated one.

    Args:
        size: width and height of the upright picture.
        orientation: how it is stored, 1 to 8 (EXIF).
        annotated: width and height beside the annotations, None if unknown.
    """
    stored = (size[1], size[0]) if orientation >= 5 else size
    unclear = orientation != 1 and (annotated is None or stored == size)
    if annotated is None or annotated == size:
        return AnnotatedPixels("same", unclear)
    fits_stored = orientation >= 5 and _same_shape(annotated, stored)
    if annotated != stored and _same_shape(annotated, size):
        matrix = _scaled(np.eye(2, 3), size, annotated)
        return AnnotatedPixels("scaled", unclear or fits_stored, matrix)
    if fits_stored:
        matrix = _scaled(_to_stored(size)[orientation], stored, annotated)
        return AnnotatedPixels("stored", matrix=matrix)
    return AnnotatedPixels("other")


def _same_shape(a: Size, b: Size) -> bool:
    """Whether one is the other scaled, and its sides rounded to pixels."""
    return abs(a[0] * b[1] - a[1] * b[0]) <= max(*a, *b)


def _to_stored(size: Size) -> Mapping[int, NDArray[np.float64]]:
    """By orientation (CIPA DC-008, tag 0x0112), for those that exchange width and height."""
    width, height = size
    x, y = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    left, up = (-1.0, 0.0, width), (0.0, -1.0, height)
    rows = {5: (y, x), 6: (y, left), 7: (up, left), 8: (up, x)}
    return {orientation: np.array(matrix) for orientation, matrix in rows.items()}


def _scaled(matrix: NDArray[np.float64], size: Size, to: Size) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = matrix * np.array([[to[0] / size[0]], [to[1] / size[1]]])
    return scaled
