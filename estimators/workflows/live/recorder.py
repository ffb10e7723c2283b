"""A recording of a stream: mosaic and camera as clips, and what the models said, of bounded length.

Pictures are encoded in a thread of their own.  When it cannot keep up, pictures are left out of
the recording and counted; the video on the screen never waits for it.
"""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import ClipEstimates
from estimators.errors import InputError, PoseError
from estimators.media.encode import ClipWriter, EncodeOptions
from estimators.registry import ModelSpec
from estimators.runtime.api import RunResult
from estimators.types import Frame
from estimators.workflows.own_folder import own_folder

LONGEST_S = 30.0
RecordState = Literal["recording", "finishing", "done", "failed"]
# Pictures that may wait to be encoded; half a second of video.
_WAITING = 15
_NOBODY_HELD: Mapping[str, int | None] = MappingProxyType({})
_OPTIONS = EncodeOptions(preset="ultrafast")
# The camera's own pictures are given to models again: they are kept nearly as they came.
_FOR_MODELS = EncodeOptions(preset="ultrafast", quality=18)
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Recording:
    """What there is to take away.

    Attributes:
        clip: the mosaics as a file, MP4 (H.264).
        camera: the camera's pictures behind them, frame by frame at the same times, MP4 (H.264);
            a clip like any other, as the models saw it (never mirrored).
        estimates: of each model, on the recording's own clock; frames a model never saw are absent.
        duration_s: from the first to the last picture.
        pictures, left_out: written, and dropped because the encoder could not keep up.
        ended: why it ended before anybody asked, in a sentence; else empty.
    """

    name: str
    clip: bytes
    camera: bytes
    estimates: tuple[ClipEstimates, ...]
    duration_s: float
    pictures: int
    left_out: int
    ended: str = ""


class LiveRecorder:
    """Records from the first picture on, until `finish` or until it is `longest_s` long.

    Args:
        name: of the clip, without extension.
        specs: the models whose answers are kept.
        frame_size: (width, height) of the camera's frames, to which the estimates refer.
        held_to: by model, see `ClipEstimates`.
    """

    def __init__(
        self,
        name: str,
        specs: Sequence[ModelSpec],
        frame_size: tuple[int, int],
        longest_s: float = LONGEST_S,
        held_to: Mapping[str, int | None] = _NOBODY_HELD,
    ) -> None:
        self.state: RecordState = "recording"
        self.error = ""
        self.longest_s = longest_s
        self.duration_s = 0.0
        self.result: Recording | None = None
        self._name = name
        self._estimates = {
            spec.key: ClipEstimates(spec.key, spec.skeleton, f"{name}.mp4", frame_size)
            for spec in specs
        }
        for model, estimates in self._estimates.items():
            estimates.held_to = held_to.get(model)
        self._lock = threading.Lock()
        self._first: tuple[int, float] | None = None
        self._left_out = 0
        self._ended = ""
        self._queue: queue.Queue[tuple[Pixels, Pixels, float] | None] = queue.Queue(_WAITING + 1)
        self._thread = threading.Thread(target=self._work, name="live-record", daemon=True)
        self._thread.start()

    def add_picture(self, mosaic: Pixels, frame: Frame) -> None:
        """Queues the camera's frame and a copy of the mosaic drawn for it; never waits."""
        if self.state != "recording":
            return
        with self._lock:
            if self._first is None:
                self._first = (frame.index, frame.time_s)
            at_s = frame.time_s - self._first[1]
        if at_s > self.longest_s:
            self.finish()
            return
        self.duration_s = at_s
        if self._queue.qsize() >= _WAITING:
            self._left_out += 1
            return
        self._queue.put_nowait((mosaic.copy(), frame.image, at_s))

    def add_answer(self, model: str, result: RunResult) -> None:
        """Keeps an answer to a frame of the recording; others are ignored."""
        estimate = result.estimate
        with self._lock:
            clip = self._estimates.get(model)
            if self.state != "recording" or self._first is None or clip is None:
                return
            index, time_s = estimate.frame_index - self._first[0], estimate.time_s - self._first[1]
            if (
                index < 0
                or time_s > self.longest_s
                or (len(clip) and index <= clip.frame_index[-1])
            ):
                return
            own = replace(estimate, frame_index=index, time_s=time_s)
            times_ms = (result.queue_ms, result.transport_ms)
            clip.computed(result.placement)
            clip.append(own, *times_ms, result.restarted, result.busy)

    def finish(self, why: str = "") -> None:
        """Ends the recording; `result` is there when `state` is "done".  Safe to call twice.

        Args:
            why: told to the person, who did not ask for it.
        """
        with self._lock:
            if self.state != "recording":
                return
            self.state, self._ended = "finishing", why
        self._queue.put_nowait(None)  # one place more than pictures may take is kept for it

    def join(self, timeout_s: float | None = None) -> None:
        self._thread.join(timeout_s)

    def _work(self) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="live-", dir=own_folder()) as folder:
                self.result = self._written(Path(folder))
            self.state = "done"
        except PoseError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001  # a thread's last chance to say what happened
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, message: str) -> None:
        self.error, self.state = message, "failed"

    def _written(self, folder: Path) -> Recording:
        mosaics = _Film(folder / "mosaics.mp4", _OPTIONS)
        camera = _Film(folder / "camera.mp4", _FOR_MODELS)
        while (item := self._queue.get()) is not None:
            mosaic, seen, at_s = item
            mosaics.write(mosaic, at_s)
            camera.write(seen, at_s)
        clip, pictures = mosaics.content()
        estimates = tuple(e for e in self._estimates.values() if len(e))
        return Recording(
            self._name,
            clip,
            camera.content()[0],
            estimates,
            self.duration_s,
            pictures,
            self._left_out,
            self._ended,
        )


class _Film:
    """A clip that is opened with its first picture, which decides its size."""

    def __init__(self, path: Path, options: EncodeOptions) -> None:
        self._path, self._options = path, options
        self._writer: ClipWriter | None = None

    def write(self, picture: Pixels, at_s: float) -> None:
        if self._writer is None:
            size = (picture.shape[1], picture.shape[0])
            self._writer = ClipWriter(self._path, size, self._options)
        self._writer.write(_fitted(picture, self._writer.size), at_s)

    def content(self) -> tuple[bytes, int]:
        """The whole file, and how many pictures are in it; InputError where there is none."""
        if self._writer is None:
            raise InputError("Nothing was recorded.", "Start the camera, then record again.")
        self._writer.close()
        return self._path.read_bytes(), self._writer.frame_count


def _fitted(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """The picture in the clip's size: tiles may come and go while it is running."""
    width, height = size
    if picture.shape[:2] == (height, width):
        return picture
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        picture, inner, interpolation=cv2.INTER_AREA
    )
    return canvas
