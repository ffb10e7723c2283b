"""The estimates of one picture with the person's thresholds applied: what all of a page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import AgreementMatrix, agreement_matrix
from estimators.analysis.clip import ClipEstimates
from estimators.analysis.identity import identify_picture
from estimators.analysis.matching import PersonGroup, group_people
from estimators.analysis.plausibility import Finding, findings
from estimators.analysis.scale import above_thresholds, found
from estimators.analysis.thresholds import Thresholds
from estimators.errors import PoseError
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.api import RunResult
from estimators.types import PoseSet
from pages.ui.colours import colours, variants
from pages.ui.engine import Outcome
from pages.ui.nobody import briefly
from pages.ui.settings import Settings
from pages.ui.sources import Picture

_WHOLE = ("left_hip", "right_hip")


@dataclass(frozen=True, eq=False)
class Comparison:
    """The models that have answered, and how their answers compare.

    Attributes:
        people: everyone who counts as found (`scale.found`), all joints kept.
        shown: the same people with joints under the joint threshold set to NaN.
        errors: why the others did not answer; models without weights are left out.
    """

    picture: Picture
    settings: Settings
    results: Mapping[str, RunResult]
    specs: Sequence[ModelSpec]
    people: Mapping[str, PoseSet]
    shown: Mapping[str, PoseSet]
    errors: Mapping[str, PoseError] = field(default_factory=dict)

    @classmethod
    def of(cls, picture: Picture, settings: Settings, outcomes: Sequence[Outcome]) -> Comparison:
        """Applies the thresholds of `settings` to the outcomes that hold a result."""
        results = {o.spec.key: o.result for o in outcomes if o.result is not None}
        poses = {key: result.estimate.poses for key, result in results.items()}
        return cls(
            picture,
            settings,
            results,
            [o.spec for o in outcomes if o.result is not None],
            {key: p.select(_found(p, key, settings)) for key, p in poses.items()},
            {
                key: above_thresholds(
                    p, settings.joint_threshold(key), settings.pose_threshold(key)
                )
                for key, p in poses.items()
            },
            {o.spec.key: o.error for o in outcomes if o.error is not None},
        )

    @cached_property
    def thresholds(self) -> dict[str, Thresholds]:
        """Of every model that is compared, answered or not."""
        return {
            m: Thresholds(self.settings.joint_threshold(m), self.settings.pose_threshold(m))
            for m in self.settings.models
        }

    @cached_property
    def estimates(self) -> dict[str, ClipEstimates]:
        """Everything the models said, failures too, people numbered as on the page.

        This is what the command line has of a picture, and what leaves in files.
        """
        name, size = self.picture.name, self.picture.size
        estimates = {}
        for model in self.settings.models:
            result, error = self.results.get(model), self.errors.get(model)
            if result is None and error is None:
                continue
            answer = ClipEstimates(model, MODELS[model].skeleton, name, size)
            if result is not None:
                answer.computed(result.placement)
                answer.append(
                    result.estimate, result.queue_ms, result.transport_ms, busy=result.busy
                )
            else:
                answer.append_failed(0, 0.0, str(error))
            estimates[model] = answer
        identify_picture(estimates, self.thresholds)
        return estimates

    @cached_property
    def colours(self) -> dict[str, str]:
        """#rrggbb of every model that is compared, answered or not."""
        return colours(self.settings.specs())

    @cached_property
    def variants(self) -> dict[str, int]:
        """Which of its family every model is, as `colours.variants` counts."""
        return variants(self.settings.specs())

    @cached_property
    def groups(self) -> tuple[PersonGroup, ...]:
        """Who is the same person across models; the page numbers them from 1."""
        return group_people(self.shown)

    @cached_property
    def matrix(self) -> AgreementMatrix:
        return agreement_matrix(self.shown, self.groups)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is implausible about the poses, whoever is right."""
        return findings(self.shown, self.groups)

    def doubts(self, model: str) -> list[tuple[int, str, str]]:
        """(person's number, joint, what is implausible there); of a whole pose at the hips."""
        return [
            (found.person, joint, found.text)
            for found in self.findings
            if found.model == model and found.kind != "alone"
            for joint in found.joints or _WHOLE
        ]

    def count(self, model: str) -> str:
        """How many people it found, in words; why there is none."""
        people = len(self.people[model])
        if people == 0:
            return briefly(self.estimates[model], self.thresholds[model])
        return "1 person" if people == 1 else f"{people} people"

    def person_ids(self, model: str) -> list[int]:
        """The number of each of the model's people; the same number means the same person."""
        ids = {g.members[model]: n for n, g in enumerate(self.groups, 1) if model in g.members}
        return [ids[i] for i in range(len(self.people[model]))]

    def drawn(self, model: str) -> tuple[PoseSet, list[int]]:
        """Everyone over the model's person threshold, with their numbers.

        Who does not count as found has a negative one: weak joints may be drawn faintly.
        """
        poses = self.results[model].estimate.poses
        ids = -1 - np.arange(len(poses))
        ids[_found(poses, model, self.settings)] = self.person_ids(model)
        over = poses.over(self.settings.pose_threshold(model))
        return poses.select(over), ids[over].tolist()


def _found(poses: PoseSet, model: str, settings: Settings) -> NDArray[np.bool_]:
    return found(poses, settings.joint_threshold(model), settings.pose_threshold(model))
