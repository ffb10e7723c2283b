"""Marking the truth in a real browser: click, drag, keys, undo, save, load; and a blind vote."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic

import pytest
from browser_support import NewPage, settled
from playwright.sync_api import Locator, Page, expect

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
    page.get_by_role("button", name="Show the whole picture").click()
    click(page, 0.45, 0.4)
    before = joint_at(saved_when_marked(page))
    page.get_by_role("button", name="Show the whole picture").hover()  # scrolls back up
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
    expect(page.get_by_text("1 of 1 votes")).to_be_visible()
    expect(page.get_by_text("There is nothing left to vote on")).to_be_visible()
