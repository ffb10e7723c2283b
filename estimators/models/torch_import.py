"""torchvision imported without the compilers that it brings along and never uses here.

`torchvision.ops` asks one function of `torch._dynamo` whether RoIAlign's CUDA twin could be
compiled, and imports it at its top; with it come the compiler, sympy and triton.  Together they are
a quarter of this process's memory (150 MB) and a second of its start, and that function is reached
on a GPU alone, where PyTorch is told to use deterministic algorithms only, which nobody here does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_COMPILERS = ("triton", "torch._dynamo", "torch._dynamo.utils")


@contextmanager
def without_compilers() -> Iterator[None]:
    """While inside, triton cannot be imported and `torch._dynamo` is a stand-in of one function.

    Afterwards the stand-ins are gone, so that whoever calls `torch.compile` later gets the real
    thing.  What is imported already stays untouched.
    """
    # None makes an import fail, which torch takes for "not installed".
    added: dict[str, Any] = {name: None for name in _COMPILERS if name not in sys.modules}
    if "torch._dynamo" in added:
        added["torch._dynamo"] = ModuleType("torch._dynamo")
        added["torch._dynamo.utils"] = ModuleType("torch._dynamo.utils")
        added["torch._dynamo.utils"].is_compile_supported = lambda device_type: False
    sys.modules.update(added)
    try:
        yield
    finally:
        for name in added:
            sys.modules.pop(name, None)


with without_compilers():
    import torch
    import torchvision.models.detection

__all__ = ["torch", "torchvision", "without_compilers"]
