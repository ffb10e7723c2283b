"""PoseNet, MobileNet v1 0.75: several people in one pass, on LiteRT.

The network is fully convolutional: a map of scores and of offsets a joint, and maps of the way from
each joint to its neighbours in the body (Papandreou et al., "Towards Accurate Multi-person Pose
Estimation in the Wild", CVPR 2017, and "PersonLab", ECCV 2018).  `posenet_decoding` makes people of
them.  Preprocessing is that of MoveNet: aspect kept, padded with black (see `Letterbox.apply`).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from estimators.errors import ModelError, ModelLoadError
from estimators.geometry import Letterbox
from estimators.models.posenet_decoding import Maps, decode
from estimators.skeletons import COCO_17
from estimators.stages import StageTimer
from estimators.types import Estimate, EstimatorOptions, Frame, PoseEstimator, PoseSet

if TYPE_CHECKING:
    from estimators.specs import ModelSpec

# Canvas pixels from the network's origin to ours, the corner.  By its strides it would be 0.5, the
# centre of the first pixel; measured as MoveNet's is, by mirroring parts of the sample pictures, it
# is 0.25 (standard error 0.06).
_ORIGIN_PX = 0.25


def load(spec: ModelSpec, weights: Path, threads: int) -> PoseNetModel:
    """Loads a TFLite file; see `registry.load`.

    Raises:
        ModelLoadError: LiteRT or the weights cannot be loaded, or are another model's.
    """
    network = PoseNetNetwork(weights, threads)
    side = int(spec.settings["input_side"])
    if network.side != side:
        raise ModelLoadError(
            f"{spec.title} takes {side}-pixel pictures, {weights} takes {network.side}.",
            "It is another model's file: restore it from the repository.",
        )
    return PoseNetModel(spec, network)


class PoseNetNetwork:
    """The TFLite file on LiteRT with the XNNPACK delegate; calls from several threads take turns.

    Raises:
        ModelLoadError: LiteRT cannot be imported or the file is not PoseNet's.
    """

    def __init__(self, weights: Path, threads: int) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except (ImportError, OSError) as error:
            raise ModelLoadError(
                f"PoseNet needs LiteRT, which could not be imported: {error}",
                "Install requirements.txt (package ai-edge-litert).",
            ) from error
        try:
            self._interpreter: Any = Interpreter(str(weights), num_threads=threads or None)
            self._interpreter.allocate_tensors()
            (self._input,) = self._interpreter.get_input_details()
            self._outputs = _outputs(self._interpreter.get_output_details())
        except (ValueError, KeyError, RuntimeError, OSError) as error:
            raise ModelLoadError(
                f"{weights} is not a PoseNet model: {error}",
                "The file may be damaged: restore it from the repository.",
            ) from error
        self.side = int(self._input["shape"][1])
        self._lock = threading.Lock()

    def run(self, canvas: NDArray[np.uint8]) -> Maps:
        """The maps of one canvas, uint8 [side, side, 3], RGB. Raises ModelError after `close`."""
        pixels = canvas[None].astype(np.float32) / 127.5 - 1
        with self._lock:
            if self._interpreter is None:
                raise ModelError("This PoseNet model was closed.", "Load it again.")
            self._interpreter.set_tensor(self._input["index"], pixels)
            self._interpreter.invoke()
            return Maps.of_network(
                self.side,
                *(self._interpreter.get_tensor(index)[0] for index in self._outputs),
            )

    def close(self) -> None:
        """Frees the weights; safe to call twice."""
        with self._lock:
            self._interpreter = None


def _outputs(details: list[dict[str, Any]]) -> tuple[int, ...]:
    """Tensors of heat map, offsets, and displacements forward and backward, by their names."""
    by_name = {d["name"].split(":")[0].removeprefix("StatefulPartitionedCall"): d for d in details}
    found = [by_name[name] for name in ("Identity_2", "Identity_3", "Identity_1", "Identity")]
    channels = [int(d["shape"][-1]) for d in found]
    if channels != [17, 34, 32, 32]:
        raise ValueError(f"its outputs have {channels} channels instead of [17, 34, 32, 32]")
    return tuple(int(d["index"]) for d in found)


class PoseNetModel:
    """One loaded PoseNet; an `estimators.types.PoseModel`."""

    def __init__(self, spec: ModelSpec, network: PoseNetNetwork) -> None:
        self._spec = spec
        self._network = network

    def open(self, options: EstimatorOptions) -> PoseEstimator:
        """A new estimator."""
        people = self._spec.people_limit(options)
        return PoseNetEstimator(self._network, people)

    def close(self) -> None:
        self._network.close()


class PoseNetEstimator:
    """Several people, each frame by itself."""

    def __init__(self, network: PoseNetNetwork, max_people: int) -> None:
        self._network = network
        self._max_people = max_people

    def estimate(self, frame: Frame) -> Estimate:
        """The people found, strongest first; `pose_score` as in `posenet_decoding.decode`."""
        timer = StageTimer()
        letterbox = Letterbox.fit((frame.height, frame.width), (self._network.side,) * 2)
        canvas = letterbox.apply(frame.image)
        timer.done()
        maps = self._network.run(canvas)
        timer.done()
        xy, score, pose_score = decode(maps, self._max_people)
        in_frame = letterbox.to_frame(xy + _ORIGIN_PX).astype(np.float32)
        poses = PoseSet(COCO_17, in_frame, score, pose_score=pose_score)
        return timer.estimate(frame, poses)

    def reset(self) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        """Nothing to free: the model keeps the weights."""
