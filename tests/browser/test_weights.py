"""Models that fail or lack their weights, in a real browser: the others go on, and they join."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser_support import ROOT, NewPage, StartApp
from playwright.sync_api import Locator, Page, expect

# The full bundle stands in for the heavy one: what matters here is that it comes and joins.
BUNDLE = ROOT / "estimators" / "weights" / "files" / "pose_landmarker_full.task"


class Mirror(http.server.BaseHTTPRequestHandler):
    """A server of one file that sends its second half when `gate` opens; 404 without a file."""

    body: bytes
    gate: threading.Event

    def log_message(self, *args: object) -> None:
        """Keeps the test output clean."""

    def do_GET(self) -> None:
        if not self.body:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        half = len(self.body) // 2
        self.wfile.write(self.body[:half])
        self.gate.wait(60)
        self.wfile.write(self.body[half:])


@contextmanager
def mirror(body: bytes) -> Iterator[tuple[str, type[Mirror]]]:
    handler = type("Handler", (Mirror,), {"body": body, "gate": threading.Event()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{BUNDLE.name}", handler
    finally:
        handler.gate.set()
        server.shutdown()
        server.server_close()


def manifest(folder: Path, key: str, **fields: str | int) -> Path:
    """An override of one entry, as an organisation's own mirror would write it."""
    lines = [
        f'{name} = "{v}"' if isinstance(v, str) else f"{name} = {v}" for name, v in fields.items()
    ]
    path = folder / "manifest.toml"
    path.write_text("\n".join([f"[{key}]", *lines, ""]), encoding="utf-8")
    return path


def heavy(folder: Path, url: str) -> Path:
    return manifest(
        folder,
        "blazepose-heavy",
        url=url,
        sha256=hashlib.sha256(BUNDLE.read_bytes()).hexdigest(),
        size_bytes=BUNDLE.stat().st_size,
    )


def overlay(page: Page, title: str) -> Locator:
    return page.locator(f".st-key-stage canvas[aria-label^='{title}']")


def test_fetched_weights_show_progress_and_their_model_joins(
    page: Page, start_app: StartApp, tmp_path: Path
) -> None:
    with mirror(BUNDLE.read_bytes()) as (url, handler):
        app = start_app(POSE_WEIGHTS_MANIFEST=str(heavy(tmp_path, url)))
        page.goto(f"{app}/?models=movenet-lightning,blazepose-heavy")
        card = page.locator(".st-key-card_blazepose-heavy")
        card.get_by_role("button", name="Fetch 9 MB").click()
        expect(card.get_by_test_id("stProgress")).to_contain_text("of 9 MB")
        expect(overlay(page, "MoveNet Lightning")).to_be_visible()
        handler.gate.set()

        expect(overlay(page, "BlazePose heavy")).to_be_visible()
        expect(card).to_have_count(0)


def test_a_download_can_be_cancelled_and_is_seen_on_every_page(
    page: Page, start_app: StartApp, tmp_path: Path
) -> None:
    with mirror(BUNDLE.read_bytes()) as (url, handler):
        app = start_app(POSE_WEIGHTS_MANIFEST=str(heavy(tmp_path, url)))
        page.goto(f"{app}/models")
        card = page.locator(".st-key-model_blazepose-heavy")
        card.get_by_role("button", name="Fetch 9 MB").click()
        expect(card.get_by_test_id("stProgress")).to_be_visible()
        page.goto(f"{app}/?models=movenet-lightning,blazepose-heavy")
        other = page.locator(".st-key-card_blazepose-heavy")
        expect(other.get_by_test_id("stProgress")).to_be_visible()
        other.get_by_role("button", name="Cancel").click()
        expect(other).to_contain_text("Stopping")
        handler.gate.set()

        expect(other.get_by_role("button", name="Fetch")).to_be_visible()


def test_a_failed_download_is_told_to_who_asked_for_it(
    new_page: NewPage, start_app: StartApp, tmp_path: Path
) -> None:
    page, other = new_page(), new_page()
    with mirror(b"") as (url, _):
        app = start_app(POSE_WEIGHTS_MANIFEST=str(heavy(tmp_path, url)))
        page.goto(f"{app}/?models=movenet-lightning,blazepose-heavy")
        card = page.locator(".st-key-card_blazepose-heavy")
        card.get_by_role("button", name="Fetch 9 MB").click()

        expect(card.get_by_test_id("stAlert")).to_contain_text("the server has no such file")
        expect(card.get_by_test_id("stAlert").get_by_role("listitem")).to_have_count(2)
        expect(card.get_by_role("link", name=url).first).to_have_attribute("href", url)
        expect(card.get_by_role("button", name="Try again")).to_be_enabled()
        expect(overlay(page, "MoveNet Lightning")).to_be_visible()
        other.goto(f"{app}/?models=movenet-lightning,blazepose-heavy")
        card = other.locator(".st-key-card_blazepose-heavy")
        expect(card.get_by_role("button", name="Fetch 9 MB")).to_be_enabled()
        expect(other.get_by_test_id("stAlert")).to_have_count(0)
        page.get_by_role("link", name="Models", exact=True).click()
        card = page.locator(".st-key-model_blazepose-heavy")
        expect(card.get_by_role("button", name="Fetch 9 MB")).to_be_enabled()
        expect(page.get_by_test_id("stAlert")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_failed_model_fills_its_own_panel(
    new_page: NewPage, start_app: StartApp, tmp_path: Path, width: int
) -> None:
    broken = b"not a task bundle" * 100
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "broken.task").write_bytes(broken)
    override = manifest(
        tmp_path,
        "blazepose-full",
        kind="download",
        file_name="broken.task",
        sha256=hashlib.sha256(broken).hexdigest(),
        size_bytes=len(broken),
    )
    app = start_app(POSE_WEIGHTS_MANIFEST=str(override), POSE_WEIGHTS_DIR=str(folder))
    page = new_page(width, 900)
    page.goto(app)
    card = page.locator(".st-key-card_blazepose-full")

    expect(card.get_by_test_id("stAlert")).to_contain_text("BlazePose full")
    expect(card.get_by_role("button", name="Try again")).to_be_enabled()
    expect(overlay(page, "MoveNet Lightning")).to_be_visible()
    widths = page.get_by_test_id("stMain").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert widths[0] == widths[1]
