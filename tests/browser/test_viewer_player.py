"""The clip player in a real browser: which frame is on show, and whose poses are drawn on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from browser_support import NewPage, running_app
from playwright.sync_api import Locator, Page, expect
from viewer_app_clips import BAR, BITS, FRAMES, HEIGHT, WIDTH, mark_at

APP = Path(__file__).with_name("viewer_app_player.py")
BLUE, RED = (0, 114, 178), (213, 94, 0)


# After each redraw of the browser: the number in the first panel's picture, the number told beside
# it, and the colour where that frame's nose belongs.
WATCH = """([bar, bits]) => {
    const hosts = [...document.querySelectorAll("*")];
    const root = hosts.find(e => e.shadowRoot?.querySelector("figure")).shadowRoot;
    const c = root.querySelector("canvas");
    const ctx = c.getContext("2d");
    const log = (globalThis.seen = []);
    const look = () => {
        const s = c.width / 640;
        const at = (x, y) => [...ctx.getImageData(x * s, y * s, 1, 1).data];
        let number = 0;
        for (let bit = 0; bit < bits; bit++) {
            if (at((bit + 0.5) * bar, 40)[1] > 125) number |= 1 << bit;
        }
        const told = Number(root.querySelector(".time").textContent.match(/[0-9]+/)[0]);
        log.push([number, told, ...at(100.5 + 37 * number % 440, 240.5)]);
        if (log.length < 4000) requestAnimationFrame(() => setTimeout(look));
    };
    requestAnimationFrame(look);
}"""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tmp_path_factory.mktemp("player"), str(APP)) as url:
        yield url


@pytest.fixture
def open_player(new_page: NewPage, server: str) -> Open:
    def opened(clip: str = "constant", width: int = 1400, height: int = 1000) -> Page:
        page = new_page(width, height)
        page.goto(f"{server}/?clip={clip}")
        # Three models, and all in one where three wide pictures leave a place.
        panels = 3 if clip in ("rotated", "misshapen") else 4
        expect(page.locator("figure canvas")).to_have_count(panels, timeout=30_000)
        return page

    return opened


def at_frame(page: Page, frame: int) -> None:
    """Waits until the player says that it shows `frame`, and has drawn it."""
    expect(page.locator(".time")).to_have_text(re.compile(rf"^frame {frame} /"))
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def canvas(page: Page, panel: int) -> Locator:
    return page.locator("figure canvas").nth(panel)


def pixels(page: Page, panel: int, points: list[tuple[float, float]], rotated: bool = False):
    """RGB of the panel at points given in the clip's stored, unrotated pixels."""
    width, height = (HEIGHT, WIDTH) if rotated else (WIDTH, HEIGHT)
    shown = [(HEIGHT - y, x) for x, y in points] if rotated else points
    read = """(c, [points, w, h]) => {
        const s = Math.min(c.width / w, c.height / h);
        const left = (c.width - w * s) / 2, top = (c.height - h * s) / 2;
        const ctx = c.getContext("2d");
        return points.map(([x, y]) =>
            [...ctx.getImageData(left + x * s, top + y * s, 1, 1).data].slice(0, 3));
    }"""
    return canvas(page, panel).evaluate(read, [shown, width, height])


def number_in(page: Page, panel: int, rotated: bool = False) -> int:
    """The frame number that the bars of the picture spell."""
    bars = pixels(page, panel, [((bit + 0.5) * BAR, 40) for bit in range(BITS)], rotated)
    return sum((bar[1] > 125) << bit for bit, bar in enumerate(bars))


def near(a: list[int], b: tuple[int, ...], tolerance: int = 40) -> bool:
    return all(abs(p - q) <= tolerance for p, q in zip(a, b, strict=True))


