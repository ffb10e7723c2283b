"""The annotated clip to take away, H.264, with the frames' own times.

One tile a model, or all models in one picture; a legend stands below.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.scale import found
from estimators.decode.clips import frames, sound_of
from estimators.media.clip_info import ClipInfo
from estimators.media.encode import ClipWriter, EncodeOptions
from estimators.registry import get
from estimators.render.draw import Layer, draw_all
from estimators.render.legend import Entry, legend, plan_legend
from estimators.render.mosaic import Layout, Tile, message_tile, mosaic, plan_mosaic
from estimators.render.style import ALL_IN_ONE, PoseStyle, model_styles
from estimators.types import Frame, PoseSet
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.run import ClipSettings

MOSAIC_WIDTH = 1920
# Frames that may wait to be drawn and encoded, each with its picture.
_WAITING = 2


@dataclass(frozen=True)
class Look:
    """How the poses are drawn.

    Attributes:
        joint_thresholds, pose_thresholds: by model, on its own scale; the registry's where absent.
        styles: by model; the usual colours where absent.
        together: all models in one picture, in place of a tile each.
    """

    joint_thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    pose_thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    styles: Mapping[str, PoseStyle] = field(default_factory=lambda: MappingProxyType({}))
    together: bool = False


DEFAULT_LOOK = Look()


class AnnotatedClip:
    """Draws and writes in a thread of its own, while the next frames are read.

    Use it as a context manager: leaving it finishes the file, leaving it by an error drops it.  Set
    `early` before leaving when the work was cancelled: the sound then ends with the last picture.

    Args:
        path: of the MP4 file.
        clip: whose frames come; its sound is taken along when `settings` cover all of it.
        settings: what of the clip comes.
        look: how the poses are drawn.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(
        self, path: Path, clip: ClipInfo, settings: ClipSettings, look: Look = DEFAULT_LOOK
    ) -> None:
        self._clip, self._settings, self._look = clip, settings, look
        tiles = 1 if look.together else len(settings.models)
        layout = plan_mosaic(tiles, clip.width, clip.height, MOSAIC_WIDTH)
        self._styles = {**model_styles(settings.models), **look.styles}
        entries = [Entry(get(model).title, self._styles[model]) for model in settings.models]
        planned = plan_legend([entry.text for entry in entries], layout.width)
        self._legend = legend(entries, planned)
        self._layout = replace(layout, footer=planned.height)
        whole = settings.start_s is None and settings.end_s is None
        options = EncodeOptions(clip.time_base, last_frame_s=self._last_frame_s())
        size = (self._layout.width, self._layout.height)
        self._writer = ClipWriter(path, size, options, sound_of(clip) if whole else None)
        self._origin_s: float | None = 0.0 if whole else None
        self._queue: queue.Queue[_Picture | None] = queue.Queue(_WAITING)
        self._error: Exception | None = None
        self.early = False
        self._thread = threading.Thread(target=self._work, name="annotate", daemon=True)
        self._thread.start()

    def add(self, frame: Frame, poses: Mapping[str, PoseSet], failures: Mapping[str, str]) -> None:
        """Queues a frame with each model's poses (pixels of the clip) or reason for having none.

        Raises:
            InputError: an earlier frame could not be written.
        """
        if self._error is not None:
            raise self._error
        self._queue.put(_Picture(frame, poses, failures))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._error is None:
            self._writer.close(early=self.early)
        else:
            self._writer.discard()
        if kind is None and self._error is not None:
            raise self._error

    @property
    def side(self) -> int:
        """Longest side of a tile's picture: larger frames take memory and show no more."""
        return max(self._layout.tile_width, self._layout.tile_height)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the file (sound left out, ...)."""
        return self._writer.notes

    def _last_frame_s(self) -> float:
        """How long the last processed frame is shown: until the next one processed would be."""
        stride, last_s = self._settings.stride, self._clip.last_frame_s
        return last_s + (stride - 1) * last_s

    def _work(self) -> None:
        while (picture := self._queue.get()) is not None:
            if self._error is not None:
                continue  # keeps the queue moving until the caller notices
            try:
                self._write(picture)
            except Exception as error:  # noqa: BLE001  # raised again in the caller's thread
                self._error = error

    def _write(self, picture: _Picture) -> None:
        if self._origin_s is None:
            self._origin_s = picture.frame.time_s
        models = self._settings.models
        tiles = [] if self._look.together else [self._tile(model, picture) for model in models]
        if self._look.together or self._layout.free:
            tiles.append(self._together(picture))
        image = mosaic(tiles, self._layout)
        image[len(image) - len(self._legend) :] = self._legend
        self._writer.write(image, picture.frame.time_s - self._origin_s)

    def _tile(self, model: str, picture: _Picture) -> Tile:
        spec, style = get(model), self._styles[model]
        tile = Tile(picture.scaled(self._layout), spec.title, colour=style.colour)
        if model not in picture.poses:
            return message_tile(tile, picture.failures.get(model, "No answer for this frame."))
        pose_threshold = self._look.pose_thresholds.get(model, spec.default_pose_threshold)
        layer = self._layer(model, picture.poses[model])
        people = int(found(picture.poses[model], layer.threshold, pose_threshold).sum())
        note = "1 person" if people == 1 else f"{people} people"
        return replace(tile, image=draw_all(tile.image, [layer]), note=note)

    def _together(self, picture: _Picture) -> Tile:
        layers = [self._layer(model, poses) for model, poses in picture.poses.items()]
        lacking = [get(model).title for model in picture.failures]
        note = f"no answer: {', '.join(lacking)}" if lacking else ""
        return Tile(draw_all(picture.scaled(self._layout), layers), ALL_IN_ONE, note)

    def _layer(self, model: str, poses: PoseSet) -> Layer:
        """One model's people in pixels of a tile."""
        spec, layout, clip = get(model), self._layout, self._clip
        over = poses.strong(self._look.pose_thresholds.get(model, spec.default_pose_threshold))
        by = layout.tile_width / clip.width, layout.tile_height / clip.height
        threshold = self._look.joint_thresholds.get(model, spec.default_threshold)
        return Layer(replace(over, box_xyxy=None).scaled(*by), self._styles[model], threshold)


