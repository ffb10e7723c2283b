"""What the loaded models take: one process each, beside all in one process the usual way.

Proportional set sizes (shared pages divided among their users) after a few frames, in MB of 10^6
bytes.  "The usual way" is the plain use of each library in one Python process: `hub.load`,
MediaPipe Tasks and torchvision's defaults.  Streamlit itself is in neither figure.

    python benchmarks/memory.py [MODEL …] [--seeded] [--no-usual]

`--seeded` stands in for Keypoint R-CNN weights that are not on this machine: random ones of the
same size (the answers mean nothing).  The usual way's MoveNet needs the TF Hub module in
`TFHUB_CACHE_DIR`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from estimators import registry, weights  # noqa: E402 - needs the path above
from estimators.errors import PoseError  # noqa: E402 - needs the path above
from estimators.media.pictures import read_picture  # noqa: E402 - needs the path above
from estimators.runtime.machine import process_memory  # noqa: E402 - needs the path above
from estimators.runtime.runner import ProcessRunner  # noqa: E402 - needs the path above
from estimators.settings import current  # noqa: E402 - needs the path above
from estimators.types import Frame  # noqa: E402 - needs the path above

DEFAULT = registry.DEFAULT_MODELS
RCNN_WEIGHTS = "keypointrcnn-coco-v1"
FRAMES = 4

# torch before tensorflow: the other order ends in a segmentation fault.
USUAL = """
import json, os, sys
import numpy as np
from estimators.media.pictures import read_picture
from estimators.runtime.machine import process_memory

paths, picture = json.loads(sys.argv[1]), read_picture(__import__("pathlib").Path(sys.argv[2]))
kept = []
if "PyTorch" in paths:
    import torch, torchvision
    model = torchvision.models.detection.keypointrcnn_resnet50_fpn(
        weights=None, weights_backbone=None).eval()
    if paths["PyTorch"]:
        model.load_state_dict(torch.load(paths["PyTorch"], weights_only=True))
    tensor = torch.from_numpy(picture.image.copy()).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        for _ in range(2):
            model([tensor])
    kept.append(model)
if "TensorFlow" in paths:
    import tensorflow as tf, tensorflow_hub as hub
    module = hub.load(paths["TensorFlow"])
    call = module.signatures["serving_default"]
    small = tf.image.resize_with_pad(picture.image[None], 192, 192)
    for _ in range(4):
        call(tf.cast(small, tf.int32))
    kept.append(module)
if "MediaPipe" in paths:
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=paths["MediaPipe"]))
    landmarker = vision.PoseLandmarker.create_from_options(options)
    for _ in range(4):
        landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=picture.image.copy()))
    kept.append(landmarker)
print("MB", process_memory(os.getpid()).share_mb, flush=True)
os._exit(0)
"""

SEED = """
import sys, torch, torchvision
torch.manual_seed(0)
model = torchvision.models.detection.keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
# Nobody, as a real one finds few: random weights would look for the joints of a hundred people.
model.roi_heads.box_predictor.cls_score.bias.data[0] = 40.0
torch.save(model.state_dict(), sys.argv[1])
"""


def seed_rcnn(folder: Path) -> dict[str, str]:
    """Puts random Keypoint R-CNN weights into `folder`; the settings that take them from there."""
    file = folder / weights.entry(RCNN_WEIGHTS).file_name
    subprocess.run([sys.executable, "-c", SEED, str(file)], check=True, cwd=ROOT)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest = folder / "manifest.toml"
    size = file.stat().st_size
    manifest.write_text(f'[{RCNN_WEIGHTS}]\nsha256 = "{digest}"\nsize_bytes = {size}\n')
    return {"POSE_WEIGHTS_MANIFEST": str(manifest), "POSE_WEIGHTS_DIR": str(folder)}


def ours(models: list[str], picture: Frame) -> float | None:
    """Prints one line a model; the sum with this process, None if a model is missing."""
    total: float | None = 0.0
    runner = ProcessRunner(replace(current(), memory_mb=100_000))
    try:
        for model in models:
            try:
                for _ in range(FRAMES):
                    runner.estimate(model, picture)
            except PoseError as error:
                print(f"{model:<28} left out: {error}")
                total = None
        for entry in runner.status():
            if entry.rss_mb is not None:
                print(f"{entry.model:<28} {entry.memory_mb:>8.0f} MB   (RSS {entry.rss_mb:.0f})")
                total = None if total is None else total + entry.memory_mb
        app = process_memory(os.getpid())
        assert app is not None  # this very process
        print(f"{'the process that asks':<28} {app.share_mb:>8.0f} MB")
    finally:
        runner.close()
    return None if total is None else total + app.share_mb


def usual(models: list[str], file: Path) -> float | None:
    """The same models in one process, each in its makers' form; None where something is missing."""
    paths: dict[str, str] = {}
    for model in models:
        original = [s for s in registry.MODELS.values() if s.reference_of == model]
        spec = next(iter(original), registry.get(model))
        paths[spec.engine] = str(weights.path(spec.weights))
    command = [sys.executable, "-c", USUAL, json.dumps(paths), str(file)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    figures = [line for line in done.stdout.splitlines() if line.startswith("MB ")]
    if done.returncode or not figures:
        print(f"all in one process failed (exit {done.returncode}): {done.stderr[-600:]}")
        return None
    return float(figures[-1].split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=DEFAULT)
    parser.add_argument("--seeded", action="store_true", help="random Keypoint R-CNN weights")
    parser.add_argument("--no-usual", action="store_true")
    arguments = parser.parse_args()
    models = list(arguments.models)
    file = sorted((ROOT / "sample_media").glob("*.jpg"))[0]
    with tempfile.TemporaryDirectory() as folder:
        if arguments.seeded:
            os.environ |= seed_rcnn(Path(folder))
            current.cache_clear()
        total = ours(models, read_picture(file))
        if total is not None:
            print(f"{'one process each, together':<28} {total:>8.0f} MB")
        if arguments.no_usual:
            return
        try:
            one = usual(models, file)
        except PoseError as error:
            print(f"all in one process: left out: {error}")
            return
        if one is not None:
            ratio = f"   {one / total:.2f}x" if total else ""
            print(f"{'all in one, the usual way':<28} {one:>8.0f} MB{ratio}")


if __name__ == "__main__":
    main()
