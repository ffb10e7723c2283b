"""Where models compute: by wish and trial, with GPUs that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from estimators import devices
from estimators.devices import Placement, place, settled
from estimators.errors import InputError, ModelCrashedError, ModelError, ModelLoadError
from estimators.registry import MODELS
from estimators.runtime import whereabouts
from estimators.runtime.messages import Load
from estimators.stages import StageTimer
from estimators.types import EstimatorOptions
from tests.in_process import InProcess, InProcessRunner
from tests.unit import fake_adapters as fake
from tests.unit import fake_devices
from tests.unit.fake_devices import A100, FakeDevices
from tests.unit.runtime_support import status

PICTURE = fake.picture(20, 30)


@pytest.mark.parametrize("text", ["auto", "cpu", "cuda", "cuda:0", "cuda:12"])
def test_wishes(text: str) -> None:
    assert devices.wish("POSE_DEVICE", text) == text


@pytest.mark.parametrize(
    "text", ["gpu", "CUDA", "cuda:", "cuda:01", "cuda:-1", "cuda:100", "cpu:0"]
)
def test_what_is_no_wish_is_told(text: str) -> None:
    with pytest.raises(InputError, match="POSE_DEVICE is") as caught:
        devices.wish("POSE_DEVICE", text)
    assert "cuda:0 for the first GPU" in caught.value.advice
    with pytest.raises(InputError):
        EstimatorOptions(device=text)


def placed(wanted: str, layer: FakeDevices) -> Placement:
    model, placement = place("Model", wanted, layer, layer.build, layer.trial)
    assert model.device == placement.device
    return placement


def test_auto_takes_the_first_gpu_on_which_a_trial_works() -> None:
    layer = FakeDevices((A100, "NVIDIA T4"), {"cuda:0": RuntimeError("out of memory\nat line 7")})
    where = placed("auto", layer)
    assert (where.device, where.name, where.kind) == ("cuda:1", "NVIDIA T4", "cuda")
    assert layer.done == [
        *("build cuda:0", "trial cuda:0", "release"),
        *("build cuda:1", "trial cuda:1", "synchronize cuda:1"),
    ]


def test_auto_goes_to_the_cpu_and_says_why() -> None:
    layer = FakeDevices(faults={"cuda:0": ModelError("No kernel image.", "Try another.")})
    where = placed("auto", layer)
    assert where == Placement("cpu", f"a trial on cuda:0 ({A100}) failed: No kernel image")
    assert where.sentence == f"CPU: a trial on cuda:0 ({A100}) failed: No kernel image."
    two = Placement("cuda:0", "a trial on it worked", A100, "float16", batch=2)
    assert two.sentence == (
        f"{A100} (cuda:0), float16, up to 2 pictures at once: a trial on it worked."
    )
    none = FakeDevices(())
    assert placed("auto", none) == Placement("cpu", "PyTorch is a build without CUDA")
    assert none.done == ["build cpu"]  # the CPU needs no trial
    assert [each.named("m") for each in (where, two)] == ["m", "m.cuda"], "files of their own"
    assert [each.words for each in (where, two)] == ["CPU", f"{A100} (cuda:0)"]


def test_a_fault_that_shows_only_when_the_gpu_is_waited_for_counts() -> None:
    class Late(FakeDevices):
        def synchronize(self, device: str) -> None:
            raise RuntimeError("an illegal memory access")

    assert placed("auto", Late()).device == "cpu"


@pytest.mark.parametrize(
    ("wanted", "layer", "why"),
    [
        ("cuda", FakeDevices(()), "PyTorch is a build without CUDA"),
        ("cuda:1", FakeDevices(), "the GPUs are NVIDIA A100"),
        ("cuda:0", FakeDevices(faults={"cuda:0": ValueError("no")}), "failed: no"),
        ("cuda:0", FakeDevices((A100, A100), {"cuda:0": ValueError("no")}), "failed: no"),
    ],
)
def test_a_gpu_that_was_asked_for_and_cannot_be_used_is_an_error(
    wanted: str, layer: FakeDevices, why: str
) -> None:
    with pytest.raises(ModelLoadError, match=f"Model cannot use the device {wanted}: ") as caught:
        placed(wanted, layer)
    assert why in caught.value.message
    assert "POSE_DEVICE" in caught.value.advice
    assert "build cpu" not in layer.done


def test_cuda_with_a_number_is_that_gpu_and_cpu_touches_none() -> None:
    layer = FakeDevices((A100, A100))
    assert placed("cuda:1", layer).device == "cuda:1"
    assert placed("cuda", layer).device == "cuda:0"
    layer.done.clear()
    assert placed("cpu", layer).device == "cpu"
    assert layer.done == ["build cpu"]


def test_what_is_certain_needs_no_trial() -> None:
    assert settled("M", False, "auto", True) == settled("M", False, "cpu", True)
    assert settled("M", True, "auto", False) == Placement("cpu", "there is no GPU on this machine")
    assert settled("M", True, "auto", True) is None
    assert settled("M", True, "cuda:0", True) is None
    for can_cuda, seen, why in ((False, True, "computes on the CPU only"), (True, False, "no GPU")):
        with pytest.raises(ModelLoadError, match=why):
            settled("M", can_cuda, "cuda", seen)


def test_a_gpu_is_seen_by_its_drivers_files(tmp_path: Path) -> None:
    assert not devices.gpu_seen(tmp_path)
    (tmp_path / "nvidia-caps").mkdir()
    assert not devices.gpu_seen(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert devices.gpu_seen(tmp_path)


def test_only_keypoint_rcnn_can_use_a_gpu() -> None:
    can = {spec.family for spec in MODELS.values() if spec.cuda}
    assert can == {"Keypoint R-CNN"}
    assert all(spec.cuda for spec in MODELS.values() if spec.family in can)


def test_every_stage_ends_when_the_gpu_has_done_it() -> None:
    waited: list[int] = []
    timer = StageTimer(lambda: waited.append(len(waited)))
    timer.done()
    timer.done()
    assert waited == [0, 1]


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcessRunner]:
    """Of a machine with one GPU, as far as its drivers' files tell."""
    monkeypatch.setattr(whereabouts, "gpu_seen", lambda: True)
    monkeypatch.setattr(fake_devices, "layer", FakeDevices())
    models = {spec.key: spec for spec in (fake_devices.spec(), fake.spec())}
    with closing(InProcessRunner(threads=1, models=models)) as hosts:
        yield hosts


