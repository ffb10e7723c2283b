"""Keypoint R-CNN with random weights, where the real ones are absent: an adapter of benchmarks.

Random weights find hundreds of people, so that the keypoint head gets no more boxes than the
setting `people` says.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from estimators import registry
from estimators.specs import ModelSpec

_MAKE = """
import sys, torch
from torchvision.models.detection import keypointrcnn_resnet50_fpn
torch.manual_seed(0)
torch.save(keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict(), sys.argv[1])
"""


def make(file: Path) -> None:
    """Writes a checkpoint of random weights."""
    subprocess.run([sys.executable, "-c", _MAKE, str(file)], check=True)


def load(spec: ModelSpec, weights: Path, threads: int) -> Any:
    """See `registry.load`; the file is the setting `file`."""
    del weights
    adapter = registry.get("keypointrcnn-reference").adapter
    module = __import__(adapter, fromlist=["load"])
    model = module.load(spec, Path(str(spec.settings["file"])), threads)
    model.network.roi_heads.detections_per_img = int(spec.settings["people"])
    return model
