"""What the Live page says when the camera or the connection fails, and who gets a place."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from browser_support import (
    CHROMIUM_ARGUMENTS,
    StartApp,
    running_app,
    server_process,
    settled,
)
from live_support import (
    CameraBrowser,
    camera_arguments,
    camera_frames,
    grab,
    shown,
    start,
    status,
    stop,
    stream_frame,
    wait_until,
    write_mjpeg,
)
from playwright.sync_api import Browser, Page, expect

Launch = Callable[[list[str]], CameraBrowser]
# An address that is not the browser's own machine, though it leads to the tests' server.
FAR = "pose.example"
TO_FAR = f"--host-resolver-rules=MAP {FAR} 127.0.0.1"
OPEN_TO_ALL = {
    "STREAMLIT_SERVER_ENABLE_CORS": "false",
    "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false",
    # Nobody outside is asked, and nothing outside could answer.
    "POSE_STUN_URLS": "",
}
# A camera's question that the test answers.
ASK = """navigator.mediaDevices.getUserMedia =
  () => new Promise((_, refuse) => { window.answer = refuse; })"""
# What the page sees of a pulled plug; a track that the page stops by itself tells nobody.
UNPLUG = """
  const { track } = document.poseConnection.pc.getSenders().find((sender) => sender.track);
  track.stop();
  track.dispatchEvent(new Event("ended"));
"""
# Timers run as rarely as in a page that nobody looks at.
BACKGROUND = """const every = window.setInterval;
  window.setInterval = (run, ms) => every(run, Math.max(ms, 3000))"""
# As in Firefox.
OTHER_COUNT = """
  const video = HTMLVideoElement.prototype, { getVideoPlaybackQuality } = video;
  Object.defineProperty(video, "mozPaintedFrames", {
    get() { return getVideoPlaybackQuality.call(this).totalVideoFrames; },
  });
  video.getVideoPlaybackQuality = () => ({ totalVideoFrames: 0 });
"""


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mjpeg(tmp_path_factory.mktemp("camera") / "camera.mjpeg", camera_frames(count=30))


@pytest.fixture(scope="module")
def one_seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a single place, reached from anywhere."""
    with running_app(tmp_path_factory.mktemp("seat"), POSE_MAX_STREAMS="1", **OPEN_TO_ALL) as url:
        yield url


@pytest.fixture
def launch(browser: Browser, browser_executable: str | None) -> Iterator[Launch]:
    """Starts browsers with arguments of the test's own."""
    with ExitStack() as running:

        def started(arguments: list[str]) -> CameraBrowser:
            own = CameraBrowser(browser.browser_type, browser_executable, arguments)
            running.enter_context(own)
            return own

        yield started


def live_page(own: CameraBrowser, address: str, script: str = "") -> Page:
    page = own.browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    page.add_init_script(script)
    page.goto(f"{address}/live?models=movenet-lightning")
    return settled(page)


def in_frame(page: Page, script: str) -> None:
    """Runs JavaScript in the document that holds the camera."""
    stream_frame(page).locator("body").evaluate(f"() => {{ {script} }}")


def far(url: str) -> str:
    return url.replace("127.0.0.1", FAR)


def live(page: Page) -> Page:
    start(page)
    expect(status(page)).to_contain_text("Live.", timeout=60_000)
    return page


def test_a_refused_camera_is_explained(launch: Launch, camera: Path, app_url: str) -> None:
    page = live_page(launch(camera_arguments(camera, allowed=False)), app_url)
    expect(status(page)).to_contain_text("Ready. Press Start")
    start(page)
    expect(status(page)).to_contain_text("The camera was refused.")
    expect(status(page)).to_contain_text("choose Allow")
    expect(page.get_by_role("link", name="No camera? Use a snapshot")).to_be_visible()


def test_a_missing_camera_is_explained(launch: Launch, app_url: str) -> None:
    page = live_page(launch(camera_arguments(None)), app_url)
    start(page)
    expect(status(page)).to_contain_text("No camera was found. Plug one in")


def test_a_camera_that_is_in_use_is_explained(launch: Launch, camera: Path, app_url: str) -> None:
    page = live_page(launch(camera_arguments(camera)), app_url, ASK)
    start(page)
    expect(status(page)).to_contain_text("Asking for the camera.")
    in_frame(page, "window.answer(new DOMException('in use', 'NotReadableError'))")
    expect(status(page)).to_contain_text("The camera cannot be read. Another program may be using")


def test_an_unplugged_camera_is_told_from_a_slow_network(
    launch: Launch, camera: Path, app_url: str
) -> None:
    page = live(live_page(launch(camera_arguments(camera)), app_url))
    in_frame(page, UNPLUG)
    expect(status(page)).to_contain_text("The camera has ended.")
    expect(status(page)).to_contain_text("Plug it in")
    page.wait_for_timeout(4000)  # the picture stands still by now
    expect(status(page)).to_contain_text("press Stop and Start")
    stop(page)
    expect(status(page)).to_contain_text("Ended.")
    live(page)


def test_frames_are_counted_where_the_standard_count_leaves_streams_out(
    launch: Launch, camera: Path, app_url: str
) -> None:
    page = live(live_page(launch(camera_arguments(camera)), app_url, OTHER_COUNT))
    page.wait_for_timeout(4000)
    expect(status(page)).to_contain_text("Live.", timeout=1000)


