"""The answers to one clip with the person's thresholds applied: what all of the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from estimators.analysis.over_time import DisputedFrame
from estimators.analysis.thresholds import Thresholds
from estimators.registry import MODELS, ModelSpec
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.job import ClipJob
from pages.ui.colours import colours, variants
from pages.ui.settings import Settings
from pages.ui.video.clips import ChosenClip
from pages.ui.video.kept import made

ThresholdKey = tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, eq=False)
class ClipComparison:
    """The models' answers to one clip, and how they compare.

    Attributes:
        clip: this viewer's own file; another viewer's may have been processed.
        job: one that has stopped.
        analysis: of its answers at the thresholds in `settings`.
    """

    clip: ChosenClip
    settings: Settings
    job: ClipJob
    analysis: ClipAnalysis

    @classmethod
    def of(cls, clip: ChosenClip, settings: Settings, job: ClipJob) -> ClipComparison:
        thresholds = tuple(
            (key, settings.joint_threshold(key), settings.pose_threshold(key))
            for key in job.settings.models
        )
        return cls(clip, settings, job, _analysed(job, thresholds))

    @property
    def specs(self) -> Sequence[ModelSpec]:
        return [MODELS[key] for key in self.job.settings.models]

    @property
    def key(self) -> str:
        """Differs whenever answers or thresholds do."""
        return f"{self.job.id}{sorted(self.analysis.thresholds.items())}"

    @cached_property
    def colours(self) -> Mapping[str, str]:
        """#rrggbb a model, as in the sidebar's comparison where it is part of that."""
        return colours(self.specs) | colours(self.settings.specs())

    @cached_property
    def variants(self) -> Mapping[str, int]:
        """Which of its family every model is, as `colours.variants` counts."""
        return variants(self.specs) | variants(self.settings.specs())

    @cached_property
    def disputed(self) -> Sequence[DisputedFrame]:
        """The most disputed frames in the order of the clip."""
        return sorted(self.analysis.report.disputed(), key=lambda frame: frame.frame_index)

    def failed(self, model: str) -> str:
        """Why the model gave no answer at all, "" if it gave any."""
        estimates = self.analysis.estimates[model]
        answered = len(estimates) - len(estimates.errors)
        return "" if answered else next(iter(estimates.errors.values()), "No frame was processed.")


def why(frame: DisputedFrame) -> str:
    """What is disputed in a frame, in words."""
    one, other = (MODELS[key].title for key in frame.models)
    if frame.joint is None:
        return f"person {frame.person}: seen by one of {one} and {other} only"
    joint = frame.joint.replace("_", " ")
    return f"{joint} of person {frame.person}: {frame.distance:.2f} torsos apart, {one} / {other}"


def _analysed(job: ClipJob, thresholds: ThresholdKey) -> ClipAnalysis:
    def analyse() -> ClipAnalysis:
        given = {key: Thresholds(joint, pose) for key, joint, pose in thresholds}
        return ClipAnalysis.of(job.estimates, given)

    return made(("analysis", job.id, thresholds), analyse, "Following people through the clip …")
