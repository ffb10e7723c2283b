"""COCO annotation files: which of their images is which picture, by the end of its path."""

from __future__ import annotations

import json
import math
import os
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estimators.errors import InputError
from estimators.media.kinds import require_file
from estimators.media.names import printable

# COCO's tools hold ids in int64; a float is exact up to 2^53.
_IDS = range(-(2**63), 2**63)
_EXACT = 2**53
_QUOTED = 40  # characters of something foreign in a message


@dataclass(frozen=True)
class AnnotatedImage:
    """One entry of `images`.

    Attributes:
        image_id: its id.
        place: where it stands, as `images[0]`.
        parts: its `file_name`, the last part of the path first.
        size: width and height in pixels, None where they are not told.
    """

    image_id: int
    place: str
    parts: tuple[str, ...]
    size: tuple[float, float] | None = None

    def __str__(self) -> str:
        return f"{self.place} ({_quoted('/'.join(reversed(self.parts)))})"


@dataclass(frozen=True)
class Annotations:
    """The images of one file, by the last part of their `file_name`.

    Attributes:
        name: of the file.
        notes: what was passed over in it; whole sentences.
    """

    name: str
    images: Mapping[str, list[AnnotatedImage]]
    notes: tuple[str, ...] = ()

    def image_of(self, path: Path) -> AnnotatedImage | None:
        """The entry whose `file_name` agrees with most of the end of `path`; None where none does.

        Among several, one that agrees as a whole goes before those that go on differently.

        Raises:
            InputError: the path's end does not tell which of several it is.
        """
        parts = _parts(os.path.abspath(path))
        agreeing = {i.place: _agreeing(parts, i.parts) for i in self.images.get(parts[0], ())}
        longest = max(agreeing.values(), default=0)
        best = [i for i in self.images.get(parts[0], ()) if agreeing[i.place] == longest]
        if len(best) > 1:
            best = [i for i in best if len(i.parts) == longest] or best
        if len(best) > 1:
            raise InputError(
                f"{printable(str(path))} may be {' or '.join(map(str, best[:3]))} of {self.name}.",
                "Keep it in a folder called as in the annotations: the end of its path decides.",
            )
        return best[0] if best else None


def read_annotations(path: Path) -> Annotations:
    """Reads the `images` of a COCO JSON, in any Unicode encoding that JSON may have.

    Raises:
        InputError: the file cannot be read, or an id is no whole number or given twice; the message
            names the entry's place.
    """
    name = printable(str(path))
    images: dict[str, list[AnnotatedImage]] = defaultdict(list)
    places: dict[int, str] = {}
    nameless = []
    for number, entry in enumerate(_entries(path, name)):
        place = f"images[{number}]"
        if not isinstance(entry, dict):
            raise InputError(f"{name}: {place} is {_quoted(entry)}.", "It must be an object.")
        image_id = _image_id(entry.get("id"), f"{name}: the id of {place}")
        if image_id in places:
            raise InputError(
                f"{name}: {places[image_id]} and {place} have the same id, {image_id}.",
                "Give each image its own, and its annotations the same as `image_id`.",
            )
        places[image_id] = place
        parts = _parts(str(entry.get("file_name") or ""))
        if parts:
            image = AnnotatedImage(image_id, place, parts, _size(entry))
            images[parts[0]].append(image)
        else:
            nameless.append(place)
    return Annotations(name, images, tuple(_passed_over(name, nameless)))


def _entries(path: Path, name: str) -> list[Any]:
    require_file(path)
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{name} is not a COCO annotation file: it is no JSON ({error}).",
            "Export the annotations once more, as COCO JSON.",
        ) from error
    images = content.get("images") if isinstance(content, dict) else None
    if not isinstance(images, list):
        raise InputError(
            f"{name} is not a COCO annotation file: it has no list `images`.",
            "It must be a JSON object whose `images` have `id` and `file_name`.",
        )
    return images


def _image_id(value: Any, which: str) -> int:
    """`value` if it is a whole number, as COCO's tools need it; 7.0 counts as one."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    if type(value) is int and value in _IDS:
        return value
    if value is None:
        raise InputError(f"{which} is missing.", "Give it a whole number.")
    if type(value) is int or (isinstance(value, float) and value.is_integer()):
        raise InputError(
            f"{which} is {_quoted(value)}, too large for COCO's tools.",
            "Number the images (1, 2, 3, …), and the `image_id` of their annotations likewise.",
        )
    if not isinstance(value, str):
        raise InputError(f"{which} is {_quoted(value)}, not a whole number.", "Give it one.")
    advice = "Number the images (1, 2, 3, …)"
    if value.strip().isdecimal():
        advice = "Write it without quotation marks (and without zeros in front)"
    raise InputError(
        f"{which} is the text {_quoted(value)}; COCO's tools need a whole number.",
        f"{advice}, and the `image_id` of its annotations likewise.",
    )


def _size(entry: Mapping[str, Any]) -> tuple[float, float] | None:
    sides = []
    for key in ("width", "height"):
        try:
            side = float(entry[key])
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        if isinstance(entry[key], bool) or not (side > 0 and math.isfinite(side)):
            return None
        sides.append(side)
    return sides[0], sides[1]


def _parts(path: str) -> tuple[str, ...]:
    """The parts of a path from Windows or elsewhere, the last one first."""
    plain = posixpath.normpath(unicodedata.normalize("NFC", path).replace("\\", "/"))
    return tuple(part for part in reversed(plain.split("/")) if part not in ("", ".", ".."))


def _agreeing(path: tuple[str, ...], other: tuple[str, ...]) -> int:
    length = min(len(path), len(other))
    return next((i for i in range(length) if path[i] != other[i]), length)


def _passed_over(name: str, nameless: list[str]) -> Iterator[str]:
    if nameless:
        others = f" and {len(nameless) - 3} more" if len(nameless) > 3 else ""
        yield f"{name}: without `file_name`, passed over: {', '.join(nameless[:3])}{others}."


def _quoted(value: Any) -> str:
    """`value` as JSON writes it, safe to print and not too long."""
    text = printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    text = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
    return f'"{text}"' if isinstance(value, str) else text
