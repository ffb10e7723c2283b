"""Pictures in the encoder's form."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from pages.ui.live.pipe import for_encoder


@pytest.mark.parametrize("size", [(640, 480), (1046, 588), (522, 870)])
def test_the_colours_are_those_of_ffmpeg(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    picture = np.asarray(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    ours = for_encoder(picture)
    theirs = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
    assert (ours.width, ours.height, ours.format.name) == (*size, "yuv420p")
    apart = np.abs(ours.to_ndarray().astype(int) - theirs.to_ndarray())
    assert np.percentile(apart, 99) <= 3
    back = np.abs(ours.to_ndarray(format="rgb24").astype(int) - picture)
    assert np.median(back) <= 3
