"""A real browser on a real server, both for the whole session, and a page that notices faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser_support import (
    CHROMIUM_ARGUMENTS,
    Faults,
    NewPage,
    StartApp,
    forgo_realtime,
    running_app,
)
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

# A busy machine is slow, not broken.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The product as somebody finds it after cloning: embedded weights only."""
    with running_app(tmp_path_factory.mktemp("app")) as url:
        yield url


@pytest.fixture(scope="session")
def browser(browser_executable: str | None) -> Iterator[Browser]:
    forgo_realtime()
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=browser_executable, args=CHROMIUM_ARGUMENTS
            )
        except PlaywrightError as error:
            pytest.fail(
                "No browser: install Chromium, run `playwright install chromium`, or let "
                f"POSE_BROWSER name one ({str(error).splitlines()[0]})",
                pytrace=False,
            )
        yield chromium
        chromium.close()


@pytest.fixture
def start_app(tmp_path: Path) -> Iterator[StartApp]:
    """Starts the product with environment variables of the test's own; gives its address."""
    with ExitStack() as running:
        yield lambda **env: running.enter_context(running_app(tmp_path, **env))


@pytest.fixture
def new_page(browser: Browser, start_app: StartApp) -> Iterator[NewPage]:
    """Opens pages that fail the test when the browser's console or Streamlit reports an error."""
    faults, contexts = Faults(), []

    def open_page(width: int = 1440, height: int = 900, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", faults.hear)
        page.on("pageerror", lambda error: faults.seen.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            expect(page.get_by_test_id("stException")).to_have_count(0)
        context.close()
    assert faults.seen == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()
