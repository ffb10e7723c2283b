"""One picture or frame as every model saw it: what a recommendation is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from estimators.analysis.matching import PersonGroup, group_people
from estimators.analysis.plausibility import Finding, findings
from estimators.types import PoseSet


@dataclass(frozen=True, eq=False)
class Seen:
    """What every model shows on one picture or frame (`scale.above_thresholds`).

    Attributes:
        longer_side: of the picture, in pixels.
        name: what the picture is called, "" where there is one only.
        frame: its index in a clip.
        numbers: of each model's people, as they are numbered over a whole clip; without, people
            have the numbers of their groups, from 1.
    """

    people: Mapping[str, PoseSet]
    longer_side: float
    name: str = ""
    frame: int = 0
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @cached_property
    def groups(self) -> tuple[PersonGroup, ...]:
        return group_people(self.people)

    def number(self, group: int, model: str) -> int:
        """The number of a person, as `model` found it: what the pages write beside it."""
        if model not in self.numbers:
            return group + 1
        return self.numbers[model][self.groups[group].members[model]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is implausible here, with the people's numbers and the picture's name."""
        found = findings(self.people, self.groups, self.frame)
        return tuple(
            replace(f, person=self.number(f.person - 1, f.model), picture=self.name) for f in found
        )
