"""Every family beside the best known plain way to run it, as ratios in one run.

    python -m benchmarks.families [--only NAME] [--rounds 10] [--seconds 6]

The plain way has a process of its own (`benchmarks/_usual.py`), the product runs as the app runs
it: from the picture in memory to the `PoseSet` in the caller's hands, transport included.  They
take turns, round by round, so that whatever else the machine does hits both.  Printed are medians,
the ratio of the medians with its 95 % interval over rounds, and the limit.  Rows whose weights are
not here are left out and named; Keypoint R-CNN runs on random weights where the real ones are
absent.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from benchmarks import _seeded_keypoint_rcnn as seeded
from benchmarks._limits import here, kept, say
from benchmarks._usual import Usual
from estimators import weights
from estimators.devices import CPU, CUDA, gpu_seen
from estimators.errors import WeightsError
from estimators.registry import ModelSpec, get
from estimators.runtime.cores import OtherWork
from estimators.runtime.runner import ProcessRunner
from estimators.settings import current
from estimators.workflows.benchmark import figures
from estimators.workflows.benchmark.measure import (
    Alone,
    Asking,
    Call,
    columns,
    measured_round,
    warm_up,
)
from estimators.workflows.benchmark.media import BenchmarkMedia, load_media
from estimators.workflows.benchmark.notes import machine_text
from estimators.workflows.benchmark.result import BUSY_SHARE, Calls
from estimators.workflows.provenance import instruction_sets

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "sample_media" / "three_people_lab.jpg"
# Of the random Keypoint R-CNN: as many as the picture shows.
PEOPLE = 3
SIDE, LONGEST = 800, 1333
_MOST_CALLS, _LEAST_ROUNDS = 20, 6


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        usual: form and arguments of `_usual`.
        times_as_fast: the limit is how many times as fast the product must be at least; else how
            many times as long it may take at most.
        device: where the product computes.
    """

    name: str
    spec: ModelSpec
    usual: tuple[str, ...]
    limit: float
    times_as_fast: bool
    video: bool = False
    device: str = CPU


def movenet_rows() -> Iterator[Row]:
    for key, limit in (
        ("movenet-lightning", 2.5),
        ("movenet-thunder", 1.4),
        ("movenet-multipose", 1.4),
    ):
        folder = weights.path(get(f"{key}-tfhub").weights)
        side = str(get(key).settings["input_side"])
        yield Row(f"{key} / hub.load", get(key), ("movenet", str(folder), side), limit, True)


def blazepose_rows() -> Iterator[Row]:
    spec = get("blazepose-full")
    file = str(weights.path(spec.weights))
    for mode, people in (("image", spec.max_people), ("video", 1)):
        usual = ("blazepose", file, str(people), mode)
        name = f"blazepose-full {mode.upper()} / bare"
        yield Row(name, spec, usual, 1.10, False, mode == "video")


def keypoint_rcnn_rows(folder: Path) -> Iterator[Row]:
    reference, fast = get("keypointrcnn-reference"), get("keypointrcnn-fast")
    file = weights.state(reference.weights).path
    people = reference.max_people
    if file is None:
        file, people = folder / "random.pth", PEOPLE
        seeded.make(file)
        reference, fast = (_random(spec, file) for spec in (reference, fast))
    usual = ("keypoint_rcnn", str(file), str(people))
    sizes = {"min_size": SIDE, "max_size": LONGEST}
    same = replace(fast, settings=MappingProxyType({**fast.settings, **sizes}))
    bf16 = {"avx512_bf16", "amx_bf16"} & set(instruction_sets())
    yield Row("keypointrcnn-reference / direct", reference, usual, 1.05, False)
    yield Row("keypointrcnn-fast, same side / direct", same, usual, 3.5 if bf16 else 1.5, True)
    yield Row("keypointrcnn-fast / direct", fast, usual, 8.0, True)
    if gpu_seen():
        on_gpu = (*usual, CUDA)
        name = "keypointrcnn-reference, GPU / direct"
        yield Row(name, reference, on_gpu, 1.05, False, device=CUDA)
    else:
        print("Keypoint R-CNN on a GPU: left out, there is none here (docs/gpu.md)")


