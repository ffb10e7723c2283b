"""A clip being processed: what is done so far, how long it will take, and a way to stop it."""

from __future__ import annotations

import copy
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

from estimators.analysis.clip import ClipEstimates
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import selected
from estimators.registry import get
from estimators.runtime.api import Runner, memory_by_model
from estimators.workflows.background import BackgroundJob, RunState
from estimators.workflows.clip.notes import UNREADABLE, work_notes
from estimators.workflows.clip.run import ClipSettings, FrameOutcome, needs_mb, run_clip
from estimators.workflows.lasting import Lasting, expected_s, measured
from estimators.workflows.own_folder import linked

# Enough for a model to find the person whom it followed again, and for its filters to settle.
_FRAMES_BEFORE = 15
_NOTHING_KNOWN: Mapping[str, ClipEstimates] = MappingProxyType({})


@dataclass(frozen=True)
class ClipProgress:
    """How far the work is.

    Attributes:
        done, total: frames; `done` counts frames that could not be decoded, too.
        elapsed_s: since the first frame was asked for.
        known: frames of `done` that were done before.
        rate: frames a second so far; 0 before the first.
        left_s: seconds to the end at that rate; None before the first frame.
    """

    done: int
    total: int
    elapsed_s: float
    known: int = 0

    @property
    def rate(self) -> float:
        return (self.done - self.known) / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        return (self.total - self.done) / self.rate if self.rate > 0 else None


