"""Many pictures through two models: how near the whole comes to the busier model's bare time.

    python -m benchmarks.batch [--pictures 120] [--rounds 3] [--all-cores] [--one-by-one]

The bare time is a MediaPipe loop over the same pictures, which lie in memory already, in a process
of its own.  The product reads and decodes files, asks MoveNet Lightning and BlazePose full, and
keeps their answers on the disk, as `evaluate` does.  They take turns, round by round.  The first
dozen pictures of each model, asked one by one to tell its latency, are told apart: a real set has
thousands.

With --all-cores nobody leaves the slower model a core, with --one-by-one a model gets one picture
at a time: what the product would do without these.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._limits import here, say
from benchmarks._usual import Usual
from estimators import weights
from estimators.annotated import AnnotatedImage, AnnotatedSet
from estimators.media.pictures import read_picture
from estimators.registry import get
from estimators.runtime import hosted
from estimators.runtime.cores import OtherWork
from estimators.runtime.runner import ProcessRunner
from estimators.settings import current
from estimators.workflows import together
from estimators.workflows.benchmark.notes import machine_text
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.together import QUIET

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = sorted((ROOT / "sample_media").glob("*.jpg"))
MODELS = ("movenet-lightning", "blazepose-full")
SIZE = (640, 480)
MOST = 1.1


def pictures(folder: Path, count: int) -> AnnotatedSet:
    """Different windows of the sample pictures, 640 × 480, with nobody marked in them."""
    random = np.random.default_rng(0)
    images = []
    for number in range(count):
        whole = Image.fromarray(read_picture(SAMPLES[number % len(SAMPLES)]).image)
        left, top = (int(random.integers(0, max(1, side // 8))) for side in whole.size)
        window = (left, top, whole.width - left, whole.height - top)
        path = folder / f"{number:04}.jpg"
        whole.resize(SIZE, box=window).save(path, quality=90)
        images.append(AnnotatedImage(path.name, *SIZE, (), image_id=number + 1, picture=path))
    return AnnotatedSet(tuple(images))


def product(
    runner: ProcessRunner,
    found: AnnotatedSet,
    folder: Path | None,
    models: tuple[str, ...] = MODELS,
    device: str = "",
) -> tuple[float, float, int]:
    """Seconds of the whole job and of its part side by side, and how many pictures that part had.

    Pictures are counted for the busier model, the last one.

    Args:
        folder: where answers are kept; None for nowhere.
    """
    settings = EvaluateSettings(models, invented=False, devices=dict.fromkeys(models, device))
    job = EvaluateJob(runner, found, settings, folder)
    started, beside, left = time.perf_counter(), 0.0, 0
    job.start()
    while not beside and not job.finished:
        done = [model.done for model in job.progress.models]
        if min(done) >= QUIET:
            beside, left = time.perf_counter(), len(found.images) - done[-1]
        job.join(0.002)
    job.join()  # who keeps looking takes a core from time to time
    ended = time.perf_counter()
    if job.state != "done" or job.progress.failed:
        raise SystemExit(f"the job has failed: {job.progress}")
    return ended - started, ended - beside, left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--all-cores", action="store_true")
    parser.add_argument("--one-by-one", action="store_true")
    asked = parser.parse_args()
    if asked.all_cores:
        together.held_up = lambda specs, answer_s: None
    if asked.one_by_one:
        hosted.at_a_time = lambda key, batch, latest_ms, suspect: batch
    print(machine_text(here()))
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), asked.pictures, asked.rounds)


def measure(folder: Path, count: int, rounds: int) -> None:
    (folder / "pictures").mkdir()
    found = pictures(folder / "pictures", count)
    spec = get(MODELS[-1])
    file = str(weights.path(spec.weights))
    bare = Usual(folder / "pictures", ("blazepose", file, str(spec.max_people), "image"))
    runner = ProcessRunner(current())
    try:
        product(runner, AnnotatedSet(found.images[: 2 * QUIET]), folder / "warm")
        [bare() for _ in range(count)]
        ratios: list[float] = []
        with OtherWork([bare.pid, *(s.pid for s in runner.status() if s.pid)]) as others:
            for number in range(rounds):
                alone = [bare() for _ in range(count)]
                whole, beside, left = product(runner, found, folder / f"kept-{number}")
                ratios.append(beside / (sum(alone[-left:]) / 1000))
                print(
                    f"bare {sum(alone) / 1000:.2f} s; both models {whole:.2f} s in all; "
                    f"side by side {beside:.2f} s for {left} pictures, {ratios[-1]:.2f} of bare",
                    flush=True,
                )
        ratio, used = statistics.median(ratios), others.cores or 0.0
        print(f"median {ratio:.2f}, limit {MOST}; other programs used {used:.1f} cores")
        say("pictures through two models / bare BlazePose", ratio, most=MOST)
    finally:
        bare.close()
        runner.close()


if __name__ == "__main__":
    main()
