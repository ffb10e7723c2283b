"""The picture viewer in a real browser: what is drawn, told, zoomed and picked."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from browser_support import NewPage
from playwright.sync_api import Locator, Page, expect

ROOT = Path(__file__).resolve().parents[2]
APP = Path(__file__).with_name("viewer_app_picture.py")
NOSE, KNEE = (160.5, 100.5), (190.5, 285.5)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The page below a path of its server, as hosts of many apps serve it."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.baseUrlPath=poses"]
    command += ["--server.fileWatcherType=none", "--browser.gatherUsageStats=false"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    url = f"http://127.0.0.1:{port}/poses"
    end = monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            break
        except OSError:
            assert process.poll() is None, "the app did not start"
            assert monotonic() < end, "the app did not answer"
            sleep(0.1)
    yield url
    process.send_signal(signal.SIGTERM)
    process.wait(20)


@pytest.fixture
def page(new_page: NewPage, server: str) -> Page:
    page = new_page(1400)
    page.goto(server)
    expect(page.locator("figure canvas")).to_have_count(4, timeout=30_000)
    settled(page)
    return page


def settled(page: Page) -> None:
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.evaluate("() => new Promise(r => setTimeout(() => requestAnimationFrame(r), 150))")


def eventually(page: Page, holds: Callable[[], bool]) -> None:
    """Polls what only the pixels can tell, as Playwright's own expectations do for elements."""
    end = monotonic() + 10
    while not holds():
        assert monotonic() < end, "it did not come to hold"
        page.wait_for_timeout(50)


def canvas(page: Page, panel: int) -> Locator:
    return page.locator("figure canvas").nth(panel)


def pixel(page: Page, panel: int, x: float, y: float) -> tuple[int, ...]:
    """RGBA of the canvas where the picture's point (x, y) lies at 100 %."""
    read = """(c, [x, y]) => {
        const s = Math.min(c.width / 640, c.height / 400);
        const left = (c.width - 640 * s) / 2, top = (c.height - 400 * s) / 2;
        return [...c.getContext("2d").getImageData(left + x * s, top + y * s, 1, 1).data];
    }"""
    return tuple(canvas(page, panel).evaluate(read, [x, y]))


def on_screen(page: Page, panel: int, x: float, y: float) -> tuple[float, float]:
    box = canvas(page, panel).bounding_box()
    scale = min(box["width"] / 640, box["height"] / 400)
    return box["x"] + box["width"] / 2 + (x - 320) * scale, box["y"] + box["height"] / 2 + (
        y - 200
    ) * scale


def darkest(page: Page, panel: int, x: float, y: float) -> int:
    """The darkest sum of red, green and blue near a point; the ground of the picture has 150."""
    read = """(c, [x, y]) => {
        const s = c.width / 640, n = Math.round(14 * devicePixelRatio);
        const { data } = c.getContext("2d").getImageData(x * s - n, y * s - n, 2 * n, 2 * n);
        let least = 765;
        for (let i = 0; i < data.length; i += 4) {
            least = Math.min(least, data[i] + data[i + 1] + data[i + 2]);
        }
        return least;
    }"""
    return int(canvas(page, panel).evaluate(read, [x, y]))


def near(a: tuple[int, ...], b: tuple[int, ...], tolerance: int = 30) -> bool:
    return all(abs(p - q) <= tolerance for p, q in zip(a[:3], b[:3], strict=True))


BLUE, ORANGE, GROUND = (0, 114, 178), (230, 159, 0), (40, 50, 60)


def test_skeletons_lie_on_the_marks_of_the_picture(page: Page) -> None:
    for point in (NOSE, KNEE):
        assert near(pixel(page, 0, *point), BLUE)
        assert near(pixel(page, 1, point[0] + 15, point[1] + 10), ORANGE)
    assert near(pixel(page, 0, 300, 20), GROUND)
    # The failed panel shows no pose, and in the last one both models do.
    assert "403 Forbidden" in page.locator("figure").nth(2).inner_text()
    assert near(pixel(page, 3, KNEE[0] + 15, KNEE[1] + 10), ORANGE)
    assert near(pixel(page, 3, *KNEE), BLUE)


