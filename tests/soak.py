"""A long day in short: uploads, clips, live video, pages and restarts, over and over.

    python -m tests.soak [--minutes 30] [--viewers 3]

Visitors over WebSockets (`viewer_driver`, as `tests.crowd`) and tabs of a browser with a camera (as
`tests/browser/test_live_soak.py`, which is the same for three minutes); in every round the process
of a model or a decoder is killed.  Afterwards threads, open files, shared memory and memory of the
app's own process are where they were, within 5 %.  Three times the server itself is ended while it
works, once in each way, and leaves no process and no file.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from live_support import (  # noqa: E402 - path above
    CameraBrowser,
    browser_option,
    opened,
    own_browser,
    stop,
)
from playwright.sync_api import Error as PlaywrightError  # noqa: E402 - with its neighbours

from tests.crowd import MODELS, one_visit, picture, visits  # noqa: E402 - path above
from tests.server_at_rest import (  # noqa: E402 - path above
    Size,
    at_rest,
    back,
    left_by,
    server,
    server_process,
    status,
)
from tests.viewer_driver import LostError, Visit  # noqa: E402 - path above

TABS, TRIES = 3, 3
# The longest that anything of an ended stream lives.
REST_S = 45.0
# How the server ends, one life after the other.
ENDS = (signal.SIGTERM, signal.SIGKILL, signal.SIGINT)


def live(own: CameraBrowser, address: str) -> None:
    """Tabs that all show their streams: stopped, and closed with their streams running.

    A machine with too much else to do may not get a connection up in time: then once more.
    """
    for left in reversed(range(TRIES)):
        try:
            stop(opened(own, address, TABS)[0])
            return
        except (PlaywrightError, AssertionError):
            if not left:
                raise
        finally:
            for context in own.browser.contexts:
                context.close()


def lose_one(process: psutil.Process, number: int) -> None:
    """Kills one of the processes that models and decoders are in, another one each time."""
    ours = ("estimators.runtime.host", "estimators.decode.child")
    hosts = [c for c in process.children() if any(name in c.cmdline() for name in ours)]
    if hosts:
        with suppress(ProcessLookupError):
            os.kill(hosts[number % len(hosts)].pid, signal.SIGKILL)


def one_round(url: str, own: CameraBrowser, viewers: int, number: int) -> list[str]:
    """Uploads, clips, pages and live video, with a process lost meanwhile; what went wrong.

    Whoever waits for a model in that moment is told of it, and of nothing else.
    """
    losing = threading.Timer(2.0, lose_one, (server_process(url), number))
    losing.start()
    faults = visits(url, viewers, number)
    losing.join()
    live(own, f"{url}/live?models=movenet-lightning")
    return [fault for fault in faults if "process was" not in fault]


def soak(url: str, own: CameraBrowser, minutes: float, viewers: int) -> tuple[Size, Size]:
    """What the app has before and after, at rest.

    Raises:
        AssertionError: somebody saw an error that nobody made.
    """
    process = server_process(url)
    for number in range(2):  # what the libraries load and keep on first use is no leak
        one_visit(url)
        one_round(url, own, viewers, -1 - number)
    before = at_rest(url, process, REST_S)
    end_s = time.monotonic() + 60 * minutes
    for number in count():
        faults = one_round(url, own, viewers, number)
        assert faults == [], faults
        print(f"round {number + 1}: {Size.of(process)}", flush=True)
        if time.monotonic() > end_s:
            break
    assert status(url)["status"] == "ok"
    return before, back(url, process, before, 300.0)


def ended(url: str, how: signal.Signals, temporary: Path) -> list[str]:
    """Ends the server while it works on what a visitor brought; what is left of it."""
    process = server_process(url)
    with suppress(LostError), Visit(url, MODELS) as visit:
        visit.choose("picture_source", 1)
        visit.upload("uploads", "mine.png", picture(7))
        visit.go_to("video")
        if visit.has("run_clip"):
            visit.press("run_clip")
        return left_by(process, how, temporary)
    return ["the last visitor was lost before the server"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--viewers", type=int, default=3)
    browser_option(parser)
    asked = parser.parse_args(arguments)
    wrong = []
    with tempfile.TemporaryDirectory() as name, own_browser(Path(name), asked.browser) as own:
        temporary = Path(name) / "temporary"
        temporary.mkdir()
        for how in ENDS:
            folder = Path(name) / how.name
            folder.mkdir()
            settings = {"POSE_MAX_STREAMS": str(2 * TABS), "TMPDIR": str(temporary)}
            with server(folder, **settings) as url:
                before, after = soak(url, own, asked.minutes / len(ENDS), asked.viewers)
                print(f"{before} before, {after} after; then {how.name}", flush=True)
                found = [] if after.within(before) else [f"{after} is more than {before}"]
                found += ended(url, how, temporary)
                print("\n".join(found) or "Everything is back.", flush=True)
                wrong += found
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
