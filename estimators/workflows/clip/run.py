"""Every model on every frame of a clip: the same decoded frame, one model after another.

The models take turns rather than running at once.  The next frames are decoded meanwhile, which
costs whoever answers then some of the cores: such an answer is `busy`.  On every few frames
decoding waits, and it is those whose latencies are the models' own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, replace
from itertools import islice

from estimators.decode.clips import frames
from estimators.devices import MOST_TOGETHER, gpu_seen
from estimators.errors import (
    ModelCrashedError,
    ModelError,
    ModelTimeoutError,
    PoseError,
    PutAsideError,
)
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import in_clip_pixels, processed_size
from estimators.registry import get
from estimators.runtime.api import Runner, RunResult, Session
from estimators.types import EstimatorOptions, Frame
from estimators.workflows.clip.prefetched import Prefetched
from estimators.workflows.room import DECODER_MB, pictures_mb
from estimators.workflows.together import QUIET

# Decoded frames that may wait for the models, and bytes that they may take; one at least.
FRAMES_AHEAD, _BYTES_AHEAD = 3, 25_000_000
# A model that failed on this many frames running is left out of the rest of the clip: with a hang
# of half a minute each, trying on would hold up the others for hours.
GIVE_UP_AFTER = 5
# Not on the first frame, which has the cold starts.  With frames waiting, to pause costs nothing.
_QUIET_EVERY = 4


@dataclass(frozen=True)
class ClipSettings:
    """What of a clip is processed, and how.

    Attributes:
        models: keys of the models.
        start_s, end_s: the part of the clip, in seconds from its first frame; None for its ends.
        stride: every n-th frame.
        longest_side: larger frames are made smaller before the models see them; None: as they are.
        people: (model, most people it is asked for) where that is not what it follows anyway.
        devices: (model, where it computes) where that is not where the runner was told.
    """

    models: tuple[str, ...]
    start_s: float | None = None
    end_s: float | None = None
    stride: int = 1
    longest_side: int | None = None
    people: tuple[tuple[str, int], ...] = ()
    devices: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """One form for one meaning, so that equal settings compare equal."""
        asked = dict(self.people)
        people = tuple((m, asked[m]) for m in self.models if m in asked and _matters(m, asked[m]))
        object.__setattr__(self, "people", people)
        devices = tuple((m, wish) for m, wish in self.devices if m in self.models)
        object.__setattr__(self, "devices", devices)

    def options(self, model: str) -> EstimatorOptions:
        """How `model` is used."""
        people, device = dict(self.people).get(model), dict(self.devices).get(model, "")
        return EstimatorOptions(video=True, max_people=people, device=device)


def _matters(model: str, people: int) -> bool:
    spec = get(model)
    usual = spec.people_limit(EstimatorOptions(video=True))
    return spec.people_limit(EstimatorOptions(video=True, max_people=people)) != usual


@dataclass(frozen=True, eq=False)
class FrameOutcome:
    """What the models made of one frame.

    Attributes:
        frame: the decoded frame that all of them saw.
        results: the answer of each model that gave one; poses in pixels of the original clip.
        failures: the reason, in plain words, of each model that failed on this frame.
    """

    frame: Frame
    results: Mapping[str, RunResult]
    failures: Mapping[str, str]


class _ModelInClip:
    """One model's session through a clip, with its memory of failures.

    Attributes:
        batch: most frames that it takes in one forward, as far as that is known.
    """

    def __init__(self, session: Session, cancelled: Callable[[], bool]) -> None:
        self.batch = 1
        self._session = session
        self._cancelled = cancelled
        self._failed_running = 0
        self._gave_up = ""

    def estimate(self, frame: Frame) -> RunResult:
        """The answer; a frame in which the model's process died is tried once more.

        Raises:
            PoseError: it failed (twice where its process died), or was given up earlier.
        """
        if self._gave_up:
            raise PoseError(self._gave_up)
        try:
            result = self._retried(frame)
        except PoseError as error:
            self._failed_running += 1
            if self._failed_running >= GIVE_UP_AFTER:
                self._gave_up = f"Left out after {GIVE_UP_AFTER} failed frames running: {error}"
            raise
        return self._answered(result)

    def answers(self, frames: Sequence[Frame]) -> Iterator[RunResult | PoseError]:
        """The answer to each, or why there is none; together where the model takes several."""
        given: Sequence[RunResult | PoseError | None] = [None] * len(frames)
        if 1 < len(frames) <= self.batch and not self._gave_up:
            with suppress(PoseError):  # then each by itself, as ever
                given = self._session.estimate_together(frames)
        for frame, answer in zip(frames, given, strict=True):
            if isinstance(answer, RunResult):
                yield self._answered(answer)
                continue
            try:
                yield self.estimate(frame)
            except PoseError as error:
                yield error

    def _answered(self, result: RunResult) -> RunResult:
        self._failed_running = 0
        self.batch = result.placement.batch
        return result

    def _retried(self, frame: Frame) -> RunResult:
        """The answer, asked for again where the process died or did not answer."""
        try:
            return self._asked(frame)
        except (ModelCrashedError, ModelTimeoutError):
            return self._asked(frame)

    def _asked(self, frame: Frame) -> RunResult:
        """The answer; waits where the runner does not try the model again at once."""
        try:
            return self._session.estimate(frame)
        except ModelError as error:
            # A clip in step with other models does not wait for one that was lost so often.
            if not error.retry_after_s or isinstance(error, PutAsideError):
                raise
            until_s = time.monotonic() + error.retry_after_s
            while time.monotonic() < until_s:
                if self._cancelled():
                    raise
                time.sleep(0.05)
        return self._session.estimate(frame)


def run_clip(
    runner: Runner,
    clip: ClipInfo,
    settings: ClipSettings,
    cancelled: Callable[[], bool] = lambda: False,
    viewer: str = "",
) -> Iterator[FrameOutcome]:
    """The outcome of each frame, in order, as soon as every model has answered.

    Each model gets the clip as a session of its own, with a fresh state.  Frames are decoded in a
    thread of their own, a few ahead.

    Args:
        cancelled: asked before each model's turn; the frame in work is then dropped.
        viewer: whose work it is; requests of different viewers take turns.

    Raises:
        InputError: an unknown model, no frame between the limits, or an unreadable clip.
    """
    wanted = (settings.start_s, settings.end_s, settings.stride, settings.longest_side)
    ahead = _frames_ahead(clip, settings)
    with ExitStack() as stack:
        sessions = {
            model: _ModelInClip(
                stack.enter_context(runner.open(model, settings.options(model), viewer)), cancelled
            )
            for model in settings.models
        }
        decoded = stack.enter_context(Prefetched(frames(clip, *wanted), ahead, runner.occupied))
        done, most = 0, _most_together(clip, settings)
        while block := _taken(decoded, _together(sessions.values(), done, most)):
            answers: dict[str, list[RunResult | PoseError]] = {model: [] for model in sessions}
            # Where frames go together later, the first ones tell what the models themselves take.
            quiet = len(block) == 1 and done and (most > 1 or done % _QUIET_EVERY == 1)
            with decoded.paused() if quiet else nullcontext():
                for model, session in sessions.items():
                    given = session.answers(block)
                    while not cancelled() and (answer := next(given, None)) is not None:
                        answers[model].append(answer)
                    if len(answers[model]) < len(block):
                        return
            for number, frame in enumerate(block):
                about = {model: given[number] for model, given in answers.items()}
                yield _outcome(frame, about, clip, settings.longest_side)
            done += len(block)


def _taken(decoded: Iterator[Frame], count: int) -> list[Frame]:
    """The next frames; those before an error, which the next call raises again."""
    block: list[Frame] = []
    try:
        block.extend(islice(decoded, count))
    except PoseError:
        if not block:
            raise
    return block


def _together(sessions: Iterable[_ModelInClip], done: int, most: int) -> int:
    """How many frames are asked about at once; the first ones tell each model's own latency."""
    return 1 if done < QUIET else min(most, max(session.batch for session in sessions))


