"""The quickest way for each convolution on processors without AVX-512, float32.

oneDNN, which PyTorch computes with, multiplies directly, and is slow on large plain maps.  Beside
it:

- 3 × 3: NNPACK, which comes with PyTorch, turns tiles of 8 × 8 pixels around so that a convolution
  takes a fifth of the multiplications (Lavin and Gray, "Fast Algorithms for Convolutional Neural
  Networks", 2016).  It knows AVX2 alone, and wants plain maps: with AVX-512 oneDNN is as fast.
- 1 × 1: on a plain map that is one product of two matrices.
- The first, of three colours, and the pooling after it: channels-last, which oneDNN and PyTorch's
  pooling have vector instructions for.

All are exact to about 1e-5 of the largest value.
"""

from __future__ import annotations

from typing import Any

from estimators.models.torch_import import torch

nn = torch.nn
# Fewer pixels do not pay for turning the weights around at every call.
_LEAST_TO_TURN = 700
# Of fewer, oneDNN's own order is as good.
_LEAST_TO_MULTIPLY = 20_000


def is_worth_it() -> bool:
    """This processor gains by it, and this PyTorch has it."""
    has = torch.cpu.get_capabilities()
    return bool(has.get("avx2") and not has.get("avx512_f")) and is_here()


def is_here() -> bool:
    """This PyTorch has NNPACK; it must have been asked before NNPACK is used."""
    names = ("_nnpack_spatial_convolution", "_nnpack_available")
    return all(hasattr(torch, name) for name in names) and bool(torch._nnpack_available())


def quicken(network: Any) -> int:
    """Changes all convolutions in `network` that another way suits, in place; returns how many.

    Maps have to be plain contiguous; batch norms have to be folded already.
    """
    found = [
        (parent, name, child)
        for parent in network.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Conv2d) and _way(child) is not None
    ]
    for parent, name, conv in found:
        setattr(parent, name, _Quick(conv, _way(conv)))
    return len(found)


def quicken_stem(backbone: Any) -> None:
    """Changes what torchvision's ResNets begin with, in place; nothing of other backbones."""
    body = dict(getattr(backbone, "body", nn.Identity()).named_children())
    folded = isinstance(body.get("bn1"), nn.Identity)
    if folded and {"conv1", "relu", "maxpool"} <= set(body):
        backbone.body["conv1"] = _Stem(body["conv1"], body["relu"], body["maxpool"])
        backbone.body["relu"] = backbone.body["maxpool"] = nn.Identity()


def _way(conv: Any) -> Any:
    """What computes `conv` more quickly: a function of it and a map; None where nothing does."""
    if conv.dilation != (1, 1) or conv.groups != 1 or conv.padding_mode != "zeros":
        return None
    form = (conv.kernel_size, conv.stride, conv.padding)
    if form == ((3, 3), (1, 1), (1, 1)):
        return _by_winograd
    if conv.kernel_size == (1, 1) and conv.padding == (0, 0):
        return _as_product
    return None


def _by_winograd(conv: Any, x: Any) -> Any:
    if x.shape[2] * x.shape[3] < _LEAST_TO_TURN:
        return conv(x)
    return torch._nnpack_spatial_convolution(
        x.contiguous(), conv.weight, conv.bias, conv.padding, conv.stride
    )


def _as_product(conv: Any, x: Any) -> Any:
    if x.shape[2] * x.shape[3] < _LEAST_TO_MULTIPLY:
        return conv(x)
    down, across = conv.stride
    seen = x[0, :, ::down, ::across]
    weight, pixels = conv.weight.flatten(1), seen.flatten(1)
    if conv.bias is None:
        return (weight @ pixels).view(1, -1, *seen.shape[1:])
    return torch.addmm(conv.bias[:, None], weight, pixels).view(1, -1, *seen.shape[1:])


class _Quick(nn.Module):
    """`conv`, in whichever way is quicker for the size of the map; several maps oneDNN's way."""

    def __init__(self, conv: Any, way: Any) -> None:
        super().__init__()
        self.conv = conv
        self._way = way

    def forward(self, x: Any) -> Any:
        return self.conv(x) if x.shape[0] > 1 else self._way(self.conv, x)


class _Stem(nn.Module):
    """`conv`, `relu` and `pool`, channels-last; plain contiguous out."""

    def __init__(self, conv: Any, relu: Any, pool: Any) -> None:
        super().__init__()
        self.conv, self.relu, self.pool = conv, relu, pool

    def forward(self, x: Any) -> Any:
        wide = x.contiguous(memory_format=torch.channels_last)
        return self.pool(self.relu(self.conv(wide))).contiguous()
