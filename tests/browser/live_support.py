"""What the Live page's tests share: cameras made from clips, and what comes back to the browser."""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import os
import re
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import psutil
from browser_support import CHROMIUM_ARGUMENTS, ROOT, forgo_realtime, settled
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserType,
    FrameLocator,
    Locator,
    Page,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError

WIDTH, HEIGHT = 640, 480
CLIP = ROOT / "sample_media" / "balance.mp4"
FRAME = "iframe[title='streamlit_webrtc.component.webrtc_streamer']"
_AT_REST = re.compile(r"Ready\.|Ended\.")
_SHOWN = "v => v.getVideoPlaybackQuality().totalVideoFrames"
_GRAB = """v => {
  const c = document.createElement('canvas');
  c.width = v.videoWidth; c.height = v.videoHeight;
  c.getContext('2d').drawImage(v, 0, 0);
  return c.toDataURL('image/png').split(',')[1];
}"""


def camera_frames(clip: Path = CLIP, count: int = 60) -> list[NDArray[np.uint8]]:
    """The clip's first frames as a camera of 640×480 would show them, RGB, nothing cut off."""
    frames = []
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            frames.append(in_camera(frame.to_ndarray(format="rgb24")))
            if len(frames) == count:
                break
    return frames


def in_camera(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    canvas = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas


def write_mjpeg(path: Path, frames: Iterable[NDArray[np.uint8]]) -> Path:
    """A file that Chromium plays as a camera, 30 frames a second, over and over."""
    with path.open("wb") as file:
        for frame in frames:
            Image.fromarray(frame).save(file, "JPEG", quality=92)
    return path


def camera_arguments(camera: Path | None, allowed: bool = True) -> list[str]:
    """Chromium's arguments for `camera` in place of a real one; None for a machine without one."""
    answer = "--use-fake-ui-for-media-stream" + ("" if allowed else "=deny")
    device = "--use-fake-device-for-media-stream"
    if camera is None:
        return [*CHROMIUM_ARGUMENTS, answer, f"{device}=device-count=0"]
    return [*CHROMIUM_ARGUMENTS, answer, device, f"--use-file-for-fake-video-capture={camera}"]


class CameraBrowser:
    """A browser of its own, whose processes can be stopped and killed as on a real machine.

    Args:
        kind: of the session's browser.
        arguments: from `camera_arguments`.
    """

    def __init__(self, kind: BrowserType, executable: str | None, arguments: list[str]) -> None:
        self._tag = f"--pose-test={uuid.uuid4().hex}"
        self.browser = kind.launch(executable_path=executable, args=[*arguments, self._tag])

    def __enter__(self) -> Browser:
        return self.browser

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(PlaywrightError):  # it may have been killed
            self.browser.close()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to all its processes: SIGSTOP closes the lid, SIGCONT opens it."""
        mains = [
            p for p in psutil.process_iter(["cmdline"]) if self._tag in (p.info["cmdline"] or ())
        ]
        for process in {p for main in mains for p in [main, *main.children(recursive=True)]}:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def stream_frame(page: Page) -> FrameLocator:
    return page.frame_locator(FRAME)


def start(page: Page) -> None:
    """Presses Start, again where the button moved away under the pointer."""
    button = stream_frame(page).get_by_role("button", name="Start")
    button.wait_for()
    for _ in range(4):
        if not button.is_visible():
            return
        button.click()
        with contextlib.suppress(PlaywrightError, AssertionError):
            expect(status(page)).not_to_contain_text(_AT_REST, timeout=8_000)
            return


def stop(page: Page) -> None:
    stream_frame(page).get_by_role("button", name="Stop").click()


def status(page: Page) -> Locator:
    """The line that tells how the connection stands."""
    return page.locator(".connection")


def wait_until(condition: Callable[[], object], patience_s: float = 90) -> None:
    """For what happens in the video, where Playwright cannot look."""
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.1)


def shown(page: Page) -> int:
    """Frames that the video has shown so far; its clock would go on in a frozen stream."""
    return int(stream_frame(page).locator("video").evaluate(_SHOWN))


def grab(page: Page) -> NDArray[np.uint8]:
    """The picture on the screen, uint8 [H, W, 3] RGB."""
    video = stream_frame(page).locator("video")
    wait_until(lambda: video.evaluate("v => v.readyState >= 2 && v.videoWidth > 0"))
    data = base64.b64decode(video.evaluate(_GRAB))
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def opened(own: CameraBrowser, address: str, count: int) -> list[Page]:
    """Tabs that all show their streams at once."""
    pages = [own.browser.new_page(viewport={"width": 500, "height": 500}) for _ in range(count)]
    for page in pages:
        page.set_default_timeout(60_000)
        page.goto(address, wait_until="commit")
    for page in pages:
        start(settled(page))
    for page in pages:
        playing(page)
    return pages


def playing(page: Page) -> None:
    stream_frame(page).get_by_role("button", name="Stop").wait_for()
    wait_until(lambda: shown(page) > 2)


@contextlib.contextmanager
def own_browser(folder: Path, executable: str | None) -> Iterator[CameraBrowser]:
    """A browser for a script, whose camera shows a second of a clip again and again.

    Args:
        folder: for that clip.
    """
    forgo_realtime()
    camera = write_mjpeg(folder / "camera.mjpeg", camera_frames(count=30))
    with sync_playwright() as playwright:
        own = CameraBrowser(playwright.chromium, executable, camera_arguments(camera))
        with own:
            yield own


def browser_option(parser: argparse.ArgumentParser) -> None:
    """`--browser`: the program, else the one that is installed."""
    found = os.environ.get("POSE_BROWSER") or shutil.which("chromium")
    parser.add_argument("--browser", default=found)
