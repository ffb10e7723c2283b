"""What `compare` knows of one model: the pictures' estimates and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from estimators.analysis.clip import ClipEstimates
from estimators.devices import Placement
from estimators.errors import PoseError
from estimators.runtime.api import DEFAULT_OPTIONS, ModelStatus
from estimators.specs import ModelSpec
from estimators.types import EstimatorOptions


@dataclass
class ModelRun:
    """What one model said about every picture, in their order, and what it cost.

    Attributes:
        estimates: one a picture; pictures it failed on hold the reason instead of people.
        status: memory, loading and cold-start time, as the runner tells them.
        error: why it could not run at all, or the last picture's failure.
        options: how it is used.
    """

    spec: ModelSpec
    estimates: list[ClipEstimates] = field(default_factory=list)
    status: ModelStatus | None = None
    error: PoseError | None = None
    options: EstimatorOptions = DEFAULT_OPTIONS

    @property
    def stem(self) -> str:
        """What files of it alone begin with, see `Placement.named`; by its last answer."""
        return self.spec.key if self.placement is None else self.placement.named(self.spec.key)

    @property
    def placement(self) -> Placement | None:
        """Where the model computed at last; None where it gave no answer."""
        known = [e.placement for e in self.estimates if e.placement is not None]
        return known[-1] if known else None

    @property
    def answered(self) -> bool:
        """Whether it gave an answer to any picture."""
        return any(not estimate.errors for estimate in self.estimates)
