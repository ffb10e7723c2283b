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

# Pictures of three canvases at a time, one by one and together.
TOGETHER = """
import json
import numpy as np
import torch
from estimators.models import keypoint_rcnn_fast
from estimators.models.keypoint_rcnn import KeypointRCNNModel
from estimators.types import EstimatorOptions, Frame
from tests.fixtures import tiny_keypoint_rcnn as tiny

keypoint_rcnn_fast.has_bfloat16 = lambda: False  # it rounds so coarsely that joints may jump
frames = [Frame(image, n, n / 10) for n, image in enumerate(tiny.clip_frames()[::20])]
frames.insert(1, Frame(frames[0].image[100:, :].copy(), 7, 0.7))
frames.append(Frame(np.rot90(frames[0].image).copy(), 8, 0.8))
apart = {}
for variant in ("reference", "fast"):
    model = KeypointRCNNModel(tiny.network(), tiny.spec(variant), 2)
    resized = [model.network.transform([model.prepare(frame)])[0] for frame in frames]
    assert [model.canvas(model.prepare(frame)) for frame in frames] == [
        tuple(images.tensors.shape[2:]) for images in resized
    ]
    estimator = model.open(EstimatorOptions())
    alone = [estimator.estimate(frame) for frame in frames]
    together = estimator.estimate_together(frames)
    assert [(e.frame_index, e.time_s) for e in together] == [(f.index, f.time_s) for f in frames]
    worst = 0.0
    for one, other in zip(alone, together, strict=True):
        assert len(one.poses) == len(other.poses) > 0
        for name in ("xy", "score", "pose_score", "box_xyxy"):
            a, b = getattr(one.poses, name), getattr(other.poses, name)
            worst = max(worst, float(np.abs(a - b).max()))
    apart[variant] = worst
    whole = [e.timings_ms.total for e in together]
    assert max(whole) == min(whole) > 0
print(json.dumps(apart))
"""


def test_pictures_that_go_together_get_what_each_gets_alone() -> None:
    apart = json.loads(child.code(TOGETHER).splitlines()[-1])
    assert max(apart.values()) < 0.01


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
    where = runner.placement(model, "cuda")
    assert (where.kind, where.batch > 1) == ("cuda", True)
    frames = [Frame(image) for image in tiny.clip_frames()[::4]]
    cpu, gpu = (EstimatorOptions(video=True, device=device) for device in ("cpu", "cuda"))
    with runner.open(model, cpu) as session:
        on_cpu = [session.estimate(frame) for frame in frames]
    with runner.open(model, gpu) as session:
        alone = [session.estimate(frame) for frame in frames]
        together = session.estimate_together(frames)
    pixel = frames[0].height / max(tiny.SIZE)  # of the picture that the network sees
    for on_gpu in (alone, together):
        apart = []
        for one, other in zip(on_cpu, on_gpu, strict=True):
            sure, again = (r.estimate.poses.strong(0.7).xy for r in (one, other))
            assert len(sure) == len(again) > 0
            apart.append(np.linalg.norm(sure - again, axis=-1) / pixel)
        # Where two cells of a heat map are as good as equal, rounding decides which is the peak.
        assert np.median(apart) <= 0.1
        assert np.mean(np.less_equal(apart, 1)) >= 0.98
        assert np.max(apart) <= 3
