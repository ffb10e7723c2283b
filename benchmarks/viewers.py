"""How many pictures a second one model answers when 1, 2, 4 and 8 viewers ask it at once.

    python -m benchmarks.viewers [--model movenet-lightning] [--seconds 2] [--rounds 4]

Each viewer asks again as soon as the answer is there.  The numbers of viewers take turns, round by
round.  More viewers cannot make one model quicker, but must not make it slower either.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from pathlib import Path

from benchmarks._limits import here, say
from estimators.media.pictures import read_picture
from estimators.runtime.cores import OtherWork
from estimators.runtime.runner import ProcessRunner
from estimators.settings import current
from estimators.types import Frame
from estimators.workflows.benchmark.notes import machine_text

PICTURE = Path(__file__).resolve().parents[1] / "sample_media" / "three_people_lab.jpg"
VIEWERS = (1, 2, 4, 8)
LEAST = 0.95


def answers_a_second(
    runner: ProcessRunner, model: str, frame: Frame, viewers: int, seconds: float
) -> float:
    """Of all viewers together."""
    counts = [0] * viewers
    begun = time.perf_counter()

    def ask(viewer: int) -> None:
        while time.perf_counter() < begun + seconds:
            runner.estimate(model, frame, viewer=f"viewer {viewer}")
            counts[viewer] += 1

    threads = [threading.Thread(target=ask, args=(viewer,)) for viewer in range(viewers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="movenet-lightning")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=4)
    asked = parser.parse_args()
    print(machine_text(here()))
    frame, runner = read_picture(PICTURE), ProcessRunner(current())
    try:
        answers_a_second(runner, asked.model, frame, 2, asked.seconds)
        rates: dict[int, list[float]] = {viewers: [] for viewers in VIEWERS}
        with OtherWork([s.pid for s in runner.status() if s.pid]) as others:
            for _ in range(asked.rounds):
                for viewers, kept in rates.items():
                    kept.append(
                        answers_a_second(runner, asked.model, frame, viewers, asked.seconds)
                    )
    finally:
        runner.close()
    print(f"{'viewers':>8} {'a second':>9} {'of one':>7}")
    for viewers, each in rates.items():
        ratio = statistics.median(n / one for n, one in zip(each, rates[1], strict=True))
        print(f"{viewers:>8} {statistics.median(each):>9.1f} {ratio:>7.2f}")
        if viewers > 1:
            say(f"answers a second to {viewers} viewers / to one", ratio, least=LEAST)
    print(f"other programs used {others.cores or 0.0:.1f} cores")


if __name__ == "__main__":
    main()
