"""Clips whose every pixel arrives, for stand-ins that are told by pixels what to do."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

from estimators.media.clip_info import ClipInfo
from estimators.media.clips import open_clip
from estimators.types import Frame


def clip_of(folder: Path, frames: Sequence[Frame]) -> ClipInfo:
    """A lossless clip of `frames`, ten a second: their commands must arrive exactly."""
    path = folder / "clip.mkv"
    with av.open(str(path), "w") as output:
        video = output.add_stream("ffv1", rate=10)
        video.width, video.height, video.pix_fmt = frames[0].width, frames[0].height, "bgr0"
        for i, frame in enumerate(frames):
            coded = av.VideoFrame.from_ndarray(frame.image, format="rgb24").reformat(format="bgr0")
            coded.pts, coded.time_base = i, Fraction(1, 10)
            output.mux(video.encode(coded))
        output.mux(video.encode(None))
    return open_clip(path)
