"""The person's choice of what is drawn, for the viewer in the browser and for pictures to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from estimators.registry import ModelSpec
from estimators.render.style import PoseStyle, rgb
from estimators.skeletons import COCO_17, SKELETONS
from estimators.types import PoseSet
from pages.ui.settings import Settings
from pages.ui.viewer.panels import Layer, ViewOptions


class Drawn(NamedTuple):
    """The people to draw, their numbers, and what is implausible (see `Layer`)."""

    poses: PoseSet
    ids: Sequence[int]
    doubts: Sequence[tuple[int, str, str]] = ()


class Ink(NamedTuple):
    """A model's #rrggbb, and which of its family it is."""

    colour: str
    variant: int


_ALL = frozenset(joint for skeleton in SKELETONS.values() for joint in skeleton.joints)
_FACE = frozenset(
    joint
    for joint in _ALL
    if joint == "nose" or any(part in joint for part in ("eye", "ear", "mouth"))
)
_EXTRA = _ALL - frozenset(COCO_17.joints) - _FACE


def joints_drawn(settings: Settings) -> frozenset[str] | None:
    """Names of the joints to draw, None for all."""
    hidden: frozenset[str] = frozenset()
    if "face" not in settings.draw:
        hidden |= _FACE
    if "extra" not in settings.draw:
        hidden |= _EXTRA
    return _ALL - hidden if hidden else None


def pose_style(settings: Settings, colour: str, variant: int = 0) -> PoseStyle:
    """How one model's poses are drawn into pictures; `colour` is #rrggbb."""
    return PoseStyle(
        rgb(colour),
        joints=joints_drawn(settings),
        points="joints" in settings.draw,
        bones="bones" in settings.draw,
        boxes="boxes" in settings.draw,
        variant=variant,
    )


def pose_layer(spec: ModelSpec, settings: Settings, ink: Ink, drawn: Drawn) -> Layer:
    """One model's people as viewer and marker draw them."""
    threshold = settings.joint_threshold(spec.key)
    poses, ids, doubts = drawn
    return Layer(
        spec.key,
        spec.title,
        ink.colour,
        poses,
        spec.score_kind,
        threshold,
        ids,
        doubts,
        ink.variant,
    )


def view_options(settings: Settings) -> ViewOptions:
    """What the viewer draws."""
    return ViewOptions(
        bones="bones" in settings.draw,
        points="joints" in settings.draw,
        weak="faint" if "weak" in settings.draw else "hidden",
        labels="labels" in settings.draw,
        boxes="boxes" in settings.draw,
        joints=joints_drawn(settings),
    )
