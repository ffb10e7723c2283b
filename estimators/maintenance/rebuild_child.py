"""Child process that converts one SavedModel, so that TensorFlow never enters the caller's process.

`python -m estimators.maintenance.rebuild_child HANDLE TFLITE INPUTS OUTPUTS HxW…`: reads canvases
from INPUTS (.npz), writes the SavedModel's answers to OUTPUTS and the converted file to TFLITE.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from estimators.geometry import Size


def main(arguments: list[str]) -> None:
    """See the module; raises whatever TensorFlow raises."""
    handle, tflite, inputs, outputs, *sizes = arguments
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
    import tensorflow_hub as hub

    module = hub.load(handle)
    canvases = [(int(h), int(w)) for h, w in (size.split("x") for size in sizes)]
    Path(tflite).write_bytes(_convert(tf, module, canvases))
    signature = module.signatures["serving_default"]
    with np.load(inputs) as questions:
        answers = [
            next(iter(signature(input=tf.constant(questions[name][None], tf.int32)).values()))
            for name in questions.files
        ]
    np.savez(outputs, *[answer.numpy() for answer in answers])


def _convert(tf: Any, module: Any, canvases: list[Size]) -> bytes:
    """TFLite bytes with float16 weights and one signature a canvas, in the given order.

    Signatures are stored in the order of their names; the first is what a reader gets who does not
    choose one.
    """
    signature = module.signatures["serving_default"]
    functions = []
    for number, (height, width) in enumerate(canvases):

        def run(input: Any) -> Any:
            return signature(input)

        run.__name__ = f"canvas{number}_{height}x{width}"
        spec = tf.TensorSpec([1, height, width, 3], tf.int32, name="input")
        functions.append(tf.function(run, input_signature=[spec]).get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_concrete_functions(functions, module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    converted: bytes = converter.convert()
    return converted


if __name__ == "__main__":
    main(sys.argv[1:])
