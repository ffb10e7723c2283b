"""Marking the truth in a real browser: click, drag, keys, undo, save, load; and a blind vote."""

from __future__ import annotations

import json
import re
from pathlib import Path
from time import monotonic

import pytest
from browser_support import NewPage, settled
from playwright.sync_api import Locator, Page, expect

from estimators.skeletons import COCO_17

MODELS = "models=movenet-lightning,blazepose-lite&sample=grace_hopper"


def open_marker(page: Page, url: str) -> Locator:
    page.goto(f"{url}/?layout=truth&{MODELS}")
    question = page.locator(".asked strong")
    expect(question).to_contain_text("where is the", timeout=60_000)
    settled(page)
    return question


def click(page: Page, x: float, y: float) -> None:
    """At shares of the canvas."""
    box = page.locator("figure canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)


def saved(page: Page) -> dict:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the marks").click()
    return json.loads(Path(download.value.path()).read_text())


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page(1440, 1600)


def test_marked_joints_are_told_kept_and_loaded_again(page: Page, app_url: str) -> None:
    question = open_marker(page, app_url)
    legend = page.locator("figcaption .entry").first
    expect(legend).to_be_hidden()
    show = page.get_by_label("Show the models")
    show.check()
    expect(legend).to_be_visible()
    show.uncheck()
    expect(legend).to_be_hidden()
    first = question.inner_text()
    click(page, 0.5, 0.5)
    expect(question).not_to_have_text(first)
    page.keyboard.press("Enter")
    # The verdict says the same where the marks decide it.
    verdict = page.locator(".st-key-verdict")
    findings = page.locator("[data-testid=stMarkdown]:not(.st-key-verdict *)")
    findings = findings.filter(has_text="joints marked")
    expect(findings).to_contain_text("On the 2 joints marked")
    dataset = saved(page)
    (annotation,) = dataset["annotations"]
    assert annotation["num_keypoints"] == 2
    assert dataset["images"][0]["file_name"] == "grace_hopper.jpg"
    # The middle of the canvas is the middle of the view; what was clicked is inside the picture.
    placed = [annotation["keypoints"][i : i + 3] for i in range(0, 51, 3)]
    width, height = dataset["images"][0]["width"], dataset["images"][0]["height"]
    assert all(0 <= x <= width and 0 <= y <= height for x, y, v in placed if v)
    page.locator("figure").focus()
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(page.get_by_text("only what you confirm counts")).to_be_visible()
    expect(findings).to_have_count(0)
    expect(verdict).to_be_visible()
    expect(verdict).not_to_contain_text("joints marked")
    settled(page)  # while it runs, the list of marks is there twice
    page.get_by_role("button", name="Load marks").click()
    page.get_by_test_id("stFileUploader").locator("input[type=file]").last.set_input_files(
        {
            "name": "truth.json",
            "mimeType": "application/json",
            "buffer": json.dumps(dataset).encode(),
        }
    )
    expect(findings).to_contain_text("On the 2 joints marked")


def test_a_joint_is_dragged_and_the_picture_is_not(page: Page, app_url: str) -> None:
    open_marker(page, app_url)
    page.get_by_role("button", name="Fit the whole picture").click()
    click(page, 0.45, 0.4)
    before = joint_at(saved_when_marked(page))
    page.get_by_role("button", name="Fit the whole picture").hover()  # scrolls back up
    box = page.locator("figure canvas").bounding_box()
    x, y = box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.4
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y + 10, steps=3)
    page.mouse.move(x + 40, y + 20, steps=3)
    page.mouse.up()
    end = monotonic() + 20
    while (after := joint_at(saved_when_marked(page))) == before:
        assert monotonic() < end, "the joint did not move"
    assert after[0] - before[0] == pytest.approx(2 * (after[1] - before[1]), abs=1.0)
    assert after[0] > before[0] + 1


def test_a_joint_placed_right_before_the_page_changes_counts(page: Page, app_url: str) -> None:
    """The marker tells a moment later; another control of the page does not wait for it."""
    open_marker(page, app_url)
    click(page, 0.5, 0.5)
    page.get_by_role("radio", name="Side by side").click()
    expect(page.locator(".st-key-verdict")).to_contain_text("On the one joint marked")


def saved_when_marked(page: Page) -> dict:
    expect(page.get_by_role("button", name="Save the marks")).to_be_enabled()
    settled(page)
    return saved(page)


def joint_at(dataset: dict) -> tuple[float, float]:
    """The only marked joint."""
    keypoints = dataset["annotations"][0]["keypoints"]
    ((x, y),) = [keypoints[i : i + 2] for i in range(0, 51, 3) if keypoints[i + 2]]
    return x, y


