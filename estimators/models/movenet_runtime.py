"""The two engines that run MoveNet: LiteRT from embedded files, TensorFlow from the SavedModel.

Either takes one canvas of uint8 RGB pixels and gives the network's own output.  Both networks want
int32 pixels 0 to 255 and scale them themselves; LiteRT files made elsewhere may take uint8 or
float32, so the type is read from the file.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from estimators.errors import ModelError, ModelLoadError
from estimators.geometry import Size


class Network(Protocol):
    """One loaded network; calls from several threads take turns."""

    @property
    def canvases(self) -> tuple[Size, ...]:
        """The (height, width) that `run` takes."""

    def run(self, canvas: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's output for one canvas, uint8 [H, W, 3], RGB."""

    def close(self) -> None:
        """Frees the weights; safe to call twice."""


class LiteRTNetwork:
    """A TFLite file on LiteRT with the XNNPACK delegate.

    A file may hold several signatures that share their weights, one for each canvas.

    Raises:
        ModelLoadError: LiteRT cannot be imported or does not understand the file.
    """

    def __init__(self, weights: Path, threads: int) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except (ImportError, OSError) as error:
            raise ModelLoadError(
                f"MoveNet needs LiteRT, which could not be imported: {error}",
                "Install requirements.txt (package ai-edge-litert).",
            ) from error
        try:
            self._interpreter: Any = Interpreter(str(weights), num_threads=threads or None)
            names = self._interpreter.get_signature_list()
            runners = [self._interpreter.get_signature_runner(name) for name in names]
            self._runners = {_canvas(runner): runner for runner in runners}
            self.canvases = tuple(self._runners)
        except (ValueError, RuntimeError, OSError) as error:
            raise _unreadable(weights, error) from error
        self._lock = threading.Lock()

    def run(self, canvas: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Network.run`. Raises ModelError after `close`."""
        with self._lock:
            if self._interpreter is None:
                raise _closed()
            runner = self._runners[canvas.shape[:2]]
            name, details = next(iter(runner.get_input_details().items()))
            outputs = runner(**{name: canvas[None].astype(details["dtype"])})
            output: NDArray[np.float32] = next(iter(outputs.values()))
        return output

    def close(self) -> None:
        with self._lock:
            self._runners = {}
            self._interpreter = None


class TFHubNetwork:
    """A SavedModel through `tensorflow_hub.load`, the form in which Google publishes MoveNet.

    Args:
        weights: folder of the SavedModel.
        canvases: sizes to offer; MultiPose takes any whose sides are multiples of 32.
        threads: CPU threads of one operation, 0 for TensorFlow's choice; holds for the process.

    Raises:
        ModelLoadError: TensorFlow cannot be imported or does not understand the folder.
    """

    def __init__(self, weights: Path, canvases: Iterable[Size], threads: int) -> None:
        self.canvases = tuple(canvases)
        tf, hub = _import_tensorflow()
        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        try:
            self._module: Any = hub.load(str(weights))
            self._signature = self._module.signatures["serving_default"]
            self._input: Any = self._signature.structured_input_signature[1]["input"]
        except (ValueError, KeyError, OSError, RuntimeError, AttributeError) as error:
            raise _unreadable(weights, error) from error
        self._constant = tf.constant
        self._lock = threading.Lock()

    def run(self, canvas: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Network.run`. Raises ModelError after `close`."""
        with self._lock:
            if self._module is None:
                raise _closed()
            outputs = self._signature(input=self._constant(canvas[None], self._input.dtype))
            output: NDArray[np.float32] = next(iter(outputs.values())).numpy()
        return output

    def close(self) -> None:
        with self._lock:
            self._signature = None
            self._module = None


def _canvas(runner: Any) -> Size:
    (details,) = runner.get_input_details().values()
    _, height, width, _ = (int(side) for side in details["shape"])
    return height, width


def _import_tensorflow() -> tuple[Any, Any]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow as tf

        with warnings.catch_warnings():
            # tensorflow_hub 0.16.1 uses pkg_resources, which warns about itself.
            warnings.simplefilter("ignore", UserWarning)
            import tensorflow_hub as hub
    except (ImportError, OSError) as error:
        raise ModelLoadError(
            f"The TF Hub reference needs TensorFlow, which could not be imported: {error}",
            "Install tensorflow and tensorflow_hub as in requirements.txt (setuptools below 81), "
            "or use the LiteRT variant, which gives the same answers.",
        ) from error
    return tf, hub


def _unreadable(weights: Path, error: Exception) -> ModelLoadError:
    return ModelLoadError(
        f"{weights} is not a MoveNet model: {error}",
        "The file may be damaged: restore it from the repository, or fetch it again.",
    )


def _closed() -> ModelError:
    return ModelError("This MoveNet model was closed.", "Load it again.")
