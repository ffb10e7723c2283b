"""What `keypointrcnn-fast` changes: same weights, less work.

- Batch norm is folded into the convolution before it (exact but for rounding).
- Other convolutions run channels-last, the layout that oneDNN computes in.
- Where the processor multiplies bfloat16 natively, or a GPU float16, the backbone and the heads'
  hidden layers hold and use it: half the memory, twice the speed.  The last layer of each head
  stays float32, so that box offsets and the peaks of heat maps keep their resolution.
- On processors without AVX-512 each large convolution goes the way that suits its form
  (`keypoint_rcnn_convolutions`), and maps stay plain contiguous.
- The keypoint head, the dearest a person, sees no more people than are asked for (exact).
- RoIAlign on a CPU is done as weighted sums of rows (`keypoint_rcnn_roi`; exact but for rounding).
- Where maps are channels-last on a CPU, all that is said of a pixel's proposals is one product
  (`Proposals`; exact but for rounding).
- Pictures are resized to a smaller side; those that shrink are averaged over areas first, where
  torchvision would skip pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from estimators.devices import CPU
from estimators.models import keypoint_rcnn_convolutions as convolutions
from estimators.models.keypoint_rcnn_roi import RowPool
from estimators.models.torch_devices import has_float16
from estimators.models.torch_import import torch, torchvision

nn = torch.nn
_NORMS = (nn.BatchNorm2d, torchvision.ops.FrozenBatchNorm2d)
# Pixels of a map that are turned to float32 together: they stay in the processor's caches.
_ROWS = 2048


def tune(
    network: Any, min_size: int, max_size: int, device: str = CPU, bfloat16: bool | None = None
) -> str:
    """Tunes a torchvision `KeypointRCNN` in evaluation mode, in place.

    Args:
        min_size, max_size: the shorter side that pictures are resized to, in pixels, and the most
            that the longer one may get.
        device: where `network` is.
        bfloat16: compute in bfloat16 on the CPU; None where the processor has it.

    Returns:
        The numbers it computes in, in words.
    """
    network.transform.min_size = (min_size,)
    network.transform.max_size = max_size
    fold_batch_norms(network)
    if device != CPU:
        dtype = torch.float16 if has_float16(device) else torch.float32
    elif has_bfloat16() if bfloat16 is None else bfloat16:
        dtype = torch.bfloat16
    else:
        dtype = torch.float32
    layout = torch.channels_last
    if device == CPU and dtype == torch.float32 and convolutions.is_worth_it():
        convolutions.quicken_stem(network.backbone)
        convolutions.quicken(network.backbone)
        convolutions.quicken(network.rpn.head)
        layout = torch.contiguous_format
    # On a CPU the next to read the maps want them as they are, on a GPU plain.
    kept = layout if device == CPU else torch.contiguous_format
    network.backbone = _Reduced(network.backbone, dtype, layout, kept)
    if kept == torch.channels_last:
        network.rpn.head = Proposals(network.rpn.head, dtype)
    else:
        network.rpn.head.conv = _Reduced(network.rpn.head.conv, dtype, layout)
    # It begins with a matrix, whose columns are plain maps.
    network.roi_heads.box_head = _Reduced(
        network.roi_heads.box_head, dtype, torch.contiguous_format
    )
    network.roi_heads.keypoint_head = _Reduced(network.roi_heads.keypoint_head, dtype)
    if device == CPU:
        network.roi_heads.box_roi_pool = RowPool(network.roi_heads.box_roi_pool)
        if kept == torch.channels_last:  # turning plain maps does not pay for a few people
            network.roi_heads.keypoint_roi_pool = RowPool(network.roi_heads.keypoint_roi_pool)
    # A tensor that still lies in the mapped checkpoint would keep all of that file in memory.
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.data = tensor.data.clone()
    name = str(dtype).removeprefix("torch.")
    return name if dtype == torch.float32 else f"{name}, last layers in float32"


def has_bfloat16() -> bool:
    """This processor multiplies bfloat16 natively; emulated it would be slower than float32."""
    features = torch.cpu.get_capabilities()
    return any(features.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def fold_batch_norms(network: Any) -> int:
    """Folds each batch norm that directly follows a convolution into it; returns how many.

    y = (conv(x) + b - mean) · s + β with s = γ / sqrt(var + ε) is a convolution with weights w · s
    and bias (b - mean) · s + β.
    """
    pairs = list(_conv_norm_pairs(network))
    for parent, conv, name, norm in pairs:
        conv.weight, conv.bias = torch.nn.utils.fuse_conv_bn_weights(
            conv.weight,
            conv.bias,
            norm.running_mean,
            norm.running_var,
            norm.eps,
            norm.weight,
            norm.bias,
        )
        setattr(parent, name, nn.Identity())
    network.requires_grad_(False)
    return len(pairs)


def _conv_norm_pairs(network: Any) -> Iterator[tuple[Any, Any, str, Any]]:
    """(parent, convolution, name of the norm in its parent, norm).

    In torchvision's ResNets the modules of a block are registered in the order in which they run.
    """
    for parent in network.modules():
        children = list(parent.named_children())
        for (_, conv), (name, norm) in pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, _NORMS):
                yield parent, conv, name, norm


class _Reduced(nn.Module):
    """`module` computing in `dtype` and `layout`; float32 out, in the layout `kept`."""

    def __init__(
        self,
        module: Any,
        dtype: Any,
        layout: Any = torch.channels_last,
        kept: Any = torch.contiguous_format,
    ) -> None:
        super().__init__()
        self.module = module.to(dtype=dtype).to(memory_format=layout)
        self._dtype, self._layout, self._kept = dtype, layout, kept

    def forward(self, x: Any) -> Any:
        layout = self._layout if x.dim() == 4 else torch.contiguous_format
        out = self.module(x.to(dtype=self._dtype, memory_format=layout))
        if isinstance(out, dict):
            return type(out)((name, self._told(value)) for name, value in out.items())
        return self._told(out)

    def _told(self, x: Any) -> Any:
        kept = self._kept if x.dim() == 4 else torch.contiguous_format
        return x.to(dtype=torch.float32, memory_format=kept)


class Proposals(nn.Module):
    """A torchvision `RPNHead` on maps whose channels lie side by side, hidden layer in `dtype`.

    What it says of a pixel, scores and offsets alike, is one product of its channels in float32:
    the two convolutions would read each map twice, and oneDNN is slow at so few channels out.
    """

    def __init__(self, head: Any, dtype: Any) -> None:
        super().__init__()
        self.conv = head.conv.to(dtype=dtype).to(memory_format=torch.channels_last)
        self._dtype = dtype
        self._anchors = head.cls_logits.out_channels
        last = head.cls_logits, head.bbox_pred
        self.weight = nn.Parameter(torch.cat([conv.weight.flatten(1) for conv in last]), False)
        self.bias = nn.Parameter(torch.cat([conv.bias for conv in last]), False)

    def forward(self, maps: list[Any]) -> tuple[list[Any], list[Any]]:
        """See `RPNHead.forward`: scores [N, anchors, h, w] and offsets [N, 4 · anchors, h, w]."""
        told = [self._told(each) for each in maps]
        return [t[:, : self._anchors] for t in told], [t[:, self._anchors :] for t in told]

    def _told(self, x: Any) -> Any:
        hidden = self.conv(x.to(dtype=self._dtype, memory_format=torch.channels_last))
        pixels = hidden.permute(0, 2, 3, 1)
        parts = pixels.flatten(0, 2).split(_ROWS)
        said = [nn.functional.linear(part.float(), self.weight, self.bias) for part in parts]
        return torch.cat(said).view(*pixels.shape[:3], -1).permute(0, 3, 1, 2)


def shrink(image: Any, min_size: int, max_size: int) -> Any:
    """uint8 [3, H, W] resized with antialiasing to what the network's transform resizes to.

    Unchanged when the network would enlarge it: then nothing is skipped.
    """
    height, width = image.shape[1:]
    scale = min(min_size / min(height, width), max_size / max(height, width))
    if scale >= 1:
        return image
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return nn.functional.interpolate(image[None], size=size, mode="bilinear", antialias=True)[0]