def test_weak_joints_are_hidden_then_faint_and_thresholds_move(page: Page) -> None:
    weak = (160.5 - 32, 340.5)
    assert not near(pixel(page, 0, *weak), BLUE)
    assert near(pixel(page, 0, *weak), (255, 255, 255))
    page.get_by_text("Faint", exact=True).click()
    eventually(page, lambda: pixel(page, 0, *weak)[2] > pixel(page, 0, *weak)[0] + 30)


def test_wheel_zooms_all_panels_at_the_pointer_and_double_click_resets(page: Page) -> None:
    before = pixel(page, 1, *NOSE)
    page.mouse.move(*on_screen(page, 0, *NOSE))
    page.mouse.wheel(0, -400)
    settled(page)
    expect(page.locator("output.zoom")).not_to_have_text("100 %")
    # The joint under the pointer stays where it was, in this panel and in the others.
    assert near(pixel(page, 0, *NOSE), BLUE)
    assert near(pixel(page, 3, *NOSE), BLUE)
    assert not near(pixel(page, 0, *KNEE), BLUE)
    page.mouse.dblclick(*on_screen(page, 1, 300, 20))
    settled(page)
    expect(page.locator("output.zoom")).to_have_text("100 %")
    assert pixel(page, 1, *NOSE) == before


def test_dragging_moves_every_panel_alike(page: Page) -> None:
    page.get_by_role("button", name="Zoom in").click()
    x, y = on_screen(page, 0, 320, 200)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 15, steps=4)
    page.mouse.up()
    settled(page)
    views = page.evaluate("() => [...globalThis.__poseViewers.values()].at(-1).view")
    scale = canvas(page, 0).bounding_box()["width"] / 640 * views["zoom"]
    assert views["cx"] * 640 == pytest.approx(320 - 40 / scale, abs=0.5)
    assert views["cy"] * 400 == pytest.approx(200 - 15 / scale, abs=0.5)


def test_the_joint_under_the_pointer_is_named_and_ringed_everywhere(page: Page) -> None:
    page.mouse.move(*on_screen(page, 0, *KNEE))
    tip = page.locator("figure").nth(0).locator(".tip")
    expect(tip).to_be_visible()
    text = tip.inner_text()
    for part in ("left knee, person 1", "MoveNet", "confidence 0.90", "x 190.5 px, y 285.5 px"):
        assert part in text
    settled(page)
    # In BlazePose's order this person comes second; the shared number finds it.
    assert darkest(page, 0, *KNEE) < 60, "the ring's dark rim"
    assert darkest(page, 1, KNEE[0] + 15, KNEE[1] + 10) < 60
    assert darkest(page, 3, *KNEE) < 60
    assert darkest(page, 2, *KNEE) > 100
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()
    settled(page)
    assert darkest(page, 1, KNEE[0] + 15, KNEE[1] + 10) > 100


def test_keys_zoom_move_choose_and_pick(page: Page) -> None:
    page.locator("figure").nth(1).focus()
    page.keyboard.press("n")
    live = page.locator("[aria-live=polite].unseen")
    expect(live).to_have_text(re.compile("nose, person 2, BlazePose, visibility 0.80, x 465.5 px"))
    page.keyboard.press("]")
    expect(live).to_have_text(re.compile("left eye, person 2"))
    page.keyboard.press("Enter")
    expect(
        page.get_by_text("picked: JointRef(model='blaze', person=2, joint='left_eye')")
    ).to_be_visible()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    settled(page)
    view = page.evaluate("() => [...globalThis.__poseViewers.values()].at(-1).view")
    assert view["zoom"] == 1.5
    assert view["cx"] > 0.5
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    expect(page.locator("output.zoom")).to_have_text("100 %")
    expect(page.get_by_text("picked: None")).to_be_visible()
    # Streamlit's own keys ("r" reruns, "c" clears caches) do not hear what is typed here.
    page.keyboard.press("c")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_picked_joint_belongs_to_its_picture(page: Page) -> None:
    page.locator("figure").nth(1).focus()
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    expect(page.get_by_text("picked: JointRef(model='blaze', person=2")).to_be_visible()
    for _ in range(2):  # there and back
        page.get_by_text("Other picture", exact=True).click()
        expect(page.get_by_text("picked: None")).to_be_visible()
        settled(page)
        expect(page.get_by_text("picked: None")).to_be_visible()


