"""What a server keeps of live streams that have ended, beside a plain streamlit-webrtc loopback.

Three tabs at a time start their streams, stop, start again, and are closed; after each round the
server rests.  Streamlit itself keeps closed tabs' sessions for two minutes: the first rounds grow.

    python -m benchmarks.live_memory [--rounds 8] [--browser PATH]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from browser_support import running_app, server_process, settled  # noqa: E402 - path above
from live_support import (  # noqa: E402 - kept with its neighbours
    browser_option,
    own_browser,
    shown,
    stream_frame,
    wait_until,
)
from playwright.sync_api import Browser, Page  # noqa: E402 - kept with its neighbours

TABS, STARTS, REST_S = 3, 4, 10


def press(page: Page, name: str, then: str) -> None:
    """Presses a button until the other one is there; it may move away under the pointer."""
    frame = stream_frame(page)
    other = frame.get_by_role("button", name=then)
    while not other.is_visible():
        button = frame.get_by_role("button", name=name)
        if button.is_visible() and button.is_enabled():
            button.click()
        page.wait_for_timeout(500)


def one_round(browser: Browser, address: str) -> int:
    """Streams that were started and have ended."""
    pages = [browser.new_page(viewport={"width": 900, "height": 900}) for _ in range(TABS)]
    for page in pages:
        page.goto(address)
        settled(page)
    for _ in range(STARTS):
        for page in pages:
            press(page, "Start", "Stop")
        for page in pages:
            wait_until(lambda page=page: shown(page) > 10)
        for page in pages:
            press(page, "Stop", "Start")
    for page in pages:
        page.close()
    time.sleep(REST_S)
    return TABS * STARTS


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    browser_option(parser)
    asked = parser.parse_args()
    loopback = str(ROOT / "benchmarks" / "_live_loopback.py")
    pages = (
        ("loopback", loopback, ""),
        ("live page", "streamlit_app.py", "/live?models=movenet-lightning"),
    )
    grown = {}
    with tempfile.TemporaryDirectory() as name, own_browser(Path(name), asked.browser) as own:
        for title, script, path in pages:
            folder = Path(name) / title
            folder.mkdir()
            with running_app(folder, script) as url:
                process, streams, seen = server_process(url), 0, []
                for _ in range(asked.rounds):
                    streams += one_round(own.browser, url + path)
                    seen.append(process.memory_info().rss / 1e6)
                    threads = process.num_threads()
                    print(
                        f"{title:<10} {streams:>4} streams {seen[-1]:>6.0f} MB {threads:>3} threads"
                    )
                grown[title] = (seen[-1] - seen[0]) / (TABS * STARTS * (asked.rounds - 1) or 1)
    ours, plain = grown["live page"], grown["loopback"]
    print(f"MB more a stream: live page {ours:.2f}, loopback {plain:.2f}")


if __name__ == "__main__":
    main()
