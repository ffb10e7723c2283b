"""Thirty streams, ended in every way there is: threads and memory are back where they were."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest
from browser_support import running_app, server_process, settled
from live_support import (
    CameraBrowser,
    camera_arguments,
    camera_frames,
    shown,
    start,
    stop,
    stream_frame,
    wait_until,
    write_mjpeg,
)
from playwright.sync_api import Browser, Page

TABS, PRESSES = 3, 6
LEEWAY = 1.05
# The longest that anything of an ended stream lives, but for what Streamlit keeps of its session.
LONGEST_S = 35


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("camera")
    return camera_arguments(write_mjpeg(folder / "camera.mjpeg", camera_frames(count=30)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, psutil.Process]]:
    """The app's address and process."""
    with running_app(tmp_path_factory.mktemp("soak"), POSE_MAX_STREAMS=str(2 * TABS)) as url:
        yield f"{url}/live?models=movenet-lightning", server_process(url)


def opened(own: CameraBrowser, address: str) -> list[Page]:
    """Tabs that all show their streams at once."""
    pages = [own.browser.new_page(viewport={"width": 500, "height": 500}) for _ in range(TABS)]
    for page in pages:
        page.set_default_timeout(60_000)
        page.goto(address, wait_until="commit")
    for page in pages:
        start(settled(page))
    for page in pages:
        playing(page)
    return pages


def playing(page: Page) -> None:
    stream_frame(page).get_by_role("button", name="Stop").wait_for()
    wait_until(lambda: shown(page) > 2)


def visit(own: CameraBrowser, address: str) -> None:
    page = own.browser.new_page()
    page.goto(address.replace("live", "models", 1))
    settled(page)
    page.close()


def counts(process: psutil.Process) -> tuple[int, float]:
    """Threads and resident megabytes of the app (not of the models' own processes)."""
    return process.num_threads(), process.memory_info().rss / 1e6


@pytest.mark.timeout(500)
def test_everything_is_freed(
    browser: Browser,
    browser_executable: str | None,
    arguments: list[str],
    server: tuple[str, psutil.Process],
) -> None:
    address, process = server
    with ExitStack() as running:

        def launch() -> CameraBrowser:
            own = CameraBrowser(browser.browser_type, browser_executable, arguments)
            running.enter_context(own)
            return own

        # What the libraries load and keep on first use is not a leak.
        own = launch()
        for _ in range(2):
            for page in opened(own, address):
                page.close()
        time.sleep(LONGEST_S)
        before = counts(process)
        ended = 0

        for _ in range(2):  # the computer is switched off
            doomed = launch()
            ended += len(opened(doomed, address))
            doomed.send(signal.SIGKILL)

        pages = opened(own, address)  # the Stop button
        for press in range(PRESSES):
            for page in pages:
                if press:
                    start(page)
            for page in pages:
                playing(page)
            for page in pages:
                stop(page)
            ended += TABS

        for page in pages:  # the page is left for another one
            start(page)
        ended += TABS
        for page in pages:
            playing(page)
            page.goto(address.replace("live", "models", 1), wait_until="commit")
            page.close()
        for page in opened(own, address):  # the tab is closed
            page.close()
            ended += 1
        assert ended == 30

        allowed = tuple(LEEWAY * number for number in before)
        deadline = time.monotonic() + 200
        while any(now > most for now, most in zip(counts(process), allowed, strict=True)):
            after = counts(process)
            assert time.monotonic() < deadline, f"threads, MB: {before} before, {after} after"
            time.sleep(5)
            # Streamlit keeps a closed tab's session for two minutes, and lets go of it when the
            # next one comes.
            visit(own, address)
        print(f"threads, MB: {before} before, {counts(process)} after")
