"""Which clips would tell a browser that frames last into others."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from estimators.media.listing import Listing


@pytest.mark.parametrize(
    ("lasts", "reordered", "outlasted"),
    [
        ((), True, False),
        ((2,), True, False),
        ((33, 34, 33), True, False),
        ((3, 4, 3), True, False),
        ((2, 3, 2), True, True),  # half as long again ends where the viewer seeks to
        ((33, 120, 17), True, True),
        ((33, 120, 17), False, False),
    ],
)
def test_uneven_frames_with_b_frames_are(
    lasts: tuple[int, ...], reordered: bool, outlasted: bool
) -> None:
    pts = np.cumsum([0, *lasts])
    key = np.zeros(len(pts), bool)
    listing = Listing(pts, pts, key, Fraction(1, 1000), 0, False, reordered=reordered)
    assert listing.outlasted == outlasted
