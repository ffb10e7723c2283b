"""A model as a plain script runs it, in a process of its own: `python -m benchmarks._usual FORM …`.

Prints the milliseconds of one call, from the picture in memory to arrays in memory, for each line
on standard input.  Nothing of the product is used but the reading of the picture.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from estimators.media.pictures import read_picture

ROOT = Path(__file__).resolve().parents[1]
Call = Callable[[np.ndarray], Any]


def movenet(folder: str, side: str) -> Call:
    """As TensorFlow's own tutorial: `hub.load`, `tf.image.resize_with_pad`."""
    import tensorflow as tf
    import tensorflow_hub as hub

    run = hub.load(folder).signatures["serving_default"]

    def call(image: np.ndarray) -> Any:
        pixels = tf.image.resize_with_pad(tf.expand_dims(image, axis=0), int(side), int(side))
        return run(tf.cast(pixels, dtype=tf.int32))["output_0"].numpy()

    return call


def blazepose(file: str, people: str, video: str) -> Call:
    """As MediaPipe's guide: one landmarker, its landmarks as arrays."""
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # not needed here, and slow
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    mode = vision.RunningMode.VIDEO if video == "video" else vision.RunningMode.IMAGE
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=file), running_mode=mode, num_poses=int(people)
    )
    landmarker = vision.PoseLandmarker.create_from_options(options)
    count = iter(range(1_000_000))

    def call(image: np.ndarray) -> Any:
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=image)
        if video == "video":
            found = landmarker.detect_for_video(picture, next(count) * 33)
        else:
            found = landmarker.detect(picture)
        everybody = zip(found.pose_landmarks, found.pose_world_landmarks, strict=True)
        return [
            (
                np.array([(p.x, p.y, p.visibility) for p in person], np.float32),
                np.array([(p.x, p.y, p.z) for p in world], np.float32),
            )
            for person, world in everybody
        ]

    return call


def keypoint_rcnn(file: str, people: str, device: str = "cpu") -> Call:
    """torchvision called directly, its defaults; answers in the computer's own memory."""
    import torch
    from torchvision.models.detection import keypointrcnn_resnet50_fpn

    network = keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    network.load_state_dict(torch.load(file, weights_only=True))
    network.eval().to(device).roi_heads.detections_per_img = int(people)

    def call(image: np.ndarray) -> Any:
        pixels = torch.tensor(image).to(device).permute(2, 0, 1).float() / 255
        with torch.no_grad():
            return {name: value.cpu().numpy() for name, value in network([pixels])[0].items()}

    return call


FORMS: dict[str, Callable[..., Call]] = {
    "movenet": movenet,
    "blazepose": blazepose,
    "keypoint_rcnn": keypoint_rcnn,
}


class Usual:
    """The plain way in its process; a call gives its milliseconds.

    Args:
        pictures: one, or a folder of them to go through again and again.
        arguments: form, and what it takes.
    """

    def __init__(self, pictures: Path, arguments: tuple[str, ...]) -> None:
        form, *rest = arguments
        command = [sys.executable, "-m", "benchmarks._usual", form, str(pictures), *rest]
        self._child = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.pid = self._child.pid
        self._line()

    def __call__(self) -> float:
        assert self._child.stdin is not None
        self._child.stdin.write("call\n")
        self._child.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise SystemExit(f"{self._child.args} has ended")
        return line

    def close(self) -> None:
        self._child.communicate()


def main(form: str, pictures: str, *arguments: str) -> None:
    call = FORMS[form](*arguments)
    files = sorted(Path(pictures).iterdir()) if Path(pictures).is_dir() else [Path(pictures)]
    images = cycle([np.ascontiguousarray(read_picture(file).image) for file in files])
    print("ready", flush=True)
    for image, _ in zip(images, sys.stdin, strict=False):
        started = time.perf_counter()
        call(image)
        print((time.perf_counter() - started) * 1000, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
