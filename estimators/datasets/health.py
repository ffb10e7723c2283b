"""What is odd about an annotated set: told before any model runs, each kind counted and named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from estimators.media.names import printable
from estimators.numerals import counted, people

# `left out`: it is not evaluated.  `changed`: it is, by something that the file does not say, so
# that figures depend on it.  `note`: worth knowing.
Level = Literal["left out", "changed", "note"]
NAMED = 3  # of many, in a sentence
_LONGEST = 120  # characters of one example

# Of each kind: how bad, what is counted, what was done about it.
KINDS: Mapping[str, tuple[Level, str, str]] = {
    "picture_absent": ("left out", "Pictures that are listed but not there", "Left out."),
    "frame_absent": (
        *("left out", "Frames of clips that are listed but not there, or cannot be read"),
        "Left out.",
    ),
    "picture_unreadable": ("left out", "Pictures that cannot be read", "Left out."),
    "picture_ambiguous": (
        *("left out", "Pictures of which the name does not tell which entry they are"),
        "Left out: keep them in folders called as in the annotations.",
    ),
    "picture_not_listed": (
        *("note", "Pictures that the annotations do not list"),
        "Not evaluated: nobody knows who is in them.",
    ),
    "picture_without_people": (
        *("note", "Pictures without annotation"),
        "Evaluated as empty: whoever a model finds there is one too many.",
    ),
    "annotation_without_picture": (
        *("left out", "Annotations of pictures that are not listed or left out"),
        "Left out.",
    ),
    "annotation_unreadable": ("left out", "Annotations that cannot be understood", "Left out."),
    "label_of_no_picture": ("left out", "Label files without a picture", "Left out."),
    "label_ambiguous": (
        *("left out", "Pictures whose label file may be one of several"),
        "Left out: keep labels in folders called as those of the pictures.",
    ),
    "image_without_id": ("left out", "Images with an id that is none", "Left out."),
    "image_without_name": ("left out", "Images without a file name", "Left out."),
    "image_id_twice": (
        *("left out", "Images that share an id, so that their people cannot be told apart"),
        "Left out.",
    ),
    "image_name_twice": (
        *("changed", "Images listed more than once"),
        "Taken as one, with the people of all.",
    ),
    "id_no_number": (
        *("changed", "Ids that are texts or fractions"),
        "Read, and numbered anew for COCO's tools.",
    ),
    "annotation_id_zero": (
        *("changed", "Annotations with id 0, which pycocotools takes for “nobody”"),
        "Numbered anew from 1.",
    ),
    "annotation_id_twice": ("changed", "Annotations that share an id", "Numbered anew from 1."),
    "annotation_id_missing": ("changed", "Annotations without an id", "Numbered anew from 1."),
    "other_shape": (
        *("left out", "Pictures of another shape than the annotated one"),
        "Left out: use the pictures that were annotated.",
    ),
    "scaled": ("changed", "Pictures annotated at another size", "The annotations were scaled."),
    "stored": (
        *("changed", "Pictures annotated as stored, before EXIF turns them"),
        "The annotations were turned.",
    ),
    "turn_unclear": (
        *("note", "Pictures turned by EXIF of which the size does not tell how they were seen"),
        "Taken as annotated upright.",
    ),
    "keypoints_length": (
        *("left out", "People whose keypoints are of the wrong length"),
        "Not judged; whoever is found in their box is not counted as wrong.",
    ),
    "nothing_labelled": (
        *("note", "People without a labelled joint"),
        "Not judged, as in pycocotools; whoever is found there is not counted as wrong.",
    ),
    "crowd": (
        *("note", "Groups marked as crowd (iscrowd)"),
        "Not judged; whoever is found there is not counted as wrong.",
    ),
    "area_missing": (
        *("changed", "People without an area, or with area 0"),
        "Taken as 0.53 of the box; OKS and AP depend on it.",
    ),
    "area_from_joints": (
        *("changed", "People without an area, and without a close box"),
        "The area is estimated from the joints; OKS and AP depend on it.",
    ),
    "box_missing": ("changed", "People without a box", "The box around their joints was taken."),
    "outside": (
        *("note", "People with labelled joints outside of the picture"),
        "Kept, as in pycocotools.",
    ),
    "flag_out_of_range": (
        *("changed", "People with visibility flags that are none of 0, 1 and 2"),
        "Over 0 counts as labelled.",
    ),
    "position_no_number": (
        *("left out", "People with labelled joints at no position"),
        "These joints count as not labelled.",
    ),
    "count_contradicts": (
        *("changed", "People whose num_keypoints is not the number of labelled joints"),
        "Counted anew.",
    ),
    "hidden_by_name": (
        *("note", "Joints marked invisible that have a position"),
        "Evaluated as hidden joints.",
    ),
    "other_category": (
        *("left out", "Annotations of other categories than people"),
        "Left out.",
    ),
    "categories": ("note", "Categories read as people", "Evaluated together."),
    "unknown_joint": (
        *("note", "Joints that COCO's 17 do not have"),
        "Not evaluated (neck and top of the head give PCKh its length).",
    ),
    "joint_missing": (
        *("note", "Joints of COCO's 17 that this format cannot label"),
        "Not evaluated.",
    ),
    "order_assumed": (
        *("changed", "Skeletons without joint names"),
        "COCO's order of 17 joints was assumed.",
    ),
    "head_from_joints": (
        *("changed", "People without a head box"),
        "PCKh takes the distance from neck to top of the head instead of 0.6 of the diagonal.",
    ),
    "pixels_from_1": (
        *("changed", "MPII's own pictures, whose pixels are counted from 1"),
        "Moved by one pixel.",
    ),
    "name_prefix": (
        *("note", "Pictures found only by their listed name without prefix, address or case"),
        "Taken as these.",
    ),
    "archive_member": ("left out", "Entries of the ZIP that are not read", "Left out."),
    "split": ("note", "Pictures by part of the dataset", "All of them are evaluated."),
}


@dataclass(frozen=True)
class Finding:
    """One kind of oddity: how often, the first few by name, and how many more names there are."""

    kind: str
    count: int
    examples: tuple[str, ...]
    others: int = 0

    @property
    def level(self) -> Level:
        """How bad it is."""
        return KINDS[self.kind][0]

    @property
    def text(self) -> str:
        """In words: what, how many, which, what was done."""
        _, what, done = KINDS[self.kind]
        others = f" and {self.others:,} more" if self.others else ""
        named = f" ({', '.join(self.examples)}{others})" if self.examples else ""
        return f"{what}: {self.count:,}{named}. {done}"


class Findings:
    """Collects while a set is read."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = defaultdict(int)
        self._examples: dict[str, list[str]] = defaultdict(list)
        self._named: dict[str, set[int]] = defaultdict(set)

    def add(self, kind: str, example: str = "", count: int = 1) -> None:
        """Counts one more (or `count`) of a kind; the first few examples are kept."""
        if kind not in KINDS:
            raise KeyError(kind)
        self._counts[kind] += count
        named, kept = self._named[kind], self._examples[kind]
        if not example or hash(example) in named:
            return
        named.add(hash(example))
        if len(kept) < NAMED:
            example = printable(example[:_LONGEST])
            kept.append(example if len(example) < _LONGEST else f"{example[:_LONGEST]}…")

    def count(self, kind: str) -> int:
        """How many of a kind so far."""
        return self._counts.get(kind, 0)

    def all(self) -> tuple[Finding, ...]:
        """One a kind, the worst level first."""
        order = list(KINDS)
        levels = ("left out", "changed", "note")
        kinds = sorted(self._counts, key=lambda k: (levels.index(KINDS[k][0]), order.index(k)))
        return tuple(
            Finding(k, self._counts[k], (*self._examples[k],), max(0, len(self._named[k]) - NAMED))
            for k in kinds
        )