def _most_together(clip: ClipInfo, settings: ClipSettings) -> int:
    """For one forward of a GPU, as far as they fit into memory."""
    if not (gpu_seen() and any(get(model).cuda for model in settings.models)):
        return 1
    width, height = processed_size(clip, settings.longest_side)
    return max(1, min(MOST_TOGETHER, _BYTES_AHEAD // (3 * width * height)))


def _outcome(
    frame: Frame,
    answers: Mapping[str, RunResult | PoseError],
    clip: ClipInfo,
    longest_side: int | None,
) -> FrameOutcome:
    results = {
        model: _in_clip_pixels(answer, clip, longest_side)
        for model, answer in answers.items()
        if isinstance(answer, RunResult)
    }
    failures = {m: str(answer) for m, answer in answers.items() if isinstance(answer, PoseError)}
    return FrameOutcome(frame, results, failures)


def needs_mb(clip: ClipInfo, settings: ClipSettings) -> float:
    """What `run_clip` holds at most: the frames on their way, and the clip's decoder with its own.

    A decoder keeps about eight frames of one and a half bytes a pixel.
    """
    # Those that are asked about, and the one just read.
    held = _frames_ahead(clip, settings) + _most_together(clip, settings) + 1
    waiting = pictures_mb(*processed_size(clip, settings.longest_side), held)
    return DECODER_MB + waiting + pictures_mb(clip.width, clip.height, 4)


def _frames_ahead(clip: ClipInfo, settings: ClipSettings) -> int:
    width, height = processed_size(clip, settings.longest_side)
    most = max(FRAMES_AHEAD, _most_together(clip, settings))
    return max(1, min(most, _BYTES_AHEAD // (3 * width * height)))


def _in_clip_pixels(result: RunResult, clip: ClipInfo, longest_side: int | None) -> RunResult:
    poses = in_clip_pixels(result.estimate.poses, clip, longest_side)
    return replace(result, estimate=replace(result.estimate, poses=poses))
