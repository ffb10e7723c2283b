"""The Evaluate page in a real browser: a ZIP in, a table, a bar's pictures, the report out."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from browser_support import READY
from playwright.sync_api import Page, expect

from estimators.media.samples import FOLDER

PICTURES = ("two_people_outdoors.jpg", "astronaut.jpg", "grace_hopper.jpg")


def annotated_zip(path: Path) -> Path:
    content = json.loads((FOLDER / "annotations.json").read_text("utf-8"))
    images = [image for image in content["images"] if image["file_name"] in PICTURES]
    ids = {image["id"] for image in images}
    people = [a for a in content["annotations"] if a["image_id"] in ids]
    with zipfile.ZipFile(path, "w") as archive:
        for name in PICTURES:
            archive.write(FOLDER / name, f"images/{name}")
        archive.writestr(
            "people.json", json.dumps(content | {"images": images, "annotations": people})
        )
    return path


def test_a_zip_becomes_a_table_pictures_and_a_report(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    page.goto(f"{app_url}/evaluate?models=movenet-lightning,blazepose-full&set=upload")
    page.locator("input[type=file]").set_input_files(annotated_zip(tmp_path / "set.zip"))
    expect(page.get_by_text("3 of 3 listed pictures with 4 people")).to_be_visible()
    page.get_by_role("button", name="Evaluate on 3 pictures").click()
    expect(page.get_by_text("Which should I use?")).to_be_visible(timeout=120_000)

    page.get_by_role("tab", name="Mistakes").click()
    page.locator(READY).wait_for()
    bars = page.locator(".st-key-kinds_chart .barlayer .trace").first.locator(".point path")
    page.locator(".st-key-kinds_chart").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = bars.nth(1).bounding_box()  # what BlazePose has right
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("BlazePose full")
    expect(page.get_by_role("combobox", name="What")).to_have_value("joints: good")
    pictures = page.locator(".st-key-evaluate_picture figure canvas")
    expect(pictures).to_have_count(2)
    first = page.get_by_text("KS 0.").first.inner_text()
    page.keyboard.press("n")
    expect(page.get_by_text("2 of 19")).to_be_visible()
    assert page.get_by_text("KS 0.").first.inner_text() != first

    with page.expect_download() as download:
        page.get_by_role("button", name="Report").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    expect(page.get_by_text("BlazePose full").first).to_be_visible()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
