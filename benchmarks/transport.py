"""What it costs to carry a frame to a model's process and the answer back.

Shared memory as the runner does it, beside pickling the same frame through a pipe to a plain child
(`multiprocessing.connection`), alternately in the same run so that both see the same machine.

    python benchmarks/transport.py [--model movenet-lightning] [--frames 200] [--size 1280x720 …]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._limits import say  # noqa: E402 - needs the path above
from estimators.runtime.runner import ProcessRunner  # noqa: E402 - needs the path above
from estimators.settings import current  # noqa: E402 - needs the path above
from estimators.types import Frame  # noqa: E402 - needs the path above

_LIMITED = "1280x720"
# Answers every frame with as many numbers as one person's joints.
ECHO = """
import sys
from multiprocessing.connection import Connection
import numpy as np
channel = Connection(int(sys.argv[1]))
answer = np.zeros((1, 17, 3), np.float32)
try:
    while True:
        channel.recv()
        channel.send(answer)
except EOFError:
    pass
"""


def pickle_child() -> tuple[subprocess.Popen[bytes], Connection]:
    ours, theirs = Pipe()
    command = [sys.executable, "-c", ECHO, str(theirs.fileno())]
    child = subprocess.Popen(command, pass_fds=(theirs.fileno(),))
    theirs.close()
    return child, ours


def measure(
    runner: ProcessRunner, model: str, pipe: Connection, frame: Frame, count: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of both ways, alternating; the first tenth is warm-up."""
    shared: list[float] = []
    pickled: list[float] = []
    for _ in range(count + count // 10):
        shared.append(runner.estimate(model, frame).transport_ms)
        started = time.perf_counter()
        pipe.send(frame.image)
        pipe.recv()
        pickled.append((time.perf_counter() - started) * 1000)
    return shared[count // 10 :], pickled[count // 10 :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="movenet-lightning")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--size", nargs="+", default=["640x480", "1280x720", "1920x1080"])
    arguments = parser.parse_args()
    runner = ProcessRunner(current())
    child, pipe = pickle_child()
    print(f"{'frame':>10} {'shared memory ms':>22} {'pickle, pipe ms':>20} {'ratio':>7}")
    print(f"{'':>10} {'median':>11} {'p95':>10} {'median':>11} {'p95':>8}")
    try:
        for size in arguments.size:
            width, height = map(int, size.split("x"))
            image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
            times = measure(runner, arguments.model, pipe, Frame(image), arguments.frames)
            (shared, p95), (pickled, pickled_p95) = (np.percentile(t, (50, 95)) for t in times)
            if size == _LIMITED:
                say(f"transport of {size}", float(shared), most=1.0, unit="ms")
            print(
                f"{size:>10} {shared:>11.2f} {p95:>10.2f} {pickled:>11.2f} {pickled_p95:>8.2f} "
                f"{pickled / shared:>6.1f}x"
            )
    finally:
        runner.close()
        pipe.close()
        child.wait()


if __name__ == "__main__":
    main()
