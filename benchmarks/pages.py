"""How long the pages take to answer, in Chromium, held against what was promised.

A slider moved until the overlay has followed, another page of the menu until it stands, a tab until
its chart is there, a sample that was estimated before until its overlays are; and how far what was
already read jumps while a page builds up, beyond Streamlit's own sidebar (Layout Instability API).
Each is the median of several rounds on a server of its own; the browser shares the machine, so the
load of the machine is told beside it.

    python -m benchmarks.pages [--rounds 7] [--browser PATH]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from browser_support import CHROMIUM_ARGUMENTS, READY, running_app  # noqa: E402 - path above
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402 - with its neighbours

from benchmarks._limits import say  # noqa: E402 - needs the path above

MODELS = "movenet-lightning,blazepose-lite"
LIMITS = {
    "slider to overlay, ms": 150,
    "page switch, ms": 500,
    "tab, ms": 500,
    "computed sample, ms": 700,
    "layout shift, Image": 0.1,
    "layout shift, Video": 0.1,
}
# Components live in shadow trees.  The clock starts with what the person does, in the browser.
_HELPERS = """
window.deep = (selector, root = document) => [
  ...root.querySelectorAll(selector),
  ...[...root.querySelectorAll("*")].flatMap((e) => (
    e.shadowRoot ? deep(selector, e.shadowRoot) : [])),
];
window.overlays = () => deep("figure canvas").map((c) => c.getAttribute("aria-label")).join("; ");
window.shown = (e) => Boolean(e && e.getClientRects().length);
for (const name of ["keydown", "pointerdown"]) {
  addEventListener(name, () => { window.begun = performance.now(); }, { capture: true });
}
window.arm = (ready) => {
  window.took = new Promise((resolve) => {
    const look = () => (
      ready() ? resolve(performance.now() - window.begun) : requestAnimationFrame(look));
    requestAnimationFrame(look);
  });
};
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const beside = entry.sources.filter(({ node }) => {
      const element = node && (node.nodeType === 1 ? node : node.parentElement);
      // The sidebar's own parts, and all of the page when the sidebar comes beside it.
      return element && !element.closest("[data-testid=stSidebar]")
        && !element.matches("[data-testid=stMain]")
        && !element.querySelector("[data-testid=stMain]");
    });
    if (!entry.hadRecentInput && beside.length) window.shift += entry.value;
  }
}).observe({ type: "layout-shift", buffered: true });
"""


def settled(page: Page) -> None:
    """The script has run through, and every overlay is there."""
    page.wait_for_selector(READY)
    page.wait_for_timeout(500)
    page.wait_for_selector(READY)


def timed(page: Page, ready: str, act: Callable[[], None]) -> float:
    """Milliseconds from what `act` does in the browser until `ready` (JavaScript) is true."""
    page.evaluate(f"() => {{ const before = overlays(); arm(() => {ready}); }}")
    act()
    return float(page.evaluate("window.took"))


def _image(page: Page, url: str) -> dict[str, float]:
    """Slider, tab and sample on the first page."""
    page.goto(f"{url}/?models={MODELS}")
    page.get_by_text("1 person").nth(1).wait_for()
    settled(page)
    took = {"layout shift, Image": page.evaluate("window.shift")}
    slider = page.get_by_role("slider", name="MoveNet Lightning: confidence")
    slider.focus()
    followed = "overlays() !== before"
    took["slider to overlay, ms"] = timed(page, followed, lambda: slider.press("ArrowRight"))
    settled(page)
    charted = "shown(document.querySelector('.st-key-oks_chart .main-svg'))"
    tab = page.get_by_role("tab", name="Agreement")
    # Nobody clicks what has not been in view for a moment.
    tab.scroll_into_view_if_needed()
    page.wait_for_timeout(1500)
    settled(page)
    took["tab, ms"] = timed(page, charted, tab.click)
    settled(page)
    estimated = "overlays() !== before && !/Estimating|Loading/.test(overlays())"
    for sample in ("Astronaut, upper body", "Two people outdoors"):  # the second one is known
        choice = page.get_by_text(sample, exact=True)
        took["computed sample, ms"] = timed(page, estimated, choice.click)
        settled(page)
    return took


def _switch(page: Page) -> dict[str, float]:
    """From the first page to Models and back, the slower way counts."""

    def stands(title: str) -> str:
        return (
            f"[...document.querySelectorAll('h1')].some((h) => h.textContent.trim() === '{title}')"
            f" && Boolean(document.querySelector('{READY}'))"
        )

    ways = []
    for title in ("Models", "Image"):
        link = page.get_by_test_id("stSidebar").get_by_role("link", name=title, exact=True)
        ways.append(timed(page, stands(title), link.click))
        settled(page)
    return {"page switch, ms": max(ways)}


def _video(page: Page, url: str) -> dict[str, float]:
    page.goto(f"{url}/video?models={MODELS}")
    page.get_by_role("button", name=re.compile(r"^Process \d")).wait_for()
    settled(page)
    return {"layout shift, Video": page.evaluate("window.shift")}


def visit(browser: Browser, url: str) -> dict[str, float]:
    """All figures of one visit."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(_HELPERS)
    page = context.new_page()
    page.set_default_timeout(60_000)
    try:
        return _image(page, url) | _switch(page) | _video(page, url)
    finally:
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--browser", default=os.environ.get("POSE_BROWSER") or shutil.which("chromium")
    )
    asked = parser.parse_args()
    seen: dict[str, list[float]] = {}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=asked.browser, args=CHROMIUM_ARGUMENTS)
        with running_app(Path(folder)) as url:
            visit(browser, url)  # the server's first: imports, and both samples estimated
            for _ in range(asked.rounds):
                for name, value in visit(browser, url).items():
                    seen.setdefault(name, []).append(value)
        browser.close()
    print(f"load of the last minute {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'what':<24} {'median':>8} {'least':>8} {'most':>8} {'limit':>7}")
    for name, limit in LIMITS.items():
        median, each = statistics.median(seen[name]), seen[name]
        form = ".0f" if name.endswith("ms") else ".3f"
        numbers = " ".join(f"{value:>8{form}}" for value in (median, min(each), max(each)))
        print(f"{name:<24} {numbers} {limit:>7} {'over' if median > limit else ''}")
        what, _, unit = name.partition(", ")
        say(name if unit != "ms" else what, median, most=limit, unit="ms" if unit == "ms" else "")


if __name__ == "__main__":
    main()
