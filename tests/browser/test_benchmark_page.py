"""The Benchmark page in a real browser: a look at two models, a table, a file, another machine."""

from __future__ import annotations

import json
from pathlib import Path

from browser_support import settled
from playwright.sync_api import Page, expect

from estimators.workflows.benchmark.document import read_benchmark


def test_what_is_measured_is_a_table_and_a_file_and_stands_beside_another_machine(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    page.goto(f"{app_url}/benchmark?models=movenet-lightning")
    settled(page)
    models = page.get_by_role("combobox", name="Models to compare")
    models.fill("BlazePose lite")
    models.press("Enter")
    page.get_by_text("MoveNet Lightning, BlazePose lite: about").wait_for()
    for threads in ("2", "all"):
        page.get_by_test_id("stButtonGroup").get_by_text(threads, exact=True).click()
    page.get_by_text("3 s, a first look").click()
    settled(page)
    page.get_by_test_id("stBaseButton-primary").click()
    # What stands in a table is on a canvas, and tested without a browser.
    page.get_by_role("region", name="Latency and cost of each model").wait_for(timeout=180_000)

    with page.expect_download() as download:
        page.get_by_role("button", name="JSON to keep").click()
    own = tmp_path / "benchmark.json"
    download.value.save_as(own)
    kept = read_benchmark(own.read_bytes(), own.name)
    assert [(m.model, m.threads) for m in kept.measured] == [
        ("movenet-lightning", 1),
        ("blazepose-lite", 1),
    ]

    theirs = json.loads(own.read_bytes())
    theirs["machine"]["processor"] = "Their Processor 9000"
    (tmp_path / "theirs.json").write_text(json.dumps(theirs), encoding="utf-8")
    (tmp_path / "no.json").write_text("{}", encoding="utf-8")
    page.get_by_text("Other machines", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        [tmp_path / "theirs.json", tmp_path / "no.json"]
    )
    expect(page.get_by_role("alert").filter(has_text="no.json")).to_be_visible()
    page.get_by_role("tab", name="Side by side").click()
    beside = "Latency of each model on each machine"
    expect(page.get_by_role("region", name=beside)).to_be_visible()
    side = page.get_by_role("figure", name=beside)
    expect(side.locator(".main-svg").first).to_be_visible()
    expect(page.get_by_text("Their Processor 9000")).to_be_visible()
