"""Keypoint R-CNN: torchvision's defaults, the product's `reference` and `fast`, in one run.

    python benchmarks/keypoint_rcnn.py [--rounds N] [--threads N] [--weights FILE] [--people N]

Each form has a process of its own; they take turns frame by frame, one at a time, so that whatever
else the machine does hits all alike.  Medians in milliseconds and ratios to the first form; PSS and
peak RSS in MB of 10^6 bytes.  Without --weights the checkpoint is random (the answers mean nothing)
and --people caps the boxes that go through the keypoint head, as random weights find hundreds.

plain      torchvision called directly, float32, shorter side 800
plain-480  the same with the sizes of `fast`: what the smaller side alone brings
reference  the product's adapter: same numbers as plain
fast       the product's adapter: smaller side, folded batch norm, channels-last, bfloat16
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from estimators import registry  # noqa: E402 - needs the path above
from estimators.media.pictures import read_picture  # noqa: E402 - needs the path above
from estimators.runtime.machine import process_memory  # noqa: E402 - needs the path above
from estimators.types import EstimatorOptions, Frame  # noqa: E402 - needs the path above

FORMS = ("plain", "plain-480", "reference", "fast")
PICTURE = ROOT / "sample_media" / "three_people_lab.jpg"


def plain_call(form: str, weights: Path, people: int) -> Callable[[Frame], int]:
    import torch
    from torchvision.models.detection import KeypointRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

    tuned = registry.get("keypointrcnn-fast").settings
    sizes: dict[str, Any] = {}
    if form == "plain-480":
        sizes = {"min_size": int(tuned["min_size"]), "max_size": int(tuned["max_size"])}
    backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None)
    network = KeypointRCNN(backbone, 2, num_keypoints=17, **sizes)
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval().roi_heads.detections_per_img = people

    def call(frame: Frame) -> int:
        image = torch.tensor(frame.image).permute(2, 0, 1).float() / 255
        with torch.no_grad():
            return len(network([image])[0]["boxes"])

    return call


def product_call(form: str, weights: Path, people: int, threads: int) -> Callable[[Frame], int]:
    model: Any = registry.load(registry.get(f"keypointrcnn-{form}"), weights, threads)
    model.network.roi_heads.detections_per_img = people
    estimator = model.open(EstimatorOptions())
    return lambda frame: len(estimator.estimate(frame).poses)


def child(form: str, weights: Path, people: int, threads: int) -> None:
    """Answers each line on standard input with one frame's figures."""
    if form.startswith("plain"):
        call = plain_call(form, weights, people)
        import torch

        torch.set_num_threads(threads)
    else:
        call = product_call(form, weights, people, threads)
    frame = read_picture(PICTURE)
    print(json.dumps({"load_pss": _pss()}), flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        people_found = call(frame)
        ms = (time.perf_counter() - started) * 1000
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        figures = {"ms": ms, "people": people_found, "pss": _pss(), "peak": peak}
        print(json.dumps(figures), flush=True)


def _pss() -> float:
    memory = process_memory(os.getpid())
    return float("nan") if memory is None else float(memory.pss_mb or memory.rss_mb)


def seeded(file: Path) -> None:
    code = """
import sys, torch
from torchvision.models.detection import KeypointRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
torch.manual_seed(0)
backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None)
torch.save(KeypointRCNN(backbone, 2, num_keypoints=17).state_dict(), sys.argv[1])
"""
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--child", choices=FORMS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child, asked.weights, asked.people, asked.threads)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = asked.weights
        if file is None:
            file = Path(folder) / "seeded.pth"
            seeded(file)
        compare(file, asked.people, asked.threads, asked.rounds)


def compare(weights: Path, people: int, threads: int, rounds: int) -> None:
    script = [sys.executable, str(Path(__file__)), "--weights", str(weights)]
    script += ["--people", str(people), "--threads", str(threads), "--child"]
    pipe = subprocess.PIPE
    children = {
        form: subprocess.Popen([*script, form], stdin=pipe, stdout=pipe, text=True)
        for form in FORMS
    }

    def read(form: str) -> dict[str, float]:
        answer: dict[str, float] = json.loads(children[form].stdout.readline())  # type: ignore[union-attr]  # piped
        return answer

    loaded = {form: read(form)["load_pss"] for form in FORMS}
    figures: dict[str, list[dict[str, float]]] = {form: [] for form in FORMS}
    for _ in range(rounds + 1):
        for form, process in children.items():
            process.stdin.write("frame\n")  # type: ignore[union-attr]  # piped
            process.stdin.flush()  # type: ignore[union-attr]  # piped
            figures[form].append(read(form))
    for process in children.values():
        process.communicate()
    print(f"{'':11}{'median ms':>10}{'ratio':>7}{'first ms':>10}", end="")
    print(f"{'PSS loaded':>12}{'PSS after':>11}{'ratio':>7}{'peak RSS':>10}{'people':>8}")
    base_ms, base_pss = _median(figures["plain"], "ms"), figures["plain"][-1]["pss"]
    for form, rows in figures.items():
        ms, pss = _median(rows, "ms"), rows[-1]["pss"]
        print(f"{form:11}{ms:10.0f}{ms / base_ms:7.2f}{rows[0]['ms']:10.0f}", end="")
        print(f"{loaded[form]:12.0f}{pss:11.0f}{pss / base_pss:7.2f}", end="")
        print(f"{rows[-1]['peak']:10.0f}{rows[-1]['people']:8.0f}")


def _median(rows: list[dict[str, float]], name: str) -> float:
    """Without the first frame, which builds caches."""
    return statistics.median(row[name] for row in rows[1:])


if __name__ == "__main__":
    main()
