"""Clips out: H.264 in MP4 that browsers play, written frame by frame.

yuv420p with even sides, table of contents in front (fast start), a keyframe every few frames so
that a player steps and scrubs quickly, and the frames' own times: a variable rate stays variable.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from estimators.errors import InputError
from estimators.media.audio import AddSound, mp4_options
from estimators.parts import new_part

_BT709, _LIMITED_RANGE = 1, 1
_SILENT = "The sound could not be taken along (not all of it)."


@dataclass(frozen=True)
class EncodeOptions:
    """How a clip is written.

    Attributes:
        time_base: the unit of the frames' times; with the source clip's own they stay exact.
        keyframe_interval: frames from one keyframe to the next, at most.
        quality: x264's constant rate factor, 0 (lossless) to 51.
        preset: x264's trade of time against size.
        last_frame_s: how long the last frame is shown; None for as long as the one before.
    """

    time_base: Fraction = Fraction(1, 90_000)
    keyframe_interval: int = 15
    quality: int = 23
    preset: str = "veryfast"
    last_frame_s: float | None = None


DEFAULT_OPTIONS = EncodeOptions()


class ClipWriter:
    """Writes one clip; use it as a context manager.

    The file appears under its name when the writer is closed; when the `with` block ends with an
    error it does not appear at all.  Closing early (a person cancelled) keeps what was written.

    Args:
        path: of the MP4 file; an existing one is replaced.
        size: (width, height) of the pictures.  An odd side gets one more row or column, a copy of
            the last one at the bottom or right, so that positions of pixels do not change.
        options: see there.
        sound: takes a clip's sound along, once all pictures are written (`audio.sound_of`).  Its
            times are kept as they are, so give it only when the pictures keep theirs, too.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        options: EncodeOptions = DEFAULT_OPTIONS,
        sound: AddSound | None = None,
    ) -> None:
        self.path = path
        self.size = size
        self.frame_count = 0
        self.notes: tuple[str, ...] = ()
        self._options = options
        self._waiting: VideoFrame | None = None
        self._durations: dict[int, int] = {}
        self._last_pts = self._last_duration = 0
        self._closed = False
        # One for all frames: setting it up costs more than a small frame's conversion.
        self._reformatter = VideoReformatter()
        self._sound = sound
        with _in_words(path):
            self._part = new_part(path)
            try:
                self._open()
            except BaseException:
                self._part.unlink(missing_ok=True)
                raise

    def write(self, image: NDArray[np.uint8], time_s: float) -> None:
        """Appends a picture, uint8 [H, W, 3] RGB, shown from `time_s` on.

        At the time of the last one it takes that one's place: two cannot be shown at once.

        Raises:
            ValueError: the picture has another size, or its time is before the last one's.
            InputError: the file cannot be written, for example because the disk is full.
        """
        height, width = image.shape[:2]
        if (width, height) != self.size:
            raise ValueError(f"expected {self.size}, got {(width, height)}")
        base = self._options.time_base
        frame = VideoFrame.from_ndarray(_even(image), format="rgb24")
        self.write_frame(frame, round(time_s * base.denominator / base.numerator))

    def write_frame(self, frame: VideoFrame, pts: int) -> None:
        """The same with a decoded frame and its time in units of `options.time_base`."""
        if self._waiting is not None and pts < self._last_pts:
            raise ValueError(f"time {pts} comes before {self._last_pts}")
        ready = self._in_bt709(frame)
        ready.pts, ready.time_base = pts, self._options.time_base
        # The source's frame types would be forced upon the encoder.
        ready.pict_type = PictureType.NONE
        if self._waiting is None:
            self.frame_count = 1
        elif pts > self._last_pts:
            with _in_words(self.path):
                self._encode(self._waiting, pts - self._last_pts)
            self.frame_count += 1
        self._waiting, self._last_pts = ready, pts

    def close(self, early: bool = False) -> None:
        """Finishes the file; without a single frame none appears.  Safe to call twice.

        With `early`, not all of the clip came, and the sound ends with the last picture.
        """
        if self._closed:
            return
        self._closed = True
        try:
            with _in_words(self.path):
                self._finish(early)
                if self.frame_count:
                    self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)

    def discard(self) -> None:
        """Ends without a file; safe to call twice and after `close`."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(av.error.FFmpegError, OSError):
                self._release()
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _open(self) -> None:
        self._output = av.open(
            str(self._part), "w", format="mp4", options=mp4_options(self._options.time_base)
        )
        self._video = self._add_video()
        self._output.start_encoding()

    def _add_video(self) -> VideoStream:
        options = self._options
        settings = {
            "preset": options.preset,
            "crf": str(options.quality),
            "g": str(options.keyframe_interval),
            # Without B-frames a frame's stored duration is the one that is shown, the last one's
            # included, no edit list is needed, and a step in a player decodes less.
            "bf": "0",
            # Of large pictures, ten looked at ahead would take as much memory as all the rest.
            "rc-lookahead": "3",
        }
        video = self._output.add_stream("libx264", rate=30, options=settings)
        video.width, video.height = (side + side % 2 for side in self.size)
        video.pix_fmt = "yuv420p"
        context = video.codec_context
        context.time_base = options.time_base
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        return video

    def _add_sound(self, until_s: float) -> None:
        if self._sound is None:
            return
        both = new_part(self.path)
        try:
            kept = self._sound(self._part, both, until_s)
            if kept != "all":
                self.notes += (_SILENT,)
            if kept != "none":
                both.replace(self._part)
        finally:
            both.unlink(missing_ok=True)

    def _in_bt709(self, frame: VideoFrame) -> VideoFrame:
        width, height = self._video.width, self._video.height
        same = (frame.width, frame.height) == (width, height)
        return self._reformatter.reformat(
            frame,
            width,
            height,
            format="yuv420p",
            interpolation=Interpolation.BILINEAR if same else Interpolation.AREA,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )

    def _encode(self, frame: VideoFrame | None, duration: int = 0) -> None:
        if frame is not None and frame.pts is not None:
            self._durations[frame.pts] = duration
            self._last_duration = duration
        for packet in self._video.encode(frame):
            packet.duration = self._durations.pop(packet.pts or 0, 0)
            self._output.mux(packet)

    def _finish(self, early: bool) -> None:
        if self._waiting is None:
            self._release()
            return
        base, last_s = self._options.time_base, self._options.last_frame_s
        last = self._last_duration if last_s is None else round(last_s / base)
        self._encode(self._waiting, max(1, last))
        self._encode(None)
        self._release()
        self._add_sound(float((self._last_pts + max(1, last)) * base) if early else math.inf)

    def _release(self) -> None:
        self._output.close()


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)


@contextlib.contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Turns what goes wrong while writing into a message for a person."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(
            f"{path.name} cannot be written ({error.strerror or error}).",
            "Free some space, or choose another folder.",
        ) from error
