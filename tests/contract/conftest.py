"""Every variant whose weights are on this machine, each in a process of its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from estimators import weights
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import Estimate, EstimatorOptions, Frame
from tests.contract.contracts import Subject
from tests.fixtures import tiny_keypoint_rcnn

TFHUB_MODULES = Path(__file__).resolve().parents[3] / "shared" / "models" / "tfhub_modules"
THREADS = 2
# Keypoint R-CNN's official weights are too large for a repository; a tiny network of the same class
# keeps the contract in their place.
TINY = {
    spec.key: replace(spec, weights="tiny-keypointrcnn")
    for spec in map(tiny_keypoint_rcnn.spec, ("reference", "fast"))
}
VARIANTS = {**MODELS, **TINY}


@pytest.fixture(scope="session")
def weights_for_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The test fixtures' weights, and TF Hub modules from ../shared where nothing else is set."""
    manifest = tmp_path_factory.mktemp("weights") / "manifest.toml"
    tiny = tiny_keypoint_rcnn.WEIGHTS.read_bytes()
    manifest.write_text(
        '[tiny-keypointrcnn]\nkind = "download"\nurl = "http://127.0.0.1:9/none"\n'
        f'file_name = "{tiny_keypoint_rcnn.WEIGHTS.name}"\n'
        f'sha256 = "{hashlib.sha256(tiny).hexdigest()}"\nsize_bytes = {len(tiny)}\n'
        'licence = "Apache-2.0"\nsource = "a fixture of the tests"\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSE_WEIGHTS_MANIFEST", str(manifest))
        patch.setenv("POSE_WEIGHTS_DIR", str(tiny_keypoint_rcnn.WEIGHTS.parent))
        if "TFHUB_CACHE_DIR" not in os.environ and TFHUB_MODULES.is_dir():
            patch.setenv("TFHUB_CACHE_DIR", str(TFHUB_MODULES))
        yield


@pytest.fixture(scope="session")
def model_runner(weights_for_tests: None) -> Iterator[ProcessRunner]:
    """Hosts each variant in a child process that imports only its own framework."""
    runner = ProcessRunner(Settings(), threads=THREADS, models=VARIANTS)
    yield runner
    runner.close()


@pytest.fixture(scope="session", params=VARIANTS)
def subject(request: pytest.FixtureRequest, model_runner: ProcessRunner) -> Iterator[Subject]:
    """Each variant in turn; its process ends before the next one's begins."""
    key = str(request.param)
    _skip_unless_here(VARIANTS[key])

    def picture(frame: Frame, options: EstimatorOptions) -> Estimate:
        return model_runner.estimate(key, frame, options).estimate

    def clip(frames: Sequence[Frame]) -> list[Estimate]:
        with model_runner.open(key, EstimatorOptions(video=True)) as session:
            return [session.estimate(frame).estimate for frame in frames]

    yield Subject(VARIANTS[key], picture, clip)
    model_runner.retire(key)


def _skip_unless_here(spec: ModelSpec) -> None:
    """Embedded weights are never missing: then the contract fails instead."""
    if weights.entry(spec.weights).kind == "embedded":
        return
    if weights.state(spec.weights).state == "to_download":
        place = "needs ../shared: " if spec.reference_of else ""
        pytest.skip(f"{place}the weights {spec.weights} are not on this machine")
