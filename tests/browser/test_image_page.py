"""The Image page in a real browser, as a person meets it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from browser_support import NewPage, server_process, settled
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"


def overlay(page: Page, title: str) -> Locator:
    return page.locator(f".st-key-stage canvas[aria-label^='{title}']")


def choose_uploads(page: Page) -> None:
    page.get_by_role("radio", name="Your pictures").click()
    expect(page.get_by_test_id("stFileUploader")).to_be_visible()


def upload(page: Page, *files: Path) -> None:
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(list(files))


def test_first_visit_shows_overlays_and_an_invitation(page: Page, app_url: str) -> None:
    page.goto(app_url)

    # Two people are in the picture; only PoseNet, of these three, finds more than one.
    people = {"MoveNet Lightning": "1 person", "BlazePose full": "1 person", "PoseNet": "2 people"}
    for title, found in people.items():
        expect(overlay(page, title)).to_be_visible()
        expect(overlay(page, title)).to_have_attribute("aria-label", re.compile(f": {found},"))
    card = page.locator(".st-key-card_keypointrcnn-fast")
    expect(card).to_contain_text("Needs its weights: 237 MB")
    expect(card.get_by_role("button", name="Fetch 237 MB")).to_be_enabled()
    expect(card.get_by_test_id("stAlert")).to_have_count(0)
    expect(page.get_by_role("heading", name="Which should I use?")).to_be_visible()


def test_streamlit_does_not_hear_what_it_tells_a_page_around_it(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/models")
    heard = page.evaluate("""() => new Promise((done) => {
      const heard = [];
      addEventListener("message", ({ data }) => {
        if (data.stCommVersion || data === "last") heard.push(data);
        if (data === "last") done(heard);
      });
      postMessage({ stCommVersion: 1, type: "SET_PAGE_TITLE" });
      postMessage("last");
    })""")
    assert heard == ["last"]


def test_uploaded_pictures_are_compared_and_a_bad_one_hurts_nobody(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    words = tmp_path / "notes.png"
    words.write_bytes(b"these are words")
    page.goto(app_url)
    choose_uploads(page)
    upload(page, SAMPLES / "astronaut.jpg", words, SAMPLES / "grace_hopper.jpg")

    expect(page.get_by_test_id("stAlert")).to_contain_text("notes.png")
    expect(overlay(page, "MoveNet Lightning")).to_be_visible()
    first = overlay(page, "MoveNet Lightning").evaluate("c => c.style.aspectRatio")
    page.get_by_role("radio", name="grace_hopper.jpg").click()
    expect(overlay(page, "MoveNet Lightning")).not_to_have_js_property("style.aspectRatio", first)


def test_uploads_survive_a_look_at_another_page(page: Page, app_url: str) -> None:
    page.goto(app_url)
    choose_uploads(page)
    upload(page, SAMPLES / "astronaut.jpg")
    expect(overlay(page, "BlazePose full")).to_be_visible()
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.get_by_role("link", name="Image").click()

    expect(overlay(page, "BlazePose full")).to_have_attribute("aria-label", re.compile("1 person"))
    remove = page.get_by_role("button", name="Remove these pictures")
    expect(remove).to_be_hidden()
    page.locator("summary", has_text="more pictures").click()
    expect(remove).to_be_visible()


def test_a_snapshot_is_compared(page: Page, app_url: str) -> None:
    page.goto(app_url)
    page.get_by_role("radio", name="Camera").click()
    page.wait_for_function("document.querySelector('video')?.readyState === 4")
    page.get_by_role("button", name="Take Photo").click()

    # The browser's test picture shows nobody: no threshold lets a model find somebody for sure.
    expect(overlay(page, "MoveNet Lightning")).to_have_attribute("aria-label", re.compile("nobody"))
    expect(page.locator(".st-key-verdict")).to_contain_text("No model found anybody")


def test_a_link_shows_the_same_view(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    page.goto(f"{app_url}/?sample=astronaut&models=movenet-thunder,blazepose-lite")
    expect(overlay(page, "MoveNet Thunder")).to_be_visible()
    page.get_by_role("radio", name="All in one").click()
    page.get_by_role("tab", name="Agreement").click()
    expect(page.locator(".st-key-oks_chart .js-plotly-plot")).to_be_visible()
    page.wait_for_url(re.compile("layout=one.*view=Agreement|view=Agreement.*layout=one"))

    other = new_page()
    other.goto(page.url)
    expect(overlay(other, "All in one")).to_be_visible()
    expect(other.locator("figcaption .entry")).to_have_text(["MoveNet Thunder", "BlazePose lite"])
    expect(other.locator(".sides")).to_contain_text("right: dashed, ringed")
    # The room that is kept for the picture is not more than it takes, and its feet are in sight.
    frame, figure = (other.locator(at).bounding_box() for at in (".st-key-stage", "figure"))
    assert frame["height"] - 24 < figure["y"] + figure["height"] - frame["y"]
    assert figure["y"] + figure["height"] <= 900
    assert figure["width"] > 1000
    other.set_viewport_size({"width": 1440, "height": 1200})
    other.wait_for_function(
        "([canvas, least]) => canvas.clientHeight > least",
        arg=[other.locator("figure canvas").element_handle(), figure["height"] + 100],
    )
    expect(other.locator(".st-key-oks_chart .js-plotly-plot")).to_be_visible()
    expect(other.get_by_role("radio", name="Astronaut, upper body")).to_be_checked()


def test_a_slow_line_loses_no_choice(page: Page, app_url: str) -> None:
    """The page runs again, because a model has answered, before the browser has its widgets."""
    held: list[Route] = []
    widgets = re.compile(r"/(Multiselect|Slider|ButtonGroup|Checkbox)[^/]*\.js$")
    page.route(widgets, lambda route: held.append(route))
    page.goto(
        f"{app_url}/?sample=grace_hopper&models=blazepose-lite&threshold=blazepose-lite:0.8"
        "&layout=one&draw=bones"
    )
    expect(page.locator(".st-key-verdict")).to_contain_text("BlazePose lite")
    assert held, "Streamlit's files are called otherwise now"
    for route in held:
        route.continue_()

    for name in ("Samples", "Portrait, head and shoulders", "All in one"):
        expect(page.get_by_role("radio", name=name)).to_be_checked()
    expect(page.get_by_test_id("stMultiSelect").first).to_contain_text("BlazePose lite")
    slider = page.get_by_role("slider", name="BlazePose lite: visibility")
    expect(slider).to_have_value("0.8")
    tab = page.get_by_role("tab", name="Agreement")
    tab.click()
    expect(page.locator(".st-key-oks_chart .js-plotly-plot")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_files_can_be_taken_away(page: Page, app_url: str) -> None:
    page.goto(app_url)
    for title in ("MoveNet Lightning", "BlazePose full", "PoseNet"):
        expect(overlay(page, title)).to_be_visible()
    page.get_by_role("button", name="Download", exact=True).click()

    def saved(label: str) -> bytes:
        with page.expect_download() as download:
            page.get_by_role("button", name=label).first.click()
        return Path(download.value.path()).read_bytes()

    with Image.open(io.BytesIO(saved("All in one, PNG"))) as picture:
        width, height = picture.size
        assert width == 710
        assert 994 < height < 1100  # the legend stands below
    csv = saved("All joints, CSV").decode()
    assert {line.split(",")[0].strip('"') for line in csv.splitlines()[1:]} == {
        "movenet-lightning",
        "blazepose-full",
        "posenet",
    }
    assert b'"category_id": 1' in saved("COCO results, JSON")


@pytest.mark.parametrize(
    ("path", "found"), [("", "canvas"), ("/models", ".st-key-model_blazepose-full")]
)
def test_a_phone_sees_everything_without_scrolling_sideways(
    new_page: NewPage, app_url: str, path: str, found: str
) -> None:
    page = new_page(390, 844)
    page.goto(app_url + path)
    expect(page.locator(found).first).to_be_visible()
    settled(page)

    widths = page.get_by_test_id("stMain").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert widths[0] <= widths[1] == 390


def test_a_keyboard_is_enough(page: Page, app_url: str) -> None:
    page.goto(app_url)
    expect(overlay(page, "BlazePose full")).to_be_visible()

    def tab_to(locator: Locator) -> None:
        for _ in range(80):
            if locator.evaluate("e => e === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"the keyboard never reaches {locator}")

    tab_to(page.get_by_role("slider", name="MoveNet Lightning: confidence"))
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"threshold=movenet-lightning"))
    tab_to(page.get_by_role("radio", name="Two people outdoors"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("sample="))
    tab_to(page.get_by_role("tab", name="Joints"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-oks_chart")).to_be_visible()


SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    const moved = sources.some(({ node }) => {
      const element = node?.nodeType === 3 ? node.parentElement : node;
      return element && !element.closest("[data-testid=stSidebar]")
        && !element.matches("[data-testid=stMain]")
        && !element.querySelector("[data-testid=stMain]");
    });
    if (moved) shifts.push(value);
  }
}).observe({ type: "layout-shift", buffered: true });
"""