@dataclass(frozen=True)
class HealthReport:
    """What was read and what is odd about it.

    Attributes:
        format: `coco`, `yolo-pose` or `mpii`.
        name: of the annotation file.
        pictures, people, joints: that are evaluated; people without those who are not judged.
        listed: pictures that the annotations list.
        findings: the worst level first.
    """

    format: str
    name: str
    pictures: int
    listed: int
    people: int
    joints: int
    findings: tuple[Finding, ...] = ()

    @property
    def headline(self) -> str:
        """What is evaluated, in a sentence."""
        return (
            f"{self.name} ({self.format}): {self.pictures:,} of {self.listed:,} listed "
            f"picture{'s'[: self.listed != 1]} with {people(self.people)} and "
            f"{counted(self.joints, 'labelled joint')}."
        )

    def of_level(self, level: Level) -> tuple[Finding, ...]:
        """The findings of one level."""
        return tuple(finding for finding in self.findings if finding.level == level)

    def as_json(self) -> dict[str, Any]:
        """JSON-ready; docs/formats.md describes it."""
        counts = ("format", "name", "pictures", "listed", "people", "joints")
        findings = [
            {
                "kind": finding.kind,
                "level": finding.level,
                "count": finding.count,
                "examples": list(finding.examples),
                "text": finding.text,
            }
            for finding in self.findings
        ]
        return {name: getattr(self, name) for name in counts} | {"findings": findings}
