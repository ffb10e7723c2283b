"""Clips in Chromium: what the packet listing says is what the browser shows, frame by frame."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from fractions import Fraction
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from browser_support import NewPage
from numpy.typing import NDArray

from estimators.media.browser import browser_copy, way_to_play
from estimators.media.clips import ClipInfo, open_clip
from estimators.media.encode import ClipWriter, EncodeOptions
from estimators.workflows.clip.series import playable_times
from tests.clip_factory import Recipe, make_clip, numbered

FAST = {"movflags": "faststart"}
QUIET = {"x265-params": "log-level=none"}
UNEVEN = tuple(np.cumsum([0, *([33, 34, 33, 120, 17] * 8)]).tolist())
CLIPS = {
    "plain.mp4": Recipe(container=FAST, audio="aac"),
    "turned.mp4": Recipe(container=FAST, quarter_turns=1, rotation=-90),
    "squeezed and turned.mp4": Recipe(
        container=FAST, quarter_turns=1, rotation=-90, ratio=Fraction(16, 11)
    ),
    "starts late.mp4": Recipe(container=FAST, pts=range(15, 55)),
    "starts late.webm": Recipe("libvpx-vp9", pts=range(15, 55)),
    "an hour late.webm": Recipe("libvpx", pts=range(108_000, 108_040)),
    "an hour late.mp4": Recipe(container=FAST, pts=range(108_000, 108_040)),
    "uneven.mkv": Recipe(pts=UNEVEN, time_base=Fraction(1, 1000)),
    "uneven hevc.mov": Recipe("libx265", pts=UNEVEN, time_base=Fraction(1, 1000), options=QUIET),
    "turned hevc.mov": Recipe("libx265", quarter_turns=1, rotation=-90, options=QUIET),
    "mpeg4.avi": Recipe("mpeg4", options={"bf": "2"}),
}
FRAMES = (0, 5, 12, 20, 33, 39)

# Seeks to the middle of each frame's time; gives the number in its bars and the browser's own time.
SHOW = """async ([source, times]) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = source;
  await new Promise((done, fail) => {
    video.onloadeddata = done;
    video.onerror = () => fail(new Error(video.error.message));
  });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const red = (x, y) => {
    const [r, , b] = context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data;
    return [r, r - b];
  };
  const numberOnShow = () => {
    context.drawImage(video, 0, 0);
    let number = 0;
    for (let bit = 0; bit < 8; bit++)
      number = number * 2 + (red((bit + 0.5) / 8, 1 / 3)[0] > 127 ? 1 : 0);
    return red(0.25, 5 / 6)[1] > 80 ? number : -1;
  };
  // On a busy machine a picture that was on its way is told after the next seek was asked for.  So
  // the one counts whose time fits, if it comes; else the last one.
  let told = [-1, NaN];
  const follow = (_, {mediaTime}) => {
    told = [numberOnShow(), mediaTime];
    video.requestVideoFrameCallback(follow);
  };
  video.requestVideoFrameCallback(follow);
  const shown = [];
  for (const [time, half] of times) {
    const sought = new Promise(done => { video.onseeked = done; });
    video.currentTime = time;
    await sought;
    const since = performance.now();
    while (!(Math.abs(told[1] - time) < half + 0.001) && performance.now() - since < 5000)
      await new Promise(done => setTimeout(done, 10));
    shown.push(told);
  }
  return {size: [video.videoWidth, video.videoHeight], duration: video.duration, shown};
}"""

PLAY = """async source => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = source;
  await video.play();
  await new Promise(done => { video.onended = done; });
  return [video.currentTime, video.duration, video.getVideoPlaybackQuality().totalVideoFrames];
}"""


class _Handler(SimpleHTTPRequestHandler):
    """Files with byte ranges, which a browser needs to seek."""

    def log_message(self, *_: object) -> None:
        """Keeps the tests' output quiet."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        data = path.read_bytes() if path.is_file() else b"<!doctype html><title>clips</title>"
        start, end = 0, len(data) - 1
        wanted = self.headers.get("Range")
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), int(last) if last else end
        self.send_response(206 if wanted else 200)
        kind = {".webm": "video/webm", ".mp4": "video/mp4"}.get(path.suffix, "text/html")
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - start + 1))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.end_headers()
        try:
            self.wfile.write(data[start : end + 1])
        except ConnectionError:
            # The browser has what it needs and hangs up.
            self.close_connection = True


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Address of a server for the test's own folder."""
    handler = functools.partial(_Handler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", CLIPS)
def test_the_browser_shows_each_frame_at_its_listed_time(
    name: str, tmp_path: Path, served: str, new_page: NewPage
) -> None:
    clip = open_clip(make_clip(tmp_path / name, CLIPS[name]))
    played, times = "copy.mp4", playable_times(clip)
    if browser_copy(clip, tmp_path / "copy.mp4") == "as it is":
        played, times = name, playable_times(clip, clip.first_frame_s)
    page = new_page()
    page.goto(served)
    middles = [middle(clip, times, i) for i in FRAMES]
    sought = [[at, at - float(times[i])] for at, i in zip(middles, FRAMES, strict=True)]
    told = page.evaluate(SHOW, [quote(played), sought])
    assert told["size"] == [clip.width, clip.height]
    assert [number for number, _ in told["shown"]] == list(FRAMES)
    assert [time_s for _, time_s in told["shown"]] == pytest.approx(times[list(FRAMES)], abs=5e-4)


def middle(clip: ClipInfo, times: NDArray[np.float64], index: int) -> float:
    """Halfway between a frame's time and the next one's: safe from rounding."""
    ends = [*times, times[-1] + clip.last_frame_s]
    return float(ends[index] + ends[index + 1]) / 2


def test_a_written_clip_plays_to_its_end(tmp_path: Path, served: str, new_page: NewPage) -> None:
    with ClipWriter(tmp_path / "a.mp4", (127, 95), EncodeOptions(last_frame_s=0.2)) as writer:
        for number in range(20):
            writer.write(numbered(number, 127, 95), number / 20)
    assert way_to_play(open_clip(tmp_path / "a.mp4")) == "as it is"
    page = new_page()
    page.goto(served)
    position, duration, shown = page.evaluate(PLAY, "a.mp4")
    assert duration == pytest.approx(19 / 20 + 0.2, abs=0.01)
    assert position == pytest.approx(duration, abs=0.05)
    assert shown >= 15