def test_what_one_reads_does_not_jump_while_the_page_builds_up(page: Page, app_url: str) -> None:
    """Room is kept for what comes later, and no more than it takes."""
    page.add_init_script(SHIFTS)
    for models, panels in (("", 3), ("movenet-lightning,blazepose-full", 2)):
        page.goto(f"{app_url}/{models and '?models=' + models}")
        expect(page.locator(".st-key-stage canvas")).to_have_count(panels)
        settled(page)
        page.wait_for_timeout(500)
        assert sum(page.evaluate("shifts")) < 0.1
        kept = page.locator("[class*='st-key-room-']").evaluate(
            "e => parseFloat(getComputedStyle(e).minHeight)"
        )
        taken = page.locator(".st-key-stage").evaluate("e => e.getBoundingClientRect().height")
        assert 0.85 * taken < kept < taken + 1


def test_overlays_follow_a_slider_before_the_server_has_heard_of_it(
    page: Page, app_url: str
) -> None:
    page.goto(f"{app_url}/?models=movenet-lightning,blazepose-full")
    drawn = overlay(page, "MoveNet Lightning")
    expect(drawn).to_have_attribute("aria-label", re.compile("at least 0.3$"))
    settled(page)
    server = server_process(app_url)
    slider = page.get_by_role("slider", name="MoveNet Lightning: confidence")
    server.suspend()
    try:
        slider.press("ArrowRight")
        slider.press("ArrowRight")
        expect(drawn).to_have_attribute("aria-label", re.compile("at least 0.32$"))
    finally:
        server.resume()
    expect(page).to_have_url(re.compile("threshold=.*0.32"))
    settled(page)
    expect(drawn).to_have_attribute("aria-label", re.compile("at least 0.32$"))
    expect(overlay(page, "BlazePose full")).to_have_attribute(
        "aria-label", re.compile("at least 0.5$")
    )
