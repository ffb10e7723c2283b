"""MoveNet as a plain script would run it, independent of `estimators`; run as a child process.

`python plain_movenet.py WEIGHTS PICTURES OUTPUT [--keep-aspect SIDE]`: official preprocessing
(`tf.image.resize_with_pad`, bilinear) on WEIGHTS, a TFLite file, for PICTURES, a JSON list of
{image_id, file}; writes a list of COCO results.  With --keep-aspect WEIGHTS is a MultiPose
SavedModel and each picture's longer side is scaled to SIDE, both sides padded to multiples of 32.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

Call = Callable[[tf.Tensor], np.ndarray]


def tflite(weights: Path) -> tuple[Call, tuple[int, int]]:
    interpreter = tf.lite.Interpreter(str(weights))
    interpreter.allocate_tensors()
    ask, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def call(pixels: tf.Tensor) -> np.ndarray:
        interpreter.set_tensor(ask["index"], tf.cast(pixels, tf.int32).numpy())
        interpreter.invoke()
        return interpreter.get_tensor(answer["index"])

    return call, (int(ask["shape"][1]), int(ask["shape"][2]))


def saved_model(weights: Path) -> Call:
    module = tf.saved_model.load(str(weights))

    def call(pixels: tf.Tensor) -> np.ndarray:
        return module.signatures["serving_default"](tf.cast(pixels, tf.int32))["output_0"].numpy()

    return call


def multiple_of_32(height: int, width: int, side: int) -> tuple[int, int]:
    scale = side / max(height, width)
    return tuple(32 * math.ceil(round(length * scale) / 32) for length in (height, width))


def people(output: np.ndarray) -> list[tuple[np.ndarray, float]]:
    if output.shape[-1] == 3:
        joints = output[0, 0]
        return [(joints, float(joints[:, 2].mean()))]
    return [(slot[:51].reshape(17, 3), float(slot[55])) for slot in output[0]]


def to_picture(joints: np.ndarray, shape: tuple[int, int], target: tuple[int, int]) -> list[float]:
    """Undoes `resize_with_pad`: (y, x, score) of the padded input as (x, y, score) in pixels."""
    scale = min(target[0] / shape[0], target[1] / shape[1])
    pad = [(t - s * scale) / 2 for t, s in zip(target, shape, strict=True)]
    y = (joints[:, 0] * target[0] - pad[0]) / scale
    x = (joints[:, 1] * target[1] - pad[1]) / scale
    return np.stack([x, y, joints[:, 2]], axis=1).reshape(-1).astype(float).tolist()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("weights", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--keep-aspect", type=int, metavar="SIDE")
    chosen = parser.parse_args()
    side = chosen.keep_aspect
    call, fixed = (saved_model(chosen.weights), (0, 0)) if side else tflite(chosen.weights)
    results = []
    for picture in json.loads(chosen.pictures.read_text()):
        image = tf.io.decode_png(tf.io.read_file(picture["file"]), channels=3)
        shape = (int(image.shape[0]), int(image.shape[1]))
        target = multiple_of_32(*shape, side) if side else fixed
        output = call(tf.image.resize_with_pad(image[None], *target))
        for joints, score in people(output):
            results.append(
                {
                    "image_id": picture["image_id"],
                    "category_id": 1,
                    "keypoints": to_picture(joints, shape, target),
                    "score": score,
                }
            )
    chosen.output.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
