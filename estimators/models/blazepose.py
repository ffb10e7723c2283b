"""BlazePose through MediaPipe Tasks: 33 joints and world landmarks.

Two running modes of the same file.  IMAGE finds every person anew; VIDEO follows the person from
frame to frame and smooths the landmarks over time, as MediaPipe intends it for clips.

Asked for more than one person in a clip, MediaPipe runs its detector on every frame, leaves the
landmarks unsmoothed and swaps the order of the people, so a clip follows one person unless more
are asked for (`ModelSpec.clip_people`).  In pictures the higher limit costs nothing: the first
person is the same, and time grows only with the people that are there.

Positions are MediaPipe's normalised landmarks times the frame's width and height, nothing added.
Flipping 104 pictures of the sample clips puts the systematic offset of that convention between
-0.2 and +0.8 pixels for people 180 to 730 pixels tall, which is far below the model's own scatter,
so the numbers stay those that every other user of MediaPipe gets.

The score of a joint is MediaPipe's `visibility` (inside the picture and not hidden); its second
figure, `presence` (inside the picture), is not kept, because visibility already contains it.

MediaPipe's Python interface has no setting for CPU threads, so `threads` has no effect here.

OpenCV inside MediaPipe addresses pixels with 16-bit numbers and aborts the process on a longer
side, so such a picture (a screenshot of a whole web page) is made smaller first.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from estimators import libraries
from estimators.errors import ModelError, ModelLoadError
from estimators.skeletons import BLAZEPOSE_33, COCO_17
from estimators.stages import StageTimer
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet

if TYPE_CHECKING:
    from estimators.specs import ModelSpec

_LOG = logging.getLogger(__name__)
_COCO_JOINTS = [BLAZEPOSE_33.index(joint) for joint in COCO_17.joints]

# OpenCV asserts that sides are shorter than SHRT_MAX, 32,767.
_LONGEST_SIDE = 32_766


def load(spec: ModelSpec, weights: Path, threads: int) -> BlazePoseModel:
    """Loads a `.task` bundle; see `estimators.registry.load`.

    Raises:
        ModelLoadError: MediaPipe cannot be imported, or the file is not a pose landmarker bundle.
    """
    del threads  # see the module's docstring
    try:
        vision = _import_mediapipe()
    except (ImportError, OSError) as error:
        raise ModelLoadError(
            f"{spec.title} needs MediaPipe, which could not be imported: {error}",
            libraries.cure(error) or "Install requirements.txt.",
        ) from error
    return BlazePoseModel(vision, spec, weights)


def _import_mediapipe() -> Any:
    """The `mediapipe.tasks.python.vision` module, imported without TensorFlow.

    MediaPipe imports TensorFlow when it is installed, for nothing but a documentation decorator:
    650 MB and two seconds.  None in `sys.modules` makes that import fail, which it handles.
    """
    blocked = "tensorflow" not in sys.modules
    if blocked:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # documented use of None
    try:
        from mediapipe.tasks.python import vision
    finally:
        if blocked:
            del sys.modules["tensorflow"]
    return vision


@contextmanager
def _native_log() -> Iterator[None]:
    """Sends what native code writes to stderr to our debug log.

    MediaPipe's C++ library writes four harmless warnings for each new landmarker and reads no
    setting that would stop it.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as capture:
        os.dup2(capture.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            capture.seek(0)
            for line in capture.read().decode(errors="replace").splitlines():
                _LOG.debug("MediaPipe: %s", line)


class BlazePoseModel:
    """One `.task` bundle; a `estimators.types.PoseModel`."""

    def __init__(self, vision: Any, spec: ModelSpec, weights: Path) -> None:
        self._vision = vision
        self._spec = spec
        self._weights = weights
        # Pictures have no state, so all who look at pictures share one landmarker a limit.
        self._for_pictures: dict[int, Any] = {}
        self.picture_landmarker(spec.max_people)

    def open(self, options: EstimatorOptions) -> BlazePoseEstimator:
        """A new estimator."""
        return BlazePoseEstimator(self, self._spec.people_limit(options), options.video)

    def close(self) -> None:
        """Frees the shared landmarkers."""
        while self._for_pictures:
            self._for_pictures.popitem()[1].close()

    def picture_landmarker(self, people: int) -> Any:
        """The shared landmarker in IMAGE mode that finds up to `people` people."""
        if people not in self._for_pictures:
            self._for_pictures[people] = self.new_landmarker(people, video=False)
        return self._for_pictures[people]

    def new_landmarker(self, people: int, video: bool) -> Any:
        """A fresh MediaPipe PoseLandmarker; the caller closes it."""
        from mediapipe.tasks.python import BaseOptions

        mode = self._vision.RunningMode
        options = self._vision.PoseLandmarkerOptions(
            base_options=BaseOptions(
                model_asset_path=str(self._weights), delegate=BaseOptions.Delegate.CPU
            ),
            running_mode=mode.VIDEO if video else mode.IMAGE,
            num_poses=people,
        )
        try:
            with _native_log():
                return self._vision.PoseLandmarker.create_from_options(options)
        except (ValueError, RuntimeError, OSError) as error:
            if library := libraries.missing(error):
                raise ModelLoadError(
                    f"{self._spec.title}: MediaPipe needs {library}, a library of the system that "
                    "cannot be opened here.",
                    libraries.cure(error),
                ) from error
            raise ModelLoadError(
                f"{self._spec.title}: MediaPipe cannot use {self._weights.name}: "
                f"{_first_line(error)}",
                f"Delete {self._weights} so that it is fetched again.",
            ) from error


class BlazePoseEstimator:
    """One picture sequence through BlazePose; a `estimators.types.PoseEstimator`."""

    def __init__(self, model: BlazePoseModel, people: int, video: bool) -> None:
        self._model = model
        self._people = people
        self._video = video
        self._landmarker: Any = None
        self._last_ms = -1
        self._closed = False

    def estimate(self, frame: Frame) -> Estimate:
        """See `estimators.types.PoseEstimator.estimate`.

        Raises:
            ModelError: the estimator was closed, or MediaPipe refused the frame.
        """
        if self._closed:
            raise ModelError("This BlazePose estimator was closed.", "Open a new one.")
        timer = StageTimer()
        pixels, factor = _fitted(frame.image)
        image = _to_mediapipe(pixels)
        timer.done()
        result = self._detect(image, frame)
        timer.done()
        height, width = pixels.shape[:2]
        poses = _to_poses(result, (width * factor, height * factor))
        return timer.estimate(frame, poses)

    def reset(self) -> None:
        """Forgets the person that was followed; MediaPipe needs a new landmarker for that."""
        if self._landmarker is not None and self._video:
            self._landmarker.close()
        self._landmarker = None
        self._last_ms = -1

    def close(self) -> None:
        self.reset()
        self._closed = True

    def _detect(self, image: Any, frame: Frame) -> Any:
        try:
            if self._landmarker is not None:
                return self._run(image, frame)
            self._landmarker = (
                self._model.new_landmarker(self._people, video=True)
                if self._video
                else self._model.picture_landmarker(self._people)
            )
            with _native_log():
                return self._run(image, frame)
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"MediaPipe failed on frame {frame.index} "
                f"({frame.width}×{frame.height}): {_first_line(error)}",
                "Try another picture; if it happens again, report it with the picture.",
            ) from error

    def _run(self, image: Any, frame: Frame) -> Any:
        if not self._video:
            return self._landmarker.detect(image)
        # VIDEO mode refuses a time that does not grow; clips repeat times after rounding to
        # milliseconds, and jump back when somebody seeks.
        self._last_ms = max(round(frame.time_s * 1000), self._last_ms + 1)
        return self._landmarker.detect_for_video(image, self._last_ms)


