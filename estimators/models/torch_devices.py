"""CUDA as PyTorch sees it, in the process of a model; implements `devices.Devices`."""

from __future__ import annotations

import gc
import warnings
from functools import cached_property

from estimators import devices
from estimators.models.torch_import import torch

# Of NVIDIA's GPUs: from this compute capability on they multiply float16 in hardware.
_HAS_FLOAT16 = (7, 0)


class TorchDevices:
    """The GPUs of this machine that PyTorch can use."""

    @cached_property
    def _found(self) -> tuple[tuple[str, ...], str]:
        """Their names, and what PyTorch warned of."""
        with warnings.catch_warnings(record=True) as said:  # a driver that is too old, for example
            warnings.simplefilter("always")
            there = torch.cuda.is_available()
        count = torch.cuda.device_count() if there else 0
        names = tuple(torch.cuda.get_device_name(number) for number in range(count))
        return names, str(said[-1].message) if said else ""

    def names(self) -> tuple[str, ...]:
        return self._found[0]

    def absence(self) -> str:
        if torch.version.cuda is None and torch.version.hip is None:
            return f"PyTorch {torch.__version__} is a build without CUDA"
        return f"PyTorch finds no CUDA GPU ({self._found[1] or 'it does not say why'})"

    def synchronize(self, device: str) -> None:
        if device != devices.CPU:
            torch.cuda.synchronize(device)

    def release(self) -> None:
        gc.collect()
        torch.cuda.empty_cache()


def has_float16(device: str) -> bool:
    """Whether the GPU is fast in float16."""
    capability: tuple[int, int] = torch.cuda.get_device_capability(device)
    return capability >= _HAS_FLOAT16
