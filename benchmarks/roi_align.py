"""RoIAlign of `keypointrcnn-fast` on a CPU beside torchvision's, in turn, in the same process.

    python -m benchmarks.roi_align [--threads 1] [--rounds 5]

A thousand boxes over four maps of 256 channels, as a picture of 800 × 1216 pixels gives them.
Printed is processor time, which other programs hardly change, and the largest difference.  Ours is
timed on maps whose channels lie side by side, and on plain ones, which it has to turn first.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torchvision.ops import MultiScaleRoIAlign

from benchmarks._limits import here_text, say
from estimators.models.keypoint_rcnn_roi import RowPool

HEIGHT, WIDTH, CHANNELS, BOXES = 800, 1216, 256, 1000
NAMES = ["0", "1", "2", "3"]
LEAST = 2.0


def boxes() -> Any:
    """Random ones inside the picture, about a hundred pixels large."""
    middle = torch.rand(BOXES, 2) * torch.tensor([WIDTH, HEIGHT])
    half = torch.exp(torch.randn(BOXES, 2) * 0.8 + 4.5) / 2
    edges = torch.cat([middle - half, middle + half], 1)
    return edges.clamp(min=0).minimum(torch.tensor([WIDTH, HEIGHT] * 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    plain = {
        name: torch.randn(1, CHANNELS, HEIGHT // step, WIDTH // step)
        for name, step in zip(NAMES, (4, 8, 16, 32), strict=True)
    }
    turned = {n: m.contiguous(memory_format=torch.channels_last) for n, m in plain.items()}
    theirs, ours = (MultiScaleRoIAlign(NAMES, 7, 2) for _ in range(2))
    given = [boxes()], [(HEIGHT, WIDTH)]
    ways: Mapping[str, Callable[[], Any]] = {
        "torchvision": lambda: theirs(plain, *given),
        "ours, channels side by side": lambda: rows(turned, *given),
        "ours, plain maps": lambda: rows(plain, *given),
    }
    rows = RowPool(ours)
    took: dict[str, list[float]] = {name: [] for name in ways}
    with torch.inference_mode():
        apart = float((ways["torchvision"]() - ways["ours, plain maps"]()).abs().max())
        for _ in range(asked.rounds):
            for name, way in ways.items():
                begun = time.process_time()
                way()
                took[name].append(1000 * (time.process_time() - begun))
    print(f"{here_text()}\n{asked.threads} threads; answers at most {apart:.1g} apart")
    medians = {name: statistics.median(times) for name, times in took.items()}
    for name, median_ms in medians.items():
        ratio = medians["torchvision"] / median_ms
        print(f"{name:30}{median_ms:8.0f} ms of processor time {ratio:6.2f} times as fast")
    say(
        "RoIAlign on a CPU, turning included / torchvision's",
        medians["torchvision"] / medians["ours, plain maps"],
        least=LEAST,
        unit="times as fast",
    )


if __name__ == "__main__":
    main()
