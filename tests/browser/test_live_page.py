"""The Live page in a real browser with a sample clip as its camera."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from browser_support import Faults, settled
from live_support import (
    HEIGHT,
    WIDTH,
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
from playwright.sync_api import Browser, Locator, Page, expect

from estimators.registry import MODELS
from estimators.render.style import model_styles
from estimators.types import EstimatorOptions, Frame
from tests.in_process import InProcessRunner

OpenLive = Callable[..., Page]
MOVENET = "movenet-lightning"


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mjpeg(tmp_path_factory.mktemp("camera") / "camera.mjpeg", camera_frames())


@pytest.fixture(scope="module")
def live_browser(
    browser: Browser, browser_executable: str | None, camera: Path
) -> Iterator[Browser]:
    arguments = camera_arguments(camera)
    with CameraBrowser(browser.browser_type, browser_executable, arguments) as with_camera:
        yield with_camera


@pytest.fixture
def open_live(live_browser: Browser, app_url: str) -> Iterator[OpenLive]:
    """Opens Live pages; fails the test when the console or Streamlit reports an error."""
    faults, contexts = Faults(), []

    def open_page(address: str = app_url, query: str = "", **options: object) -> Page:
        context = live_browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", faults.hear)
        page.on("pageerror", lambda error: faults.seen.append(str(error)))
        page.goto(f"{address}/live{query}")
        return settled(page)

    yield open_page
    for context in contexts:
        for page in context.pages:
            expect(page.get_by_test_id("stException")).to_have_count(0)
        context.close()
    assert faults.seen == []


def live(page: Page) -> Page:
    """Starts the camera and waits for pictures."""
    start(page)
    expect(status(page)).to_contain_text("Live.", timeout=60_000)
    return page


def persons_box() -> tuple[float, float, float, float]:
    """Where the clip's person is, over all frames of the camera: left, top, right, bottom."""
    runner = InProcessRunner(threads=1)
    spec = MODELS[MOVENET]
    with runner.open(MOVENET, EstimatorOptions(video=True)) as session:
        points = []
        for index, image in enumerate(camera_frames()):
            poses = session.estimate(Frame(image, index)).estimate.poses
            points.append(poses.xy[0][poses.visible(spec.default_threshold)[0]])
    runner.close()
    xy = np.concatenate(points)
    return (*xy.min(axis=0), *xy.max(axis=0))


