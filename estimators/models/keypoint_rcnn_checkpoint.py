"""Keypoint R-CNN's network and its checkpoint file, with as little memory as they allow."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import Any

from estimators.errors import ModelLoadError
from estimators.models.torch_import import torch, torchvision
from estimators.skeletons import COCO_17

nn = torch.nn
Tensor = torch.Tensor
Checkpoint = dict[str, torch.Tensor]
KeypointRCNN = torchvision.models.detection.KeypointRCNN

_ADVICE = (
    "Delete it so that it is fetched again, or put torchvision's "
    "keypointrcnn_resnet50_fpn_coco-fc266e95.pth in its place."
)
# Background and person.
_CLASSES = 2


def read_checkpoint(path: Path) -> Checkpoint:
    """The float32 tensors of a checkpoint, by name; mapped from the file where its format allows.

    Nothing but tensors is ever unpickled (`weights_only`).

    Raises:
        ModelLoadError: the file cannot be read, is damaged, or is not a dict of tensors.
    """
    try:
        # Checkpoints from before PyTorch 1.6, torchvision's own among them, are no zip archives and
        # cannot be mapped.
        checkpoint = torch.load(
            path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
        )
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise ModelLoadError(
            f"{path.name} cannot be read as a PyTorch checkpoint: {_reason(error)}.", _ADVICE
        ) from error
    if not isinstance(checkpoint, dict) or not all(
        isinstance(value, Tensor) for value in checkpoint.values()
    ):
        raise ModelLoadError(f"{path.name} holds something else than named tensors.", _ADVICE)
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in checkpoint.items()
    }


def _reason(error: Exception) -> str:
    """Why reading failed, in one sentence; torch's own goes on for pages."""
    if isinstance(error, pickle.UnpicklingError):
        # torch's message would tell people to switch the protection off.
        return "it holds something else than tensors"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition(". ")[0].strip().rstrip(".") or "it ends too early"


def coco_network(checkpoint: Checkpoint) -> Any:
    """torchvision's `keypointrcnn_resnet50_fpn` with its defaults, without data.

    torchvision builds it with frozen batch norm and an epsilon of 0 for its COCO_V1 weights, which
    were trained so, and with ordinary batch norm and 1e-5 where no weights are named.  A checkpoint
    tells which it came from: only ordinary batch norm counts its batches.
    """
    if any(name.endswith("num_batches_tracked") for name in checkpoint):
        norm_layer: Any = nn.BatchNorm2d
    else:
        norm_layer = partial(torchvision.ops.FrozenBatchNorm2d, eps=0.0)
    backbone = torchvision.models.detection.backbone_utils.resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=norm_layer
    )
    return KeypointRCNN(backbone, _CLASSES, num_keypoints=len(COCO_17))


def fill(network: Any, checkpoint: Checkpoint, name: str) -> None:
    """Puts the checkpoint's tensors themselves, not copies, into `network`, ready for inference.

    Raises:
        ModelLoadError: `checkpoint`, read from the file `name`, belongs to another network.
    """
    try:
        network.load_state_dict(checkpoint, strict=True, assign=True)
    except RuntimeError as error:
        # The first line says "Error(s) in loading ..."; then comes one line a kind of mismatch.
        details = str(error).split("\n", 1)[-1]
        raise ModelLoadError(
            f"{name} is not a checkpoint of this network: {shorten(details, 200)}", _ADVICE
        ) from error
    network.eval().requires_grad_(False)


class _SkipInitialisers(torch.overrides.TorchFunctionMode):
    """Initialising a tensor does nothing."""

    _SKIPPED = frozenset(
        {torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.fill_, torch.Tensor.zero_}
        | {getattr(nn.init, name) for name in nn.init.__all__ if name.endswith("_")}
    )

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in self._SKIPPED:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


@contextmanager
def without_data() -> Iterator[None]:
    """Networks built inside have shapes but no memory: `fill` brings everything.

    Initialisers are skipped, because on tensors without data they import torch's compiler (90 MB).
    """
    with torch.device("meta"), _SkipInitialisers():
        yield
