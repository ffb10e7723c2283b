"""What an adapter measures: the three stages of an estimate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from estimators.types import Estimate, Frame, PoseSet, Timings


class StageTimer:
    """Measures one estimate: made when preprocessing begins, told when a stage is done.

    `settle` waits for what was asked of a GPU, which works while Python goes on.
    """

    def __init__(self, settle: Callable[[], None] = lambda: None) -> None:
        self._settle = settle
        self._marks_s = [time.perf_counter()]

    def done(self) -> None:
        """Preprocessing, then inference is done and the next stage begins."""
        self._settle()
        self._marks_s.append(time.perf_counter())

    def estimate(self, frame: Frame, poses: PoseSet) -> Estimate:
        """`poses` as the answer about `frame`; postprocessing is done by now."""
        return self.estimates([frame], [poses])[0]

    def estimates(self, frames: Sequence[Frame], poses: Sequence[PoseSet]) -> list[Estimate]:
        """The answers about frames that went through together; each took an equal share."""
        started, prepared, inferred = self._marks_s
        share = 1000 / len(frames)
        timings = Timings(
            preprocess=(prepared - started) * share,
            inference=(inferred - prepared) * share,
            postprocess=(time.perf_counter() - inferred) * share,
        )
        return [
            Estimate(found, timings, frame.index, frame.time_s)
            for frame, found in zip(frames, poses, strict=True)
        ]