def near(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Bool [H, W]: pixels of that colour, as far as video compression keeps it."""
    return np.abs(picture.astype(int) - colour).sum(axis=2) < 90


def test_the_skeleton_is_on_the_person(open_live: OpenLive) -> None:
    page = live(open_live(query=f"?models={MOVENET}"))
    left, top, right, bottom = persons_box()
    colour = model_styles([MOVENET])[MOVENET].colour

    def drawn() -> bool:
        picture = grab(page)
        scale = picture.shape[1] / WIDTH
        bar = picture.shape[0] - round(HEIGHT * scale)
        rows, columns = np.nonzero(near(picture[bar:], colour))
        x, y = columns / scale, rows / scale
        inside = (x > left - 8) & (x < right + 8) & (y > top - 8) & (y < bottom + 8)
        # The clip has some blue of its own, none of it where the person is.
        return int(inside.sum()) > 150 and float(np.median(y[inside])) < bottom

    bare = int(
        near(camera_frames()[0][int(top) : int(bottom), int(left) : int(right)], colour).sum()
    )
    assert bare < 50
    wait_until(drawn)


def test_frames_come_back_and_change(open_live: OpenLive) -> None:
    page = live(open_live())
    first, seen = grab(page), shown(page)
    wait_until(lambda: shown(page) > seen + 20)
    second = grab(page)
    assert first.shape[2] == 3
    if first.shape == second.shape:
        assert (first != second).any(axis=2).mean() > 0.05


def test_figures_move(open_live: OpenLive) -> None:
    page = live(open_live())
    row = page.locator(f"table.live tr[data-model={MOVENET}]")
    expect(row.locator("td").nth(4)).to_be_visible()
    texts = {row.inner_text()}
    wait_until(lambda: texts.add(row.inner_text()) or len(texts) > 4)
    expect(page.get_by_text("joint", exact=True)).to_be_visible()
    expect(page.get_by_text("left shoulder")).to_be_visible()
    latency = page.get_by_role("img", name="Median time to an answer over the last 30 seconds")
    expect(latency).to_have_attribute("aria-label", re.compile(r"MoveNet Lightning \d+\.\d ms"))
    before = ink(latency)
    wait_until(lambda: ink(latency) != before)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").first.click()
    assert download.value.suggested_filename == "live-answers.png"


def ink(canvas: Locator) -> int:
    """How many pixels of the chart are drawn on."""
    return int(
        canvas.evaluate(
            "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
            ".reduce((n, v, i) => n + (i % 4 == 3 && v > 0), 0)"
        )
    )


def test_stop_and_start_again(open_live: OpenLive) -> None:
    page = live(open_live())
    for _ in range(2):
        stop(page)
        expect(status(page)).to_contain_text("Ended.")
        live(page)
        seen = shown(page)
        wait_until(lambda seen=seen: shown(page) > seen + 5)


def test_settings_take_effect_without_a_restart(open_live: OpenLive) -> None:
    page = live(open_live(query=f"?models={MOVENET},blazepose-full"))
    wait_until(lambda: grab(page).shape[1] > 1.8 * grab(page).shape[0])
    seen = shown(page)
    page.get_by_text("All in one").click()
    wait_until(lambda: grab(page).shape[1] < 1.4 * grab(page).shape[0])
    page.get_by_text("Side by side").click()
    wait_until(lambda: grab(page).shape[1] > 1.8 * grab(page).shape[0])
    page.get_by_role("button", name="Remove BlazePose full").click()
    wait_until(lambda: grab(page).shape[1] < 1.4 * grab(page).shape[0])
    page.get_by_role("button", name="Remove MoveNet Lightning").click()
    expect(page.get_by_text("Choose at least one model in the sidebar.")).to_be_visible()
    without = shown(page)
    wait_until(lambda: shown(page) > without + 10)
    assert shown(page) > seen  # a restarted video would have begun to count anew
    expect(status(page)).to_contain_text("Live.")


def test_bursts_of_changes_leave_the_stream_alive(open_live: OpenLive) -> None:
    page = live(open_live())
    seen = shown(page)
    mirror = page.get_by_text("Mirror", exact=True)
    for _ in range(4):
        for _ in range(6):
            mirror.click()
            page.wait_for_timeout(40)
        page.get_by_text("All in one").click()
        page.get_by_role("button", name="Bones").click()
        page.get_by_text("Side by side").click()
        page.get_by_role("button", name="Bones").click()
        settled(page)
        now = shown(page)
        assert now >= seen, "the video began anew"
        wait_until(lambda now=now: shown(page) > now + 5)
        seen = shown(page)
        expect(stream_frame(page).get_by_role("button", name="Stop")).to_be_visible()


def test_leaving_the_page_and_coming_back(open_live: OpenLive) -> None:
    page = live(open_live())
    page.get_by_test_id("stSidebar").get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Live").click()
    expect(status(page)).to_contain_text("Ready.")
    live(page)
    seen = shown(page)
    wait_until(lambda: shown(page) > seen + 5)


def test_keep_a_frame_for_the_image_page(open_live: OpenLive) -> None:
    page = live(open_live())
    page.get_by_role("button", name="Keep this frame").click()
    page.get_by_role("link", name="Compare it on the Image page").click()
    expect(page.locator(".st-key-stage canvas[aria-label*='MoveNet Lightning']")).to_be_visible()
    expect(page.get_by_text("Live frame")).to_be_visible()


def record(page: Page, frames: int) -> None:
    """Begins a recording, and waits until so many frames more were shown."""
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("button", name="Stop recording")).to_be_visible()
    seen = shown(page)
    wait_until(lambda: shown(page) > seen + frames)


def test_record_and_take_away(open_live: OpenLive, tmp_path: Path) -> None:
    page = live(open_live(query=f"?models={MOVENET}"))
    record(page, 30)
    page.get_by_role("button", name="Stop recording").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Tiles, MP4").click()
    download.value.save_as(tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        count = sum(1 for _ in clip.decode(video=0))
    assert count > 3
    with page.expect_download() as download:
        page.get_by_role("button", name="Joints, CSV").click()
    download.value.save_as(tmp_path / "joints.csv")
    lines = (tmp_path / "joints.csv").read_text().splitlines()
    assert len(lines) > 17
    assert "left_shoulder" in "".join(lines)
    with page.expect_download() as download:
        page.get_by_role("button", name="All, JSON").click()
    assert download.value.suggested_filename.endswith(".json")
    page.get_by_role("link", name="Compare it frame by frame on the Video page").click()
    expect(page.get_by_text(f"camera.mp4 · {WIDTH}×{HEIGHT}")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Process \d+ frames")).click()
    expect(page.locator(".st-key-clip_player canvas").first).to_be_visible()


def test_marks_and_votes_on_a_recording(open_live: OpenLive) -> None:
    """As on any clip: a vote and a joint on its frames, of which the verdict knows at once."""
    page = live(open_live(query=f"?models={MOVENET},posenet"))
    record(page, 15)
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_role("link", name="Compare it frame by frame on the Video page").click()
    page.get_by_role("button", name=re.compile(r"Process \d+ frames")).click()
    expect(page.locator(".st-key-clip_player canvas").first).to_be_visible()
    verdict = page.locator(".st-key-verdict")
    page.get_by_role("tab", name="Truth").click()
    page.get_by_role("radio", name="Vote", exact=True).click()
    page.get_by_role("button", name=re.compile(r"Vote on frame \d+, on show")).click()
    # Which frames were recorded is chance, and so whether both see the same person in the first.
    ballot = page.get_by_role("button", name="A is better")
    none_there = page.get_by_text("A vote needs a person whom two models see")
    expect(ballot.or_(none_there)).to_be_visible()
    for frame in page.locator("[class*=st-key-truth_frame_]").get_by_role("radio").all():
        if none_there.is_visible() and not frame.is_checked():
            frame.click()
            settled(page)
    ballot.click()
    expect(verdict).to_contain_text("1 of 1 votes")
    page.get_by_role("radio", name="Mark", exact=True).click()
    expect(page.locator(".asked strong")).to_contain_text("where is the")
    settled(page)
    canvas = page.locator(".marking + .grid canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    # Whether a model shows somebody there is chance, too.
    told = r"On the one joint marked|No model shows a person within .* of the one joint marked"
    expect(verdict).to_contain_text(re.compile(told))
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the marks").click()
    dataset = json.loads(Path(download.value.path()).read_text())
    (image,) = dataset["images"]
    assert image["file_name"].endswith("-camera.mp4")
    assert image["frame_index"] >= 0
    assert [a["num_keypoints"] for a in dataset["annotations"]] == [1]


def test_two_tabs_at_once(open_live: OpenLive) -> None:
    pages = [live(open_live()) for _ in range(2)]
    seen = [shown(page) for page in pages]
    wait_until(lambda: all(shown(p) > s + 10 for p, s in zip(pages, seen, strict=True)))
    pages[0].close()
    seen_second = shown(pages[1])
    wait_until(lambda: shown(pages[1]) > seen_second + 10)
