"""The picture or clip that is measured on, decoded before anything is timed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from estimators.decode.clips import frames, open_clip
from estimators.decode.pictures import open_picture
from estimators.errors import InputError
from estimators.media.kinds import kind_of
from estimators.media.names import printable
from estimators.types import Frame
from estimators.workflows.benchmark.result import LONGEST_TEXT, Media

# Some seconds of a usual clip: to see the same frames again costs no model anything.
_MOST_FRAMES, MOST_BYTES = 120, 400_000_000
_USUAL_RATE = 30.0


@dataclass(frozen=True, eq=False)
class BenchmarkMedia:
    """Frames in memory, and what they are.

    Attributes:
        rate: frames a second of the clip; unused for a picture.
    """

    about: Media
    frames: tuple[Frame, ...]
    rate: float = _USUAL_RATE

    @property
    def video(self) -> bool:
        """Models that follow their person do so."""
        return self.about.kind == "clip"

    def endless(self) -> Iterator[Frame]:
        """The frames there and back again, so that nobody jumps, at times that only go forward."""
        there = self.frames
        order = (*there, *there[-2:0:-1])
        for index in count():
            yield replace(order[index % len(order)], index=index, time_s=index / self.rate)


def load_media(path: Path, name: str = "") -> BenchmarkMedia:
    """A picture, or the first frames of a clip.

    Args:
        name: what it is called; the file's name unless given.

    Raises:
        InputError: it is neither, cannot be read, or none of its frames can be decoded.
    """
    name = printable(name or path.name)[:LONGEST_TEXT]
    if not path.exists():
        raise InputError(f"{name} is not there any more.", "Give it once more.")
    if kind_of(path, name) == "clip":
        clip = open_clip(path, name=name)
        kept: list[Frame] = []
        held = 0
        for frame in frames(clip):
            held += frame.image.nbytes
            if kept and (len(kept) == _MOST_FRAMES or held > MOST_BYTES):
                break
            kept.append(frame)
        if not kept:
            raise InputError(
                f"No frame of {name} can be decoded.", "Give another clip, or convert this one."
            )
        times = clip.timestamps_s
        span_s = float(times[-1] - times[0])
        rate = (len(times) - 1) / span_s if span_s > 0 else _USUAL_RATE
        return BenchmarkMedia(_about(path, name, kept), tuple(kept), rate)
    frame = open_picture(path, name).frame
    return BenchmarkMedia(_about(path, name, [frame], "picture"), (frame,))


def _about(path: Path, name: str, kept: list[Frame], kind: str = "clip") -> Media:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    first = kept[0]
    return Media(name, kind, first.width, first.height, len(kept), digest)
