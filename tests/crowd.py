"""Many visitors at once: pictures, uploads, clips and pages, and what is left when they have gone.

    python -m tests.crowd [--viewers 20] [--rounds 2]

Each visitor is a session of its own over a WebSocket (`viewer_driver`) and does the same: looks at
samples, brings a picture of its own, has a clip processed, looks at other pages.  Nobody may see an
error; nobody's usual answer may take more than twice as long as anybody else's; the app's own
process stays within its memory, and is back where it was afterwards.
"""

from __future__ import annotations

import argparse
import io
import math
import statistics
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from tests.server_at_rest import Size, at_rest, back, server, server_process
from tests.viewer_driver import LONGEST_S, Visit, sample

MODELS = "models=movenet-lightning,blazepose-lite"
# Slowest viewer's median against the fastest's, and a little that any answer may take.
MOST_RATIO, GRACE_S = 2.0, 0.25
# The most that the app's own process may take above rest: two decoded pictures, the budget of
# running work, what is kept of clips, and some MB of each session.
PICTURES_MB, KEPT_MB, SESSION_MB = 73.0, 160.0, 8.0
SAMPLES = 4


@dataclass
class Outcome:
    """What became of a crowd.

    Attributes:
        medians: of each viewer's answers, in seconds.
        faults: everything that anybody was shown as an error, or that ended a visit.
        slowest_s: of all answers.
        peak_mb: of the app's own process.
    """

    medians: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    actions: int = 0
    slowest_s: float = 0.0
    peak_mb: float = 0.0
    before: Size | None = None
    after: Size | None = None

    @property
    def ratio(self) -> float:
        if not self.medians:
            return math.inf  # nobody was served
        return (max(self.medians) + GRACE_S) / (min(self.medians) + GRACE_S)

    def __str__(self) -> str:
        if not self.medians:
            return f"nobody was served, {len(self.faults)} errors"
        return (
            f"{len(self.medians)} viewers, {self.actions} actions, {len(self.faults)} errors; "
            f"medians {min(self.medians):.2f} to {max(self.medians):.2f} s, slowest "
            f"{self.slowest_s:.1f} s; app {self.before} before, {self.peak_mb:.0f} MB at its peak, "
            f"{self.after} after"
        )


def picture(number: int) -> bytes:
    """A picture that nobody else has."""
    image = Image.open(io.BytesIO(sample("astronaut.jpg"))).convert("RGB")
    image.putpixel((0, 0), (number % 256, number // 256, 7))
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def one_round(visit: Visit, number: int, clip: bool = True) -> int:
    """What everybody does; how many actions that are."""
    visit.go_to("")
    for step in range(SAMPLES):
        visit.choose("sample", (number + step) % SAMPLES)
        visit.settle()
    visit.choose("picture_source", 1)
    visit.upload("uploads", f"mine {number}.png", picture(number))
    visit.settle()
    visit.choose("picture_source", 0)
    for page in ("models", "evaluate", "benchmark", "video"):
        visit.go_to(page)
    if clip:
        if visit.has("run_clip"):  # else somebody has had it processed
            visit.press("run_clip")
        visit.follow(lambda: not visit.has("cancel_clip"), 3 * LONGEST_S)
        visit.settle()
    return SAMPLES + 8


def crowd(url: str, viewers: int, rounds: int, clip: bool = True, strict: bool = True) -> Outcome:
    """So many visitors at once, each of them `rounds` times; they have gone when this returns.

    With `strict` what the server has before and after is measured at rest, which takes minutes.
    """
    process, found, lock = server_process(url), Outcome(), threading.Lock()
    if strict:  # what the libraries load and keep on first use, in each thread, is no leak
        found.faults += visits(url, viewers, -1)
    found.before = at_rest(url, process) if strict else Size.of(process)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            found.peak_mb = max(found.peak_mb, Size.of(process).mb)

    def visitor(number: int) -> None:
        actions, visit = 0, Visit(url, MODELS)
        try:
            with visit:
                for turn in range(rounds):
                    actions += one_round(visit, number * rounds + turn, clip)
        except Exception as error:  # noqa: BLE001 - told with all others
            visit.faults.append(f"visitor {number}: {type(error).__name__}: {error}")
        with lock:
            found.faults += visit.faults
            found.actions += actions
            if visit.taken_s:
                found.medians.append(statistics.median(visit.taken_s))
                found.slowest_s = max(found.slowest_s, *visit.taken_s)

    threads = [threading.Thread(target=visitor, args=(n,), daemon=True) for n in range(viewers)]
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    watcher.join()
    if strict:
        found.after = back(url, process, found.before)
    return found


def visits(url: str, viewers: int, turn: int) -> list[str]:
    """A round by so many visitors at once, each with pictures of their own; what went wrong."""
    faults: list[str] = []

    def visitor(number: int) -> None:
        visit = Visit(url, MODELS)
        try:
            with visit:
                one_round(visit, 1000 + turn * viewers + number)
        except Exception as error:  # noqa: BLE001 - told with all others
            visit.faults.append(f"visitor {number}: {type(error).__name__}: {error}")
        faults.extend(visit.faults)

    threads = [threading.Thread(target=visitor, args=(n,), daemon=True) for n in range(viewers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def one_visit(url: str) -> None:
    with Visit(url, MODELS) as visit:
        one_round(visit, 9999)


def complaints(found: Outcome, viewers: int) -> list[str]:
    """What of a crowd's outcome is not as promised; sentences."""
    assert found.before is not None
    assert found.after is not None
    wrong = list(found.faults)
    if len(found.medians) < viewers:
        wrong.append(f"{viewers - len(found.medians)} visitors were not served")
    if found.ratio > MOST_RATIO:
        wrong.append(f"the slowest viewer waited {found.ratio:.1f} times as long as the fastest")
    most_mb = found.before.mb + PICTURES_MB + KEPT_MB + viewers * SESSION_MB
    if found.peak_mb > most_mb:
        wrong.append(f"the app took {found.peak_mb:.0f} MB, {most_mb:.0f} MB is the most")
    if not found.after.within(found.before):
        wrong.append(f"it did not come back: {found.before} before, {found.after} after")
    return wrong


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as url:
        found = crowd(url, options.viewers, options.rounds)
        wrong = complaints(found, options.viewers)
    print(found)
    print("\n".join(wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
