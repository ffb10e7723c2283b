"""The categories of a COCO keypoints dataset: which are people, and how their joints are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from estimators.datasets.coco_images import any_id, text_of
from estimators.datasets.health import Findings
from estimators.datasets.joint_names import COCO_ORDER, JointMap
from estimators.datasets.people import numbers
from estimators.errors import InputError
from estimators.skeletons import COCO_17

# What a category or class of people is called.
PEOPLE = ("person", "people", "persons", "human", "humans", "pedestrian")


class Skeletons:
    """Which categories are people, and how their joints are called."""

    def __init__(
        self, categories: Any, annotations: Sequence[Any], name: str, findings: Findings
    ) -> None:
        categories = categories if isinstance(categories, list) else []
        listed = [c for c in categories if isinstance(c, dict)]
        named = {str(any_id(c.get("id"))): c for c in listed if _names(c)}
        self._all: dict[str, JointMap] = {}
        if named:
            maps = {key: _map(category, findings) for key, category in named.items()}
            fits = {key: joints for key, joints in maps.items() if joints.of_a_person}
            called = {
                k: j for k, j in fits.items() if text_of(named[k].get("name")).lower() in PEOPLE
            }
            self._all = called or fits
            if not self._all:
                raise _no_person(next(iter(maps.values())).names, name)
            if len(self._all) > 1:
                for key in self._all:
                    findings.add("categories", text_of(named[key].get("name")))
        elif any(numbers(_keypoints(entry), 51) is not None for entry in annotations):
            findings.add("order_assumed", name)
            # Without names at all it can only be what `keypoints` are in COCO's own files.
            people = [c for c in listed if _of_people(c)] or listed
            self._all = {str(any_id(c.get("id"))): COCO_ORDER for c in people}
            self._all = self._all or {"None": COCO_ORDER}
        elif annotations:
            raise _no_person((), name)
        self._only = next(iter(self._all.values())) if len(self._all) == 1 else None
        self._lenient = not listed
        self._tell(findings)

    @property
    def joints(self) -> tuple[str, ...]:
        """Those of COCO-17 that any of them has."""
        have = {joint for joints in self._all.values() for joint in joints.joints}
        return tuple(j for j in COCO_17.joints if j in have) or COCO_17.joints

    def of(self, entry: Mapping[str, Any]) -> JointMap | None:
        """The skeleton of an annotation, None where it is no person."""
        category = any_id(entry.get("category_id"))
        if category is None or self._lenient:
            return self._only
        return self._all.get(str(category))

    def _tell(self, findings: Findings) -> None:
        for joint in dict.fromkeys(name for joints in self._all.values() for name in joints.beyond):
            findings.add("unknown_joint", joint)
        for joint in COCO_17.joints:
            if joint not in self.joints:
                findings.add("joint_missing", joint)


def _of_people(category: Mapping[str, Any]) -> bool:
    return text_of(category.get("name")).lower() in PEOPLE


def _names(category: Mapping[str, Any]) -> list[str]:
    names = category.get("keypoints")
    return [text_of(name) for name in names] if isinstance(names, list) else []


def _map(category: Mapping[str, Any], findings: Findings) -> JointMap:
    names = _names(category)
    if len(names) == len(COCO_17) and all(name.strip().isdecimal() for name in names):
        # CVAT calls joints by their numbers until somebody names them.
        findings.add("order_assumed", text_of(category.get("name")))
        return COCO_ORDER
    return JointMap.of(names)


def _no_person(names: Sequence[str], name: str) -> InputError:
    found = f"its joints are called {', '.join(names[:6])}" if names else "it names no joints"
    return InputError(
        f"{name} has no skeleton of a person: {found}.",
        "Call the joints in `categories` → `keypoints` as COCO does: nose, left_shoulder, ….",
    )


def _keypoints(entry: Any) -> Any:
    return entry.get("keypoints") if isinstance(entry, dict) else None
