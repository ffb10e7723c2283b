"""MoveNet: SinglePose Lightning and Thunder, MultiPose Lightning; on LiteRT or TF Hub's own form.

Preprocessing is the official one, keep the aspect ratio and pad with black to the network's input,
with two differences: shrinking skips no pixels and blurs little (`Letterbox.apply`) where the
official `tf.image.resize_with_pad` samples bilinearly, and MultiPose pads to the tightest of the
shapes that its file offers.

Positions are the network's normalised outputs times the canvas size, moved by `_ORIGIN_PX` onto our
origin, the corner of the picture, and mapped back to the frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from estimators.errors import ModelLoadError
from estimators.geometry import CropRegion, Letterbox, Size, best_canvas
from estimators.models.movenet_crop import next_region
from estimators.models.movenet_runtime import LiteRTNetwork, Network, TFHubNetwork
from estimators.skeletons import COCO_17
from estimators.stages import StageTimer
from estimators.types import Estimate, EstimatorOptions, Frame, PoseEstimator, PoseSet

if TYPE_CHECKING:
    from estimators.specs import ModelSpec

# (height, width) of the inputs of each file, by weights key.  SinglePose has one.  MultiPose takes
# any multiple of 32 in TensorFlow but only fixed shapes in TFLite; the shapes of one file share
# their weights (0.2 MB for each further one), and 4:3 and 16:9 pictures need little padding.
CANVASES: Mapping[str, tuple[Size, ...]] = MappingProxyType(
    {
        "movenet-lightning": ((192, 192),),
        "movenet-thunder": ((256, 256),),
        "movenet-multipose": ((256, 256),),
        "movenet-multipose-512": ((512, 512), (384, 512), (512, 384), (288, 512), (512, 288)),
    }
)
_JOINTS = len(COCO_17)
# Canvas pixels between the networks' origin and ours, both ways, by weights of the LiteRT variant.
# They learned from annotations that call the centre of pixel 0 "0", where we say 0.5, on pictures
# that were larger than their input.  Measured by mirroring: pose and mirrored pose of 38 pictures
# are symmetric around the middle of the canvas only after this shift (standard error 0.02), at any
# scale of the picture.  On a frame of 1920 pixels it is 3 pixels for Lightning; without it COCO
# results lose up to 0.012 AP.
_ORIGIN_PX = {
    "movenet-lightning": 0.30,
    "movenet-thunder": 0.17,
    "movenet-multipose": 0.30,
    "movenet-multipose-512": 0.30,
}
# MultiPose always fills six slots; below this are leftovers that no threshold would ever show (any
# floor up to 0.1 gives the same AP on annotated pictures).
_SLOT_FLOOR = 0.02


def load(spec: ModelSpec, weights: Path, threads: int) -> MoveNetModel:
    """Loads a TFLite file, or a SavedModel folder for a TF Hub reference; see `registry.load`.

    Raises:
        ModelLoadError: the framework or the weights cannot be loaded, or are another model's.
    """
    network: Network
    if spec.reference_of is None:
        network = LiteRTNetwork(weights, threads)
    else:
        network = TFHubNetwork(weights, CANVASES[spec.reference_of], threads)
    side = int(spec.settings["input_side"])
    if any(max(canvas) != side for canvas in network.canvases):
        raise ModelLoadError(
            f"{spec.title} takes {side}-pixel pictures, {weights} takes {network.canvases}.",
            "It is another model's file: restore it from the repository, or fetch it again.",
        )
    return MoveNetModel(spec, network)


class MoveNetModel:
    """One loaded MoveNet; an `estimators.types.PoseModel`."""

    def __init__(self, spec: ModelSpec, network: Network) -> None:
        self._spec = spec
        self._network = network
        self._origin_px = _ORIGIN_PX[spec.reference_of or spec.key]

    def open(self, options: EstimatorOptions) -> PoseEstimator:
        """A new estimator."""
        people = self._spec.people_limit(options)
        if self._spec.settings["people"] == "single":
            return SinglePoseEstimator(self._network, self._origin_px, video=options.video)
        return MultiPoseEstimator(self._network, self._origin_px, people)

    def close(self) -> None:
        self._network.close()


class SinglePoseEstimator:
    """One person a frame.

    On a clip it looks only around the person of the frame before (see `movenet_crop`); it starts
    again with the whole frame after `reset` and when the frames change their size.
    """

    def __init__(self, network: Network, origin_px: float, *, video: bool) -> None:
        self._network = network
        self._origin_px = origin_px
        self._video = video
        self._seen: tuple[Size, CropRegion] | None = None

    def estimate(self, frame: Frame) -> Estimate:
        """One pose, always: with low scores where nobody is. `pose_score` is the joints' mean."""
        timer = StageTimer()
        size = (frame.height, frame.width)
        letterbox = self._letterbox(size)
        canvas = letterbox.apply(frame.image)
        timer.done()
        output = self._network.run(canvas)
        timer.done()
        joints = output.reshape(_JOINTS, 3)
        xy, score = _to_frame(joints[:, 1::-1], letterbox, self._origin_px), joints[:, 2]
        if self._video:
            self._seen = size, next_region(xy, score, size)
        poses = PoseSet(COCO_17, xy[None], score[None], pose_score=score.mean(keepdims=True))
        return timer.estimate(frame, poses)

    def _letterbox(self, size: Size) -> Letterbox:
        (canvas,) = self._network.canvases
        if self._seen is not None and self._seen[0] == size:
            return Letterbox.of_region(self._seen[1], size, canvas[0])
        return Letterbox.fit(size, canvas)

    def reset(self) -> None:
        self._seen = None

    def close(self) -> None:
        self.reset()


