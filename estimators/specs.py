"""What is known about a variant, as data; `cards` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from estimators.skeletons import Skeleton
from estimators.types import EstimatorOptions, ScoreKind

Engine = Literal["LiteRT", "MediaPipe", "PyTorch", "TensorFlow"]


@dataclass(frozen=True)
class PublishedFigure:
    """One published accuracy figure: what was measured, on what, and who says so."""

    metric: str
    value: float
    test_set: str
    source: str


@dataclass(frozen=True)
class ModelSpec:
    """One variant.

    Attributes:
        key: identifier in addresses, files and on the command line.
        family: decides the colour; variants of one family share it.
        score_kind, score_meaning: what a joint's score is, in one word and in plain words.
        score_range: lowest and highest end of a threshold slider, on the model's own scale.
        default_threshold: joints under it are hidden by default.
        default_pose_threshold: people whose `pose_score` is under it are hidden by default.
        max_people: most people it returns in one picture.
        cuda: its adapter can compute on a CUDA GPU; else it computes on the CPU, whatever is there.
        clip_people: most people it follows in a clip or live video unless it is asked for more;
            None for `max_people`.
        runtime: what runs it, in words for people.
        engine: the framework behind it, which only its own process imports.
        expected_mb: proportional set size of its process, until it is measured here.
        gives_3d: its answers have `world_m`.
        stateful: it follows its person from frame to frame when frames come from a clip.
        weights: key into the weights manifest.
        adapter: name of the module that loads it, by its `load(spec, weights, threads)`.
        settings: what distinguishes the variant inside its adapter.
        coco_shift_px: what is taken off its positions to get COCO's pixel indices, in which the
            centre of pixel 0 is 0; 0 for a model that answers in those indices already.
        reference_of: key of the default variant that this one is the reference runtime of.
        same_weights_as: key of the variant whose trained weights it uses, in another form, runtime
            or input size; None for weights of its own.
    """

    key: str
    title: str
    family: str
    variant: str
    summary: str
    skeleton: Skeleton
    score_kind: ScoreKind
    score_meaning: str
    score_range: tuple[float, float]
    default_threshold: float
    default_pose_threshold: float
    max_people: int
    runtime: str
    engine: Engine
    expected_mb: float
    stateful: bool
    weights: str
    adapter: str
    licence: str
    training_data: str
    limits: tuple[str, ...]
    figures: tuple[PublishedFigure, ...] = ()
    settings: Mapping[str, int | float | bool | str] = field(
        default_factory=lambda: MappingProxyType({})
    )
    coco_shift_px: float = 0.5
    gives_3d: bool = False
    cuda: bool = False
    reference_of: str | None = None
    same_weights_as: str | None = None
    clip_people: int | None = None

    @property
    def fixed_threads(self) -> bool:
        """Its engine has no setting for threads; on Linux MediaPipe computes in one."""
        return self.engine == "MediaPipe"

    @property
    def single_person(self) -> bool:
        """It looks for one person whatever the picture shows."""
        return self.max_people == 1

    def people_limit(self, options: EstimatorOptions) -> int:
        """Most people it looks for under `options`, never more than `max_people`."""
        asked = options.max_people
        if asked is None:
            asked = self.clip_people if options.video else None
        return self.max_people if asked is None else min(asked, self.max_people)

    def held_to(self, options: EstimatorOptions) -> int | None:
        """`people_limit` where that is fewer than the model could find, else None."""
        limit = self.people_limit(options)
        return limit if limit < self.max_people else None
