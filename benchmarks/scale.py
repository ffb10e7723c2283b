"""How work on many workers grows with them, and what the driver itself costs a picture.

Models that sleep stand for those that compute, so that four workers can be seen on two cores: what
is measured is dealing out, carrying, keeping, and what the driver does meanwhile: medians of three
rounds of 1, 2 and 4 workers in turn.  `--real A,B` tells what a picture of models that compute
takes of a core, `--clip A,B` what a frame of a clip does, and decoding of it, for plans
(benchmarks.scale_plan, docs/scale-out.md).

    python -m benchmarks.scale
    python -m benchmarks.scale --real movenet-lightning,blazepose-full
    python -m benchmarks.scale --clip movenet-lightning,blazepose-full
"""

from __future__ import annotations

import argparse
import io
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from PIL import Image

from estimators.annotated import AnnotatedImage, AnnotatedSet
from estimators.cli.clip_workers import ClipsJob, ClipWorker
from estimators.cluster.job import ClusterJob, Hiring
from estimators.cluster.on_ray import RayWorkers, Room, connected
from estimators.cluster.worker import Host, Job, Worker
from estimators.datasets.files import GivenFile
from estimators.decode.clips import frames, open_clip
from estimators.media.samples import samples
from estimators.registry import get
from estimators.runtime.api import ModelStatus, Runner, RunResult
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet, Timings
from estimators.workflows.evaluate.asks import EvaluateSettings, Plan

SLEEP_S = 0.05
PICTURES = 400
ROUNDS = 3
WORKERS = (1, 2, 4)
MOST_DRIVER_MS = 2.0
LEAST_SPEEDUP = 0.8  # of the number of workers


class Sleeping:
    """A runner whose model takes 50 ms a picture, one after the other, and no core."""

    memory_mb = 2000

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def estimate(
        self, model: str, frame: Frame, options: EstimatorOptions, viewer: str = ""
    ) -> RunResult:
        with self._turn:
            time.sleep(SLEEP_S)
        skeleton = get(model).skeleton
        xy = np.zeros((2, len(skeleton), 2), np.float32)
        score = np.ones((2, len(skeleton)), np.float32)
        poses = PoseSet(skeleton, xy, score, np.ones(2, np.float32))
        return RunResult(Estimate(poses, Timings(1.0, 48.0, 1.0)), 0.0, 0.0)

    @contextmanager
    def occupied(self) -> Iterator[None]:
        yield

    def status(self) -> tuple[ModelStatus, ...]:
        return ()


def sleeping(threads: int) -> Runner:
    """A `worker.Host`."""
    return Sleeping()  # type: ignore[return-value]


