"""How long after `streamlit run` a new visitor sees the first page and its first result.

The same with a page of one sentence: what Streamlit and the browser need themselves.  The browser
runs already, and shares the machine.  Every round starts new servers and new processes.  At last
what the whole app holds with one model of each of three families.

    python -m benchmarks.first_visit [--rounds 5] [--browser PATH]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

import psutil  # noqa: E402 - kept with its neighbours
from browser_support import (  # noqa: E402 - path above
    CHROMIUM_ARGUMENTS,
    running_app,
    server_process,
)
from playwright.sync_api import Browser, sync_playwright  # noqa: E402 - kept with its neighbours

from benchmarks._limits import say  # noqa: E402 - needs the path above
from benchmarks.memory import seed_rcnn  # noqa: E402 - needs the path above
from estimators.registry import DEFAULT_MODELS  # noqa: E402 - needs the path above
from estimators.runtime.machine import process_memory  # noqa: E402 - needs the path above

PLAIN = "import streamlit as st\nst.title('Image')\n"
# Models that used less of a core in so long a time have answered.
_SETTLE_S, _IDLE_S, _PATIENCE_S = 5.0, 0.2, 180.0
FOUND = "1 person"  # under each overlay of the picture that the first visit shows


def plain(browser: Browser, folder: Path) -> dict[str, float]:
    """Seconds from the start of a one-sentence app until the sentence is there."""
    script = folder / "plain.py"
    script.write_text(PLAIN)
    begun = time.monotonic()
    with running_app(folder, str(script)) as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_role("heading", name="Image", exact=True).wait_for()
        took = time.monotonic() - begun
        page.close()
    return {"one sentence": took}


def product(browser: Browser, folder: Path) -> dict[str, float]:
    """Seconds from the start of the app until its title, and one and two results, are there."""
    begun = time.monotonic()
    took = {}
    with running_app(folder) as url:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(url)
        page.get_by_role("heading", name="Image", exact=True).wait_for()
        took["title"] = time.monotonic() - begun
        results = page.get_by_text(FOUND, exact=False)
        results.first.wait_for()
        took["first result"] = time.monotonic() - begun
        results.nth(1).wait_for()
        took["second result"] = time.monotonic() - begun
        page.close()
    return took


def whole_app_mb(browser: Browser, folder: Path) -> float:
    """The server and all its children with three families, shared pages divided, in MB.

    Keypoint R-CNN is random, where its own weights are here, too: as large, and found nowhere else.
    """
    (folder / "weights").mkdir()
    with running_app(folder, **seed_rcnn(folder / "weights")) as url:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/?models={','.join(DEFAULT_MODELS)}")
        until, before, quiet = time.monotonic() + _PATIENCE_S, 0.0, False
        while not quiet and time.monotonic() < until:
            time.sleep(_SETTLE_S)
            family = [server_process(url), *server_process(url).children(recursive=True)]
            hosts = [process for process in family if _hosts(process)]
            worked = sum(sum(process.cpu_times()[:2]) for process in hosts)
            quiet = len(hosts) >= len(DEFAULT_MODELS) and worked - before < _IDLE_S
            before = worked
        sizes = [process_memory(process.pid) for process in family]
        total = sum(size.share_mb for size in sizes if size is not None)
        page.close()
    return total


def _hosts(process: psutil.Process) -> bool:
    """Whether a model lives in it."""
    try:
        return "estimators.runtime.host" in process.cmdline()
    except psutil.Error:  # it has just ended
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--browser", default=os.environ.get("POSE_BROWSER") or shutil.which("chromium")
    )
    asked = parser.parse_args()
    seen: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.browser, args=CHROMIUM_ARGUMENTS)
        for _ in range(asked.rounds):
            for form in (plain, product):
                with tempfile.TemporaryDirectory() as folder:
                    for name, took in form(browser, Path(folder)).items():
                        seen.setdefault(name, []).append(took)
        with tempfile.TemporaryDirectory() as folder:
            held = whole_app_mb(browser, Path(folder))
        browser.close()
    say("whole app with three families, PSS", held, most=1500, unit="MB")
    print(f"the whole app with {', '.join(DEFAULT_MODELS)}: {held:.0f} MB")
    usual = statistics.median(seen["one sentence"])
    print(f"{'until':<15} {'median s':>9} {'least s':>8} {'most s':>7} {'ratio':>6}")
    say("first result of a visit", statistics.median(seen["first result"]), most=6.0, unit="s")
    for name, each in seen.items():
        median = statistics.median(each)
        print(
            f"{name:<15} {median:>9.2f} {min(each):>8.2f} {max(each):>7.2f} {median / usual:>6.1f}"
        )


if __name__ == "__main__":
    main()
