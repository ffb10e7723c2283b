"""The Video page in a real browser, as a person meets it."""

from __future__ import annotations

import io
import json
import re
import struct
import uuid
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from browser_support import NewPage, settled
from playwright.sync_api import Locator, Page, expect

from estimators.media.browser import way_to_play
from estimators.media.clips import open_clip
from tests.clip_factory import Recipe, make_clip, with_pts

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"
LIGHT = "models=movenet-lightning,blazepose-lite"
# A phone held upright whose camera drops frames: turned, uneven, with sound.
UNEVEN = (0, 3, 4, 9, 12, 15, 21, 22, 30, 33, 36, 45, 48, 60, 61, 66, 70, 80, 84, 90)


def upload(page: Page, url: str, file: Path, query: str = LIGHT) -> None:
    page.goto(f"{url}/video?{query}")
    page.get_by_role("radio", name="Your clip").click()
    chooser = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    chooser.set_input_files(file)


def process(page: Page) -> None:
    """Has the clip processed, or finds that it is (a test that is tried again)."""
    button = page.get_by_role("button", name=re.compile(r"^Process \d"))
    ready = page.locator("figure canvas").first
    expect(button.or_(ready).first).to_be_visible(timeout=60_000)
    if button.is_visible():
        button.click()
    expect(ready).to_be_visible(timeout=120_000)
    expect(page.locator(".time")).to_contain_text("frame 0")


def at_frame(page: Page, frame: int) -> None:
    expect(page.locator(".time")).to_have_text(re.compile(rf"^frame {frame} /"))


def saved(page: Page, button: Locator) -> bytes:
    with page.expect_download() as download:
        button.click()
    return Path(download.value.path()).read_bytes()


