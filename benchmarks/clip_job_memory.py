"""Memory while a clip is processed, drawn and encoded: a short clip against a long one.

    python -m benchmarks.clip_job_memory [--short 200] [--long 4000]

Each measurement is a process of its own with MoveNet Lightning.  Printed is what the process needed
at most above what it had after the first frames, and how much of that are the numbers themselves,
which are kept.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
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
from estimators.workflows.clip.video import annotate

# Queues, caches and the encoder's look-ahead have filled by then.
WARM_FRAMES = 60


def measure(path: Path) -> tuple[float, float]:
    """Peak resident memory above the start, and bytes of the numbers, both in MB."""
    clip, process = open_clip(path), psutil.Process()
    settings = ClipSettings(("movenet-lightning",))
    runner = ProcessRunner(current())
    start = peak = 0
    try:
        job = ClipJob(runner, clip, settings)

        def look(done: int, _: int = 0) -> None:
            nonlocal start, peak
            if done >= WARM_FRAMES and done % 10 == 0:
                now = process.memory_info().rss
                start, peak = start or now, max(peak, now)

        for done, _ in enumerate(job.outcomes()):
            look(done)
        annotate(job, path.with_suffix(".out.mp4"), progress=look)
    finally:
        runner.close()
    return (peak - start) / 1e6, kept_bytes([job]) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", type=int, default=200)
    parser.add_argument("--long", type=int, default=4000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(*measure(asked.measure))
        return
    found: dict[int, tuple[float, float]] = {}
    print(f"{'frames':>8} {'above the start':>16} {'numbers kept':>13}   MB")
    with tempfile.TemporaryDirectory() as folder:
        for count in (asked.short, asked.long):
            path = Path(folder) / f"{count}.mp4"
            make_clip(path, count, (640, 360))
            command = [sys.executable, "-m", "benchmarks.clip_job_memory", "--measure", str(path)]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            above, kept = map(float, said.split())
            found[count] = above, kept
            print(f"{count:>8,} {above:>16.1f} {kept:>13.1f}")
    frames_mb = asked.long * 640 * 360 * 3 / 1e6
    grown = found[asked.long][0] - found[asked.short][0]
    numbers = found[asked.long][1] - found[asked.short][1]
    say("a longer clip's memory beyond its numbers", grown - numbers, most=MOST_MB, unit="MB")
    print(
        f"{asked.long / asked.short:.0f} times the frames: {grown:+.1f} MB; all frames in memory "
        f"would be {frames_mb:,.0f} MB"
    )


if __name__ == "__main__":
    main()