def test_an_answer_and_the_status_say_where_the_model_computed(runner: InProcessRunner) -> None:
    where = runner.placement("placed")
    assert where == Placement("cuda:0", "a trial on it worked", A100, "float16")
    assert runner.estimate("placed", PICTURE).placement == where
    assert status(runner, "placed").placement == where
    assert runner.estimate("brightest", PICTURE).placement.device == "cpu"
    assert status(runner).placement == Placement("cpu", "its runtime computes on the CPU only")


def test_the_cpu_can_be_chosen_beside_the_gpu(runner: InProcessRunner) -> None:
    on_cpu = EstimatorOptions(device="cpu")
    assert runner.estimate("placed", PICTURE).placement.device == "cuda:0"
    assert runner.estimate("placed", PICTURE, on_cpu).placement.device == "cpu"
    with runner.open("placed", EstimatorOptions(video=True, device="cpu")) as session:
        assert session.estimate(PICTURE).placement.reason == "as was asked for"
    both = [entry for entry in runner.status() if entry.model == "placed"]
    assert [entry.wanted for entry in both] == ["auto", "cpu"]
    runner.estimate("brightest", PICTURE, on_cpu)
    runner.estimate("brightest", PICTURE)
    assert sum(entry.model == "brightest" for entry in runner.status()) == 1  # the same place
    runner.retire("placed")
    assert {e.state for e in runner.status() if e.model == "placed"} == {"stopped"}


def test_whatever_its_device_was_called_a_models_pictures_share_an_estimator(
    runner: InProcessRunner,
) -> None:
    """Each holds memory of its own, and the first picture of each is a cold one."""
    for model, called in (("brightest", "cpu"), ("placed", "cuda:0")):
        assert runner.estimate(model, PICTURE).cold
        assert not runner.estimate(model, PICTURE, EstimatorOptions(device=called)).cold


def test_a_gpu_for_a_model_that_cannot_use_one_fails_for_that_model(
    runner: InProcessRunner,
) -> None:
    with pytest.raises(ModelLoadError, match="Brightest cannot use the device cuda"):
        runner.estimate("brightest", PICTURE, EstimatorOptions(device="cuda"))
    with pytest.raises(ModelLoadError, match="computes on the CPU only"):
        runner.placement("brightest", "cuda:0")
    assert runner.estimate("placed", PICTURE, EstimatorOptions(device="cuda")).placement.device
    failed = [entry for entry in runner.status() if entry.wanted == "cuda"]
    assert {entry.model: entry.state for entry in failed} == {
        "brightest": "failed",
        "placed": "ready",
    }


def test_a_trial_that_ends_the_process_leads_to_the_cpu_until_it_is_forgiven(
    runner: InProcessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def load(self: InProcess, load: Load, timeout_s: float) -> Placement:
        asked.append(load.spec.settings["device"])
        if load.spec.settings["device"] != "cpu":
            raise ModelCrashedError("Placed's process was lost.")
        return usual(self, load, timeout_s)

    usual = InProcess.load
    monkeypatch.setattr(InProcess, "load", load)
    where = runner.estimate("placed", PICTURE).placement
    assert where.device == "cpu"
    assert where.reason == "a trial on the GPU ended its process: Placed's process was lost"
    with pytest.raises(ModelCrashedError):
        runner.estimate("placed", PICTURE, EstimatorOptions(device="cuda"))
    assert asked == ["auto", "cpu", "cuda"]
    monkeypatch.setattr(InProcess, "load", usual)
    runner.retire("placed")  # which forgives
    assert runner.estimate("placed", PICTURE).placement.device == "cuda:0"


def test_without_a_gpu_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whereabouts, "gpu_seen", lambda: False)
    monkeypatch.setattr(fake_devices, "layer", FakeDevices())
    models = {"placed": fake_devices.spec()}
    with closing(InProcessRunner(threads=1, models=models)) as hosts:
        where = Placement("cpu", "there is no GPU on this machine")
        assert hosts.placement("placed") == where
        assert not fake_devices.layer.done  # told before it is loaded
        told = hosts.estimate("placed", PICTURE).placement
        assert (told.device, told.reason, told.dtype) == (where.device, where.reason, "float16")
        assert fake_devices.layer.done == ["build cpu"]


def test_a_model_that_does_not_say_is_on_the_cpu() -> None:
    assert devices.placement_of(SimpleNamespace()) == Placement("cpu")


def test_a_closed_runner_says_so_wherever_a_model_was(runner: InProcessRunner) -> None:
    runner.estimate("placed", PICTURE, EstimatorOptions(device="cpu"))
    runner.close()
    for call in (runner.retire, runner.forgive, runner.placement):
        with pytest.raises(ModelError, match="closed"):
            call("placed")