def test_one_click_from_results_and_from_a_dispute_to_its_frame(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/video?stride=2")
    process(page)
    for title in ("MoveNet Lightning", "BlazePose full"):
        expect(page.get_by_role("img", name=re.compile(f"{title}: 1 person")).first).to_be_visible()
    last = page.locator(".st-key-disputed_frames").get_by_role("button").last
    last.click()
    expect(page.locator(".time")).not_to_contain_text("frame 0 ")
    when = float(page.locator(".time").inner_text().split("·")[1].removesuffix(" s"))
    assert when == pytest.approx(float(last.inner_text().removesuffix(" s")), abs=0.006)
    page.get_by_role("tab", name="Agreement").click()
    expect(page.locator(".st-key-agreement_chart .js-plotly-plot")).to_be_visible()
    # Saved as a picture it has no font of the page: other words would be wider than measured.
    words = page.locator(".st-key-agreement_chart .legendtext").first
    assert "Arial" in words.evaluate("e => getComputedStyle(e).fontFamily")
    expect(page.get_by_role("heading", name="Which should I use?")).to_be_visible()


def test_a_point_of_the_agreement_chart_leads_to_its_frame(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/video?stride=2&clip_view=Agreement")
    run = page.get_by_role("button", name=re.compile(r"^Process \d"))
    expect(run.or_(page.locator("figure canvas").first)).to_be_visible()
    if run.is_visible():
        process(page)
    chart = page.locator(".st-key-agreement_chart .js-plotly-plot")
    expect(chart).to_be_visible()
    frame = chart.evaluate("e => e.calcdata.at(-1).at(-1).data")
    mark = chart.locator(".scatterlayer .trace").last.locator(".point").last
    chart.evaluate("e => e.scrollIntoView({block: 'center'})")
    box = mark.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    at_frame(page, int(frame))


def test_a_turned_uneven_clip_with_sound_from_upload_to_annotated_video(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    recipe = with_pts(
        Recipe(width=256, height=144, audio="aac", quarter_turns=1, rotation=-90),
        UNEVEN,
        Fraction(1, 30),
    )
    path = make_clip(tmp_path / "phone.mp4", recipe)
    upload(page, app_url, path)
    process(page)
    slider = page.get_by_label("Frame", exact=True)
    slider.fill("13")
    at_frame(page, 13)
    expect(page.locator(".time")).to_contain_text("2.000 s")
    page.get_by_role("button", name="Make the annotated video").click()
    button = page.get_by_role("button", name="Annotated video, MP4")
    expect(button).to_be_visible(timeout=60_000)
    video = tmp_path / "annotated.mp4"
    video.write_bytes(saved(page, button))
    written, source = open_clip(video), open_clip(path)
    np.testing.assert_allclose(written.timestamps_s, source.timestamps_s, atol=1e-3)
    assert written.has_audio
    assert plays(page) == pytest.approx(source.duration_s, abs=0.05)


def plays(page: Page) -> float:
    """Plays the annotated video on the page; its duration in seconds."""
    page.get_by_text("The annotated video", exact=True).click()
    video = page.get_by_test_id("stVideo")
    expect(video).to_be_visible()
    video.evaluate("v => { v.muted = true; return v.play(); }")
    page.wait_for_function("v => v.currentTime > 0.3", arg=video.element_handle())
    assert video.evaluate("v => v.videoWidth") > 0
    return float(video.evaluate("v => v.duration"))


def test_everything_can_be_taken_away_in_one_file(page: Page, app_url: str, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "bars.mkv", Recipe(pts=tuple(range(12))))
    upload(page, app_url, path)
    process(page)
    page.get_by_role("button", name="Make the annotated video").click()
    everything = page.get_by_role("button", name="Everything, ZIP")
    expect(everything).to_be_visible(timeout=60_000)
    with zipfile.ZipFile(io.BytesIO(saved(page, everything))) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
    assert {"annotated.mp4", "joints.csv", "joints.parquet", "frames.csv", "results.json"} <= names
    assert manifest["state"] == "done"
    assert manifest["clip"]["file"] == "bars.mkv"
    page.get_by_role("button", name="Download the numbers").click()
    listed = page.get_by_test_id("stPopoverBody")
    rows = saved(page, listed.get_by_role("button", name="CSV").first).decode().splitlines()
    assert rows[0].startswith('"model","file","frame_index","time_s"')


def test_cancel_keeps_what_is_done_and_another_page_does_not_stop_the_work(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    recipe = Recipe(pts=tuple(range(3000)), width=320, height=240)
    upload(page, app_url, make_clip(tmp_path / "long.mp4", recipe))
    page.get_by_role("button", name="Process 3,000 frames").click()
    progress = page.locator(".st-key-clip_progress")
    expect(progress).to_contain_text(re.compile(r"Frame \d+ of 3,000 · [\d.]+ a second · .+ left"))
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.get_by_role("link", name="Video").click()
    expect(progress).to_contain_text("of 3,000")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile(r"Stopped after [\d,]+ of 3,000 frames"))).to_be_visible()
    expect(page.locator("figure canvas").first).to_be_visible()
    go_on = page.get_by_role("button", name=re.compile(r"Go on: [\d,]+ of 3,000 frames left"))
    expect(go_on).to_be_enabled()


def test_a_bad_file_says_what_is_wrong_and_the_next_one_works(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    words = tmp_path / "notes.mp4"
    words.write_bytes(b"these are words")
    upload(page, app_url, words)
    expect(page.get_by_test_id("stAlert")).to_contain_text("notes.mp4 is not a clip")
    chooser = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    chooser.set_input_files(make_clip(tmp_path / "good.mp4", Recipe(pts=tuple(range(5)))))
    expect(page.get_by_role("button", name="Process 5 frames")).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"), [("old.avi", "mpeg4", "yuv420p"), ("cat.gif", "gif", "rgb8")]
)
def test_a_clip_that_browsers_cannot_play_is_shown_all_the_same(
    page: Page, app_url: str, tmp_path: Path, name: str, codec: str, pixels: str
) -> None:
    recipe = Recipe(codec=codec, pixel_format=pixels, pts=tuple(range(20)), width=256, height=144)
    upload(page, app_url, make_clip(tmp_path / name, recipe))
    process(page)
    page.get_by_label("Frame", exact=True).fill("19")
    at_frame(page, 19)


def test_a_phone_sees_everything_without_scrolling_sideways(
    new_page: NewPage, app_url: str
) -> None:
    page = new_page(390, 844)
    page.goto(f"{app_url}/video?stride=10&{LIGHT}")
    process(page)
    for tab in ("Scores", "Steadiness"):
        page.get_by_role("tab", name=tab).click()
        settled(page)
        widths = page.get_by_test_id("stMain").evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert widths[0] <= widths[1] == 390


def test_a_clip_whose_playing_fails_is_encoded_and_shown(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    """Chromium gives up at a frame that cannot be decoded; nothing in the file's head tells."""
    recipe = Recipe(pts=tuple(range(20)), container={"movflags": "faststart"})
    path = make_clip(tmp_path / "spoilt.mp4", recipe)
    with av.open(str(path)) as container:
        spoilt = [packet for packet in container.demux(video=0) if packet.size][3]
    data = bytearray(path.read_bytes())
    data[spoilt.pos : spoilt.pos + spoilt.size] = bytes(spoilt.size)
    # The server knows no clip from a try before: its answers would be there, and nothing to press.
    data += struct.pack(">I4s16s", 24, b"free", uuid.uuid4().bytes)
    path.write_bytes(data)
    assert way_to_play(open_clip(path)) == "as it is"
    upload(page, app_url, path)
    process(page)
    page.get_by_label("Frame", exact=True).fill("19")
    at_frame(page, 19)
    expect(page.get_by_text("This browser cannot play")).to_have_count(0)
