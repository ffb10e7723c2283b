"""Many pictures through Keypoint R-CNN on a GPU: pictures a second, beside a plain loop.

    python -m benchmarks.gpu [--pictures 400] [--rounds 3]

The plain loop is torchvision on the same GPU, one picture after another that lie in memory already,
in a process of its own.  The product reads and decodes files, asks the model about several at once
and gathers the answers, as `evaluate` does.  They take turns, round by round.  Told are also the
model's own milliseconds by how many pictures go through in one forward.  Random weights, where the
real ones are not here.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks import batch
from benchmarks._limits import here, say
from benchmarks._usual import Usual
from benchmarks.families import keypoint_rcnn_rows
from estimators.annotated import AnnotatedSet
from estimators.devices import CUDA, gpu_seen
from estimators.media.pictures import read_picture
from estimators.registry import ModelSpec
from estimators.runtime.runner import ProcessRunner
from estimators.settings import current
from estimators.types import EstimatorOptions
from estimators.workflows.benchmark.notes import machine_text

ON_GPU = EstimatorOptions(video=True, device=CUDA)  # a session, which takes several at once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(machine_text(here()))
    if not gpu_seen():
        print("left out: there is no GPU here (docs/gpu.md)")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pictures").mkdir()
        found = batch.pictures(folder / "pictures", asked.pictures)
        reference, same_side, fast, *_ = keypoint_rcnn_rows(folder)
        plain = Usual(folder / "pictures", (*reference.usual, CUDA))
        try:
            for row in (reference, same_side, fast):
                name = row.name.partition(" / ")[0]
                measure(name, row.spec, plain, found, asked.rounds)
        finally:
            plain.close()


def measure(name: str, spec: ModelSpec, plain: Usual, found: AnnotatedSet, rounds: int) -> None:
    runner = ProcessRunner(replace(current(), memory_mb=20_000), models={spec.key: spec})
    try:
        where = runner.placement(spec.key, CUDA)
        forwards(name, runner, spec.key, found, where.batch)
        one_by_one, together = [], []
        for _ in range(rounds):
            one_by_one.append(1000 / statistics.fmean(plain() for _ in range(200)))
            _, seconds, left = batch.product(runner, found, None, (spec.key,), CUDA)
            together.append(left / seconds)
        ratio = statistics.median(together) / statistics.median(one_by_one)
        print(
            f"{name} on {where.words}: plain loop {statistics.median(one_by_one):.1f} pictures/s; "
            f"product, {where.batch} at once, {statistics.median(together):.1f} pictures/s "
            f"({min(together):.1f} to {max(together):.1f}), {ratio:.2f} times as many",
            flush=True,
        )
        say(f"{name}, many pictures on a GPU / plain loop", ratio, least=1.0)
    finally:
        runner.close()


def forwards(name: str, runner: ProcessRunner, model: str, found: AnnotatedSet, most: int) -> None:
    """The model's own milliseconds a picture, by how many go through at once."""
    pictures = [read_picture(image.picture) for image in found.images[: 2 * most]]
    with runner.open(model, ON_GPU) as session:
        session.estimate(pictures[0])
        for count in sorted({1, 2, 4, most}):
            took = []
            for _ in range(8):
                for start in range(0, len(pictures), count):
                    given = session.estimate_together(pictures[start : start + count])
                    took += [result.estimate.timings_ms.total for result in given]
            print(
                f"{name}: {count} at once, {statistics.median(took):.1f} ms a picture", flush=True
            )


if __name__ == "__main__":
    main()
