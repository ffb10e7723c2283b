"""GPUs as their driver tells of them, on a driver that is not there."""

# ruff: noqa: N802 - the names are NVML's

from __future__ import annotations

from types import SimpleNamespace

import pytest

from estimators.devices import Placement
from estimators.runtime import gpus, whereabouts
from estimators.runtime.whereabouts import Whereabouts
from tests.unit import fake_devices

UUIDS = ["GPU-aa11", "GPU-bb22", "GPU-bb33"]


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("2,0", [2, 0]),
        ("GPU-aa11, 2", [0, 2]),
        ("GPU-bb", []),  # two begin so
        ("GPU-bb3", [2]),
        ("0,-1,1", [0]),
        ("7", []),
        ("1,1", [1]),
        ("NoDevFiles", []),
    ],
)
def test_gpus_have_the_numbers_that_cuda_gives_them(listed: str | None, found: list[int]) -> None:
    environment = {} if listed is None else {"CUDA_VISIBLE_DEVICES": listed}
    assert gpus.visible(UUIDS, environment) == found


class Driver:
    """NVML of two GPUs; `broken` is a driver that answers nothing."""

    class NVMLError(Exception):
        pass

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken

    def nvmlDeviceGetCount(self) -> int:
        if self.broken:
            raise self.NVMLError("Driver/library version mismatch")
        return 2

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        return number

    def nvmlDeviceGetUUID(self, handle: int) -> bytes | str:
        return (b"GPU-aa", "GPU-bb")[handle]

    def nvmlDeviceGetName(self, handle: int) -> bytes | str:
        return ("NVIDIA A100", b"NVIDIA T4")[handle]

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:
        free = (1.5e9, 9e9)[handle]
        return SimpleNamespace(total=16e9, free=free)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        every = [SimpleNamespace(pid=7, usedGpuMemory=500e6 * (1 + handle))]
        return [*every, SimpleNamespace(pid=8, usedGpuMemory=None)]


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    made = Driver()
    monkeypatch.setattr(gpus, "_nvml", lambda: made)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(whereabouts, "gpu_seen", lambda: True)
    return made


def test_names_and_memory(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = gpus.gpus()
    assert first == ("cuda:0", "NVIDIA A100", 16_000, 1_500)
    assert second.name == "NVIDIA T4"
    assert (gpus.free_mb("auto"), gpus.free_mb("cuda:0"), gpus.free_mb("cuda:5")) == (
        9_000,
        1_500,
        None,
    )
    assert (gpus.held_mb(7), gpus.held_mb(8), gpus.held_mb(9)) == (1_500, None, None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [gpu.name for gpu in gpus.gpus()] == ["NVIDIA T4"]


def test_a_driver_that_does_not_answer_tells_of_none(driver: Driver) -> None:
    driver.broken = True
    assert gpus.gpus() == ()
    assert gpus.free_mb("auto") is None
    assert gpus.held_mb(7) is None


def test_a_gpu_is_full_for_what_was_measured_there(driver: Driver) -> None:
    first = Whereabouts(fake_devices.spec(), "cuda:0")
    assert first.lacks_gpu()  # 1,500 MB are less than is expected before it was measured
    assert not Whereabouts(fake_devices.spec(), "auto").lacks_gpu()
    first.loaded(Placement("cuda:0"))
    assert first.on_gpu
    assert first.gpu_mb(7) == 1_500
    assert not first.lacks_gpu()
    on_cpu = Whereabouts(fake_devices.spec(), "cpu")
    assert not on_cpu.lacks_gpu()
    assert on_cpu.gpu_mb(7) is None