@pytest.mark.parametrize("kind", ["constant", "variable", "rotated"])
def test_every_frame_asked_for_is_the_frame_shown(open_player: Open, kind: str) -> None:
    page = open_player(kind)
    rotated = kind == "rotated"
    at_frame(page, 0)
    slider = page.get_by_label("Frame", exact=True)
    for frame in (0, 1, 2, 3, 14, 15, 16, 61, 62, 63, 118, 119, 60, 59, 7):
        slider.fill(str(frame))
        at_frame(page, frame)
        assert number_in(page, 0, rotated) == frame
        assert number_in(page, 2 if rotated else 3, rotated) == frame
        assert near(pixels(page, 0, [mark_at(frame)], rotated)[0], BLUE), "nose on its mark"


def test_keys_step_from_frame_to_frame(open_player: Open) -> None:
    page = open_player("variable")
    at_frame(page, 0)
    page.locator("figure").nth(0).focus()
    single = [("ArrowRight", 1), (".", 2), (".", 3), ("ArrowLeft", 2), (",", 1)]
    far = [("End", FRAMES - 1), ("Home", 0), ("d", 20), ("d", 90), ("D", 20)]
    for key, frame in single + far:
        page.keyboard.press(key)
        at_frame(page, frame)
        assert number_in(page, 1) == frame
    expect(page.locator("[aria-live=polite].unseen")).to_have_text(
        "Frame 20: 0.31 of a torso apart"
    )
    expect(page.get_by_text("frame 20, picked None")).to_be_visible()


@pytest.mark.parametrize("kind", ["constant", "variable"])
def test_in_play_poses_stay_on_their_frames(open_player: Open, kind: str) -> None:
    page = open_player(kind)
    at_frame(page, 0)
    page.get_by_label("Speed").select_option("0.5")
    page.evaluate(WATCH, [BAR, BITS])
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible(timeout=30_000)
    seen = page.evaluate("() => globalThis.seen")
    shown = {number for number, *_ in seen}
    assert len(shown) > FRAMES / 3, "the clip moved"
    off = [(number, told) for number, told, *nose in seen if not near(nose[:3], BLUE)]
    assert off == []
    assert [(number, told) for number, told, *_ in seen if number != told] == []


def test_frames_without_an_answer_show_the_last_one_and_say_so(open_player: Open) -> None:
    page = open_player()
    slider = page.get_by_label("Frame", exact=True)
    note = page.locator("figure").nth(1).locator(".note")
    at_frame(page, 0)
    expect(note).to_have_text("no poses yet")
    slider.fill("60")
    at_frame(page, 60)
    expect(note).to_be_hidden()
    x, y = mark_at(60)
    full = pixels(page, 1, [(x + 40, y)])[0]
    assert near(full, RED)
    slider.fill("62")
    at_frame(page, 62)
    expect(note).to_have_text("failed on this frame; poses from frame 60")
    faded = pixels(page, 1, [(x + 40, y)])[0]
    assert faded[1] > full[1] + 10, "paler"
    assert faded[0] > faded[2] + 100
    expect(page.locator("figure").nth(3).locator(".note")).to_contain_text("BlazePose")
    assert "403 Forbidden" in page.locator("figure").nth(2).inner_text()


def test_thresholds_and_smoothing_change_without_python(open_player: Open) -> None:
    page = open_player()
    at_frame(page, 0)
    page.get_by_text("What is drawn").click()
    ankle = [(mark_at(0)[0] - 44, mark_at(0)[1] + 40 + 60)]  # joint 15
    assert not near(pixels(page, 0, ankle)[0], BLUE)
    expect(page.get_by_role("img", name=re.compile("MoveNet: 1 person, 15 joints"))).to_have_count(
        2
    )
    page.get_by_label("Threshold of MoveNet").fill("0.05")
    expect(page.get_by_role("img", name=re.compile("MoveNet: 1 person, 17 joints"))).to_have_count(
        2
    )
    at_frame(page, 0)
    assert near(pixels(page, 0, ankle)[0], BLUE)
    page.get_by_label("Frame", exact=True).fill("2")
    at_frame(page, 2)
    # The smoothed shoulders (joints 5 and 6) lie 6 sin(2) px right of and below the raw ones.
    x, y = (value + 6 * np.sin(2) for value in mark_at(2))
    between = [(x - 33, y + 60)]
    assert not near(pixels(page, 0, between)[0], (255, 255, 255))
    page.get_by_label("Smoothed").check()
    at_frame(page, 2)
    assert near(pixels(page, 0, between)[0], (255, 255, 255))
    # The page's own threshold wins once it is moved.
    page.get_by_test_id("stSidebar").get_by_role("slider").press("ArrowRight")
    expect(
        page.get_by_role("img", name=re.compile("15 joints with confidence of at least 0.31"))
    ).to_have_count(2)


