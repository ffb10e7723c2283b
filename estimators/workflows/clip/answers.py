"""One model's answers to a whole clip as a file, and several models' as the job that had them all.

On a cluster each model works through a clip by itself; what needs all of them (who is who,
agreement, the annotated video) is made from what they left, once.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from estimators.analysis.clip import ClipEstimates
from estimators.devices import Placement
from estimators.errors import InputError
from estimators.media.clip_info import ClipInfo
from estimators.registry import ModelSpec, get
from estimators.runtime.api import Runner
from estimators.types import Estimate, PoseSet, Timings
from estimators.workflows.background import RunState
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.run import ClipSettings, FrameOutcome

FORMAT = "pose-clip-answers/1"
_COLUMNS = ("xy", "score", "pose_score")
_ARRAYS = ("frame_index", "time_s", "offsets", "timings_ms", *_COLUMNS)
_OPTIONAL = ("box_xyxy", "world_m")
# What a damaged file may end with.
_DAMAGED = (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True, eq=False)
class ClipAnswers:
    """What one model made of a clip.

    Attributes:
        error: why the clip could not be read on behind the last frame, "" where it was.
        memory_mb: what the model's process held, None where that is not known.
        elapsed_s: how long it took.
    """

    estimates: ClipEstimates
    error: str = ""
    memory_mb: float | None = None
    elapsed_s: float = 0.0

    @classmethod
    def of(cls, job: ClipJob, model: str) -> ClipAnswers:
        """Of a job that has stopped."""
        memory_mb, elapsed_s = job.memory_mb.get(model), job.progress.elapsed_s
        return cls(job.estimates[model], job.error, memory_mb, elapsed_s)

    def packed(self) -> bytes:
        """As a file: a ZIP of arrays (NumPy's .npz), bit by bit as they are."""
        e = self.estimates
        told = {
            "format": FORMAT,
            "errors": {str(row): why for row, why in e.errors.items()},
            "restarts": e.restarts,
            "busy": np.flatnonzero(e.busy).tolist(),
            "placements": [[row, where.as_data()] for row, where in e.placements],
            "error": self.error,
            "memory_mb": self.memory_mb,
            "elapsed_s": self.elapsed_s,
        }
        arrays = {name: getattr(e, name) for name in (*_ARRAYS, *_OPTIONAL)}
        content = io.BytesIO()
        np.savez_compressed(
            content,
            told=np.frombuffer(json.dumps(told).encode(), np.uint8),
            **{name: array for name, array in arrays.items() if array is not None},
        )
        return content.getvalue()


def unpacked(content: bytes, spec: ModelSpec, clip: ClipInfo) -> ClipAnswers:
    """What `packed` gave, of `clip`, whatever it was called then.

    Raises:
        ValueError: it is damaged.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        told = json.loads(arrays.pop("told").tobytes())
        if told["format"] != FORMAT:
            raise ValueError("it is of another kind")
        estimates = ClipEstimates(spec.key, spec.skeleton, clip.name, (clip.width, clip.height))
        _fill(estimates, arrays, told)
        return ClipAnswers(estimates, told["error"], told["memory_mb"], told["elapsed_s"])
    except _DAMAGED as error:
        raise ValueError(f"{spec.title}'s answers to {clip.name} are damaged: {error}") from error


def _fill(e: ClipEstimates, arrays: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Appends every frame as it was appended then."""
    errors, (restarts, busy) = told["errors"], (set(told[name]) for name in ("restarts", "busy"))
    placements = {row: Placement(**where) for row, where in told["placements"]}
    offsets = arrays["offsets"]
    for row, index in enumerate(arrays["frame_index"].tolist()):
        time_s = float(arrays["time_s"][row])
        e.computed(placements.get(row))
        if (why := errors.get(str(row))) is not None:
            e.append_failed(index, time_s, why)
            continue
        people = slice(offsets[row], offsets[row + 1])
        columns = {n: arrays[n][people] for n in (*_COLUMNS, *_OPTIONAL) if n in arrays}
        stages = [float(ms) for ms in arrays["timings_ms"][row]]
        estimate = Estimate(PoseSet(e.skeleton, **columns), Timings(*stages[:3]), index, time_s)
        queue_ms, transport_ms = stages[3:]
        e.append(estimate, queue_ms, transport_ms, row in restarts, row in busy)


class MergedClipJob(ClipJob):
    """A clip whose models have answered elsewhere, as the job that asked all of them would be.

    Args:
        clip: from `media.clips.open_clip`.
        settings: what was processed.
        parts: of each model what `ClipAnswers.packed` gave, or why it answered nothing.

    Raises:
        InputError: an unknown model, no models, or no frame between the limits.
        ValueError: a part is damaged.
    """

    def __init__(
        self, clip: ClipInfo, settings: ClipSettings, parts: Mapping[str, bytes | str]
    ) -> None:
        given = {
            model: unpacked(part, get(model), clip)
            for model, part in parts.items()
            if isinstance(part, bytes)
        }
        known = {model: answers.estimates for model, answers in given.items()}
        # Nothing is asked any more, so nobody hosts the models.
        super().__init__(cast(Runner, None), clip, settings, known=known)
        self._given = given
        for model, part in parts.items():
            if isinstance(part, str):
                self._fail(self.estimates[model], part)
        self.ran, self._begun = settings.models, 0
        self._done = min(map(len, self.estimates.values()))

    def _fail(self, estimates: ClipEstimates, why: str) -> None:
        for index in self._indices.tolist():
            estimates.append_failed(index, float(self.clip.timestamps_s[index]), why)

    @property
    def memory_mb(self) -> dict[str, float]:
        """What each model's process held where it ran."""
        held = {model: answers.memory_mb for model, answers in self._given.items()}
        return {model: mb for model, mb in held.items() if mb is not None}

    def outcomes(self) -> Iterator[FrameOutcome]:
        """Nothing is left to do.

        Raises:
            InputError: the clip could not be read on; what is done is there.
        """
        with self._running(at_once=True):
            yield from ()
            errors = [answers.error for answers in self._given.values() if answers.error]
            if errors:
                raise InputError(errors[0])

    def _ended(self, state: RunState) -> None:
        self._elapsed_s = sum(answers.elapsed_s for answers in self._given.values())
