"""Memory of the app's own process under uploads: pictures that attack, and honest large ones.

Real visits by Chromium to a server of its own.  Printed is the resident memory (RSS, MB of 10^6
bytes) of the server's process, without the models' own processes: at rest, at its peak during
each visit, and after everybody has left.

    python -m benchmarks.upload_memory [--only WORD …] [--browser PATH] [--patience 120]

Beside it stands what the plain way takes for the same pictures: Pillow's `open`, transparency laid
over white, an array of the whole.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(ROOT / "tests")]

from browser_support import (  # noqa: E402 - path above
    CHROMIUM_ARGUMENTS,
    READY,
    running_app,
    server_process,
)
from clip_factory import Recipe  # noqa: E402 - path above
from clip_factory import make_clip as factory_clip  # noqa: E402 - path above
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402 - kept together

from benchmarks.clip_memory import make_clip  # noqa: E402 - kept together

SINGLE_MB, ALL_MB, LEFT_MB = 400, 700, 100
_EVERY_S = 0.02
_SLOW_MS = 240_000
PLAIN = """
import re, sys
from PIL import Image
import numpy as np
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) * 1.024e-3
before = peak()
picture = Image.open(sys.argv[1])
if picture.has_transparency_data:
    colours = picture.convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
image = np.asarray(picture.convert("RGB"))
print(peak() - before)
"""


@dataclass
class Watch:
    """The server's memory, looked at all the time."""

    process: psutil.Process
    peak: int = 0
    _end: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()

    def _look(self) -> None:
        while not self._end.wait(_EVERY_S):
            self.peak = max(self.peak, self.process.memory_info().rss)


# The files.


