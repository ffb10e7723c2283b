"""What the viewer and the player show: panels, their layers of poses, and how they are drawn."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from estimators.skeletons import Skeleton
from estimators.types import PoseSet, ScoreKind

Tone = Literal["info", "waiting", "failed"]

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def check_colour(colour: str) -> None:
    """Raises ValueError unless `colour` is written #rrggbb."""
    if not _COLOUR.fullmatch(colour):
        raise ValueError(f"colour: expected #rrggbb, got {colour!r}")


@dataclass(frozen=True, eq=False)
class Layer:
    """The people that one model found, and how they are drawn.

    Attributes:
        key: identifies the model; panels that show the same model share one layer object.
        title: the model's name as people read it.
        colour: #rrggbb.
        variant: which of its family it is (`render.style.model_variants`).
        poses: everyone to draw, N people in pixels of the picture.
        score_kind: what the joints' scores are; it stands beside every number.
        threshold: joints with a lower score are weak (hidden or faint, see `ViewOptions`).
        person_ids: N different numbers; the same number in two layers means the same person.  None
            numbers them from 1 and leaves open who is who between models.
        doubts: (person's id, joint, what is implausible there), marked on the picture.

    Raises:
        ValueError: colour or threshold is malformed, or there are not N different person ids.
    """

    key: str
    title: str
    colour: str
    poses: PoseSet
    score_kind: ScoreKind
    threshold: float
    person_ids: Sequence[int] | None = None
    doubts: Sequence[tuple[int, str, str]] = ()
    variant: int = 0

    def __post_init__(self) -> None:
        check_colour(self.colour)
        if not math.isfinite(self.threshold):
            raise ValueError(f"threshold of {self.key}: expected a number, got {self.threshold}")
        ids = self.person_ids
        if ids is not None and (len(ids) != len(self.poses) or len(set(ids)) != len(ids)):
            raise ValueError(
                f"person_ids of {self.key}: expected {len(self.poses)} different ones, got {ids}"
            )


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of the grid.

    Attributes:
        title, subtitle: its heading.
        layers: whose poses are drawn over the picture; of several there is a legend.
        colour: #rrggbb of the mark beside the title, or "" for none.
        variant: of the model that the mark stands for.
        message: shown over the darkened picture in place of the poses: what is awaited, or what
            failed and what to do.
        tone: how the message looks.
    """

    title: str
    subtitle: str = ""
    layers: Sequence[Layer] = ()
    colour: str = ""
    message: str = ""
    tone: Tone = "info"
    variant: int = 0

    def __post_init__(self) -> None:
        if self.colour:
            check_colour(self.colour)


@dataclass(frozen=True)
class ViewOptions:
    """What is drawn.

    Attributes:
        weak: joints under their threshold are hidden or faint.
        labels: each person carries its number.
        points, bones: the joints' dots and the limbs between them.
        boxes: the models' boxes, where they give some.
        joints: names of the joints to draw, None for all.
        line_width: of the limbs in CSS pixels, less for people who are small on the screen.
    """

    weak: Literal["hidden", "faint"] = "hidden"
    labels: bool = False
    points: bool = True
    bones: bool = True
    boxes: bool = False
    joints: frozenset[str] | None = None
    line_width: float = 3.0


@dataclass(frozen=True)
class JointRef:
    """A joint that somebody picked: model key, person's number and joint name.

    In a command to the browser "" is the joint that the model is surest of.
    """

    model: str
    person: int
    joint: str


@dataclass(frozen=True)
class Pick:
    """Pick this joint; obeyed once for each new `seq`."""

    ref: JointRef
    seq: int

    def payload(self) -> dict[str, Any]:
        """As the browser reads it."""
        ref = self.ref
        return {"model": ref.model, "person": ref.person, "joint": ref.joint, "seq": self.seq}


@dataclass
class _Collected:
    layers: dict[str, Layer] = field(default_factory=dict)
    skeletons: dict[str, Skeleton] = field(default_factory=dict)


def panels_payload(panels: Sequence[Panel], options: ViewOptions) -> dict[str, Any]:
    """Panels, layers, skeletons and options as the browser reads them.

    Raises:
        ValueError: no panels, or two different layers with one key.
    """
    if not panels:
        raise ValueError("panels: expected at least one")
    seen = _Collected()
    for layer in (layer for panel in panels for layer in panel.layers):
        if seen.layers.setdefault(layer.key, layer) is not layer:
            raise ValueError(f"two different layers have the key {layer.key!r}")
        seen.skeletons[layer.poses.skeleton.name] = layer.poses.skeleton
    return {
        "panels": [_panel_payload(panel) for panel in panels],
        "layers": {key: _layer_payload(layer) for key, layer in seen.layers.items()},
        "skeletons": {name: skeleton_payload(s) for name, s in seen.skeletons.items()},
        "options": options_payload(options),
    }


def _panel_payload(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "subtitle": panel.subtitle,
        "colour": panel.colour,
        "variant": panel.variant,
        "layers": [layer.key for layer in panel.layers],
        "legend": [
            {"title": layer.title, "colour": layer.colour, "variant": layer.variant}
            for layer in panel.layers
            if not panel.colour
        ],
        "message": panel.message,
        "tone": panel.tone,
    }


def options_payload(options: ViewOptions) -> dict[str, Any]:
    """`options` as the browser reads them."""
    return {
        "weak": options.weak,
        "labels": options.labels,
        "points": options.points,
        "bones": options.bones,
        "boxes": options.boxes,
        "joints": None if options.joints is None else sorted(options.joints),
        "lineWidth": options.line_width,
    }


def skeleton_payload(skeleton: Skeleton) -> dict[str, Any]:
    """Joint names, bones as [joint, joint, 1 where the limb is a right one else 0], right ones."""
    right = {right for _, right in skeleton.mirror}
    left = {left for left, _ in skeleton.mirror}
    bones = []
    for (a, b), (i, j) in zip(skeleton.bones, skeleton.bone_indices, strict=True):
        is_right = bool({a, b} & right) and not {a, b} & left
        bones.append([i, j, int(is_right)])
    ringed = [k for k, joint in enumerate(skeleton.joints) if joint in right]
    return {"joints": list(skeleton.joints), "bones": bones, "right": ringed}


def _layer_payload(layer: Layer) -> dict[str, Any]:
    poses = layer.poses
    ids = range(1, len(poses) + 1) if layer.person_ids is None else layer.person_ids
    people = [
        {
            "id": int(person_id),
            # Tenths of a pixel as whole numbers: short to write, finer than any model.
            "xy": _whole(poses.xy[n].ravel() * 10),
            "score": [round(float(s), 3) for s in poses.score[n]],
            "box": None if poses.box_xyxy is None else _whole(poses.box_xyxy[n] * 10),
            **_doubts(layer, person_id),
        }
        for n, person_id in enumerate(ids)
    ]
    return {
        "key": layer.key,
        "title": layer.title,
        "colour": layer.colour,
        "variant": layer.variant,
        "kind": layer.score_kind,
        "threshold": layer.threshold,
        "matched": layer.person_ids is not None,
        "skeleton": poses.skeleton.name,
        "people": people,
    }


def _doubts(layer: Layer, person_id: int) -> dict[str, list[tuple[int, str]]]:
    joints = layer.poses.skeleton.joints
    found = [
        (joints.index(joint), text)
        for person, joint, text in layer.doubts
        if person == person_id and joint in joints
    ]
    return {"doubts": found} if found else {}


def _whole(values: NDArray[np.float32]) -> list[int | None]:
    return [round(float(v)) if math.isfinite(v) else None for v in values]


def joint_ref(value: Any, layers: Iterable[Layer]) -> JointRef | None:
    """The joint that the browser reports, or None where it names nothing that is shown now."""
    if not isinstance(value, dict):
        return None
    for layer in layers:
        if layer.key == value.get("model") and value.get("joint") in layer.poses.skeleton.joints:
            return JointRef(layer.key, int(value["person"]), str(value["joint"]))
    return None