def test_an_app_that_went_away_is_explained(
    launch: Launch, camera: Path, start_app: StartApp
) -> None:
    url = start_app()
    page = live(live_page(launch(camera_arguments(camera)), url, BACKGROUND))
    server_process(url).kill()
    expect(status(page)).to_contain_text("The connection was lost.")
    expect(status(page)).to_contain_text("reload")


def test_four_tabs_at_once(launch: Launch, camera: Path, start_app: StartApp) -> None:
    own, url = launch(camera_arguments(camera)), start_app()
    pages = [live_page(own, url) for _ in range(4)]
    for page in pages:
        live(page)
    before = [(shown(page), grab(page)) for page in pages]
    for page, (count, picture) in zip(pages, before, strict=True):
        wait_until(lambda page=page, count=count: shown(page) > count + 20)
        wait_until(lambda page=page, picture=picture: another(grab(page), picture))


def another(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape != second.shape or bool((first != second).any(axis=2).mean() > 0.05)


def test_an_insecure_address_is_explained_before_anybody_waits(
    launch: Launch, one_seat: str
) -> None:
    page = live_page(launch([*CHROMIUM_ARGUMENTS, TO_FAR]), far(one_seat))
    expect(status(page)).to_contain_text("No camera on this address.")
    expect(status(page)).to_contain_text("https://")
    note = page.locator(".st-key-live_no_turn")
    expect(note).to_contain_text("no relay (TURN)")
    note.get_by_role("link", name="Take a snapshot or upload a picture").click()
    expect(page.get_by_role("heading", name="Image", exact=True)).to_be_visible()


def test_no_way_to_the_app_is_explained_after_a_while(
    launch: Launch, camera: Path, one_seat: str
) -> None:
    secure = f"--unsafely-treat-insecure-origin-as-secure={far(one_seat)}"
    # As behind a firewall that lets nothing but web pages through.
    wall = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
    own = launch([*camera_arguments(camera), TO_FAR, secure, wall])
    page = live_page(own, far(one_seat))
    start(page)
    expect(status(page)).to_contain_text("found no way to each other", timeout=60_000)
    expect(status(page)).to_contain_text("after 15 seconds")
    expect(status(page)).to_contain_text("no relay (TURN) is set up")


def test_one_place_serves_one_after_the_other(launch: Launch, camera: Path, one_seat: str) -> None:
    own = launch(camera_arguments(camera))
    first = live(live_page(own, one_seat))
    second = live_page(own, one_seat)
    expect(second.get_by_text("All 1 live places are taken.")).to_be_visible()
    expect(second.get_by_role("link", name="compare the models on a picture")).to_be_visible()
    stop(first)
    live(second)  # the door opens by itself


def test_whoever_comes_too_late_is_told(launch: Launch, camera: Path, one_seat: str) -> None:
    own = launch(camera_arguments(camera))
    first, second = live_page(own, one_seat), live_page(own, one_seat)
    for page in (first, second):  # the place of whoever was here before is free by now
        stream_frame(page).get_by_role("button", name="Start").wait_for()
    live(first)
    start(second)
    expect(second.get_by_text("All 1 live places are taken.")).to_be_visible()
    seen = shown(first)
    wait_until(lambda: shown(first) > seen + 5)
    stop(first)
    live(second)


def test_whoever_lost_the_place_behind_a_closed_lid_is_told(
    launch: Launch, camera: Path, one_seat: str
) -> None:
    asleep, first, second = one_of_two_asleep(launch, camera, one_seat)
    asleep.send(signal.SIGCONT)
    expect(first.get_by_text("All 1 live places are taken.")).to_be_visible()
    seen = shown(second)
    wait_until(lambda: shown(second) > seen + 5)
    stop(second)
    live(first)


def test_a_closed_lid_gives_the_place_away_and_an_opened_one_goes_on(
    launch: Launch, camera: Path, one_seat: str
) -> None:
    asleep, first, second = one_of_two_asleep(launch, camera, one_seat)
    stop(second)
    asleep.send(signal.SIGCONT)
    # Within half a minute the connection still stands; later, Start makes a new one.
    expect(status(first)).to_have_text(re.compile("Live|Ended|lost|still"), timeout=60_000)
    wait_until(lambda: goes_on(first))


def one_of_two_asleep(
    launch: Launch, camera: Path, address: str
) -> tuple[CameraBrowser, Page, Page]:
    """Two browsers' pages for one place: the first one had it, the second one got it."""
    arguments = camera_arguments(camera)
    asleep, awake = launch(arguments), launch(arguments)
    first = live(live_page(asleep, address))
    second = live_page(awake, address)
    expect(second.get_by_text("All 1 live places are taken.")).to_be_visible()
    asleep.send(signal.SIGSTOP)
    return asleep, first, live(second)


def goes_on(page: Page) -> bool:
    if stream_frame(page).get_by_role("button", name="Start").is_visible():
        start(page)
    page.wait_for_timeout(1000)
    if not stream_frame(page).locator("video").count():  # the door is still to open again
        return False
    seen = shown(page)
    page.wait_for_timeout(1000)
    return shown(page) > seen
