"""What holds for every page, and how it is written into the address.

`?models=movenet-lightning,blazepose-full&threshold=movenet-lightning:0.4&people=…&draw=bones,joints`
shows a colleague the same view; what equals the default is left out, what is unknown is ignored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from estimators.registry import DEFAULT_MODELS, MODELS, ModelSpec

MOST_MODELS = 4
DRAWABLE = {
    "bones": "Bones",
    "joints": "Joints",
    "face": "Face",
    "extra": "Hands & feet",
    "labels": "Numbers",
    "boxes": "Boxes",
    "weak": "Uncertain, faint",
}
DEFAULT_DRAW = ("bones", "joints", "face", "extra")
# Every model ranks its people between 0 and 1, whatever its joints' scores mean.
PERSON_RANGE = (0.0, 1.0)
ADDRESS_KEYS = ("models", "threshold", "people", "draw")


@dataclass(frozen=True)
class Settings:
    """The models to compare, what is hidden and what is drawn.

    Attributes:
        models: registry keys, at most four, in display order.
        joint_thresholds: joints whose score is lower are hidden; on each model's own scale.
        pose_thresholds: people whose score is lower are hidden; on each model's own scale.
        draw: keys of `DRAWABLE`.
    """

    models: tuple[str, ...] = DEFAULT_MODELS
    joint_thresholds: Mapping[str, float] = field(default_factory=dict)
    pose_thresholds: Mapping[str, float] = field(default_factory=dict)
    draw: tuple[str, ...] = DEFAULT_DRAW

    def specs(self) -> list[ModelSpec]:
        return [MODELS[key] for key in self.models]

    def joint_threshold(self, model: str) -> float:
        return self.joint_thresholds.get(model, MODELS[model].default_threshold)

    def pose_threshold(self, model: str) -> float:
        return self.pose_thresholds.get(model, MODELS[model].default_pose_threshold)


def read(address: Mapping[str, str], default_models: tuple[str, ...] = DEFAULT_MODELS) -> Settings:
    """Settings from the parameters of an address; anything unknown falls back to the default."""
    models = tuple(dict.fromkeys(key for key in _items(address, "models") if key in MODELS))
    draw = tuple(key for key in DRAWABLE if key in _items(address, "draw"))
    return Settings(
        models=models[:MOST_MODELS] or default_models,
        joint_thresholds=_thresholds(_items(address, "threshold"), lambda spec: spec.score_range),
        pose_thresholds=_thresholds(_items(address, "people"), lambda spec: PERSON_RANGE),
        draw=draw if "draw" in address else DEFAULT_DRAW,
    )


def write(settings: Settings, default_models: tuple[str, ...] = DEFAULT_MODELS) -> dict[str, str]:
    """The parameters of the address that `read` turns into `settings` again."""
    address: dict[str, str] = {}
    if settings.models != default_models:
        address["models"] = ",".join(settings.models)
    if settings.draw != DEFAULT_DRAW:
        address["draw"] = ",".join(settings.draw)
    for name, values, default in (
        ("threshold", settings.joint_thresholds, "default_threshold"),
        ("people", settings.pose_thresholds, "default_pose_threshold"),
    ):
        changed = [
            f"{key}:{values[key]:g}"
            for key in settings.models
            if key in values and not math.isclose(values[key], getattr(MODELS[key], default))
        ]
        if changed:
            address[name] = ",".join(changed)
    return address


def _items(address: Mapping[str, str], name: str) -> list[str]:
    return [item.strip() for item in address.get(name, "").split(",") if item.strip()]


def _thresholds(
    items: Iterable[str], limits: Callable[[ModelSpec], tuple[float, float]]
) -> dict[str, float]:
    values = {}
    for item in items:
        key, _, number = item.partition(":")
        try:
            value = float(number)
        except ValueError:
            continue
        if key in MODELS and math.isfinite(value):
            low, high = limits(MODELS[key])
            values[key] = min(max(value, low), high)
    return values
