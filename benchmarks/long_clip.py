"""What a frame costs the app itself from a clip's first frames to its ten thousandth.

    python -m benchmarks.long_clip [--frames 10000]

The app's own work (decoding, asking, keeping the numbers) in processor time, which other programs
disturb little; the model's process is not in it.  The frames are small, so that what grows would
show.  Memory is what the process holds at the end above what it held after the first thousand,
without the numbers that are kept.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks._limits import say
from benchmarks.clip_memory import MOST_MB, make_clip
from estimators.media.clips import open_clip
from estimators.runtime.runner import ProcessRunner
from estimators.settings import current
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.jobs import kept_bytes
from estimators.workflows.clip.run import ClipSettings

SIZE = (160, 120)
FIRST = 10  # frames that build what all later ones use
BLOCKS = 10
MOST_COST = 1.05


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.mp4"
        make_clip(path, asked.frames, SIZE)
        measure(path, asked.frames)


def measure(path: Path, frames: int) -> None:
    runner, process, size = ProcessRunner(current()), psutil.Process(), frames // BLOCKS
    costs: list[float] = []
    held: list[float] = []
    try:
        job = ClipJob(runner, open_clip(path), ClipSettings(("movenet-lightning",)))
        begun, since = 0.0, 0
        for done, _ in enumerate(job.outcomes(), 1):
            if done == FIRST:
                begun, since = time.process_time(), done
            elif done % size == 0:
                costs.append(1000 * (time.process_time() - begun) / (done - since))
                held.append((process.memory_info().rss - kept_bytes([job])) / 1e6)
                begun, since = time.process_time(), done
    finally:
        runner.close()
    print(f"{'frames':>8} {'own ms a frame':>15} {'MB without numbers':>19}")
    for number, (cost, mb) in enumerate(zip(costs, held, strict=True), 1):
        print(f"{number * size:>8,} {cost:>15.3f} {mb:>19.1f}")
    grown = held[-1] - held[0]
    third = max(1, len(costs) // 3)
    ratio = statistics.median(costs[-third:]) / statistics.median(costs[:third])
    say("cost of a clip's last frames / of its first", ratio, most=MOST_COST)
    say("memory that a clip's frames leave behind", grown, most=MOST_MB, unit="MB")
    print(f"last / first {ratio:.2f}, limit {MOST_COST}; {grown:+.1f} MB")


if __name__ == "__main__":
    main()
