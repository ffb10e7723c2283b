"""GPUs that are not there, and an adapter that uses them.  For in-process runners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from estimators import devices
from estimators.registry import ModelSpec
from estimators.types import EstimatorOptions
from tests.unit import fake_adapters as fake

A100 = "NVIDIA A100"


@dataclass
class FakeDevices:
    """A `devices.Devices`; a trial on a GPU of `faults` raises what stands there.

    Attributes:
        done: what was asked of it, in order.
    """

    gpus: tuple[str, ...] = (A100,)
    faults: Mapping[str, Exception] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def names(self) -> tuple[str, ...]:
        return self.gpus

    def absence(self) -> str:
        return "PyTorch is a build without CUDA"

    def synchronize(self, device: str) -> None:
        self.done.append(f"synchronize {device}")

    def release(self) -> None:
        self.done.append("release")

    def build(self, device: str) -> PlacedModel:
        self.done.append(f"build {device}")
        return PlacedModel(device, self)

    def trial(self, model: PlacedModel) -> None:
        self.done.append(f"trial {model.device}")
        if model.device in self.faults:
            raise self.faults[model.device]


class PlacedModel(fake.BrightestModel):
    def __init__(self, device: str, layer: FakeDevices) -> None:
        super().__init__(fake.np.zeros(0, fake.np.uint8))
        self.device, self.layer = device, layer
        self.placement = devices.Placement(device, dtype="float16")

    def open(self, options: EstimatorOptions) -> fake.BrightestEstimator:
        return super().open(options)


layer = FakeDevices()


def spec(key: str = "placed") -> ModelSpec:
    """A variant that can use a GPU."""
    return replace(fake.spec(key), adapter="tests.unit.fake_devices", cuda=True)


def load(spec: ModelSpec, weights: Path, threads: int) -> PlacedModel:
    wanted = str(spec.settings["device"])
    model, placement = devices.place(spec.title, wanted, layer, layer.build, layer.trial)
    model.placement = replace(placement, dtype=model.placement.dtype)
    return model
