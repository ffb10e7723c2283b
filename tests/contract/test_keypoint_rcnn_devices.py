"""Keypoint R-CNN on the CPU and on a GPU: the choice everywhere, the answers where there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from estimators import devices
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import EstimatorOptions, Frame
from tests.contract import child
from tests.fixtures import tiny_keypoint_rcnn as tiny

VARIANTS = tuple(tiny.spec(variant) for variant in ("reference", "fast"))
# A layer that tells of a GPU that PyTorch cannot use here, whatever there is.
CLAIMED = """
import json
from dataclasses import replace
from estimators.errors import ModelLoadError
from estimators.models.keypoint_rcnn import placed
from estimators.models.torch_devices import TorchDevices
from estimators.models.torch_import import torch
from estimators.types import EstimatorOptions, Frame
from tests.fixtures import tiny_keypoint_rcnn as tiny
import numpy as np

class Claims(TorchDevices):
    def names(self):
        return ("Absent",) * (1 if wanted == "auto" else 91)
    def absence(self):
        return "none"
    def release(self):
        pass

said = {}
for wanted in ("auto", "cuda:90", "cpu"):
    spec = tiny.spec("fast")
    spec = replace(spec, settings={**spec.settings, "device": wanted})
    layer = Claims() if wanted != "cpu" else None
    try:
        model = placed(tiny.network, spec, 1, layer)
        answer = model.open(EstimatorOptions()).estimate(Frame(np.zeros((90, 160, 3), np.uint8)))
        said[wanted] = [model.placement.device, model.placement.reason, model.placement.dtype]
    except ModelLoadError as error:
        said[wanted] = str(error)
said["real"] = [TorchDevices().absence(), list(TorchDevices().names())]
print(json.dumps(said))
"""


def test_a_gpu_that_cannot_be_used_leads_to_the_cpu_or_to_an_error() -> None:
    said = json.loads(child.code(CLAIMED).splitlines()[-1])
    assert said["cuda:90"].startswith("Tiny Keypoint R-CNN fast cannot use the device cuda:90: ")
    assert "a trial on cuda:90 (Absent) failed: " in said["cuda:90"]
    assert said["cpu"][:2] == ["cpu", "as was asked for"]
    assert said["cpu"][2] in ("float32", "bfloat16, last layers in float32")
    absence, names = said["real"]
    if not names:
        assert absence.startswith("PyTorch ")
        device, reason, _ = said["auto"]
        assert (device, reason.split(" failed: ")[0]) == ("cpu", "a trial on cuda:0 (Absent)")


@pytest.fixture(scope="module")
def runner() -> Iterator[ProcessRunner]:
    runner = ProcessRunner(
        Settings(memory_mb=20_000), threads=2, models={s.key: s for s in VARIANTS}
    )
    yield runner
    runner.close()


@pytest.mark.parametrize("model", [spec.key for spec in VARIANTS])
def test_a_gpu_gives_the_cpus_answers(runner: ProcessRunner, model: str) -> None:
    if not devices.gpu_seen():
        pytest.skip("there is no GPU here: docs/gpu.md tells how this is verified on one")
    assert runner.placement(model, "cuda").kind == "cuda"
    for image in tiny.clip_frames()[::8]:
        on_cpu, on_gpu = (
            runner.estimate(model, Frame(image), EstimatorOptions(device=device)).estimate.poses
            for device in ("cpu", "cuda")
        )
        sure, again = (poses.strong(0.7).xy for poses in (on_cpu, on_gpu))
        assert len(sure) == len(again) > 0
        apart = np.linalg.norm(sure - again, axis=-1)
        assert apart.max() <= 1
