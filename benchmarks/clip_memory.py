"""Memory while reading a clip: streamed, as the product does, against all frames in a list.

    python -m benchmarks.clip_memory [--short 100] [--long 10000] [--width 640] [--height 360]

Each measurement is a process of its own; printed is what it needed at most above what it had with
everything imported and the first frame decoded (resident memory, MB).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil

from benchmarks._limits import say
from estimators.media.clips import frames, open_clip
from estimators.media.encode import ClipWriter, EncodeOptions

# Reading everything into a list is measured up to this many frames and no further.
MOST_LISTED = 1000
MOST_MB = 20.0  # that more frames may take, where they are not kept


def make_clip(path: Path, count: int, size: tuple[int, int]) -> None:
    """A moving square on a fixed texture: compresses like a real clip, takes no time to draw."""
    width, height = size
    rng = np.random.default_rng(0)
    texture = rng.integers(40, 90, (height, width, 3), np.uint8)
    side = height // 4
    with ClipWriter(path, size, EncodeOptions(Fraction(1, 30), preset="ultrafast")) as writer:
        for index in range(count):
            image = texture.copy()
            left = index * 5 % (width - side)
            image[side : 2 * side, left : left + side] = 220
            writer.write(image, index / 30)


def peak_mb(path: Path, way: str) -> float:
    """Runs one measurement in a child process."""
    command = [sys.executable, "-m", "benchmarks.clip_memory", "--measure", way, str(path)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure(path: Path, way: str) -> float:
    """Peak resident memory in MB above the start, while every frame is read."""
    clip = open_clip(path)
    next(frames(clip))
    process = psutil.Process()
    start = peak = process.memory_info().rss
    kept = []
    for frame in frames(clip):
        if way == "list":
            kept.append(frame)
        if frame.index % 10 == 0:
            peak = max(peak, process.memory_info().rss)
    return (peak - start) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--short", type=int, default=100)
    parser.add_argument("--long", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(measure(Path(options.measure[1]), options.measure[0]))
        return
    size = (options.width, options.height)
    print(f"{'frames':>8} {'streamed':>12} {'in a list':>12}   MB above the start")
    found: dict[int, tuple[float, float | None]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in (options.short, options.long):
            path = Path(folder) / f"{count}.mp4"
            make_clip(path, count, size)
            listed = peak_mb(path, "list") if count <= MOST_LISTED else None
            found[count] = (peak_mb(path, "stream"), listed)
            shown = "not tried" if listed is None else f"{listed:.1f}"
            print(f"{count:>8,} {found[count][0]:>12.1f} {shown:>12}")
    report(options.short, options.long, found, size)


def report(
    short: int, long: int, found: dict[int, tuple[float, float | None]], size: tuple[int, int]
) -> None:
    streamed = found[long][0]
    needed = long * size[0] * size[1] * 3 / 1e6
    name = f"memory of {long / short:.0f} times the frames, read"
    say(name, streamed - found[short][0], most=MOST_MB, unit="MB")
    print(
        f"streamed: {long / short:.0f} times the frames, {streamed - found[short][0]:+.1f} MB; "
        f"a list of {long:,} frames alone is {needed:,.0f} MB, "
        f"{needed / max(streamed, 1):,.0f} times as much"
    )


if __name__ == "__main__":
    main()
