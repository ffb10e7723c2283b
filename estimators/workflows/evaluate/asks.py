"""What models are asked in an evaluation: whole pictures, and windows cut out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from estimators.analysis.accuracy.invented import CutCrop, cut_crops
from estimators.analysis.accuracy.protocol import Protocol, Window, box_of, window_around
from estimators.annotated import AnnotatedImage, AnnotatedSet
from estimators.errors import InputError
from estimators.registry import get
from estimators.types import Estimate, EstimatorOptions, Frame
from estimators.workflows.shards import WHOLE, Shard


@dataclass(frozen=True)
class EvaluateSettings:
    """What is run.  Thresholds are no part of it: they choose among answers, and AP needs all.

    Attributes:
        models: keys of the variants, in the order in which they run.
        protocol: what the models see.
        people: most people to ask a model for, by its key; else as many as it can find.
        invented: ask also for the crops that tell which joints a model invents.
        shard: which of the pictures.
        devices: where a model computes, by its key; else where the runner was told.
    """

    models: tuple[str, ...]
    protocol: Protocol = "whole"
    people: Mapping[str, int] = field(default_factory=dict)
    invented: bool = True
    shard: Shard = WHOLE
    devices: Mapping[str, str] = field(default_factory=dict)

    def options(self, model: str) -> EstimatorOptions:
        """How `model` is used."""
        device = self.devices.get(model, "")
        return EstimatorOptions(max_people=self.people.get(model), device=device)

    def held_to(self, model: str) -> int | None:
        """Most people `model` is asked for, where it could find more; None where not."""
        return get(model).held_to(self.options(model))


@dataclass(frozen=True, eq=False)
class Ask:
    """One question to a model.

    Attributes:
        image: the picture.
        window: the part of it that the model sees, None for all of it.
        person: `annotation_id` of whom a window of the protocol `crop` is around; 0 for others.
        cut: the crop that tells about invented joints; it is no part of the protocol.
    """

    image: AnnotatedImage
    window: Window | None = None
    person: int = 0
    cut: CutCrop | None = None


def asks(image: AnnotatedImage, protocol: Protocol) -> list[Ask]:
    """What a model is asked about one picture: itself, or a window around everybody who counts."""
    if protocol == "whole":
        return [Ask(image)]
    size = (image.width, image.height)
    judged = [person for person in image.people if person.judged]
    return [Ask(image, window_around(box_of(p), size), p.annotation_id) for p in judged]


def all_asks(images: Sequence[AnnotatedImage], settings: EvaluateSettings) -> list[Ask]:
    """Everything that one model is asked: the protocol's first, then the crops that cut people."""
    of_protocol = [ask for image in images for ask in asks(image, settings.protocol)]
    cuts = cut_crops(images) if settings.invented else ()
    return [*of_protocol, *(Ask(cut.image, cut.window, cut=cut) for cut in cuts)]


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that is asked in a run, in its order; the same for each of its models.

    Attributes:
        annotated: the pictures of the run's shard.
    """

    annotated: AnnotatedSet
    settings: EvaluateSettings
    asks: tuple[Ask, ...]

    @classmethod
    def of(cls, annotated: AnnotatedSet, settings: EvaluateSettings) -> Plan:
        """What `settings` ask about a set.

        Which crops are taken is drawn from the whole set, so that all shards together ask what one
        run asks.

        Raises:
            InputError: no models, or nobody to ask about.
        """
        if not settings.models:
            raise InputError("No model is chosen.", "Choose one or more.")
        every = all_asks(annotated.images, settings)
        if not any(ask.cut is None for ask in every):
            raise InputError("There is nobody to evaluate models by.", "Annotate some pictures.")
        shard = settings.shard
        mine = tuple(image for image in annotated.images if shard.has(image.file))
        asks = tuple(ask for ask in every if shard.has(ask.image.file))
        return cls(replace(annotated, images=mine), settings, asks)


def cut_out(frame: Frame, window: Window | None) -> tuple[Frame, tuple[float, float]]:
    """The part of a picture that lies in `window`, and where its left top corner is.

    A picture that was made smaller while it was read is cut at its own pixels, so that the corner
    may differ from the window's by less than one of them.

    Returns:
        The frame and (left, top) of it in pixels of the full picture.
    """
    if window is None:
        return frame, (0.0, 0.0)
    x, y = frame.full_size[0] / frame.width, frame.full_size[1] / frame.height
    left, top = int(window[0] / x), int(window[1] / y)
    right = min(frame.width, max(left + 1, int(np.ceil(window[2] / x))))
    bottom = min(frame.height, max(top + 1, int(np.ceil(window[3] / y))))
    image = np.ascontiguousarray(frame.image[top:bottom, left:right])
    size = (max(1, round((right - left) * x)), max(1, round((bottom - top) * y)))
    return Frame(image, frame.index, frame.time_s, size), (left * x, top * y)


def moved(estimate: Estimate, corner: tuple[float, float]) -> Estimate:
    """The answer about a part of a picture in pixels of the picture.

    Args:
        corner: of `cut_out`.
    """
    if corner == (0.0, 0.0):
        return estimate
    poses, by = estimate.poses, np.array(corner, np.float32)
    box = None if poses.box_xyxy is None else poses.box_xyxy + np.tile(by, 2)
    return replace(estimate, poses=replace(poses, xy=poses.xy + by, box_xyxy=box))