def test_zoom_survives_reruns_and_is_reset_by_another_picture(page: Page) -> None:
    page.get_by_role("button", name="Zoom in").click()
    for box in ("Labels", "Something above"):
        page.get_by_text(box, exact=True).click()
        settled(page)
        expect(page.locator("output.zoom")).to_have_text("150 %")
    page.get_by_text("Other picture", exact=True).click()
    expect(page.locator("output.zoom")).to_have_text("100 %")
    eventually(page, lambda: near(pixel(page, 0, 300, 20), (40, 120, 60)))


def test_alternative_text_tells_what_is_drawn(page: Page) -> None:
    images = page.get_by_role("img", name=re.compile("2 people, 32 joints"))
    expect(images).to_have_count(3)
    expect(images.first).to_have_attribute(
        "aria-label",
        "MoveNet. MoveNet: 2 people, 32 joints with confidence of at least 0.3",
    )


@pytest.mark.parametrize("ratio", [1, 2])
def test_canvases_are_crisp_and_fit_a_phone(new_page: NewPage, server: str, ratio: int) -> None:
    page = new_page(390, 844, device_scale_factor=ratio, color_scheme="dark")
    page.goto(server)
    expect(page.locator("figure canvas")).to_have_count(4, timeout=30_000)
    settled(page)
    width, css = canvas(page, 0).evaluate("c => [c.width, c.clientWidth]")
    assert abs(width - css * ratio) <= 1
    assert css <= 390
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert near(pixel(page, 0, *NOSE), BLUE)


def test_two_fingers_zoom_and_one_scrolls_the_page(new_page: NewPage, server: str) -> None:
    page = new_page(390, 844, has_touch=True)
    page.goto(server)
    expect(page.locator("figure canvas")).to_have_count(4, timeout=30_000)
    settled(page)
    x, y = on_screen(page, 0, 320, 200)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    fingers("touchStart", (x - 30, y), (x + 30, y))
    for reach in range(35, 65, 5):
        fingers("touchMove", (x - reach, y), (x + reach, y))
    fingers("touchEnd")
    settled(page)
    view = page.evaluate("() => [...globalThis.__poseViewers.values()].at(-1).view")
    assert view["zoom"] == pytest.approx(2, abs=0.1)
    assert view["cx"] == pytest.approx(0.5, abs=0.02)
    assert canvas(page, 0).evaluate("c => getComputedStyle(c).touchAction") == "none"
    page.get_by_role("button", name="Fit the whole picture").click()
    settled(page)
    assert canvas(page, 0).evaluate("c => getComputedStyle(c).touchAction") == "pan-y"


def test_full_screen_and_back(page: Page) -> None:
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement !== null")
    settled(page)
    assert canvas(page, 0).bounding_box()["width"] > 300
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement === null")


def test_the_wheel_scrolls_past_a_picture_that_comes_under_it(
    new_page: NewPage, server: str
) -> None:
    page = new_page(390, 500)
    page.goto(server)
    expect(page.locator("figure canvas")).to_have_count(4, timeout=30_000)
    settled(page)
    page.mouse.move(*on_screen(page, 0, 320, 200))
    page.mouse.wheel(0, 120)
    page.mouse.wheel(0, -60)
    settled(page)
    expect(page.locator("output.zoom")).to_have_text("100 %")
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollTop") > 0
