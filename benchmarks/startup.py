"""How soon the first result is there: from a new runner to each model's first answer.

First one model after the other, each with the machine to itself, then all at once as the first page
does it.  Every round uses new processes; files are in the system's cache after the first round.

    python benchmarks/startup.py [MODEL …] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from estimators.errors import PoseError  # noqa: E402 - needs the path above
from estimators.media.pictures import read_picture  # noqa: E402 - needs the path above
from estimators.runtime.runner import ProcessRunner  # noqa: E402 - needs the path above
from estimators.settings import current  # noqa: E402 - needs the path above
from estimators.types import Frame  # noqa: E402 - needs the path above

DEFAULT = ("movenet-lightning", "blazepose-full")


def alone(model: str, picture: Frame) -> tuple[float, float, float]:
    """Seconds to ready, milliseconds of the first and of the second answer."""
    runner = ProcessRunner(current())
    try:
        first = runner.estimate(model, picture).estimate.timings_ms.total
        second = runner.estimate(model, picture).estimate.timings_ms.total
        return runner.status()[0].load_s or 0.0, first, second
    finally:
        runner.close()


def together(models: list[str], picture: Frame) -> dict[str, float]:
    """Seconds from a new runner to the first answer of each model, all started at once."""
    runner, seconds, started = ProcessRunner(current()), {}, time.perf_counter()

    def ask(model: str) -> None:
        runner.estimate(model, picture)
        seconds[model] = time.perf_counter() - started

    threads = [threading.Thread(target=ask, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runner.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=DEFAULT)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    picture = read_picture(sorted((ROOT / "sample_media").glob("*.jpg"))[0])
    present = []
    print(f"{'model':<28} {'ready s':>8} {'first ms':>9} {'second ms':>10}")
    for model in arguments.models:
        try:
            rounds = [alone(model, picture) for _ in range(arguments.rounds)]
        except PoseError as error:
            print(f"{model:<28} left out: {error}")
            continue
        present.append(model)
        ready, first, second = map(statistics.median, zip(*rounds, strict=True))
        print(f"{model:<28} {ready:>8.2f} {first:>9.1f} {second:>10.1f}")
    all_rounds = [together(present, picture) for _ in range(arguments.rounds)]
    for model in present:
        seconds = statistics.median(each[model] for each in all_rounds)
        print(f"{model:<28} {seconds:>8.2f} s to its first answer, all started at once")


if __name__ == "__main__":
    main()
