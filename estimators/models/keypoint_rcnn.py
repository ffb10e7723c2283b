"""Keypoint R-CNN through torchvision.

`reference` is torchvision's network with the library's defaults; its numbers are exactly those of a
direct call.  `fast` (setting `tuned`) is the same weights tuned for speed, see
`keypoint_rcnn_fast`.  Both run on a CUDA GPU where the setting `device` says so (`devices.place`).

Positions are torchvision's, nothing added.  A peak is reported at its heat map cell's centre
(`c = d + 0.5`, `heatmaps_to_keypoints`), and the cells were filled from COCO's annotations, pixel
indices, as they are: half a pixel up and left of our convention, which COCO results take account of
(`ModelSpec.coco_shift_px`) and everything else is too coarse for.  A joint's score is
`keypoints_scores`, the heat map's peak as a logit; the visibility column, always 1, is dropped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from estimators import devices, memory
from estimators.errors import ModelError, ModelLoadError
from estimators.skeletons import COCO_17
from estimators.stages import StageTimer
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet

if TYPE_CHECKING:
    from estimators.specs import ModelSpec

_PERSON = 1
# The network pads its pictures to multiples of this.
_GRID = 32


def load(spec: ModelSpec, weights: Path, threads: int) -> KeypointRCNNModel:
    """Loads a checkpoint of torchvision's ResNet-50 FPN network; see `estimators.registry.load`.

    Raises:
        ModelLoadError: torchvision cannot be imported, or the file is not such a checkpoint.
    """
    try:
        from estimators.models import keypoint_rcnn_checkpoint as source
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelLoadError(
            f"{spec.title} needs torch and torchvision, which could not be imported: {error}",
            "Install requirements.txt; the versions of the two must belong together.",
        ) from error

    def network() -> Any:
        checkpoint = source.read_checkpoint(weights)
        with source.without_data():
            empty = source.coco_network(checkpoint)
        source.fill(empty, checkpoint, weights.name)
        return empty  # `fast` replaces most tensors: nothing may keep the checkpoint alive

    return placed(network, spec, threads)


def placed(
    network: Callable[[], Any], spec: ModelSpec, threads: int, layer: devices.Devices | None = None
) -> KeypointRCNNModel:
    """The model where the setting `device` wants it, the CPU where there is none.

    Args:
        network: makes it, in evaluation mode, on the CPU.
        layer: another than PyTorch's, in tests.

    Raises:
        ModelLoadError: it cannot be there.
    """
    from estimators.models.torch_devices import TorchDevices

    gpus = layer or TorchDevices()

    def build(device: str) -> KeypointRCNNModel:
        return KeypointRCNNModel(network(), spec, threads, Place(device, gpus))

    wanted = str(spec.settings.get("device", devices.CPU))
    model, placement = devices.place(spec.title, wanted, gpus, build, KeypointRCNNModel.try_out)
    own = model.placement
    model.placement = replace(placement, dtype=own.dtype, batch=own.batch)
    return model


@dataclass(frozen=True)
class Place:
    """A device, and the layer that knows it; the CPU needs none."""

    device: str = devices.CPU
    layer: devices.Devices | None = None

    def settle(self) -> None:
        """Waits until the device has done what it was asked for."""
        if self.layer is not None:
            self.layer.synchronize(self.device)

    @property
    def cpu(self) -> bool:
        return self.device == devices.CPU


ON_CPU = Place()


class KeypointRCNNModel:
    """A loaded torchvision `KeypointRCNN` with 17 joints; an `estimators.types.PoseModel`.

    Args:
        network: in evaluation mode; `fast` changes it in place.
        spec: `settings` may hold `tuned` (bool), `min_size` and `max_size` (pixels).
        threads: CPU threads for torch, 0 for its own choice.
        place: where it computes.
    """

    def __init__(self, network: Any, spec: ModelSpec, threads: int, place: Place = ON_CPU) -> None:
        from estimators.models.torch_import import torch

        self._torch: Any = torch
        if threads > 0:
            torch.set_num_threads(threads)
        self.place = place
        if not place.cpu:
            network.to(place.device)
        dtype = "float32"
        self._longest: tuple[int, int] | None = None
        if spec.settings.get("tuned"):
            from estimators.models.keypoint_rcnn_fast import tune

            self._longest = int(spec.settings["min_size"]), int(spec.settings["max_size"])
            dtype = tune(network, *self._longest, place.device)
        elif not place.cpu and torch.backends.cudnn.allow_tf32:
            dtype = "float32, convolutions in TF32 where the GPU has it (PyTorch's default)"
        batch = 1 if place.cpu else devices.MOST_TOGETHER
        self.placement = devices.Placement(place.device, dtype=dtype, batch=batch)
        self.network: Any = network
        self.spec = spec
        memory.trim()
        if place.cpu and self._longest is not None:
            memory.keep_freed()  # not for `reference`, which takes what a direct call takes

    def open(self, options: EstimatorOptions) -> KeypointRCNNEstimator:
        """A new estimator."""
        people = self.spec.people_limit(options)
        return KeypointRCNNEstimator(self, people)

    def close(self) -> None:
        """Frees the weights."""
        self.network = None
        memory.trim()

    def prepare(self, frame: Frame) -> Any:
        """The frame as the network takes it: float32 [3, h, w], RGB, 0 to 1; `fast` shrinks it.

        It is shrunk on the CPU, wherever the network is: both see the same pixels.
        """
        # A copy, because the frame may be read-only, which torch does not know.
        image = self._torch.tensor(frame.image)
        if self._longest is None:
            image = image.to(self.place.device).permute(2, 0, 1)
        else:
            from estimators.models.keypoint_rcnn_fast import shrink

            image = shrink(image.permute(2, 0, 1), *self._longest).to(self.place.device)
        return image.float().div(255)  # it went there as bytes, a quarter of that

    def try_out(self) -> None:
        """Answers to a picture of noise and forgets the answer; raises what goes wrong."""
        pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
        self.open(EstimatorOptions()).estimate(Frame(pixels))

    def canvas(self, image: Any) -> tuple[int, int]:
        """Height and width that the network resizes and pads a prepared image to.

        Pictures of one canvas can go through together without one changing another's answer.
        """
        transform, sides = self.network.transform, image.shape[1:]
        scale = min(transform.min_size[-1] / min(sides), transform.max_size / max(sides))
        height, width = (-(-int(side * scale) // _GRID) * _GRID for side in sides)
        return height, width

    def detect(self, *images: Any, people: int | None = None) -> list[dict[str, Any]]:
        """torchvision's answers to prepared images, which go through together.

        Args:
            people: as many of the best as are wanted; `fast` does not look for the joints of more.

        Raises:
            ModelError: the model was closed, or torch failed on these images.
        """
        if self.network is None:
            raise ModelError(f"{self.spec.title} was closed.", "Load it again.")
        try:
            with self._torch.inference_mode(), self._most(people):
                found: list[dict[str, Any]] = self.network(list(images))
        except RuntimeError as error:
            height, width = images[0].shape[1:]
            raise ModelError(
                f"{self.spec.title} failed on a picture of {width}×{height} "
                f"pixels: {(str(error).splitlines() or ['no reason given'])[0]}",
                "Try a smaller or a less elongated picture.",
            ) from error
        return found

    @contextmanager
    def _most(self, people: int | None) -> Iterator[None]:
        heads = self.network.roi_heads
        most = heads.detections_per_img
        if self._longest is not None and people is not None:
            heads.detections_per_img = min(most, people)  # they come best first
        try:
            yield
        finally:
            heads.detections_per_img = most


class KeypointRCNNEstimator:
    """Pictures through Keypoint R-CNN; a `estimators.types.PoseEstimator` without memory."""

    def __init__(self, model: KeypointRCNNModel, people: int) -> None:
        self._model = model
        self._people = people

    def estimate(self, frame: Frame) -> Estimate:
        """See `estimators.types.PoseEstimator.estimate`.

        Raises:
            ModelError: the model was closed, or torch failed on this frame.
        """
        timer = StageTimer(self._model.place.settle)
        image = self._model.prepare(frame)
        timer.done()
        (found,) = self._model.detect(image, people=self._people)
        timer.done()
        poses = _to_poses(found, _scale(frame, image), self._people)
        return timer.estimate(frame, poses)

    def estimate_together(self, frames: Sequence[Frame]) -> list[Estimate]:
        """See `estimators.types.PoseEstimator`; frames of one canvas share a forward.

        Raises:
            ModelError: the model was closed, or torch failed on these frames.
        """
        timer = StageTimer(self._model.place.settle)
        images = [self._model.prepare(frame) for frame in frames]
        together: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, image in enumerate(images):
            together[self._model.canvas(image)].append(number)
        timer.done()
        found: dict[int, dict[str, Any]] = {}
        for numbers in together.values():
            answers = self._model.detect(*(images[n] for n in numbers), people=self._people)
            found.update(zip(numbers, answers, strict=True))
        timer.done()
        poses = [
            _to_poses(found[n], _scale(frame, images[n]), self._people)
            for n, frame in enumerate(frames)
        ]
        return timer.estimates(frames, poses)

    def reset(self) -> None:
        """Nothing to forget: every frame is looked at anew."""

    def close(self) -> None:
        """Nothing to free: the weights belong to the model."""


def _scale(frame: Frame, image: Any) -> np.ndarray[Any, Any]:
    """What leads from a prepared image to the frame, (x, y)."""
    return np.array([frame.width / image.shape[2], frame.height / image.shape[1]], np.float32)


def _to_poses(found: dict[str, Any], scale: np.ndarray[Any, Any], people: int) -> PoseSet:
    """The people of torchvision's answer, best box first; `scale` (x, y) leads to the frame."""
    arrays = {name: values.cpu().numpy() for name, values in found.items()}
    persons = np.flatnonzero(arrays["labels"] == _PERSON)[:people]
    if not len(persons):
        return PoseSet.empty(COCO_17)
    return PoseSet(
        skeleton=COCO_17,
        xy=arrays["keypoints"][persons, :, :2] * scale,
        score=arrays["keypoints_scores"][persons],
        pose_score=arrays["scores"][persons],
        box_xyxy=arrays["boxes"][persons] * np.tile(scale, 2),
    )
