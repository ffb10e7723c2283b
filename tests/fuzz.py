"""Damaged files without end: nothing but our own errors, no crash, no hang, nothing left behind.

    python -m tests.fuzz --count 20000 --seed 1      what `make fuzz` runs

Each case is an honest small file of one kind, damaged in a way that its number and the seed decide,
and read as the app would.  It runs in a process of its own, which is replaced when a case ends it
or takes too long; the files of such cases are kept under test-results/fuzz.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from estimators.media.browser import browser_copy, way_to_play
from estimators.media.clips import frames, open_clip
from estimators.media.pictures import open_picture, read_whole
from estimators.workflows.clip.film_strip import film_strip
from estimators.workflows.evaluate.pictures import SetPictures
from tests import annotated_factory
from tests.fuzz_inputs import damaged, honest

ROOT = Path(__file__).resolve().parents[1]
# Of one case of a few kilobytes, on a busy machine.
MOST_SECONDS = 30.0
# What libraries keep for themselves; a leak of 20 kB a case shows in 2,000.
MOST_GROWN_MB, SETTLED = 40.0, 300
_COPIED = 0.05  # of the clips
# Cases by kind: those that take longest come less often.
KINDS = (
    *("jpeg", "png", "webp", "gif", "tiff", "bmp", "mp4", "coco", "yolo", "mpii"),
    *("jpeg", "png", "webp", "gif", "tiff", "bmp", "webm", "coco", "yaml", "zip"),
    *("jpeg", "tiff", "webp", "mkv", "avi", "mpii"),
)


def kind_of(number: int) -> str:
    """Of the case with this number."""
    return KINDS[number % len(KINDS)]


def content_of(seed: int, number: int) -> bytes:
    """The damaged file of the case."""
    return damaged(kind_of(number), random.Random(f"{seed}:{number}"))


def run_case(seed: int, number: int, folder: Path) -> None:
    """Reads the file of the case in `folder`, which is empty before and after.

    Raises:
        Exception: anything but an InputError; that is a fault.
    """
    if seed < 0:
        _misbehave(number)
        return
    kind = kind_of(number)
    data = content_of(seed, number)
    try:
        _READERS[kind](data, folder, random.Random(number))
    except InputError as error:
        if not error.message or "Error(" in str(error):
            raise AssertionError(f"no clear message: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()


def _misbehave(number: int) -> None:
    """Cases of a negative seed: one fault of each kind, so that a test sees each noticed."""
    if number == 3:
        raise LookupError("foreign")
    if number == 5:
        os.abort()
    if number == 7:
        time.sleep(1000)
    if number > SETTLED + 10:
        _LEAKED.append(os.dup(0))


_LEAKED: list[int] = []


def _picture(data: bytes, folder: Path, random_: random.Random) -> None:
    picture = open_picture(data, "it")
    assert picture.frame.image.dtype == np.uint8
    assert picture.frame.image.size > 0
    read_whole(data, "it")


def _clip(data: bytes, folder: Path, random_: random.Random) -> None:
    file = folder / "it"
    file.write_bytes(data)
    clip = open_clip(file)
    last = -1
    for frame in frames(clip):
        assert frame.index > last
        assert (frame.width, frame.height) == (clip.width, clip.height)
        last = frame.index
        if last > 12:
            break
    film_strip(clip, 16)
    way_to_play(clip)
    if random_.random() < _COPIED:
        browser_copy(clip, folder / "copy.mp4", anew=True)


def _zip(data: bytes, folder: Path, random_: random.Random) -> None:
    file = folder / "it.zip"
    file.write_bytes(data)
    _evaluated(read_annotated_set(file)[0].images)


def _json(data: bytes, folder: Path, random_: random.Random) -> None:
    annotated_factory.pictures(folder / "images")
    (folder / "it.json").write_bytes(data)
    _evaluated(read_annotated_set(folder / "images", folder / "it.json")[0].images)


def _yolo(data: bytes, folder: Path, random_: random.Random) -> None:
    annotated_factory.yolo(folder)
    next(iter(sorted((folder / "labels").rglob("*.txt")))).write_bytes(data)
    _evaluated(read_annotated_set(folder / "images", folder / "data.yaml")[0].images)


def _yaml(data: bytes, folder: Path, random_: random.Random) -> None:
    annotated_factory.yolo(folder).write_bytes(data)
    _evaluated(read_annotated_set(folder / "images", folder / "data.yaml")[0].images)


def _evaluated(images: tuple) -> None:  # type: ignore[type-arg]
    pictures = SetPictures()
    for image in images[:3]:
        try:
            pictures.digest(image)
            pictures.frame(image)
        except InputError:
            continue


_READERS: dict[str, Callable[[bytes, Path, random.Random], None]] = {
    **dict.fromkeys(("jpeg", "png", "webp", "tiff", "bmp"), _picture),
    "gif": lambda data, folder, r: (_picture if r.random() < 0.6 else _clip)(data, folder, r),
    **dict.fromkeys(("mp4", "webm", "avi", "mkv"), _clip),
    **dict.fromkeys(("coco", "mpii"), _json),
    "zip": _zip,
    "yolo": _yolo,
    "yaml": _yaml,
}


@dataclass
class Outcome:
    """What a run found: for each fault, the case's number and what happened; leaks in words."""

    cases: int = 0
    faults: dict[int, str] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)


