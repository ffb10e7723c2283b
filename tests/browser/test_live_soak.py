"""Thirty streams, ended in every way there is, uploads and clips: all is back where it was.

And the server itself, killed in the middle of work, leaves nothing; `make soak` is the same for
half an hour.
"""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from live_support import (
    CameraBrowser,
    camera_arguments,
    camera_frames,
    opened,
    playing,
    start,
    stop,
    write_mjpeg,
)
from playwright.sync_api import Browser

from tests.crowd import one_visit, visits
from tests.server_at_rest import at_rest, back, left_by, server, server_process
from tests.soak import REST_S, lose_one

TABS, PRESSES = 3, 6


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("camera")
    return camera_arguments(write_mjpeg(folder / "camera.mjpeg", camera_frames(count=30)))


@pytest.mark.timeout(500)
def test_everything_is_freed(
    browser: Browser,
    browser_executable: str | None,
    arguments: list[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "temporary").mkdir()
    settings = {"POSE_MAX_STREAMS": str(2 * TABS), "TMPDIR": str(tmp_path / "temporary")}
    with ExitStack() as running:
        url = running.enter_context(server(tmp_path, **settings))
        address, process = f"{url}/live?models=movenet-lightning", server_process(url)

        def launch() -> CameraBrowser:
            own = CameraBrowser(browser.browser_type, browser_executable, arguments)
            running.enter_context(own)
            return own

        # What the libraries load and keep on first use is not a leak.
        own = launch()
        for _ in range(2):
            for page in opened(own, address, TABS):
                page.close()
            one_visit(url)
        before = at_rest(url, process, REST_S)
        ended = 0

        assert visits(url, 1, 1) == []  # uploads, a clip, other pages
        lose_one(process, 0)

        for _ in range(2):  # the computer is switched off
            doomed = launch()
            ended += len(opened(doomed, address, TABS))
            doomed.send(signal.SIGKILL)

        pages = opened(own, address, TABS)  # the Stop button
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
        for page in opened(own, address, TABS):  # the tab is closed
            page.close()
            ended += 1
        assert ended == 30

        after = back(url, process, before, 200.0)
        assert after.within(before), f"{before} before, {after} after"
        print(f"{before} before, {after} after")
        assert left_by(process, signal.SIGKILL, tmp_path / "temporary") == []
