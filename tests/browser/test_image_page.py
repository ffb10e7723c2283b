"""The Image page in a real browser, as a person meets it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"


def overlay(page: Page, title: str) -> Locator:
    return page.locator(".st-key-stage canvas[aria-label*='" + title + "']")


def test_first_visit_shows_overlays(page: Page, app_url: str) -> None:
    page.goto(app_url)
    expect(overlay(page, "MoveNet Lightning")).to_be_visible()
    expect(overlay(page, "BlazePose full")).to_be_visible()
    print(overlay(page, "BlazePose full").get_attribute("aria-label"))
