"""Properties of our own parsers: whatever they are given, they end, in a value or our own error."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.datasets.coco import read_coco
from estimators.datasets.health import Findings
from estimators.datasets.mpii import is_mpii, read_mpii_json
from estimators.errors import InputError
from estimators.export.cells import cell
from estimators.media.decode_cost import scans_of
from estimators.media.names import printable
from estimators.media.picture_repair import with_end, without_metadata
from tests import annotated_factory

# A case takes well under a millisecond; on a busy machine the clock is no judge.
QUICK = settings(max_examples=40, deadline=None, derandomize=True, database=None)

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
COCO_KEYS = ("images", "annotations", "categories")
IMAGE_KEYS = ("id", "file_name", "width", "height")
PERSON_KEYS = ("id", "image_id", "category_id", "keypoints", "bbox", "area", "iscrowd")


def at_places() -> st.SearchStrategy[tuple[str, int, str, Any]]:
    """A place in a COCO file and what stands there instead."""
    keys = st.sampled_from(IMAGE_KEYS + PERSON_KEYS + ("name", "skeleton"))
    return st.tuples(st.sampled_from(COCO_KEYS), st.integers(0, 2), keys, JSON)


@QUICK
@given(JSON)
def test_any_json_is_a_set_or_one_clear_error(content: Any) -> None:
    with suppress(InputError):
        assert read_coco(content, "it.json", Findings()).images is not None


@QUICK
@given(st.lists(at_places(), min_size=1, max_size=3))
def test_any_value_anywhere_in_coco(changes: list[tuple[str, int, str, Any]]) -> None:
    content = annotated_factory.coco()
    for section, at, key, value in changes:
        entries = content[section]
        if isinstance(entries, list) and entries:
            entries[at % len(entries)][key] = value
    with suppress(InputError):
        listing = read_coco(json.loads(json.dumps(content)), "it.json", Findings())
        for image in listing.images:
            for person in image.people:
                assert person.xy.shape == (17, 2)


@QUICK
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["image", "joints", "joints_vis", "scale"]), JSON),
        max_size=3,
    )
)
def test_any_list_of_people_of_mpii(content: list[Any]) -> None:
    if is_mpii(content):
        read_mpii_json(content, "it.json", Findings())


@QUICK
@given(st.binary(max_size=300))
def test_any_bytes_behind_a_jpegs_head(tail: bytes) -> None:
    data = b"\xff\xd8\xff\xc0" + tail
    assert scans_of(data).scans >= 0
    for bare in without_metadata(data):
        assert len(bare) <= len(data) + 2
    with suppress(OSError, ValueError, SyntaxError):  # Pillow's, which `pictures` expects
        complete = with_end(data)
        assert complete is None or complete.startswith(data[:2])


@QUICK
@given(st.text())
def test_any_name_is_one_line_and_no_formula(name: str) -> None:
    shown = printable(name)
    assert shown.splitlines() in ([shown], [])
    assert not cell(name).startswith(("=", "+", "-", "@", "\t", "\r"))
