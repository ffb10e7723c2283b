"""One picture or frame as every model saw it: what a recommendation is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from estimators.analysis.matching import PersonGroup, group_people
from estimators.types import PoseSet


@dataclass(frozen=True, eq=False)
class Seen:
    """What every model shows on one picture or frame, thresholds applied (`scale.shown`).

    Attributes:
        longer_side: of the picture, in pixels.
        name: what the picture is called, "" where there is one only.
        frame: its index in a clip.
    """

    people: Mapping[str, PoseSet]
    longer_side: float
    name: str = ""
    frame: int = 0

    @cached_property
    def groups(self) -> tuple[PersonGroup, ...]:
        return group_people(self.people)
