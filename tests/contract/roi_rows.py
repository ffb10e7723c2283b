"""Prints how far RoIAlign by rows is from torchvision's, over random boxes of random maps."""

from __future__ import annotations

import json

import torch
from torchvision.ops import MultiScaleRoIAlign

from estimators.models.keypoint_rcnn_roi import RowPool


def boxes(count: int, width: int, height: int) -> torch.Tensor:
    """Small, large, beyond every edge, and of no extent."""
    middle = torch.rand(count, 2) * torch.tensor([1.2 * width, 1.2 * height]) - 0.1 * width
    half = torch.exp(torch.randn(count, 2) + 3)
    found = torch.cat([middle - half, middle + half], 1)
    found[0] = torch.tensor([5.0, 7.0, 5.0, 7.0])
    found[1] = torch.tensor([0.0, 0.0, float(width), float(height)])
    return found


def main() -> None:
    torch.manual_seed(0)
    worst = {}
    with torch.inference_mode():
        for cells in (7, 14):
            for names, pictures in ((["0", "1", "2"], 1), (["0", "1", "2"], 3), (["0"], 2)):
                pool = MultiScaleRoIAlign(names, cells, 2)
                maps = {str(n): torch.randn(pictures, 16, 48 // 2**n, 72 // 2**n) for n in range(4)}
                wanted = [boxes(40 + n, 288, 192) for n in range(pictures)]
                sizes = [(192, 288)] * pictures
                theirs = pool(maps, wanted, sizes)
                rows = RowPool(MultiScaleRoIAlign(names, cells, 2))
                side_by_side = {n: m.to(memory_format=torch.channels_last) for n, m in maps.items()}
                for how, given in (("plain", maps), ("side by side", side_by_side)):
                    ours = rows(given, wanted, sizes)
                    assert ours.shape == theirs.shape
                    apart = float((ours - theirs).abs().max())
                    worst[f"{cells} {len(names)} {pictures} {how}"] = apart
                none = rows(maps, [some[:0] for some in wanted], sizes)
                assert none.shape == (0, 16, cells, cells)
    print(json.dumps(worst))


if __name__ == "__main__":
    main()