class MultiPoseEstimator:
    """Up to six people, each frame by itself."""

    def __init__(self, network: Network, origin_px: float, max_people: int) -> None:
        self._network = network
        self._origin_px = origin_px
        self._max_people = max_people

    def estimate(self, frame: Frame) -> Estimate:
        """The filled slots, strongest first; `pose_score` is the network's instance score."""
        timer = StageTimer()
        size = (frame.height, frame.width)
        letterbox = Letterbox.fit(size, best_canvas(size, self._network.canvases))
        canvas = letterbox.apply(frame.image)
        timer.done()
        output = self._network.run(canvas)
        timer.done()
        poses = _people(output[0], letterbox, self._origin_px)
        poses = poses.select(slice(0, self._max_people))
        return timer.estimate(frame, poses)

    def reset(self) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        """Nothing to free: the model keeps the weights."""


def _people(slots: NDArray[np.float32], letterbox: Letterbox, origin_px: float) -> PoseSet:
    """The network's slots [6, 56]: 17 × (y, x, score), box (top, left, bottom, right), score."""
    score = slots[:, 55]
    order = np.argsort(-score, kind="stable")
    slots = slots[order[score[order] >= _SLOT_FLOOR]]
    joints = slots[:, :51].reshape(-1, _JOINTS, 3)
    corners = slots[:, 51:55].reshape(-1, 2, 2)[..., ::-1]
    return PoseSet(
        COCO_17,
        _to_frame(joints[..., 1::-1], letterbox, origin_px),
        joints[..., 2],
        pose_score=slots[:, 55],
        box_xyxy=_to_frame(corners, letterbox, origin_px).reshape(-1, 4),
    )


def _to_frame(
    normalised: NDArray[np.float32], letterbox: Letterbox, origin_px: float
) -> NDArray[np.float32]:
    """The network's (x, y), fractions of the canvas, [..., 2], in frame pixels."""
    height, width = letterbox.canvas
    canvas_xy = normalised * np.array([width, height]) + origin_px
    return letterbox.to_frame(canvas_xy).astype(np.float32)
