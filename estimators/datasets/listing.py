"""What an annotation file lists, before it is known which picture is meant."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from estimators.annotated import AnnotatedPerson, Format
from estimators.datasets.files import PICTURES, agreeing, parts_of
from estimators.errors import InputError
from estimators.media.names import printable
from estimators.skeletons import COCO_17

_QUOTED = 40  # characters of a name in a message


@dataclass(frozen=True, eq=False)
class ListedImage:
    """One picture of an annotation file.

    Attributes:
        place: where it stands, as `images[0]`.
        file: its name as listed.
        size: width and height in pixels, None where they are not told.
        source_id: its id; where ids are none, its name.
        people: in continuous pixels of `size`; their `annotation_id` are 0.
        sha256: of the picture file, "" where it is not told.
        frame_index: of a clip's frame, None for a picture.
    """

    place: str
    file: str
    size: tuple[float, float] | None = None
    source_id: int | str = ""
    people: tuple[AnnotatedPerson, ...] = ()
    sha256: str = ""
    frame_index: int | None = None

    def __str__(self) -> str:
        name = printable("/".join(reversed(self.parts)))
        name = name if len(name) <= _QUOTED else f"{name[:_QUOTED]}…"
        return f'{self.place} ("{name}")'

    @property
    def of_clip(self) -> bool:
        """Whether it is a frame of the clip that is listed; else it is a picture file."""
        ending = posixpath.splitext(self.file)[1].lower()
        return self.frame_index is not None and ending not in PICTURES

    @property
    def parts(self) -> tuple[str, ...]:
        """Of its name, the last part of the path first; empty without a name."""
        return parts_of(self.file)


class Listing:
    """The pictures of one annotation file.

    Args:
        name: of the file, for messages.
        images: those without a name are found by nothing.
        format: of the file.
        joints: those of COCO-17 that it can label at all.
    """

    def __init__(
        self,
        name: str,
        images: Iterable[ListedImage],
        format: Format = "coco",
        joints: tuple[str, ...] = COCO_17.joints,
    ) -> None:
        self.name, self.format, self.joints = name, format, joints
        self.images = tuple(images)
        self._by_name: dict[str, list[ListedImage]] = defaultdict(list)
        for image in self.images:
            if image.parts:
                self._by_name[image.parts[0]].append(image)

    def image_of(self, path: str) -> ListedImage | None:
        """The entry whose name agrees with most of the end of `path`; None where none does.

        Among several, one that agrees as a whole goes before those that go on differently.

        Raises:
            InputError: the path's end does not tell which of several it is.
        """
        parts = parts_of(path)
        entries = self._by_name.get(parts[0], []) if parts else []
        common = {image.place: agreeing(parts, image.parts) for image in entries}
        longest = max(common.values(), default=0)
        best = [image for image in entries if common[image.place] == longest]
        if len(best) > 1:
            best = [image for image in best if len(image.parts) == longest] or best
        if len(best) > 1:
            raise InputError(
                f"{printable(path)} may be {' or '.join(map(str, best[:3]))} of {self.name}.",
                "Keep it in a folder called as in the annotations: the end of its path decides.",
            )
        return best[0] if best else None

    def with_same_names_joined(self) -> tuple[Listing, tuple[str, ...]]:
        """With one entry a name, which has the people of all; and the names that were joined."""
        joined: dict[tuple[object, ...], ListedImage] = {}
        twice = []
        for image in self.images:
            key = (image.parts, image.frame_index) if image.parts else (image.place,)
            if key in joined:
                twice.append(image.file)
                image = replace(joined[key], people=joined[key].people + image.people)
            joined[key] = image
        return Listing(self.name, joined.values(), self.format, self.joints), tuple(twice)


def joined(listings: Sequence[Listing], name: str) -> Listing | None:
    """Several parts of one COCO dataset; None where they are of other kinds, or list one picture
    twice: then they are several opinions."""
    names = [(image.parts, image.frame_index) for part in listings for image in part.images]
    if any(part.format != "coco" for part in listings) or len(set(names)) < len(names):
        return None
    images = [
        replace(image, place=f"{part.name} {image.place}")
        for part in listings
        for image in part.images
    ]
    have = {joint for part in listings for joint in part.joints}
    return Listing(name, images, "coco", tuple(j for j in COCO_17.joints if j in have))