class _Picture:
    """A frame on its way into the file; scaled once for all its tiles."""

    def __init__(
        self, frame: Frame, poses: Mapping[str, PoseSet], failures: Mapping[str, str]
    ) -> None:
        self.frame, self.poses, self.failures = frame, poses, failures
        self._scaled: NDArray[np.uint8] | None = None

    def scaled(self, layout: Layout) -> NDArray[np.uint8]:
        if self._scaled is None:
            size = (layout.tile_width, layout.tile_height)
            image = self.frame.image
            if size == (self.frame.width, self.frame.height):
                self._scaled = image
            else:
                shrinks = size[0] < self.frame.width
                method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
                self._scaled = np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
        return self._scaled


def annotate(
    job: ClipJob,
    path: Path,
    look: Look = DEFAULT_LOOK,
    progress: Callable[[int, int], None] = lambda done, total: None,
    clip: ClipInfo | None = None,
) -> tuple[str, ...]:
    """Writes the annotated file of a job that has stopped; reads the clip again.

    Args:
        progress: called with frames done and in all; an exception raised in it ends the work and
            leaves nothing behind.
        clip: the same clip where the job's own file may be gone.

    Returns:
        What a person should know about the file.

    Raises:
        InputError: the clip cannot be read again or the file cannot be written.
    """
    settings, clip = job.settings, clip or job.clip
    answers = {model: _Answers(e) for model, e in job.estimates.items()}
    # Where the work was cancelled, models whose answers were known before have more frames.
    end, total = min(a.last for a in answers.values()), min(len(a) for a in answers.values())
    with AnnotatedClip(path, clip, settings, look) as annotated:
        side = min(settings.longest_side or annotated.side, annotated.side)
        wanted = frames(clip, settings.start_s, settings.end_s, settings.stride, side)
        for done, frame in enumerate(wanted):
            if frame.index > end:
                break
            progress(done, total)
            poses = {
                m: found for m, a in answers.items() if (found := a.poses(frame.index)) is not None
            }
            failures = {m: a.failure(frame.index) for m, a in answers.items() if m not in poses}
            annotated.add(frame, poses, failures)
        annotated.early = job.state != "done"
    return annotated.notes


class _Answers:
    """One model's answers by the frame's index."""

    def __init__(self, estimates: ClipEstimates) -> None:
        self._estimates = estimates
        self._rows = {int(index): row for row, index in enumerate(estimates.frame_index)}
        self.last = max(self._rows, default=-1)

    def __len__(self) -> int:
        return len(self._rows)

    def poses(self, index: int) -> PoseSet | None:
        row = self._rows.get(index)
        return None if row is None or row in self._estimates.errors else self._estimates.poses(row)

    def failure(self, index: int) -> str:
        row = self._rows.get(index)
        return "Not processed." if row is None else self._estimates.errors.get(row, "")
