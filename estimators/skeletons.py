"""Skeletons as data: joints by name, bones and left/right pairs by the names of their joints.

Two skeletons are mapped onto each other by joint name, so COCO-17 is the subset of BlazePose-33
whose names both share; nothing is ever guessed from the number of joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Skeleton:
    """The joints of one pose convention.

    Attributes:
        name: short identifier, e.g. `"coco17"`.
        joints: K joint names in model order.
        bones: pairs of joint names that are drawn as limbs.
        mirror: (left, right) pairs of joint names that swap when the picture is flipped.

    Raises:
        ValueError: a name is repeated, or a bone or mirror pair names an unknown joint.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]
    mirror: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if len(set(self.joints)) != len(self.joints):
            raise ValueError(f"skeleton {self.name!r} repeats a joint name")
        unknown = {j for pair in self.bones + self.mirror for j in pair} - set(self.joints)
        if unknown:
            raise ValueError(f"skeleton {self.name!r} has no joints named {sorted(unknown)}")

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Position of `joint` in the K axis; raises KeyError for an unknown name."""
        return self._positions[joint]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.joints)}

    @cached_property
    def bone_indices(self) -> tuple[tuple[int, int], ...]:
        """`bones` as index pairs."""
        return tuple((self.index(a), self.index(b)) for a, b in self.bones)

    @cached_property
    def flip_indices(self) -> tuple[int, ...]:
        """For each joint, the index of its mirror image (itself where it has none)."""
        swap = dict(self.mirror) | {right: left for left, right in self.mirror}
        return tuple(self.index(swap.get(joint, joint)) for joint in self.joints)


def _pairs(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"left_{name}", f"right_{name}") for name in names)


def _both_sides(*bones: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in bones)


_LIMBS = (
    *_both_sides(
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("shoulder", "hip"),
        ("hip", "knee"),
        ("knee", "ankle"),
    ),
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
)

_BODY = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


def _sided(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in names for side in ("left", "right"))


COCO_17 = Skeleton(
    name="coco17",
    joints=("nose", *_sided("eye", "ear", *_BODY)),
    bones=(
        *_both_sides(("eye", "ear")),
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        *_LIMBS,
    ),
    mirror=_pairs("eye", "ear", *_BODY),
)

_FACE_33 = tuple(
    f"{side}_{part}" for side in ("left", "right") for part in ("eye_inner", "eye", "eye_outer")
)
_HANDS = ("pinky", "index", "thumb")
_FEET = ("heel", "foot_index")

BLAZEPOSE_33 = Skeleton(
    name="blazepose33",
    joints=(
        "nose",
        *_FACE_33,
        *_sided("ear"),
        "mouth_left",
        "mouth_right",
        *_sided("shoulder", "elbow", "wrist", *_HANDS),
        *_sided("hip", "knee", "ankle", *_FEET),
    ),
    bones=(
        *_both_sides(
            ("eye_inner", "eye"),
            ("eye", "eye_outer"),
            ("eye_outer", "ear"),
            ("wrist", "pinky"),
            ("wrist", "index"),
            ("wrist", "thumb"),
            ("pinky", "index"),
            ("ankle", "heel"),
            ("ankle", "foot_index"),
            ("heel", "foot_index"),
        ),
        ("nose", "left_eye_inner"),
        ("nose", "right_eye_inner"),
        ("mouth_left", "mouth_right"),
        *_LIMBS,
    ),
    mirror=(
        *_pairs("eye_inner", "eye", "eye_outer", "ear", *_BODY, *_HANDS, *_FEET),
        ("mouth_left", "mouth_right"),
    ),
)

SKELETONS = {skeleton.name: skeleton for skeleton in (COCO_17, BLAZEPOSE_33)}
