"""Clips whose frames carry their own number as bars, and poses that lie on a mark that moves."""

from __future__ import annotations

import io
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from estimators.skeletons import COCO_17
from estimators.types import PoseSet

WIDTH, HEIGHT, FRAMES, BITS = 640, 360, 120, 8
BAR = WIDTH // BITS
CYCLE = (1, 3, 2, 5)  # hundredths of a second between the frames of the clip with a variable rate


def mark_at(frame: int) -> tuple[float, float]:
    """Where the white square of `frame` has its centre."""
    return 100.5 + 37 * frame % 440, 240.5


def picture(frame: int) -> np.ndarray:
    """Dark, with the bits of `frame` as bars over the upper 80 rows and one white square."""
    image = np.full((HEIGHT, WIDTH, 3), 50, np.uint8)
    for bit in range(BITS):
        image[:80, bit * BAR : (bit + 1) * BAR] = 235 if frame >> bit & 1 else 15
    x, y = mark_at(frame)
    image[int(y) - 8 : int(y) + 9, int(x) - 8 : int(x) + 9] = 255
    return image


def clip(kind: str) -> bytes:
    """MP4 with H.264: `constant` (30 a second), `variable`, or `rotated` by a quarter turn."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        _write(file.name, kind)
        data = Path(file.name).read_bytes()
    return turned(data) if kind == "rotated" else data


def _write(path: str, kind: str) -> None:
    with av.open(path, "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"g": "15", "preset": "veryfast", "crf": "18"}
        if kind == "variable":  # as `browser_copy` gives it to the viewer
            stream.options |= {"bf": "0"}
        base = Fraction(1, 100) if kind == "variable" else Fraction(1, 30)
        stream.codec_context.time_base = base
        pts = 0
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = pts, base
            pts += CYCLE[index % len(CYCLE)] if kind == "variable" else 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def turned(data: bytes) -> bytes:
    """The clip with a track matrix that turns it a quarter clockwise (ISO/IEC 14496-12, tkhd)."""
    at = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = [0, one, 0, -one, 0, 0, HEIGHT * one, 0, 1 << 30]
    return data[:at] + b"".join(v.to_bytes(4, "big", signed=True) for v in matrix) + data[at + 36 :]


def timestamps(data: bytes) -> np.ndarray:
    """Presentation times of all frames, seconds."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        pts = sorted(p.pts for p in container.demux(stream) if p.pts is not None)
        return np.array([float(value * stream.time_base) for value in pts])


def pose_at(frame: int, offset: float = 0.0, rotated: bool = False) -> PoseSet:
    """One person: nose on the mark of `frame`, the other joints below it, the ankles weak."""
    x, y = mark_at(frame)
    xy = np.empty((1, 17, 2), np.float32)
    for k in range(1, 17):
        xy[0, k] = x + offset + (k % 5 - 2) * 22, y + 40 + k // 5 * 20
    xy[0, 0] = x + offset, y
    if rotated:
        xy = np.stack([HEIGHT - xy[..., 1], xy[..., 0]], axis=-1)
    score = np.full((1, 17), 0.9, np.float32)
    score[0, 15:] = 0.1
    return PoseSet(COCO_17, xy, score, np.full(1, 0.9, np.float32))
