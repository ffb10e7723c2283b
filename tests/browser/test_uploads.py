"""A large upload in a real browser passes the server on the disk, and comes back from there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
from browser_support import server_process
from playwright.sync_api import Page, expect

from tests.clip_factory import make_clip

LARGE_BYTES = 150_000_000
# Pictures and poses of the tests before are let go of, and given back, some seconds later.
_SETTLES_S = 30.0


def require_growth_below(server: psutil.Process, before: int, most: float) -> None:
    """Of a file that the server holds in memory it would hold all of it, for as long as it can."""
    end_s = time.monotonic() + _SETTLES_S
    while (grown := server.memory_info().rss - before) >= most:
        assert time.monotonic() < end_s, f"{grown / 1e6:.0f} MB more"
        time.sleep(0.5)


def test_a_large_clip_takes_no_memory_of_the_server(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "long.mp4")
    missing = LARGE_BYTES - clip.stat().st_size
    with clip.open("ab") as file:  # a box that players pass over
        # Its own each time: of a clip that is known already nothing would be processed.
        file.write(missing.to_bytes(4, "big") + b"free" + os.urandom(8))
        file.truncate(LARGE_BYTES)
    page.goto(f"{app_url}/video?models=movenet-lightning")
    page.get_by_role("radio", name="Your clip").click()
    server = server_process(app_url)
    page.wait_for_timeout(500)
    before = server.memory_info().rss

    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(clip)
    expect(page.get_by_text("long.mp4").first).to_be_visible()
    expect(page.get_by_text("150.0 MB")).to_be_visible()
    require_growth_below(server, before, LARGE_BYTES / 2)

    page.locator(".st-key-run_clip button").click()
    expect(page.locator("figure canvas").first).to_be_visible(timeout=120_000)
    of_clips = (
        "performance.getEntriesByType('resource').map(e => e.name)"
        ".filter(name => name.includes('/media/') && name.includes('.mp4'))"
    )
    page.wait_for_function(f"{of_clips}.length")  # an entry is there once its request has ended
    clips = page.evaluate(
        f"Promise.all({of_clips}"
        ".map(name => fetch(name, {headers: {Range: 'bytes=4-7'}}).then(r => r.text())))"
    )
    assert "ftyp" in clips
    require_growth_below(server, before, LARGE_BYTES)
