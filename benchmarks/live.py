"""Glass-to-glass delay and frame rate of the Live page, beside a plain streamlit-webrtc loopback.

    python -m benchmarks.live [--rounds 3] [--seconds 8] [--slow] [--browser PATH]

The browser's fake camera plays a clip with a running counter coded in the picture.  The browser
notes when each counter is on the camera's own preview and when it is on the returned video; the
difference is the delay, network and browser included, of frames that made the whole way.  The
browser's own counts tell how many pictures a second came back and how many it showed.

loopback    frames come back as they are
callback    the same through a frame callback that changes nothing: what the library itself adds
bare        the Live page with MoveNet Lightning, nothing drawn but title and age
lightning   the same with its overlay
two         MoveNet Lightning and BlazePose full
slow        those two and Keypoint R-CNN, with --slow (random weights unless the true ones are here)

The forms take turns, so that whatever else the machine does hits all alike.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from browser_support import CHROMIUM_ARGUMENTS, forgo_realtime, running_app, settled  # noqa: E402 - path above
from playwright.sync_api import Browser, sync_playwright  # noqa: E402 - kept with its neighbours

from benchmarks.keypoint_rcnn import seeded  # noqa: E402 - needs the path above
from estimators import weights  # noqa: E402 - needs the path above

WIDTH, HEIGHT, RATE = 640, 480, 30
STRIP = 32  # the counter's height in pixels, at the lower edge
BITS, CHECK = 12, 3
COUNTS = 600
RCNN = "keypointrcnn-fast"
PAGE = "live?models=movenet-lightning"
# The server, the address on it, the mosaic's columns, and the seconds until all models follow.
Form = tuple[str, str, int, float]
FORMS: dict[str, Form] = {
    "loopback": ("loopback", "", 1, 4),
    "callback": ("loopback", "?callback=1", 1, 4),
    "bare": ("product", f"{PAGE}&draw=", 1, 4),
    "lightning": ("product", PAGE, 1, 4),
    "two": ("product", f"{PAGE},blazepose-full", 2, 6),
    "slow": ("product", f"{PAGE},blazepose-full,{RCNN}", 2, 20),
}
FRAME = "iframe[title='streamlit_webrtc.component.webrtc_streamer']"
KEEP_CAMERA = """(() => {
  const media = navigator.mediaDevices;
  if (!media) return;
  const ask = media.getUserMedia.bind(media);
  media.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.benchCamera = stream.clone();
    return stream;
  };
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...wanted) {
      super(...wanted);
      window.benchPeer = this;
    }
  };
})();"""
WATCH = """async ({ seconds, columns, frame, strip, cells }) => {
  const preview = document.createElement('video');
  Object.assign(preview, { srcObject: window.benchCamera, muted: true });
  preview.style.cssText = 'position:fixed;width:64px;height:48px;right:0;top:0';
  document.body.append(preview);
  await preview.play();
  const returned = [...document.querySelectorAll('video')].find((v) => v !== preview);
  const counted = async () => {
    const stats = [...(await window.benchPeer.getStats()).values()];
    const { framesReceived } = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
    const { totalVideoFrames, droppedVideoFrames } = returned.getVideoPlaybackQuality();
    return [performance.now(), framesReceived, totalVideoFrames - droppedVideoFrames];
  };
  const first = await counted();
  const end = performance.now() + seconds * 1000;
  const watch = (video, tiles) => new Promise((done) => {
    const seen = [];
    const canvas = new OffscreenCanvas(4 * cells, 1);
    const ctx = canvas.getContext('2d', { willReadFrequently: true });
    // Cells in a band of the video; one call, because each converts the whole frame.
    const read = (top, high) => {
      ctx.drawImage(video, 0, top, video.videoWidth / tiles, high, 0, 0, 4 * cells, 1);
      const data = ctx.getImageData(0, 0, 4 * cells, 1).data;
      return Array.from({ length: cells }, (_, i) => (data[16 * i + 4] + data[16 * i + 8]) / 2);
    };
    const coded = (levels) => {
      const middle = (Math.min(...levels) + Math.max(...levels)) / 2; // tiles may be dimmed
      return levels.map((one) => Number(one > middle)).join('');
    };
    // Where the strip is: the lowest band, a quarter of its height, with strong contrast whose
    // neighbours say the same.  The product's legend stands below it.
    const found = () => {
      const quarter = (strip / 4) * video.videoWidth / tiles / frame;
      const bands = [];
      for (let top = video.videoHeight - quarter; top > 0; top -= quarter) {
        const levels = read(top, quarter);
        const strong = Math.max(...levels) - Math.min(...levels) > 130;
        bands.unshift([top, strong ? coded(levels) : null]);
        const [a, b, c] = bands.map(([, text]) => text);
        if (a !== null && a === b && b === c && /^00.*1/.test(a)) return [bands[0][0], 2 * quarter];
      }
      return null;
    };
    let place = null;
    const step = (now, meta) => {
      place = place ?? found();
      const bits = place === null ? '' : coded(read(...place));
      if (bits) seen.push([meta.presentationTime, bits]);
      if (now < end) video.requestVideoFrameCallback(step);
      else done(seen);
    };
    video.requestVideoFrameCallback(step);
    setTimeout(() => done(seen), seconds * 1000 + 2000);  // a stream that stands still
  });
  const both = await Promise.all([watch(preview, 1), watch(returned, columns)]);
  const last = await counted();
  preview.remove();
  return [...both, [1, 2].map((i) => 1000 * (last[i] - first[i]) / (last[0] - first[0]))];
}"""


def coded(image: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """The frame with `count` in black and white cells along its lower edge."""
    text = f"{count:0{BITS}b}{count.bit_count() % 2**CHECK:0{CHECK}b}"
    frame = image.copy()
    edges = np.linspace(0, WIDTH, len(text) + 1).round().astype(int)
    for bit, left, right in zip(text, edges[:-1], edges[1:], strict=True):
        frame[-STRIP:, left:right] = 255 * int(bit)
    return frame


def decoded(text: str) -> int | None:
    """The count, or None where two frames were mixed or the picture was too poor."""
    count, check = int(text[:BITS], 2), int(text[BITS:], 2)
    return count if count.bit_count() % 2**CHECK == check else None


def camera(path: Path) -> Path:
    """A clip with a person and a counter for Chromium to play as its camera."""
    people = []
    with av.open(str(ROOT / "sample_media" / "balance.mp4")) as clip:
        for frame in clip.decode(video=0):
            image = frame.to_ndarray(format="rgb24")
            wide = (round(image.shape[1] * (HEIGHT - STRIP) / image.shape[0]), HEIGHT - STRIP)
            canvas = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
            left = (WIDTH - wide[0]) // 2
            small = cv2.resize(image, wide, interpolation=cv2.INTER_AREA)
            canvas[: wide[1], left : left + wide[0]] = small
            people.append(canvas)
    with path.open("wb") as file:
        for count in range(COUNTS):
            Image.fromarray(coded(people[count % len(people)], count)).save(
                file, "JPEG", quality=90
            )
    return path


def delays(preview: list[list], returned: list[list]) -> list[float]:
    """Milliseconds from each counter on the preview to the same one on the returned video."""
    at: dict[int, float] = {}
    for time_ms, text in preview:
        if (count := decoded(text)) is not None:
            at.setdefault(count, time_ms)
    found = []
    for time_ms, text in returned:
        count = decoded(text)
        if count is not None and count in at and time_ms >= at[count]:
            found.append(time_ms - at.pop(count))
    return found


Measured = tuple[list[float], list[float]]


def measure(browser: Browser, url: str, form: Form, seconds: float) -> Measured:
    """Delays in milliseconds, and pictures a second: that came back, that were shown."""
    _, path, columns, settle_s = form
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(KEEP_CAMERA)
    page.goto(f"{url}/{path}")
    settled(page)
    inside = page.frame_locator(FRAME)
    inside.get_by_role("button", name="Start").click()
    inside.get_by_role("button", name="Stop").wait_for(timeout=60_000)
    page.wait_for_timeout(settle_s * 1000)
    frame = page.locator(FRAME).element_handle().content_frame()
    values = {"columns": columns, "frame": WIDTH, "strip": STRIP, "cells": BITS + CHECK}
    preview, returned, rates = frame.evaluate(WATCH, {"seconds": seconds, **values})
    page.close()
    return delays(preview, returned), rates


@contextmanager
def slow_weights(folder: Path) -> Iterator[dict[str, str]]:
    """Environment in which Keypoint R-CNN has weights: the true ones, or random ones."""
    key = "keypointrcnn-coco-v1"
    if weights.state(key).state == "cached":
        yield {}
        return
    entry = weights.entry(key)
    file = folder / entry.file_name
    seeded(file)
    manifest = folder / "manifest.toml"
    manifest.write_text(f'[{key}]\nsha256 = "{sha256(file)}"\nsize_bytes = {file.stat().st_size}\n')
    yield {"POSE_WEIGHTS_DIR": str(folder), "POSE_WEIGHTS_MANIFEST": str(manifest)}


def sha256(file: Path) -> str:
    import hashlib

    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--slow", action="store_true", help="with Keypoint R-CNN, too")
    parser.add_argument(
        "--browser", default=os.environ.get("POSE_BROWSER") or shutil.which("chromium")
    )
    asked = parser.parse_args()
    forms = {name: form for name, form in FORMS.items() if asked.slow or name != "slow"}
    found: dict[str, list[Measured]] = {name: [] for name in forms}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("loopback", "product", "weights"):
            (folder / name).mkdir()
        environment = {}
        if asked.slow:
            environment = stack.enter_context(slow_weights(folder / "weights"))
        own = str(ROOT / "benchmarks" / "_live_loopback.py")
        urls = {
            "loopback": stack.enter_context(running_app(folder / "loopback", own)),
            "product": stack.enter_context(running_app(folder / "product", **environment)),
        }
        forgo_realtime()
        playwright = stack.enter_context(sync_playwright())
        arguments = [
            *CHROMIUM_ARGUMENTS,
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera(folder / 'camera.mjpeg')}",
        ]
        browser = playwright.chromium.launch(executable_path=asked.browser, args=arguments)
        for _ in range(asked.rounds):
            for name, form in forms.items():
                found[name].append(measure(browser, urls[form[0]], form, asked.seconds))
        browser.close()
    report(found)


def report(found: dict[str, list[Measured]]) -> None:
    every = {name: [d for each, _ in rounds for d in each] for name, rounds in found.items()}
    medians = {name: statistics.median(each or [np.nan]) for name, each in every.items()}
    print(
        f"{'form':<10} {'delay ms':>9} {'p95 ms':>8} {'added ms':>9} "
        f"{'came/s':>7} {'shown/s':>8} {'frames':>7}"
    )
    for name, rounds in found.items():
        each = every[name]
        came, shown = (statistics.median(rates[i] for _, rates in rounds) for i in range(2))
        print(
            f"{name:<10} {medians[name]:>9.1f} {np.percentile(each or [np.nan], 95):>8.1f} "
            f"{medians[name] - medians['loopback']:>9.1f} {came:>7.1f} {shown:>8.1f} "
            f"{len(each):>7}"
        )


if __name__ == "__main__":
    main()
