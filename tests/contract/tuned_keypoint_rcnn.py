"""`python -m tests.contract.tuned_keypoint_rcnn`: what tuning changes, step by step, as JSON.

On a small torchvision Keypoint R-CNN (ResNet-18 FPN) with seeded weights.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from estimators.models.keypoint_rcnn_convolutions import is_here, quicken, quicken_stem
from estimators.models.keypoint_rcnn_fast import Proposals, fold_batch_norms, tune
from estimators.models.torch_import import torch, torchvision
from tests.contract.plain_keypoint_rcnn import seeded

SIZES = (160, 240)


def network() -> Any:
    torch.manual_seed(3)
    detection = torchvision.models.detection
    backbone = detection.backbone_utils.resnet_fpn_backbone(backbone_name="resnet18", weights=None)
    made = detection.KeypointRCNN(backbone, 2, num_keypoints=17, min_size=160, max_size=240)
    made.load_state_dict(seeded(made))
    return made.eval()


def difference(one: Any, other: Any) -> float:
    """Largest difference, relative to the largest value."""
    pairs = zip(one.values(), other.values(), strict=True)
    return max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs)


@torch.inference_mode()
def main() -> None:
    frozen = torchvision.ops.FrozenBatchNorm2d
    plain = network()
    picture = torch.rand(3, 160, 200)
    image = torch.rand(1, 3, 160, 224)
    norms = sum(isinstance(module, frozen) for module in plain.modules())

    folded = copy.deepcopy(plain)
    count = fold_batch_norms(folded)
    left = sum(isinstance(module, frozen) for module in folded.modules())

    quick = copy.deepcopy(folded)
    quicken_stem(quick.backbone)
    quickened = quicken(quick.backbone) if is_here() else 0
    large = torch.rand(1, 3, 640, 640)  # so that every way is taken

    maps = [torch.rand(2, 256, 90, 61), torch.rand(2, 256, 3, 2)]
    proposals = {
        str(dtype).removeprefix("torch."): max(
            float((a - b).abs().max() / a.abs().max())
            for one, other in zip(
                plain.rpn.head(maps),
                Proposals(copy.deepcopy(plain.rpn.head), dtype)(maps),
                strict=True,
            )
            for a, b in zip(one, other, strict=True)
        )
        for dtype in (torch.float32, torch.bfloat16)
    }

    single, half = copy.deepcopy(plain), copy.deepcopy(plain)
    tune(single, *SIZES, bfloat16=False)
    tune(half, *SIZES, bfloat16=True)
    want, have = plain([picture])[0], single([picture])[0]
    features = plain.backbone(image)
    same = len(want["boxes"]) == len(have["boxes"]) > 0
    print(
        json.dumps(
            {
                "norms_in_the_network": norms,
                "norms_folded": count,
                "norms_left": left,
                "folding": difference(features, folded.backbone(image)),
                "quick_convolutions": quickened,
                "quick": difference(folded.backbone(large), quick.backbone(large)),
                "proposals": proposals["float32"],
                "bfloat16_proposals": proposals["bfloat16"],
                "float32_boxes_px": _apart(want, have, "boxes") if same else None,
                "float32_logits": _apart(want, have, "keypoints_scores") if same else None,
                "bfloat16_features": difference(features, half.backbone(image)),
                "bfloat16_dtypes": sorted({str(p.dtype) for p in half.parameters()}),
            }
        )
    )


def _apart(one: Any, other: Any, name: str) -> float:
    return float((one[name] - other[name]).abs().max())


if __name__ == "__main__":
    main()
