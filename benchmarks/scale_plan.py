"""How long large jobs take on nodes with and without a GPU, from what one answer takes.

Hours of a node are answers × milliseconds ÷ 3,600,000, of the model's cores or of its GPU: models
come one after the other, each on the whole node, and a core does nothing else meanwhile.  A GPU
node computes there what has a rate (`--gpu`), and all else on its cores.

    python -m benchmarks.scale_plan
    python -m benchmarks.scale_plan --core-ms movenet-lightning=20,keypointrcnn-fast=1500 \\
        --gpu keypointrcnn-fast=100 --cores 16

`--core-ms`: milliseconds of a core an answer, of `python -m benchmarks.scale --real …` (pictures)
and `--clip …` (frames; the model is called `clip:<model>`).  `--gpu`: answers a second of one GPU,
as `python -m benchmarks.gpu` tells there, or `evaluate … --on auto --gpus-per-model 0.25` itself.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass

# docs/scale-out.md says where and when they were measured.
CORE_MS = {
    "movenet-lightning": 20.0,
    "blazepose-full": 22.0,
    "movenet-multipose": 46.0,
    "posenet": 70.0,
    "keypointrcnn-fast": 1500.0,
    "clip:movenet-lightning": 17.4,
    "clip:blazepose-full": 28.7,
}
CORES = 16


@dataclass(frozen=True)
class Work:
    """A job: how many answers each model gives."""

    name: str
    answers: Mapping[str, int]


# Pictures, and crops of them, as `evaluate` counts them.
_VAL = {"movenet-lightning": 8_000, "blazepose-full": 8_000, "movenet-multipose": 5_000}
_MILLION = {"movenet-lightning": 1_000_000, "movenet-multipose": 1_000_000}
_FRAMES = 10_000 * 10 * 30
WORK = (
    Work("COCO val2017, three models", _VAL),
    Work("the same and Keypoint R-CNN fast", {**_VAL, "keypointrcnn-fast": 7_000}),
    Work("1,000,000 pictures, two models", _MILLION),
    Work("the same and Keypoint R-CNN fast", {**_MILLION, "keypointrcnn-fast": 1_000_000}),
    Work(
        "10,000 clips of 10 s at 30 a second, two models",
        {"clip:movenet-lightning": _FRAMES, "clip:blazepose-full": _FRAMES},
    ),
)


def core_hours(work: Work, core_ms: Mapping[str, float]) -> float:
    """Hours of one core; KeyError where a model's figure is missing."""
    return sum(count * core_ms[model] for model, count in work.answers.items()) / 3.6e6


def node_hours(
    work: Work, core_ms: Mapping[str, float], cores: int, gpu_rate: Mapping[str, float]
) -> float:
    """Hours of one node of `cores` and, where `gpu_rate` names models, one GPU."""
    on_gpu = {model: count for model, count in work.answers.items() if model in gpu_rate}
    rest = Work(work.name, {m: n for m, n in work.answers.items() if m not in on_gpu})
    gpu_s = sum(count / gpu_rate[model] for model, count in on_gpu.items())
    return core_hours(rest, core_ms) / cores + gpu_s / 3600


def duration(hours: float) -> str:
    """`"40 s"`, `"12 min"` or `"3.3 h"`."""
    if hours < 1 / 40:
        return f"{3600 * hours:.0f} s"
    return f"{60 * hours:.0f} min" if hours < 1.5 else f"{hours:,.1f} h"


def figures(text: str) -> dict[str, float]:
    """`"a=1,b=2.5"` by name; ValueError where it is another text."""
    return {name: float(value) for name, value in (part.split("=") for part in text.split(","))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core-ms", type=figures, default={}, metavar="A=MS,…")
    parser.add_argument("--gpu", type=figures, default={}, metavar="A=RATE,…")
    parser.add_argument("--cores", type=int, default=CORES, help="of a node")
    options = parser.parse_args()
    core_ms = {**CORE_MS, **options.core_ms}
    for work in WORK:
        said = f"{work.name}: {sum(work.answers.values()):,} answers, "
        said += f"{core_hours(work, core_ms):,.1f} core-hours, a node of {options.cores} cores "
        said += duration(node_hours(work, core_ms, options.cores, {}))
        if options.gpu.keys() & work.answers.keys():
            hours = node_hours(work, core_ms, options.cores, options.gpu)
            said += f", with a GPU {duration(hours)}"
        print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