def photo(path: Path, size: tuple[int, int], **options: object) -> Path:
    """A picture with noise, as a camera makes it."""
    rng = np.random.default_rng(list(path.name.encode()))
    small = rng.integers(0, 255, (size[1] // 16, size[0] // 16, 3), np.uint8)
    picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    picture.save(path, quality=92, **options)
    return path


def large_clip(path: Path, megabytes: int) -> Path:
    """A short clip, made long by a box that players pass over (`free`, ISO/IEC 14496-12)."""
    make_clip(path, 30, (640, 360))
    missing = megabytes * 1_000_000 - path.stat().st_size
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", missing, b"free") + os.urandom(16))
        file.truncate(megabytes * 1_000_000)
    return path


def scanned(path: Path, scans: int) -> Path:
    """A progressive JPEG whose last scan comes again and again."""
    buffer = io.BytesIO()
    Image.new("RGB", (4000, 4000), "grey").save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    path.write_bytes(data[:last] + data[last:-2] * scans + data[-2:])
    return path


def webp(path: Path) -> Path:
    """64 megapixels in 46 bytes or a few more."""
    Image.new("RGB", (8000, 8000)).save(path, lossless=True)
    return path


def flat(path: Path, side: int) -> Path:
    """Of one colour, half transparent: large in memory, small in the file."""
    Image.new("RGBA", (side, side), (9, 99, 199, 99)).save(path, compress_level=9)
    return path


def broken(path: Path, megabytes: int) -> Path:
    """What is called a picture and is too large for the uploader."""
    with path.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    return path


def many_references(path: Path, references: int) -> Path:
    """4K in H.264 that has its decoder keep so many pictures."""
    options = {"preset": "ultrafast", "refs": str(references), "bf": "0", "g": "250"}
    return factory_clip(
        path, Recipe(width=3840, height=2160, pts=tuple(range(40)), options=options)
    )


class Files(dict[str, Path]):
    """What is uploaded, made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, name: str) -> Path:
        path = self._folder / name
        match path.name.partition(".")[0].rstrip("0123456789_"):
            case "flat":
                flat(path, 8000)
            case "webp":
                webp(path)
            case "scans":
                scanned(path, 400)
            case "progressive":
                photo(path, (8064, 6048), progressive=True, subsampling=2)
            case "large":
                photo(path, (8064, 6048))
            case "usual":
                photo(path, (4032, 3024))
            case "broken":
                broken(path, 150)
            case "references":
                many_references(path, int(path.stem.partition("_")[2]))
            case "clip":
                large_clip(path, int(path.stem.partition("_")[2]))
        self[name] = path
        return path


# The visits.


@dataclass
class Visits:
    """Viewers of the app, each with a context of their own."""

    browser: Browser
    url: str
    pages: list[Page] = field(default_factory=list)

    def viewer(self, path: str = "") -> Page:
        page = self.browser.new_context().new_page()
        page.set_default_timeout(_SLOW_MS)
        page.goto(f"{self.url}/{path}")
        page.wait_for_selector(READY)
        self.pages.append(page)
        return page

    def leave(self) -> None:
        for page in self.pages:
            page.context.close()
        self.pages.clear()


def idle(page: Page) -> None:
    """Waits until the page has rested for two seconds."""
    rested = 0
    while rested < 10:
        page.wait_for_timeout(200)
        done = page.locator(READY).count() and not page.get_by_text("Estimating…").count()
        rested = rested + 1 if done else 0


def choose(page: Page, label: str) -> None:
    page.get_by_role("radio", name=label).or_(page.get_by_role("button", name=label)).first.click()
    idle(page)


def bring(page: Page, *paths: Path) -> None:
    """Uploads `paths` at once, past the browser's own limits, and waits until all is shown."""
    chooser = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    chooser.set_input_files(list(paths))
    idle(page)


def pictures(visits: Visits, *paths: Path, at_once: bool = False) -> Page:
    page = visits.viewer()
    choose(page, "Your pictures")
    for group in [paths] if at_once else [[path] for path in paths]:
        bring(page, *group)
    return page


def clip(visits: Visits, path: Path) -> Page:
    page = visits.viewer("video")
    choose(page, "Your clip")
    bring(page, path)
    run = page.locator(".st-key-run_clip button")
    run.or_(page.locator("figure canvas")).first.wait_for()
    if run.count():  # nobody had this clip before
        run.click()
    page.locator("figure canvas").first.wait_for()
    idle(page)
    return page


def refused_clip(visits: Visits, path: Path) -> None:
    """A clip that is turned away in words."""
    page = visits.viewer("video")
    choose(page, "Your clip")
    bring(page, path)
    page.get_by_text("takes too much memory").first.wait_for()


def overlay(visits: Visits, path: Path) -> None:
    """The picture with all poses in its own size, and the legend below it."""
    page = pictures(visits, path)
    page.get_by_role("button", name="Download").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="All in one, PNG").click()
    (width, height), whole = Image.open(path).size, Image.open(download.value.path()).size
    assert whole[0] == width, whole
    assert height < whole[1] < 1.1 * height, whole


def scenarios(made: Files) -> dict[str, tuple[int, Callable[[Visits], object]]]:
    """What viewers do, by a name; and the most it may take above rest, or 0 for a sequence."""
    one = {
        "PNG, 64 MP, flat": "flat.png",
        "WebP, 64 MP": "webp.webp",
        "JPEG, 400 scans": "scans.jpg",
        "JPEG, 48 MP": "large_0.jpg",
        "JPEG, 48 MP, progressive": "progressive.jpg",
        "a file of 150 MB": "broken.jpg",
    }
    found: dict[str, tuple[int, Callable[[Visits], object]]] = {
        title: (SINGLE_MB, lambda v, name=name: pictures(v, made[name]))
        for title, name in one.items()
    }
    found["download, JPEG of 48 MP"] = (SINGLE_MB, lambda v: overlay(v, made["large_1.jpg"]))
    found["download, PNG of 64 MP"] = (SINGLE_MB, lambda v: overlay(v, made["flat.png"]))
    found["clip, 490 MB"] = (SINGLE_MB, lambda v: clip(v, made["clip_490.mp4"]))
    found["clip, 4K, 4 reference frames"] = (
        SINGLE_MB,
        lambda v: clip(v, made["references_4.mp4"]),
    )
    found["clip, 4K, 16 reference frames"] = (
        SINGLE_MB,
        lambda v: refused_clip(v, made["references_16.mp4"]),
    )
    found["8 JPEGs of 48 MP, one by one"] = (
        0,
        lambda v: pictures(v, *[made[f"large_{n}.jpg"] for n in range(8)]),
    )
    found["30 JPEGs of 12 MP, two viewers"] = (
        0,
        lambda v: [
            pictures(v, *[made[f"usual_{n}.jpg"] for n in part], at_once=True)
            for part in (range(15), range(15, 30))
        ],
    )
    found["five viewers, PNG and WebP"] = (
        0,
        lambda v: together(v, [made["flat.png"], made["webp.webp"]]),
    )
    found["four clips of 240 MB"] = (
        0,
        lambda v: [clip(v, made["clip_240.mp4"]) for _ in range(4)],
    )
    found["8 files of 150 MB"] = (0, lambda v: [pictures(v, made["broken.jpg"]) for _ in range(8)])
    return found


def together(visits: Visits, paths: Sequence[Path]) -> None:
    """Five viewers bring all of `paths` at the same time."""
    pages = [visits.viewer() for _ in range(5)]
    for page in pages:
        choose(page, "Your pictures")
    for page in pages:
        page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(
            list(paths)
        )
    for page in pages:
        idle(page)


# The measurement.


def measure(
    visits: Visits, process: psutil.Process, chosen: dict[str, tuple[int, Callable]], patience: int
) -> bool:
    """Prints a line a scenario; whether all are within their limits."""
    visits.viewer()
    idle(visits.pages[0])
    visits.leave()
    time.sleep(20)
    rest = process.memory_info().rss
    print(f"{'at rest':<34} {rest / 1e6:>8.0f}", flush=True)
    print(f"{'':<34} {'peak':>8} {'above rest':>11} {'limit':>6} {'s':>6}", flush=True)
    good = True
    for name, (limit, act) in chosen.items():
        begun = time.monotonic()
        with Watch(process) as watch:
            with contextlib.suppress(KeyboardInterrupt):
                act(visits)
            visits.leave()
        above = (watch.peak - rest) / 1e6
        limits = f"{limit}" if limit else f"({ALL_MB})"
        good &= above <= limit if limit else watch.peak / 1e6 <= ALL_MB
        took = time.monotonic() - begun
        print(
            f"{name:<34} {watch.peak / 1e6:>8.0f} {above:>11.0f} {limits:>6} {took:>6.0f}",
            flush=True,
        )
        if limit:
            time.sleep(15)  # so that each has the memory to itself
    time.sleep(patience)
    left = process.memory_info().rss
    good &= (left - rest) / 1e6 <= LEFT_MB
    name = f"{patience} s after the last one left"
    print(f"{name:<34} {left / 1e6:>8.0f} {(left - rest) / 1e6:>11.0f} {LEFT_MB:>6}", flush=True)
    return good


def plain(made: Files) -> Iterator[tuple[str, float]]:
    """What decoding takes in the usual way, in MB."""
    for name in ("flat.png", "webp.webp", "large_0.jpg", "progressive.jpg"):
        command = [sys.executable, "-c", PLAIN, str(made[name])]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        yield name, float(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", help="words of the scenarios' names")
    parser.add_argument("--patience", type=int, default=120)
    parser.add_argument(
        "--browser", default=os.environ.get("POSE_BROWSER") or shutil.which("chromium")
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        made = Files(folder)
        chosen = {
            title: what
            for title, what in scenarios(made).items()
            if not asked.only or any(word in title for word in asked.only)
        }
        browser = playwright.chromium.launch(executable_path=asked.browser, args=CHROMIUM_ARGUMENTS)
        (folder / "app").mkdir()
        with running_app(folder / "app") as url:
            good = measure(Visits(browser, url), server_process(url), chosen, asked.patience)
        browser.close()
        for title, megabytes in () if asked.only else plain(made):
            print(f"{'the plain way: ' + title:<34} {megabytes:>20.0f}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
