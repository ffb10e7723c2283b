"""A person's joints lie where they lie on square pixels, however a clip is squeezed and turned."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.media.clips import frames, open_clip
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.run import ClipSettings

BALANCE = Path(__file__).parents[2] / "sample_media" / "balance.mp4"
MODELS = ("blazepose-full", "movenet-thunder")
SHOWN = (320, 576)
SURE = {"movenet-thunder": 0.4, "blazepose-full": 0.8}


@pytest.fixture(scope="module")
def runner() -> Iterator[ProcessRunner]:
    runner = ProcessRunner(Settings())
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    found = frames(open_clip(BALANCE), end_s=0.5, stride=5)
    return [cv2.resize(frame.image, SHOWN, interpolation=cv2.INTER_AREA) for frame in found]


def written(path: Path, pictures: list[NDArray[np.uint8]], ratio: Fraction, turns: int = 0) -> Path:
    """The pictures as a clip whose stored pixels have this ratio, turned by quarters."""
    width, height = SHOWN[::-1] if turns % 2 else SHOWN
    size = round(width / max(ratio, 1)), round(height * min(ratio, 1))
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=10, options={"crf": "8"})
        (video.width, video.height), video.pix_fmt = size, "yuv444p"
        video.codec_context.sample_aspect_ratio = ratio
        video.set_display_rotation(-90 * turns)
        for number, picture in enumerate(pictures):
            stored = np.ascontiguousarray(np.rot90(picture, turns))
            stored = cv2.resize(stored, size, interpolation=cv2.INTER_AREA)
            frame = av.VideoFrame.from_ndarray(stored, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(video.encode(frame))
        output.mux(video.encode())
    return path


def joints(
    runner: ProcessRunner, path: Path
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Each model's (xy, sure) of the first person of each frame."""
    clip = open_clip(path)
    assert (clip.width, clip.height) == SHOWN
    job = ClipJob(runner, clip, ClipSettings(MODELS))
    job.start()
    job.join()
    assert job.state == "done"
    found = {}
    for model in MODELS:
        people = [job.estimates[model].poses(row) for row in range(len(job.estimates[model]))]
        assert all(len(poses) for poses in people)
        score = np.array([poses.score[0] for poses in people])
        found[model] = np.array([poses.xy[0] for poses in people]), score > SURE[model]
    return found


@pytest.mark.parametrize(
    ("ratio", "turns"),
    [
        (Fraction(16, 11), 0),
        (Fraction(8, 9), 0),
        (Fraction(64, 45), 1),
        (Fraction(16, 11), 2),
        (Fraction(8, 9), 3),
    ],
)
def test_joints_lie_where_they_lie_on_square_pixels(
    ratio: Fraction,
    turns: int,
    runner: ProcessRunner,
    pictures: list[NDArray[np.uint8]],
    tmp_path: Path,
) -> None:
    square = joints(runner, written(tmp_path / "square.mp4", pictures, Fraction(1)))
    squeezed = joints(runner, written(tmp_path / "squeezed.mp4", pictures, ratio, turns))
    for model in MODELS:
        (there, sure), (here, _) = square[model], squeezed[model]
        distance = np.linalg.norm(here - there, axis=-1)[sure]
        assert len(distance) > 50
        assert np.median(distance) < 1.3, model
        assert np.percentile(distance, 90) < 3, model