def test_python_seeks_once_and_hears_where_the_player_rests(open_player: Open) -> None:
    page = open_player()
    at_frame(page, 0)
    page.get_by_role("button", name="Go to 77").click()
    at_frame(page, 77)
    expect(page.get_by_text("frame 77, picked None")).to_be_visible()
    page.get_by_role("button", name="One frame on").click()
    at_frame(page, 78)
    expect(page.get_by_text("frame 78, picked None")).to_be_visible()
    page.get_by_text("Something above", exact=True).click()
    page.get_by_text("Faint", exact=True).click()
    expect(page.get_by_text("This came later.")).to_be_visible()
    page.wait_for_timeout(500)
    at_frame(page, 78)
    assert number_in(page, 0) == 78
    page.get_by_role("button", name="Go to 77").click()
    at_frame(page, 77)
    page.locator(".mark-at[data-frame='90']").click()
    at_frame(page, 90)


def test_a_picked_joint_is_followed_through_the_clip(open_player: Open) -> None:
    page = open_player()
    at_frame(page, 0)
    page.locator("figure").nth(0).focus()
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    expect(page.get_by_text("JointRef(model='move', person=1, joint='nose')")).to_be_visible()
    page.keyboard.press("End")
    at_frame(page, FRAMES - 1)
    tip = page.locator("figure").nth(0).locator(".tip")
    x, y = mark_at(FRAMES - 1)
    expect(tip).to_contain_text(f"x {x:.1f} px, y {y:.1f} px")


def test_the_track_of_the_picked_joint_is_drawn(open_player: Open) -> None:
    page = open_player()
    at_frame(page, 0)
    page.get_by_label("Frame", exact=True).fill("12")
    at_frame(page, 12)
    between = [((mark_at(11)[0] + mark_at(12)[0]) / 2, 240.5)]
    page.locator("figure").nth(0).focus()
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    at_frame(page, 12)
    assert not near(pixels(page, 0, between)[0], BLUE)
    page.get_by_text("What is drawn").click()
    page.get_by_label("Track of the picked joint").check()
    at_frame(page, 12)
    red, _, blue = pixels(page, 0, between)[0]
    assert blue > red + 100, "in the model's colour"


def test_people_under_their_threshold_are_left_out(open_player: Open) -> None:
    page = open_player()
    at_frame(page, 0)
    expect(page.get_by_role("img", name=re.compile("MoveNet: 1 person"))).to_have_count(2)
    page.get_by_text("Only sure people", exact=True).click()
    expect(
        page.get_by_role("img", name=re.compile("MoveNet: nobody counts as found"))
    ).to_have_count(2)


def test_a_clip_that_cannot_play_says_so(open_player: Open) -> None:
    page = open_player("broken")
    expect(page.get_by_text("This browser cannot play the clip").first).to_be_visible()
    expect(page.get_by_text(re.compile("problem 'This browser cannot"))).to_be_visible()
    expect(page.get_by_text("unplayable True")).to_be_visible()


@pytest.mark.parametrize(("kind", "told"), [("misshapen", True), ("rotated", False)])
def test_a_clip_that_the_browser_shows_in_another_shape_needs_a_copy(
    kind: str, told: bool, open_player: Open
) -> None:
    page = open_player(kind)
    at_frame(page, 0)
    expect(page.get_by_text(f"unplayable {told}")).to_be_visible()


def test_it_fits_a_phone(open_player: Open) -> None:
    page = open_player(width=390, height=844)
    at_frame(page, 0)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert canvas(page, 0).evaluate("c => c.clientWidth") <= 390
    box = page.get_by_role("button", name="Play").bounding_box()
    assert box["y"] + box["height"] <= 844, "the controls stay in sight"
