"""What a clip's comparison costs besides its models: decoding, transport, keeping the numbers.

    python -m benchmarks.clip [--clip FILE] [--rounds 3] [--frames N] [--weights FILE]

The same frames go through the product's pipeline and through the obvious loop, which decodes and
runs the models one after the other.  They take turns, round by round, so that whatever else the
machine does hits both; the models are loaded and warm.  Nothing is drawn: the annotated video is
made afterwards, where it disturbs no latency.  Printed are medians over
the rounds: wall time, model time (what the models themselves report), and the share of the wall
time that is not model time.  Where Keypoint R-CNN's weights are absent it is random and finds
nobody, which makes it faster than a real one and its limit harder to keep.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks._limits import say
from estimators import weights
from estimators.errors import PoseError
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import frames, open_clip
from estimators.runtime.api import Runner
from estimators.runtime.runner import ProcessRunner
from estimators.settings import current
from estimators.types import EstimatorOptions, Frame
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.run import ClipSettings

SAMPLE = Path(__file__).resolve().parents[1] / "sample_media" / "balance.mp4"
FAST = ("movenet-lightning", "blazepose-full")
# Models, most share of the wall time that may not be model time, frames.
SETS = ((FAST, 0.25, None), ((*FAST, "keypointrcnn-fast"), 0.05, 24))


@dataclass(frozen=True)
class Cost:
    """Seconds of one way through one clip."""

    wall_s: float
    model_s: float
    frames: int

    @property
    def other(self) -> float:
        """Share of the wall time that is not model time."""
        return 1 - self.model_s / self.wall_s


def pipeline(runner: Runner, clip: ClipInfo, settings: ClipSettings) -> Cost:
    """As the command line and the page do it."""
    begun = time.perf_counter()
    job = ClipJob(runner, clip, settings)
    for _ in job.outcomes():
        pass
    wall_s = time.perf_counter() - begun
    model_ms = sum(float(e.latency_ms.sum()) for e in job.estimates.values())
    return Cost(wall_s, model_ms / 1000, job.progress.done)


def one_after_another(runner: Runner, clip: ClipInfo, settings: ClipSettings) -> Cost:
    """The obvious loop, with the same functions."""
    begun, model_ms, count = time.perf_counter(), 0.0, 0
    with contextlib.ExitStack() as stack:
        video = EstimatorOptions(video=True)
        sessions = {m: stack.enter_context(runner.open(m, video)) for m in settings.models}
        for frame in frames(clip, settings.start_s, settings.end_s, settings.stride):
            for session in sessions.values():
                model_ms += session.estimate(frame).estimate.timings_ms.total
            count += 1
    return Cost(time.perf_counter() - begun, model_ms / 1000, count)


def warm(runner: Runner, clip: ClipInfo, models: tuple[str, ...]) -> None:
    frame: Frame = next(frames(clip))
    for model in models:
        for _ in range(3):
            runner.estimate(model, frame)


def measure(
    runner: Runner, clip: ClipInfo, settings: ClipSettings, rounds: int
) -> list[list[Cost]]:
    """Costs by way and round."""
    ways: tuple[Callable[[Runner, ClipInfo, ClipSettings], Cost], ...]
    ways = (pipeline, one_after_another)
    found: list[list[Cost]] = [[] for _ in ways]
    for _ in range(rounds):
        for costs, way in zip(found, ways, strict=True):
            costs.append(way(runner, clip, settings))
    return found


def report(models: tuple[str, ...], limit: float, found: list[list[Cost]]) -> None:
    ours, loop = found
    print(f"\n{', '.join(models)}: {ours[0].frames} frames")
    print(f"{'':>20} {'wall s':>8} {'models s':>9} {'other %':>8} {'frames/s':>9}")
    for name, costs in (("pipeline", ours), ("one after another", loop)):
        wall = statistics.median(c.wall_s for c in costs)
        model = statistics.median(c.model_s for c in costs)
        other = statistics.median(c.other for c in costs)
        rate = costs[0].frames / wall
        print(f"{name:>20} {wall:8.2f} {model:9.2f} {100 * other:8.1f} {rate:9.1f}")
    ratio = statistics.median(b.wall_s / a.wall_s for a, b in zip(ours, loop, strict=True))
    other = statistics.median(c.other for c in ours)
    say(f"share of a clip that is no model time, {len(models)} models", other, most=limit)
    verdict = "kept" if other < limit else "NOT KEPT"
    print(f"the loop takes {ratio:.2f} times as long; limit {100 * limit:.0f} %: {verdict}")


@contextlib.contextmanager
def keypoint_rcnn(given: Path | None) -> Iterator[None]:
    """Makes weights of Keypoint R-CNN available: given, already here, or random."""
    with contextlib.suppress(PoseError):
        if given is None:
            weights.path("keypointrcnn-coco-v1")
            yield
            return
    with tempfile.TemporaryDirectory() as folder:
        file = given or _seeded(Path(folder) / "seeded.pth")
        manifest = Path(folder) / "manifest.toml"
        manifest.write_text(
            f'[keypointrcnn-coco-v1]\nkind = "download"\nfile_name = "{file.name}"\n'
            f'sha256 = "{hashlib.sha256(file.read_bytes()).hexdigest()}"\n'
            f"size_bytes = {file.stat().st_size}\n"
        )
        os.environ["POSE_WEIGHTS_DIR"] = str(file.parent)
        os.environ["POSE_WEIGHTS_MANIFEST"] = str(manifest)
        current.cache_clear()
        print("Keypoint R-CNN: " + (str(given.name) if given else "random weights"))
        yield


def _seeded(file: Path) -> Path:
    """A random checkpoint; the scores' bias keeps the people down to a few."""
    code = """
import sys, torch
from torchvision.models.detection import KeypointRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
torch.manual_seed(0)
net = KeypointRCNN(resnet_fpn_backbone(backbone_name="resnet50", weights=None), 2, num_keypoints=17)
net.roi_heads.box_predictor.cls_score.bias.data[0] = 40.0
torch.save(net.state_dict(), sys.argv[1])
"""
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clip", type=Path, default=SAMPLE)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, help="at most so many, of every set of models")
    parser.add_argument("--weights", type=Path, help="of Keypoint R-CNN")
    asked = parser.parse_args()
    clip = open_clip(asked.clip)
    with keypoint_rcnn(asked.weights):
        runner = ProcessRunner(replace(current(), memory_mb=4000))
        try:
            for models, limit, most in SETS:
                count = min(n for n in (asked.frames, most, clip.frame_count) if n is not None)
                end_s = float(clip.timestamps_s[count - 1])
                warm(runner, clip, models)
                settings = ClipSettings(models, end_s=end_s)
                report(models, limit, measure(runner, clip, settings, asked.rounds))
        finally:
            runner.close()


if __name__ == "__main__":
    main()
