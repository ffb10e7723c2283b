"""MediaPipe's pose landmarker called as its documentation does, independent of `estimators`.

`python plain_blazepose.py WEIGHTS PEOPLE FRAMES OUTPUT`: FRAMES an npz whose `frames` are uint8
[T, H, W, 3]; OUTPUT becomes an npz with `pictures` (IMAGE mode) and `clip` (VIDEO mode, 30 frames a
second, one person), both object arrays of [N, 33, 6]: x and y in pixels, visibility, world x, y, z.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

sys.modules["tensorflow"] = None  # not needed here, and slow
import mediapipe as mp  # noqa: E402 - after the line above
from mediapipe.tasks.python import BaseOptions, vision  # noqa: E402 - after the line above


def landmarker(weights: str, mode: Any, people: int) -> Any:
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=weights), running_mode=mode, num_poses=people
    )
    return vision.PoseLandmarker.create_from_options(options)


def table(result: Any, width: int, height: int) -> np.ndarray:
    people = zip(result.pose_landmarks, result.pose_world_landmarks, strict=True)
    rows = [
        [
            (p.x * width, p.y * height, p.visibility, q.x, q.y, q.z)
            for p, q in zip(person, world, strict=True)
        ]
        for person, world in people
    ]
    return np.array(rows, np.float32).reshape(-1, 33, 6)


def main(weights: str, people: str, frames: str, output: str) -> None:
    pictures = landmarker(weights, vision.RunningMode.IMAGE, int(people))
    clip = landmarker(weights, vision.RunningMode.VIDEO, 1)
    found: dict[str, list[np.ndarray]] = {"pictures": [], "clip": []}
    for i, frame in enumerate(np.load(frames)["frames"]):
        height, width = frame.shape[:2]
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=frame)
        found["pictures"].append(table(pictures.detect(image), width, height))
        answer = clip.detect_for_video(image, round(i * 1000 / 30))
        found["clip"].append(table(answer, width, height))
    arrays = {}
    for name, tables in found.items():
        arrays[name] = np.empty(len(tables), object)
        arrays[name][:] = tables
    np.savez(output, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
