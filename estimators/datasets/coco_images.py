"""COCO annotation files as JSON: their lists, their ids, and the images among them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from estimators.datasets.listing import ListedImage, Listing
from estimators.errors import InputError
from estimators.media.kinds import require_file
from estimators.media.names import printable

# COCO's tools hold ids in int64; a float is exact up to 2^53.
_IDS = range(-(2**63), 2**63)
_EXACT = 2**53
_QUOTED = 40  # characters of something foreign in a message


def read_annotations(path: Path) -> tuple[Listing, tuple[str, ...]]:
    """The `images` of a COCO JSON whose ids COCO's tools can use; their people are left out.

    Returns:
        The images, and what was passed over; whole sentences.

    Raises:
        InputError: the file cannot be read, or an id is no whole number or given twice; the message
            names the entry's place.
    """
    name = printable(str(path))
    images: dict[int, ListedImage] = {}
    nameless = []
    require_file(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}.") from error
    for number, entry in enumerate(entries(parsed(data, name), "images", name)):
        place = f"images[{number}]"
        if not isinstance(entry, dict):
            raise InputError(f"{name}: {place} is {quoted(entry)}.", "It must be an object.")
        image_id = whole_id(entry.get("id"), f"{name}: the id of {place}")
        if image_id in images:
            raise InputError(
                f"{name}: {images[image_id].place} and {place} have the same id, {image_id}.",
                "Give each image its own, and its annotations the same as `image_id`.",
            )
        images[image_id] = listed_image(entry, place, image_id)
        if not images[image_id].parts:
            nameless.append(place)
    return Listing(name, images.values()), tuple(_passed_over(name, nameless))


def parsed(data: bytes, name: str) -> Any:
    """What a JSON holds, in any Unicode encoding that JSON may have.

    Raises:
        InputError: it is no JSON.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{name} is not a COCO annotation file: it is no JSON ({error}).",
            "Export the annotations once more, as COCO JSON.",
        ) from error


def entries(content: Any, key: str, name: str) -> list[Any]:
    """One of the lists of a COCO document.

    Raises:
        InputError: there is no such list.
    """
    found = content.get(key) if isinstance(content, dict) else None
    if not isinstance(found, list):
        raise InputError(
            f"{name} is not a COCO annotation file: it has no list `{key}`.",
            "It must be a JSON object with `images` (which have `id` and `file_name`) and "
            "`annotations` (which have `image_id` and `keypoints`).",
        )
    return found


def whole_id(value: Any, which: str) -> int:
    """`value` if it is a whole number, as COCO's tools need it; 7.0 counts as one.

    Raises:
        InputError: it is none; the message begins with `which`.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    if type(value) is int and value in _IDS:
        return value
    if value is None:
        raise InputError(f"{which} is missing.", "Give it a whole number.")
    if type(value) is int or (isinstance(value, float) and value.is_integer()):
        raise InputError(
            f"{which} is {quoted(value)}, too large for COCO's tools.",
            "Number the images (1, 2, 3, …), and the `image_id` of their annotations likewise.",
        )
    if not isinstance(value, str):
        raise InputError(f"{which} is {quoted(value)}, not a whole number.", "Give it one.")
    advice = "Number the images (1, 2, 3, …)"
    if value.strip().isdecimal():
        advice = "Write it without quotation marks (and without zeros in front)"
    raise InputError(
        f"{which} is the text {quoted(value)}; COCO's tools need a whole number.",
        f"{advice}, and the `image_id` of its annotations likewise.",
    )


def any_id(value: Any) -> int | str | None:
    """`value` if it can tell entries apart, whether or not COCO's tools take it; else None."""
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() else str(value)
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) else None


def listed_image(entry: Mapping[str, Any], place: str, source_id: int | str) -> ListedImage:
    """One entry of `images`; what it says of size, hash and frame counts where it can be."""
    digest, frame = entry.get("sha256"), entry.get("frame_index")
    return ListedImage(
        place,
        text_of(entry.get("file_name")),
        _size(entry),
        source_id,
        sha256=digest if isinstance(digest, str) else "",
        frame_index=frame if type(frame) is int else None,
    )


def quoted(value: Any) -> str:
    """`value` as JSON writes it, safe to print and not too long."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:  # deeper than it was read
        text = "…"
    text = printable(text)
    text = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
    return f'"{text}"' if isinstance(value, str) else text


def text_of(value: Any) -> str:
    """A name; empty where it is none, so that nothing deep or long is written out."""
    return str(value) if isinstance(value, (str, int, float)) else ""


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


def _passed_over(name: str, nameless: list[str]) -> Iterator[str]:
    if nameless:
        others = f" and {len(nameless) - 3} more" if len(nameless) > 3 else ""
        yield f"{name}: without `file_name`, passed over: {', '.join(nameless[:3])}{others}."