def pictures(folder: Path, count: int, side: int) -> AnnotatedSet:
    """`count` JPEG pictures of noise, `side` pixels wide, no two alike."""
    images = []
    noise = np.random.default_rng(1).integers(0, 255, (side // 16, side // 12, 3), np.uint8)
    for i in range(1, count + 1):
        content = io.BytesIO()
        small = Image.fromarray(np.roll(noise, i, 1) ^ np.uint8(i % 251))
        small.resize((side, side * 3 // 4)).save(content, "JPEG")
        path = folder / f"{i}.jpg"
        path.write_bytes(content.getvalue())
        images.append(AnnotatedImage(path.name, side, side * 3 // 4, (), image_id=i, picture=path))
    return AnnotatedSet(tuple(images))


def measured(
    ray: object, truth: AnnotatedSet, model: str, workers: int, host: Host
) -> tuple[float, float]:
    """Pictures a second, and the driver's own milliseconds a picture (of its processor time)."""
    settings = EvaluateSettings((model,), invented=False)
    with TemporaryDirectory() as folder:
        hiring = Hiring(lambda job: RayWorkers(ray, job, Room(workers)), host=host)
        job = ClusterJob(hiring, truth, settings, Path(folder, "run"))
        before_s = time.process_time()
        job.start()
        # From the first answers on: starting workers takes seconds once, however many pictures.
        while not (first := job.progress.done) and not job.finished:
            time.sleep(0.005)
        begun_s = time.monotonic()
        job.join()
        took_s = time.monotonic() - begun_s
        own_ms = (time.process_time() - before_s) * 1000 / len(truth.images)
    assert job.progress.models[0].failed == 0
    return (len(truth.images) - first) / took_s, own_ms


def core_time(model: str, count: int) -> float:
    """Milliseconds of a core that a picture of 640 × 480 takes a worker, reading included.

    Processor time of the worker and its model's process, so that other work on the machine hardly
    counts; without loading.
    """
    with TemporaryDirectory() as folder:
        truth = pictures(Path(folder), count + 4, 640)
        worker = Worker(Job(model, EstimatorOptions()))
        plan = Plan.of(truth, EvaluateSettings((model,), invented=False))
        worker.answer(plan.asks[:4])
        before_s = _processor_s()
        done = worker.answer(plan.asks[4:])
        took_s = _processor_s() - before_s
    assert done.settled == count
    return took_s * 1000 / count


def clip_times(models: list[str]) -> None:
    """Tells milliseconds of a core for a frame of a clip: decoding, and each model with that."""
    path = next(sample.path for sample in samples() if sample.path.name == "street.mp4")
    clip = open_clip(path)
    before_s = time.process_time()
    count = sum(1 for _ in frames(clip))
    each_ms = 1000 / count
    decoded_ms = (time.process_time() - before_s) * each_ms
    print(f"decoding: {decoded_ms:.1f} ms of a core a frame of {clip.width} × {clip.height}")
    limits = dict.fromkeys(("start", "end", "longest_side", "format"))
    options = argparse.Namespace(**limits, stride=1, people={}, devices={}, threads=1)
    given = ({"name": clip.name, "folder": "street"}, GivenFile(clip.name, path))
    for model in models:
        worker = ClipWorker(ClipsJob(options, (model,)))
        worker.answer([given])
        before_s = _processor_s()
        done = worker.answer([given]).clip
        took_s = _processor_s() - before_s
        assert done is not None
        assert done.code == 0, done
        print(f"{model}: {took_s * each_ms:.1f} ms of a core a frame")


def _processor_s() -> float:
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", metavar="A,B", default="", help="models that compute")
    parser.add_argument("--clip", metavar="A,B", default="", help="the same, on a clip")
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    if options.real:
        for model in options.real.split(","):
            core_ms = core_time(model, min(options.pictures, 64))
            print(f"{model}: {core_ms:.1f} ms of a core a picture, {1000 / core_ms:.1f} a second")
        return 0
    if options.clip:
        clip_times(options.clip.split(","))
        return 0
    with TemporaryDirectory() as folder, connected("auto", {"num_cpus": 4}) as ray:
        truth = pictures(Path(folder), options.pictures, 320)
        return int(report(rounds(ray, truth, options.rounds)))


def rounds(ray: object, truth: AnnotatedSet, count: int) -> dict[int, list[tuple[float, float]]]:
    """What `measured` gives by number of workers, the numbers in turn: what else runs on the
    machine meanwhile slows all of them down, not one."""
    found: dict[int, list[tuple[float, float]]] = {workers: [] for workers in WORKERS}
    for _ in range(count):
        for workers, figures in found.items():
            figures.append(measured(ray, truth, "movenet-multipose", workers, sleeping))
    return found


def report(found: dict[int, list[tuple[float, float]]]) -> bool:
    """Tells the medians; whether one is beyond its limit."""
    beyond = False
    for workers, figures in found.items():
        rate, own_ms = (median(values) for values in zip(*figures, strict=True))
        # Of each round by itself, since a round's runs had the same company.
        times = median(here[0] / one[0] for here, one in zip(figures, found[1], strict=True))
        costs = sorted(own for _, own in figures)
        print(
            f"{workers} workers: {rate:.1f} pictures a second ({times:.2f} × one; each could do "
            f"{1 / SLEEP_S:.0f}); driver {own_ms:.2f} ms a picture "
            f"({costs[0]:.2f} to {costs[-1]:.2f})"
        )
        beyond |= own_ms > MOST_DRIVER_MS or times < LEAST_SPEEDUP * workers
    return beyond


if __name__ == "__main__":
    sys.exit(main())