def _fitted(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """The picture as MediaPipe takes it, and how many of its pixels one of them stands for.

    A side that is too long makes both shorter by the same whole factor, each pixel the mean of a
    square (edges repeated to fill the last ones).
    """
    factor = -(-max(image.shape[:2]) // _LONGEST_SIDE)
    if factor == 1:
        return image, 1
    height, width = image.shape[:2]
    image = np.pad(image, ((0, -height % factor), (0, -width % factor), (0, 0)), "edge")
    total = np.zeros((image.shape[0] // factor, image.shape[1] // factor, 3), np.uint32)
    for row in range(factor):
        for column in range(factor):
            total += image[row::factor, column::factor]
    return (total // factor**2).astype(np.uint8), factor


def _to_mediapipe(image: NDArray[np.uint8]) -> Any:
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)


def _to_poses(result: Any, size: tuple[int, int]) -> PoseSet:
    """MediaPipe's landmarks, normalised to `size` (width, height), as poses in pixels."""
    if not result.pose_landmarks:
        return PoseSet.empty(BLAZEPOSE_33)
    points = np.array(
        [[(p.x, p.y, p.visibility) for p in person] for person in result.pose_landmarks],
        np.float64,
    )
    world = np.array(
        [[(p.x, p.y, p.z) for p in person] for person in result.pose_world_landmarks], np.float32
    )
    pose_score = points[:, _COCO_JOINTS, 2].mean(axis=1)
    # MediaPipe does not rank people; everywhere else the strongest comes first.
    ranked = np.argsort(-pose_score, kind="stable")
    return PoseSet(
        skeleton=BLAZEPOSE_33,
        xy=(points[ranked, :, :2] * size).astype(np.float32),
        score=points[ranked, :, 2].astype(np.float32),
        pose_score=pose_score[ranked].astype(np.float32),
        world_m=world[ranked],
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
