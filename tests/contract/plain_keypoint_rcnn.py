"""torchvision's Keypoint R-CNN called as its documentation does, independent of `estimators`.

`python plain_keypoint_rcnn.py NORM FOLDER PICTURES OUTPUT` makes a full-size checkpoint with seeded
weights, as PICTURES.npz the frames uint8 [H, W, 3], and writes what torchvision says as OUTPUT.npz
(`<frame>/boxes` and so on).  NORM says which checkpoint:

frozen    what torchvision publishes: frozen batch norm, names from before version 2 of FPN and RPN
          head, and PyTorch's old file format, under the official name in FOLDER/hub/checkpoints,
          loaded by naming the COCO_V1 weights
ordinary  what somebody saves who trained it: ordinary batch norm, today's file format
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.models.detection import (
    KeypointRCNN,
    KeypointRCNN_ResNet50_FPN_Weights,
    keypointrcnn_resnet50_fpn,
)
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

NAME = "keypointrcnn_resnet50_fpn_coco-fc266e95.pth"


def seeded(network: Any) -> dict[str, torch.Tensor]:
    """A state in which every tensor matters, nothing explodes and some boxes pass for people."""
    state: dict[str, torch.Tensor] = network.state_dict()
    for name, tensor in state.items():
        if not name.endswith("running_var"):
            continue
        norm = name.removesuffix("running_var")
        tensor.uniform_(0.002, 0.02)  # small, so that the epsilon shows
        low, high = (0.1, 0.3) if norm.endswith("bn3.") else (0.5, 1.0)
        state[f"{norm}weight"].uniform_(low, high).mul_(tensor.sqrt())
        state[f"{norm}bias"].normal_(0, 0.1)
        state[f"{norm}running_mean"].normal_(0, 0.1)
    state["roi_heads.box_predictor.cls_score.weight"] *= 20
    state["roi_heads.keypoint_predictor.kps_score_lowres.weight"] *= 5
    return state


def older_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`state` under the published file's names, where no convolution was wrapped in another module.

    `inner_blocks.2.0.weight` of version 2 is `inner_blocks.2.weight`, and so on.
    """
    wrapped = re.compile(r"(fpn\.(?:inner|layer)_blocks\.\d|rpn\.head\.conv)(?:\.0)+(?=\.)")
    renamed = {wrapped.sub(r"\1", name): tensor for name, tensor in state.items()}
    assert len(renamed.keys() - state.keys()) == 2 * (4 + 4 + 1)  # a weight and a bias each
    return renamed


def make_network(norm: str, folder: Path) -> Any:
    torch.manual_seed(7)
    file = folder / "hub" / "checkpoints" / NAME
    file.parent.mkdir(parents=True)
    if norm == "frozen":
        backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None)
        state = seeded(KeypointRCNN(backbone, 2, num_keypoints=17))
        torch.save(older_names(state), file, _use_new_zipfile_serialization=False)
        os.environ["TORCH_HOME"] = str(folder)
        return keypointrcnn_resnet50_fpn(weights=KeypointRCNN_ResNet50_FPN_Weights.COCO_V1)
    network = keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    network.load_state_dict(seeded(network))
    torch.save(network.state_dict(), file)
    return network


def main(norm: str, folder: str, pictures: str, output: str) -> None:
    torch.set_num_threads(2)
    network = make_network(norm, Path(folder)).eval()
    answers = {}
    for name, picture in np.load(pictures).items():
        image = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
        with torch.no_grad():
            found = network([image])[0]
        answers.update({f"{name}/{key}": value.numpy() for key, value in found.items()})
    np.savez(output, **answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
