"""A long day in short: uploads, clips, live video, pages and lost models, over and over.

    python -m tests.soak [--minutes 30] [--viewers 3]

Visitors over WebSockets (`viewer_driver`, as `tests.crowd`) and tabs of a browser with a camera (as
`tests/browser/test_live_soak.py`, which is the same for three minutes of live video alone); now and
then a model's process is killed.  Afterwards threads, open files, shared memory and memory of the
app's own process are where they were, within 5 %.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from browser_support import forgo_realtime, server_process  # noqa: E402 - path above
from live_support import (  # noqa: E402 - with its neighbours
    CameraBrowser,
    camera_arguments,
    camera_frames,
    stop,
    write_mjpeg,
)
from playwright.sync_api import sync_playwright  # noqa: E402 - with its neighbours
from test_live_soak import TABS, opened  # noqa: E402 - with its neighbours

from tests.crowd import Size, at_rest, back, one_visit, server, status, visits  # noqa: E402


def live(own: CameraBrowser, address: str) -> None:
    """Tabs that all show their streams: stopped, and closed with their streams running."""
    pages = opened(own, address)
    stop(pages[0])
    for page in pages:
        page.close()


def lose_a_model(process: psutil.Process) -> None:
    hosts = [c for c in process.children() if "estimators.runtime.host" in c.cmdline()]
    if hosts:
        os.kill(hosts[0].pid, signal.SIGKILL)


def soak(url: str, own: CameraBrowser, minutes: float, viewers: int) -> tuple[Size, Size, int]:
    """What the app has before and after, at rest, and how many rounds there were.

    Raises:
        AssertionError: somebody saw an error that nobody made.
    """
    process, address = server_process(url), f"{url}/live?models=movenet-lightning"
    for _ in range(2):  # what the libraries load and keep on first use is no leak
        one_visit(url)
        live(own, address)
    before = at_rest(url, process)
    end_s, rounds = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < end_s:
        faults = visits(url, viewers, rounds)
        live(own, address)
        lose_a_model(process)
        rounds += 1
        assert faults == [], faults
        print(f"round {rounds}: {Size.of(process)}", flush=True)
    assert status(url)["status"] == "ok"
    return before, back(url, process, before, 300.0), rounds


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--viewers", type=int, default=3)
    parser.add_argument(
        "--browser", default=os.environ.get("POSE_BROWSER") or shutil.which("chromium")
    )
    options = parser.parse_args(arguments)
    forgo_realtime()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        camera = camera_arguments(write_mjpeg(folder / "camera.mjpeg", camera_frames(count=30)))
        url = stack.enter_context(server(folder, POSE_MAX_STREAMS=str(2 * TABS)))
        chromium = stack.enter_context(sync_playwright()).chromium
        own = CameraBrowser(chromium, options.browser, camera)
        stack.enter_context(own)
        before, after, rounds = soak(url, own, options.minutes, options.viewers)
    print(f"{rounds} rounds; {before} before, {after} after")
    return int(not after.within(before))


if __name__ == "__main__":
    sys.exit(main())
