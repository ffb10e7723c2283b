"""The camera's pictures, and pictures in the encoder's form."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pages.ui.live.pipe import for_encoder, from_camera


def smooth(size: tuple[int, int]) -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("form", ["yuv420p", "yuvj420p", "yuv444p", "rgb24"])
@pytest.mark.parametrize("size", [(640, 480), (641, 479), (480, 640)])
def test_the_cameras_picture_keeps_its_colours(size: tuple[int, int], form: str) -> None:
    picture = smooth(size)
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=form)
    seen = from_camera(frame)
    assert seen.shape == picture.shape
    apart = np.abs(seen.astype(int) - frame.to_ndarray(format="rgb24"))
    assert np.percentile(apart, 99) <= 8  # colours at half the size are brought back differently
    assert np.median(np.abs(seen.astype(int) - picture)) <= 3


@pytest.mark.parametrize("size", [(640, 480), (1046, 588), (522, 870)])
def test_the_colours_are_those_of_ffmpeg(size: tuple[int, int]) -> None:
    picture = smooth(size)
    ours = for_encoder(picture)
    theirs = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
    assert (ours.width, ours.height, ours.format.name) == (*size, "yuv420p")
    apart = np.abs(ours.to_ndarray().astype(int) - theirs.to_ndarray())
    assert np.percentile(apart, 99) <= 3
    back = np.abs(ours.to_ndarray(format="rgb24").astype(int) - picture)
    assert np.median(back) <= 3
