"""3 × 3 convolutions by Winograd's method, for processors without AVX-512.

oneDNN, which PyTorch computes with, multiplies directly.  NNPACK, which comes with PyTorch, turns
tiles of 8 × 8 pixels around so that a 3 × 3 convolution takes a fifth of the multiplications
(Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016), in float32 and exact to
about 1e-5 of the largest value.  It knows AVX2 alone: with AVX-512 oneDNN is as fast.
"""

from __future__ import annotations

from typing import Any

from estimators.models.torch_import import torch

nn = torch.nn
# Fewer pixels do not pay for turning the weights around at every call.
_LEAST_PIXELS = 700


def is_worth_it() -> bool:
    """This processor gains by it, and this PyTorch has it."""
    has = torch.cpu.get_capabilities()
    return bool(has.get("avx2") and not has.get("avx512_f")) and is_here()


def is_here() -> bool:
    """This PyTorch has NNPACK; it must have been asked before NNPACK is used."""
    names = ("_nnpack_spatial_convolution", "_nnpack_available")
    return all(hasattr(torch, name) for name in names) and bool(torch._nnpack_available())


def by_winograd(network: Any) -> int:
    """Changes all convolutions in `network` that it suits, in place; returns how many."""
    found = [
        (parent, name, child)
        for parent in network.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Conv2d) and _suits(child)
    ]
    for parent, name, conv in found:
        setattr(parent, name, _Winograd(conv))
    return len(found)


def _suits(conv: Any) -> bool:
    form = (conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups)
    return form == ((3, 3), (1, 1), (1, 1), (1, 1), 1) and conv.padding_mode == "zeros"


class _Winograd(nn.Module):
    """`conv`, in whichever way is quicker for the size of the map; plain contiguous throughout."""

    def __init__(self, conv: Any) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Any) -> Any:
        conv = self.conv
        if x.shape[0] > 1 or x.shape[2] * x.shape[3] < _LEAST_PIXELS:
            return conv(x)
        return torch._nnpack_spatial_convolution(
            x.contiguous(), conv.weight, conv.bias, conv.padding, conv.stride
        )
