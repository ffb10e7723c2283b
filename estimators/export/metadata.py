"""What a file of results says about the models in it, so that its numbers can be read alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from estimators.registry import get
from estimators.skeletons import Skeleton

FORMAT = "pose-comparison/1"
SUMMARY_FORMAT = "pose-comparison-summary/1"
COORDINATES = (
    "continuous pixels of the original frame, made square: the origin is the outer corner of the "
    "top-left pixel, x to the right, y downwards; the centre of pixel (column c, row r) is "
    "(c+0.5, r+0.5)"
)
WORLD = "metres around the middle of the hips, x to the right of the picture, y down, z away"


def model_metadata(model: str) -> dict[str, Any]:
    """What `model` is and what its scores mean, as JSON-ready values.

    Raises:
        InputError: it is not in the registry.
    """
    spec = get(model)
    return {
        "title": spec.title,
        "family": spec.family,
        "variant": spec.variant,
        "skeleton": spec.skeleton.name,
        "score_kind": spec.score_kind,
        "score_meaning": spec.score_meaning,
        "default_threshold": spec.default_threshold,
        "default_pose_threshold": spec.default_pose_threshold,
        "runtime": spec.runtime,
        "engine": spec.engine,
        "gives_3d": spec.gives_3d,
        "same_weights_as": spec.same_weights_as,
        "licence": spec.licence,
    }


def skeleton_metadata(skeleton: Skeleton) -> dict[str, Any]:
    """The joints and bones of a skeleton by name."""
    return {"joints": list(skeleton.joints), "bones": [list(bone) for bone in skeleton.bones]}


def document_metadata(models: Iterable[str]) -> dict[str, Any]:
    """The head of every self-describing file: format, coordinates, models and their skeletons."""
    specs = [get(model) for model in dict.fromkeys(models)]
    skeletons = {spec.skeleton.name: spec.skeleton for spec in specs}
    return {
        "format": FORMAT,
        "coordinates": COORDINATES,
        "world": WORLD,
        "models": {spec.key: model_metadata(spec.key) for spec in specs},
        "skeletons": {name: skeleton_metadata(s) for name, s in skeletons.items()},
    }