class ClipJob(BackgroundJob):
    """One clip through several models; `estimates` grows while it runs and stays when it stops.

    `ran` names the models that it runs; of the others the answers were known.  Where all of those
    were begun before, it goes on from there: the frames before are shown to the models again, so
    that those that follow their person have found it, and count for nothing.

    Args:
        runner: hosts the models.
        clip: from `media.clips.open_clip`.
        settings: what to process.
        wanted: asked between frames; when it says no, the job stops as if cancelled (a viewer who
            closed the page cannot press Cancel any more).
        known: answers of some of the models to the same frames, from the first one on; models that
            have answered all do not run again.

    Raises:
        InputError: an unknown model, no models, or no frame between the limits.
    """

    def __init__(
        self,
        runner: Runner,
        clip: ClipInfo,
        settings: ClipSettings,
        wanted: Callable[[], bool] = lambda: True,
        known: Mapping[str, ClipEstimates] = _NOTHING_KNOWN,
    ) -> None:
        super().__init__("clip-job", wanted, needs_mb(clip, settings))
        size = (clip.width, clip.height)
        self.clip, self.settings = clip, settings
        self.id = uuid.uuid4().hex
        self.estimates = {
            model: known.get(model) or ClipEstimates(model, get(model).skeleton, clip.name, size)
            for model in settings.models
        }
        for model, estimates in self.estimates.items():
            estimates.held_to = get(model).held_to(settings.options(model))
        self._runner = runner
        self._indices = selected(clip, settings.start_s, settings.end_s, settings.stride)
        whole, answered = len(self._indices), {m: len(e) for m, e in self.estimates.items()}
        self.ran = tuple(model for model, frames in answered.items() if frames < whole)
        self._begun = self._done = min((answered[model] for model in self.ran), default=whole)
        self._started_s, self._elapsed_s = 0.0, 0.0
        self._keeping = threading.Lock()
        self._lasting: dict[str, Lasting] = {}
        self._held: ClipInfo | None = None

    @property
    def progress(self) -> ClipProgress:
        elapsed = self._elapsed_s
        if self.state == "running":
            elapsed = time.monotonic() - self._started_s
        return ClipProgress(self._done, len(self._indices), elapsed, self._begun)

    @property
    def failures(self) -> dict[str, int]:
        """For each model with any, the number of frames it gave no answer to."""
        counts = {model: len(e.errors) for model, e in self.estimates.items()}
        return {model: count for model, count in counts.items() if count}

    @property
    def restarts(self) -> dict[str, list[int]]:
        """For each model started anew in mid-clip, the indices of the frames that came next."""
        return {
            m: e.frame_index[e.restarts].tolist() for m, e in self.estimates.items() if e.restarts
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What went wrong, each in a sentence; of a job that has stopped."""
        return tuple(work_notes(self.estimates))

    @property
    def memory_mb(self) -> dict[str, float]:
        """What the process of each of its models holds now; none of those without a process."""
        held = memory_by_model(self._runner.status())
        return {model: held[model] for model in self.settings.models if model in held}

    def so_far(self) -> Self:
        """What is done now as a job of its own that was cancelled here.

        For somebody who will not wait for the rest while others do.
        """
        part = copy.copy(self)
        part.id = uuid.uuid4().hex
        with self._keeping:
            part.estimates = copy.deepcopy(self.estimates)
            part._done, part._elapsed_s = self._done, self.progress.elapsed_s
        part.state, part._thread, part._cancel = "cancelled", None, threading.Event()
        return part

    def start(self) -> None:
        self._lasting, self._held = measured(self._runner), _linked(self.clip)
        super().start()

    def outcomes(self) -> Iterator[FrameOutcome]:
        """Does the work, giving each frame's outcome after `estimates` has it.

        Raises:
            PoseError: the clip could not be read on; what is done stays.
        """
        self._started_s = time.monotonic()
        with self._running(at_once=not self.ran):
            self._started_s = time.monotonic()
            if not self.ran:
                self._done = len(self._indices)
                return
            begun = int(self._indices[self._begun])
            settings = self._what_is_left()
            for outcome in run_clip(self._runner, self._held or self.clip, settings, self._stopped):
                if outcome.frame.index >= begun:
                    self._keep(outcome)
                    yield outcome

    def _what_is_left(self) -> ClipSettings:
        """From where the models stopped, and a little before; what was known is copied, to grow."""
        settings = replace(self.settings, models=self.ran)
        with self._keeping:  # even where one model begins: another may be further
            for model in self.ran:
                self.estimates[model] = copy.deepcopy(self.estimates[model])
        if not self._begun:
            return settings
        follows = any(get(model).stateful for model in self.ran)
        first = max(0, self._begun - (_FRAMES_BEFORE if follows else 0))
        while first > 0:
            frame = self._indices[first]
            settings = replace(settings, start_s=float(self.clip.timestamps_s[frame]))
            limits = (settings.start_s, settings.end_s, settings.stride)
            if selected(self.clip, *limits)[0] == frame:  # no other frame at nearly the same time
                return settings
            first -= 1
        return replace(settings, start_s=self.settings.start_s)

    def run(self) -> None:
        """Does the work.

        Raises:
            PoseError: the clip could not be read on; what is done stays.
        """
        for _ in self.outcomes():
            pass

    def _left_s(self) -> float | None:
        left = self.progress.total - self._done
        told = self.progress.left_s
        return expected_s(dict.fromkeys(self.ran, left), self._lasting) if told is None else told

    def _left(self) -> bool:
        return self._done < len(self._indices)

    def _ended(self, state: RunState) -> None:
        if state == "done":
            self._mark_unreadable(up_to=None)
        self._elapsed_s = time.monotonic() - self._started_s
        if self._held is not None and isinstance(self._held.source, Path):
            self._held.source.unlink(missing_ok=True)
            self._held = None

    def _keep(self, outcome: FrameOutcome) -> None:
        frame = outcome.frame
        with self._keeping:
            self._mark_unreadable(up_to=frame.index)
            for model in self._lacking(frame.index):
                result, estimates = outcome.results.get(model), self.estimates[model]
                if result is None:
                    estimates.append_failed(frame.index, frame.time_s, outcome.failures[model])
                else:
                    estimates.computed(result.placement)
                    times_ms = (result.queue_ms, result.transport_ms)
                    estimates.append(result.estimate, *times_ms, result.restarted, result.busy)
            self._done += 1

    def _mark_unreadable(self, up_to: int | None) -> None:
        """Records the selected frames that decoding left out, up to the frame `up_to`."""
        while self._done < len(self._indices):
            index = int(self._indices[self._done])
            if up_to is not None and index >= up_to:
                return
            time_s = float(self.clip.timestamps_s[index])
            for model in self._lacking(index):
                self.estimates[model].append_failed(index, time_s, UNREADABLE)
            self._done += 1

    def _lacking(self, index: int) -> list[str]:
        """The models that have not answered the frame yet; some were further before."""
        known = {model: self.estimates[model].frame_index for model in self.ran}
        return [model for model, seen in known.items() if not len(seen) or seen[-1] < index]


def _linked(clip: ClipInfo) -> ClipInfo | None:
    """The clip by a name of this server's own; None where its file can have no second one."""
    link = linked(clip.source) if isinstance(clip.source, Path) else None
    return None if link is None else replace(clip, source=link)
