"""What a clip holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from estimators.media.limits import MAX_FRAME_PIXELS, allowed
from estimators.media.listing import Listing
from estimators.media.orientation import Orientation
from estimators.media.shape import square_size

# Steps that differ by less than this share of the median only come from the clock's rounding.
_UNEVEN = 0.1


@dataclass(frozen=True)
class ClipLimits:
    """What is accepted: pixels of one frame, number of frames, and seconds."""

    max_pixels: int = MAX_FRAME_PIXELS
    max_frames: int = field(default_factory=lambda: allowed().clip_frames)
    max_s: int = field(default_factory=lambda: allowed().clip_s)


@dataclass(frozen=True, eq=False)
class ClipInfo:
    """What a clip holds.

    Attributes:
        source: the file, or its content.
        name: as the person knows it.
        width, height: of the frames as they are shown, with square pixels and after rotation.
        stored_size: (width, height) as stored: before rotation, in pixels of `stored_ratio`; of the
            largest frames where their size changes.
        orientation: how stored pixels are turned before they are shown.
        listing: the frames' exact times and the places where decoding can start.
        codec, pixel_format, container: FFmpeg's names.
        damaged: the file is cut short, or broken at its end; what can be read is listed.
        has_audio: there is a sound track.
        track: index of the video track among all streams of the container.
        most_waiting: frames that may wait in the decoder for their turn; None for any number.
        stored_ratio: width over height of a stored pixel; of the largest frames where it changes.
        ratio_changes: it does, and the stream tells it with each frame.
        steady: all frames have one shape, as far as is known.
        shown_alike: nothing is known that browsers and other players would show differently.
        alone: the container has no other video track, not even a cover.
        notes: what a person should know, each in a sentence (cut short, HDR, ...).
    """

    source: Path | bytes = field(repr=False)
    name: str
    stored_size: tuple[int, int]
    orientation: Orientation
    listing: Listing = field(repr=False)
    codec: str
    pixel_format: str
    container: str
    damaged: bool
    has_audio: bool
    track: int = 0
    most_waiting: int | None = None
    stored_ratio: Fraction = Fraction(1)
    ratio_changes: bool = False
    steady: bool = True
    shown_alike: bool = True
    alone: bool = True
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return self.orientation.size(*self.square_size)[0]

    @property
    def height(self) -> int:
        return self.orientation.size(*self.square_size)[1]

    @property
    def square_size(self) -> tuple[int, int]:
        """(width, height) before rotation, in square pixels."""
        return square_size(self.stored_size, self.stored_ratio)

    @property
    def pixel_ratio(self) -> Fraction:
        """Width over height of a stored pixel as it is shown, after rotation."""
        return 1 / self.stored_ratio if self.orientation.transpose else self.stored_ratio

    @property
    def frame_count(self) -> int:
        return len(self.listing.pts)

    @property
    def rotation(self) -> int:
        """Degrees clockwise from stored to shown pixels."""
        return self.orientation.rotation

    @property
    def time_base(self) -> Fraction:
        """Seconds in one unit of `listing.pts`."""
        return self.listing.time_base

    @cached_property
    def timestamps_s(self) -> NDArray[np.float64]:
        """Float64 [n], when each frame is shown, in seconds from the first one, ascending."""
        base = self.listing.time_base
        since: NDArray[np.float64] = (self.listing.pts - self.listing.pts[0]).astype(np.float64)
        return since * base.numerator / base.denominator

    @property
    def first_frame_s(self) -> float:
        """When the first frame is shown on the container's own clock, which other tools may use."""
        return float(int(self.listing.pts[0]) * self.time_base)

    @property
    def last_frame_s(self) -> float:
        """How long the last frame is shown: as stored, else as long as the others usually are."""
        if self.listing.last_duration > 0:
            return float(self.listing.last_duration * self.time_base)
        steps = np.diff(self.timestamps_s)
        return float(np.median(steps)) if len(steps) else 0.0

    @property
    def duration_s(self) -> float:
        """From the first frame's start to the last one's end."""
        return float(self.timestamps_s[-1] - self.timestamps_s[0]) + self.last_frame_s

    @property
    def average_rate(self) -> float:
        """Frames a second over the whole clip; 0 where the clip does not tell."""
        return self.frame_count / self.duration_s if self.duration_s > 0 else 0.0

    @property
    def variable(self) -> bool:
        """The frames are not evenly spaced (variable frame rate)."""
        steps = np.diff(self.timestamps_s)
        if len(steps) < 2:
            return False
        uneven = max(2 * float(self.time_base), _UNEVEN * float(np.median(steps)))
        return bool(np.ptp(steps) > uneven * (1 + 1e-6))

    @property
    def positional(self) -> bool:
        """The container keeps no times to show frames at, as AVI: their turn alone tells them."""
        return self.listing.by_turn