def _random(spec: ModelSpec, file: Path) -> ModelSpec:
    settings = {**spec.settings, "file": str(file), "people": PEOPLE}
    adapter = "benchmarks._seeded_keypoint_rcnn"
    return replace(spec, adapter=adapter, weights="", settings=MappingProxyType(settings))


def compare(row: Row, rounds: int, seconds: float) -> tuple[Calls, Calls, float]:
    """Calls of the plain way and of the product, and the cores that other programs used."""
    still = load_media(PICTURE)
    media = replace(still, about=replace(still.about, kind="clip")) if row.video else still
    with ExitStack() as stack:
        runner = ProcessRunner(replace(current(), memory_mb=8000), models={row.spec.key: row.spec})
        stack.callback(runner.close)
        usual = Usual(PICTURE, row.usual)
        stack.callback(usual.close)
        product = stack.enter_context(Whole(runner, row.spec.key, media, row.device))
        # Not beside each other: the first of the two would wait for the second one's start.
        ways = (lambda: Call(0.0, usual(), 0.0, 0.0), product)
        speeds = [warm_up(ask, seconds).now_ms for ask in ways]
        pids = [usual.pid, *(s.pid for s in runner.status() if s.pid is not None)]
        others = OtherWork(pids)
        taken: list[list[tuple[Call, ...]]] = [[], []]
        alone = Alone(None, lambda: False)
        fitting = int(1000 * seconds / rounds / max(speeds))
        calls = max(1, min(fitting, _MOST_CALLS))
        for _ in range(rounds):
            for ask, kept in zip(ways, taken, strict=True):
                kept.append(measured_round(ask, calls, alone, others)[0])
        return columns(taken[0]), columns(taken[1]), others.cores or 0.0


class Whole(Asking):
    """The product's whole call, so that both ways are one number."""

    def __init__(
        self, runner: ProcessRunner, model: str, media: BenchmarkMedia, device: str
    ) -> None:
        super().__init__(runner, model, media, lambda: False, device)

    def __call__(self) -> Call:
        return Call(0.0, sum(super().__call__()), 0.0, 0.0)


def told(row: Row, usual: Calls, product: Calls) -> str:
    """The row of the table."""
    pair = (usual, product) if row.times_as_fast else (product, usual)
    ratio = figures.ratio(*pair)
    bound = {"least" if row.times_as_fast else "most": row.limit}
    met = kept(ratio.value, **bound)
    say(row.name, ratio.value, unit="times as fast" if row.times_as_fast else "of it", **bound)
    sign = "≥" if row.times_as_fast else "≤"
    plain, ours = (figures.latency(calls).median_ms for calls in (usual, product))
    span = f"{ratio.low:.2f} to {ratio.high:.2f}"
    limit = f"{sign} {row.limit:.2f}"
    verdict = "met" if met else "MISSED"
    return (
        f"{row.name:40}{plain:10.1f}{ours:11.1f}{ratio.value:8.2f}  {span:14}{limit:>7} {verdict}"
    )


def gathered(make: Callable[[], Iterator[Row]], name: str) -> list[Row]:
    try:
        return list(make())
    except WeightsError as error:
        print(f"{name}: left out, {error.message}")
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="NAME", help="rows whose name has it")
    parser.add_argument("--rounds", type=int, default=10, help=f"at least {_LEAST_ROUNDS}")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each way of a row")
    asked = parser.parse_args()
    print(f"{machine_text(here())}\n{PICTURE.name}; medians of whole calls")
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            *gathered(movenet_rows, "MoveNet"),
            *gathered(blazepose_rows, "BlazePose"),
            *gathered(lambda: keypoint_rcnn_rows(Path(folder)), "Keypoint R-CNN"),
        ]
        print(f"{'':40}{'usual ms':>10}{'product ms':>11}{'ratio':>8}  {'(95 %)':14}{'limit':>7}")
        used = 0.0
        for row in (row for row in rows if asked.only in row.name):
            usual, product, others = compare(row, max(asked.rounds, _LEAST_ROUNDS), asked.seconds)
            print(told(row, usual, product), flush=True)
            used = max(used, others)
    say("cores that other programs used meanwhile", used, most=BUSY_SHARE * here().cores_total)
    if used > BUSY_SHARE * here().cores_total:
        print(f"BUSY: other programs used up to {used:.1f} cores; ratios are blurred by that")


if __name__ == "__main__":
    main()
