"""Where a model computes: what was wished, what there is, and what became of it.

A device is called as PyTorch calls it: `cpu`, `cuda:0`, `cuda:1` … .  A wish is one of them, `cuda`
for whichever GPU works, or `auto`: a GPU where a trial forward on it works, else the CPU.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from estimators.errors import InputError, ModelLoadError, PoseError, first_line

AUTO, CPU, CUDA = "auto", "cpu", "cuda"
CPU_ONLY = "its runtime computes on the CPU only"
ADVICE = "Give auto, cpu, cuda, or cuda:0 for the first GPU, cuda:1 for the second …"
# Pictures in one forward on a GPU (docs/gpu.md tells what they gain).
MOST_TOGETHER = 8
_WISH = re.compile(r"auto|cpu|cuda(:(0|[1-9]\d?))?")
_LONGEST_SHOWN = 40
# What the drivers of GPUs put there: NVIDIA's, the one of WSL, AMD's.
_FILES = ("nvidiactl", "nvidia[0-9]*", "dxg", "kfd")
_Model = TypeVar("_Model")


@dataclass(frozen=True)
class Placement:
    """Where a loaded model really computes.

    Attributes:
        device: `cpu`, `cuda:0` …
        reason: why there, a clause without a full stop.
        name: of the GPU, "" for the CPU.
        dtype: the numbers it computes in, in words; "" where its adapter does not say.
        batch: most pictures in one forward.
    """

    device: str = CPU
    reason: str = ""
    name: str = ""
    dtype: str = ""
    batch: int = 1

    @property
    def kind(self) -> str:
        """`cpu` or `cuda`: answers of one kind are kept apart from those of the other."""
        return self.device.partition(":")[0]

    def as_data(self) -> dict[str, str | int]:
        """As files tell it, JSON-ready."""
        return asdict(self)

    def named(self, model: str) -> str:
        """What files of a model's answers begin with: its key; of a GPU's also `cuda`."""
        return model if self.kind == CPU else f"{model}.{self.kind}"

    @property
    def words(self) -> str:
        """Where, for people: `CPU`, or the GPU's name and number."""
        return "CPU" if self.kind == CPU else f"{self.name or 'GPU'} ({self.device})"

    @property
    def computed(self) -> str:
        """Where and in which numbers, for a cell of a table."""
        dtype = self.dtype.partition(",")[0]
        return f"{self.device}, {dtype}" if dtype else self.device

    @property
    def sentence(self) -> str:
        """Where, in which numbers, how many pictures at once, and why."""
        parts = [self.words]
        if self.dtype:
            parts.append(self.dtype)
        if self.batch > 1:
            parts.append(f"up to {self.batch} pictures at once")
        return ", ".join(parts) + (f": {self.reason}" if self.reason else "") + "."


class Devices(Protocol):
    """The GPUs as a framework sees them, in the process of the model."""

    def names(self) -> Sequence[str]:
        """Their names, by number; none where there are none that it can use."""

    def absence(self) -> str:
        """Why there are none, a clause."""

    def synchronize(self, device: str) -> None:
        """Waits until all that was asked of `device` is done; at once for the CPU."""

    def release(self) -> None:
        """Gives back the memory of what nobody refers to any more."""


def wish(name: str, text: str, advice: str = ADVICE) -> str:
    """A checked wish.

    Args:
        name: what it is called where it was given.

    Raises:
        InputError: it is none.
    """
    if not _WISH.fullmatch(text):
        raise InputError(f"{name} is {text[:_LONGEST_SHOWN]!r}.", advice)
    return text


def gpu_seen(folder: Path = Path("/dev")) -> bool:
    """Whether a driver shows a GPU to this machine or container; needs no framework."""
    return any(any(folder.glob(pattern)) for pattern in _FILES)


def settled(title: str, can_cuda: bool, wanted: str, seen: bool) -> Placement | None:
    """Where a model goes, as far as that is certain before it is loaded; None where it is not.

    Args:
        title: of the model.
        can_cuda: its adapter can use CUDA.
        wanted: a wish.
        seen: `gpu_seen`.

    Raises:
        ModelLoadError: a GPU is wished, and the model cannot use one, or there is none.
    """
    if not can_cuda:
        if wanted not in (AUTO, CPU):
            raise _refused(title, wanted, CPU_ONLY)
        return Placement(CPU, CPU_ONLY)
    if wanted == CPU:
        return Placement(CPU, "as was asked for")
    if seen:
        return None
    absence = "there is no GPU on this machine"
    if wanted != AUTO:
        raise _refused(title, wanted, absence)
    return Placement(CPU, absence)


def place(
    title: str,
    wanted: str,
    layer: Devices,
    build: Callable[[str], _Model],
    trial: Callable[[_Model], object],
) -> tuple[_Model, Placement]:
    """Builds a model where `wanted` says; on a GPU only if a trial on it works.

    Args:
        build: makes the model on a device.
        trial: lets it answer once; raises where it cannot.

    Returns:
        The model, and where it is; `dtype` and `batch` are the adapter's to add.

    Raises:
        ModelLoadError: a GPU is wished and cannot be used.
        Exception: what `build` raises for the CPU.
    """
    if wanted == CPU:
        return build(CPU), Placement(CPU, "as was asked for")
    names = tuple(layer.names())
    why = f"the GPUs are {', '.join(names)}" if names else layer.absence()
    for number in _numbers(wanted, len(names)):
        device = f"{CUDA}:{number}"
        try:
            model = build(device)
            trial(model)
            layer.synchronize(device)
        except Exception as error:  # noqa: BLE001 - drivers and libraries raise whatever they meet
            told = error.message if isinstance(error, PoseError) else error
            why = f"a trial on {device} ({names[number]}) failed: {first_line(told, 200)}"
            why = why.rstrip(".")
        else:
            return model, Placement(device, "a trial on it worked", names[number])
        layer.release()  # outside of `except`, whose error holds the model
    if wanted != AUTO:
        raise _refused(title, wanted, why)
    return build(CPU), Placement(CPU, why)


def placement_of(model: object) -> Placement:
    """Where a loaded `types.PoseModel` computes; one that does not say does so on the CPU."""
    placement: Placement = getattr(model, "placement", Placement())
    return placement


def _numbers(wanted: str, count: int) -> range:
    """Which GPUs are tried, in this order."""
    _, _, number = wanted.partition(":")
    return range(int(number), min(int(number) + 1, count)) if number else range(count)


def _refused(title: str, wanted: str, why: str) -> ModelLoadError:
    return ModelLoadError(
        f"{title} cannot use the device {wanted}: {why}.",
        "Choose auto or cpu (on the page, or POSE_DEVICE); docs/gpu.md tells what a GPU needs.",
    )