def test_a_vote_is_counted_and_names_nobody_before(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?layout=vote&{MODELS}")
    better = page.get_by_role("button", name="A is better")
    expect(better).to_be_visible(timeout=60_000)
    stage = page.locator(".st-key-ballot")
    expect(stage.locator("figure")).to_have_count(2)
    assert "MoveNet" not in stage.inner_text()
    better.click()
    expect(page.get_by_text("1 of 1 votes").first).to_be_visible()
    expect(page.get_by_text("There is nothing left to vote on")).to_be_visible()


def canvas_place(page: Page, person: int, joint: str) -> tuple[float, float]:
    """Where a joint of the marking lies on the screen."""
    return tuple(
        page.evaluate(
            """([person, joint]) => {
                const { marks, view } = [...globalThis.__poseViewers].findLast(
                  ([name]) => JSON.parse(name)[0] === "truth")[1];
                const roots = [document];
                for (const root of roots) {
                  for (const node of root.querySelectorAll("*")) {
                    if (node.shadowRoot) roots.push(node.shadowRoot);
                  }
                }
                const find = (css) => roots.map((r) => r.querySelector(css)).find(Boolean);
                const canvas = find(".marking + .grid canvas");
                const box = canvas.getBoundingClientRect();
                const [width, height] = canvas.style.aspectRatio.split("/").map(Number);
                const scale = view.zoom * Math.min(box.width / width, box.height / height);
                const { xy } = marks.find(({ id }) => id === person), k = joint;
                return [
                  box.left + box.width / 2 + (xy[2 * k] - view.cx * width) * scale,
                  box.top + box.height / 2 + (xy[2 * k + 1] - view.cy * height) * scale];
            }""",
            [person, COCO_17.index(joint)],
        )
    )


def drag_by_finger(page: Page, start: tuple[float, float], by: tuple[float, float]) -> None:
    """As a touch screen does it: no mouse event comes before."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, share: float) -> None:
        at = {"x": start[0] + share * by[0], "y": start[1] + share * by[1]}
        points = [] if kind == "touchEnd" else [at]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0)
    for step in range(1, 6):
        touch("touchMove", step / 5)
    touch("touchEnd", 1)
    session.detach()


def test_a_person_is_marked_by_finger_in_seven_actions(new_page: NewPage, app_url: str) -> None:
    """The stopwatch: from a model's pose, four joints put right, the rest agreed to."""
    page = new_page(390, 844, has_touch=True, is_mobile=True)
    open_marker(page, app_url)
    page.locator(".marking + .grid canvas").scroll_into_view_if_needed()
    actions = 0
    page.get_by_label("Open joints start from").select_option("blazepose-lite")
    actions += 2
    page.locator(".asked").scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    for joint in ("nose", "left_ear", "left_shoulder", "right_shoulder"):
        before = canvas_place(page, 1, joint)
        drag_by_finger(page, before, (25.0, 15.0))
        actions += 1
        after = canvas_place(page, 1, joint)
        assert after[0] - before[0] == pytest.approx(25, abs=1)
        assert after[1] - before[1] == pytest.approx(15, abs=1)
    assert page.evaluate("scrollY") == scrolled  # the finger moved the joint, not the page
    findings = page.locator("[data-testid=stMarkdown]:not(.st-key-verdict *)")
    findings = findings.filter(has_text="joints marked")
    expect(findings).to_contain_text("On the 4 joints")
    settled(page)
    page.get_by_role("button", name="All the rest is right").tap()
    actions += 1
    assert actions == 7
    # The four and those that were agreed to.
    expect(findings).to_contain_text(re.compile(r"On the ([5-9]|1\d) joints"))
    (annotation,) = saved_when_marked(page)["annotations"]
    assert annotation["num_keypoints"] > 4
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_vote_by_finger_sees_the_person_large(new_page: NewPage, app_url: str) -> None:
    page = new_page(390, 844, has_touch=True, is_mobile=True)
    page.goto(f"{app_url}/?layout=vote&{MODELS.replace('grace_hopper', 'two_people_outdoors')}")
    better = page.get_by_role("button", name="B is better")
    expect(better).to_be_visible(timeout=60_000)
    zoom = page.locator(".st-key-ballot output").first
    expect(zoom).not_to_have_text("100 %")
    better.tap()
    expect(page.get_by_text("1 of 1 votes").first).to_be_visible()


def test_the_rule_opens_in_the_box_stays_and_its_tables_scroll(
    new_page: NewPage, app_url: str
) -> None:
    page = new_page(390, 844)
    page.goto(f"{app_url}/?{MODELS}")
    rule = page.locator(".st-key-verdict_rule")
    rule.locator("summary").click(timeout=60_000)
    table = rule.locator("table").first
    expect(table).to_be_visible()
    assert table.evaluate("t => getComputedStyle(t).overflowX") == "auto"
    assert rule.evaluate("d => d.scrollWidth - d.clientWidth") <= 0
    page.get_by_role("radio", name="All in one").click()
    settled(page)
    expect(table).to_be_visible()
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Verdict, JSON").click()
    verdict = json.loads(Path(download.value.path()).read_text())
    assert verdict["format"].startswith("pose-comparison-verdict/")
    assert download.value.suggested_filename == "grace_hopper.verdict.json"