def run(seed: int, count: int, first: int = 0) -> Outcome:
    """Cases `first` to `first + count - 1`, in processes that are replaced where one is lost."""
    outcome, number = Outcome(), first
    while number < first + count:
        number = _run_process(seed, number, first + count, outcome)
    outcome.cases = count
    return outcome


def _run_process(seed: int, number: int, end: int, outcome: Outcome) -> int:
    """Runs cases until the process is lost or all are done; the number of the next case."""
    command = [sys.executable, "-m", "tests.fuzz", "--child", str(seed), str(number), str(end)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    heard = time.monotonic()
    late = threading.Event()

    def watch() -> None:
        while child.poll() is None:
            if time.monotonic() - heard > MOST_SECONDS:
                late.set()
                child.kill()
            time.sleep(0.2)

    threading.Thread(target=watch, daemon=True).start()
    with child.stdout:
        for line in child.stdout:
            heard = time.monotonic()
            word, _, rest = line.decode("utf-8", "replace").rstrip("\n").partition(" ")
            if word == "case":
                number = int(rest)
            elif word == "fault":
                outcome.faults[number] = rest
            elif word == "leak":
                outcome.leaks.append(rest)
    code = child.wait()
    if code == 0:
        return end
    words = f"took over {MOST_SECONDS:g} s" if late.is_set() else f"ended its process ({code})"
    outcome.faults[number] = words
    return number + 1


def _child(seed: int, first: int, end: int) -> None:
    """Runs cases and tells each one, its fault, and at the end what was left behind."""
    warnings.simplefilter("ignore")
    if seed >= 0:
        honest()
    process = psutil.Process()
    before: tuple[int, int, float] | None = None
    with tempfile.TemporaryDirectory(prefix="pose-fuzz-") as temporary:
        folder = Path(temporary) / "case"
        folder.mkdir()
        for number in range(first, end):
            print("case", number, flush=True)
            try:
                run_case(seed, number, folder)
            except Exception as error:  # noqa: BLE001 - every foreign one is a fault
                place = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(place.filename).name}:{place.lineno}"
                words = " ".join(f"{type(error).__name__} at {where}: {error}".split())
                print("fault", words.encode("ascii", "replace").decode(), flush=True)
            if number - first == SETTLED:
                before = _held(process)
    if before is not None:
        for name, old, now, more in zip(
            ("files", "threads", "MB"), before, _held(process), (2, 2, MOST_GROWN_MB), strict=True
        ):
            if now > old + more:
                print(f"leak {name}: {old:.0f} after {SETTLED} cases, {now:.0f} at the end")
    sys.stdout.flush()
    os._exit(0)


def _held(process: psutil.Process) -> tuple[int, int, float]:
    gc.collect()
    return process.num_fds(), process.num_threads(), process.memory_info().rss / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    options = parser.parse_args()
    begun = time.monotonic()
    outcome = run(options.seed, options.count, options.first)
    kept = ROOT / "test-results" / "fuzz"
    for number, words in outcome.faults.items():
        kept.mkdir(parents=True, exist_ok=True)
        file = kept / f"{options.seed}-{number}.{kind_of(number)}"
        file.write_bytes(content_of(options.seed, number))
        print(f"{number} ({kind_of(number)}): {words}; {file.relative_to(ROOT)}")
    print(*outcome.leaks, sep="\n")
    seconds = time.monotonic() - begun
    print(f"{outcome.cases:,} files in {seconds:.0f} s: {len(outcome.faults)} faults.")
    return 1 if outcome.faults or outcome.leaks else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(*(int(argument) for argument in sys.argv[2:5]))
    sys.exit(main())
