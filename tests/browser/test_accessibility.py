"""axe-core finds nothing serious on any page, in either theme; the focus looks like a focus."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from browser_support import ROOT, NewPage, settled
from playwright.sync_api import Page, expect

from estimators.render.style import model_colours
from pages.ui.menu import PAGES as MENU

AXE = ROOT / "tests/js/node_modules/axe-core/axe.min.js"
TITLES = [page.title for page in MENU]
MODELS = "models=movenet-lightning,movenet-multipose,blazepose-lite"
# The order of headings is only "moderate" to axe; it is ours alone, and costs nothing.
_TOLD = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter(v => ["serious", "critical"].includes(v.impact) || v.id === "heading-order")
  .flatMap(v => v.nodes.map(n => `${v.id} at ${n.target.flat()}: ${n.html.slice(0, 200)}`))"""

_IN = "s => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === s"


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.is_file():
        reason = "axe-core is not here: .ci/javascript installs it (npm ci in tests/js)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return AXE.read_text("utf-8")


Check = Callable[[str], None]


def image(page: Page, check: Check) -> None:
    expect(page.locator("figure canvas").first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Which should I use?")).to_be_visible(timeout=60_000)
    check("side by side")
    for view in ("All in one", "Mark truth", "Vote"):
        page.get_by_role("radio", name=view).click()
        settled(page).wait_for_timeout(500)
        check(view)


def video(page: Page, check: Check) -> None:
    check("before")
    page.locator(".st-key-run_clip button").click()
    expect(page.locator("figure canvas").first).to_be_visible(timeout=90_000)
    expect(page.get_by_role("heading", name="Which should I use?")).to_be_visible(timeout=60_000)
    check("after")
    page.get_by_role("tab", name="Steadiness").click()
    settled(page).wait_for_timeout(500)
    check("steadiness")


def evaluate(page: Page, check: Check) -> None:
    check("before")
    page.get_by_role("button", name="Evaluate on").click()
    expect(page.get_by_role("tab").first).to_be_visible(timeout=90_000)
    settled(page).wait_for_timeout(1000)
    check("after")


def models(page: Page, check: Check) -> None:
    for summary in page.locator("summary").all()[:3]:
        summary.click()
    page.wait_for_timeout(500)
    check("unfolded")


def before(page: Page, check: Check) -> None:
    check("before")


PAGES = {
    "": image,
    "video": video,
    "live": before,
    "evaluate": evaluate,
    "benchmark": before,
    "models": models,
}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(new_page: NewPage, app_url: str, axe: str, name: str) -> None:
    page = new_page()
    found: list[str] = []

    def check(state: str) -> None:
        page.evaluate(axe)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(_IN, arg=scheme)
            settled(page).wait_for_timeout(300)  # colours change over some frames
            found.extend(f"{state}, {scheme}: {fault}" for fault in page.evaluate(_TOLD))

    page.goto(f"{app_url}/{name}?{MODELS}&stride=10")
    settled(page).wait_for_timeout(500)
    PAGES[name](page, check)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(1000)
    check("on a phone")
    assert found == []


def test_a_switched_theme_has_its_own_colours_at_once(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    page.goto(f"{app_url}/?models=movenet-thunder&sample=astronaut")
    mark = page.locator("figcaption svg line").first
    for theme in ("light", "dark", "light"):
        page.emulate_media(color_scheme=theme)
        (colour,) = model_colours(["movenet-thunder"], theme).values()
        expect(mark).to_have_attribute("stroke", colour)


def test_the_focus_is_not_mistaken_for_the_page_one_is_on(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    page.goto(f"{app_url}/models")
    settled(page)
    # Each with its icon's name before its own.
    links = {t: page.get_by_test_id("stPageLink-NavLink").nth(i) for i, t in enumerate(TITLES)}
    links["Image"].focus()
    page.keyboard.press("Tab")  # the keyboard's focus, not that of a script
    expect(links["Video"]).to_be_focused()
    assert links["Video"].evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    looks = {
        title: link.evaluate(
            "e => getComputedStyle(e).backgroundColor + getComputedStyle(e).boxShadow"
        )
        for title, link in links.items()
    }
    assert looks["Video"] == looks["Image"] == looks["Live"] != looks["Models"]
