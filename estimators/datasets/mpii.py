"""MPII Human Pose (http://human-pose.mpi-inf.mpg.de), its `.mat` and the JSON that is made of it.

Of its 16 joints 12 are COCO's; neck and top of the head are kept for PCKh.  MPII counts pixels from
1, as MATLAB does; files of this form for other pictures (MPII's own are called by nine digits) are
taken to count from 0, as the tools do that write them.
"""

from __future__ import annotations

import json
import math
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.scale import person_area
from estimators.annotated import AnnotatedPerson
from estimators.datasets.coco_images import quoted
from estimators.datasets.files import parts_of
from estimators.datasets.health import Findings
from estimators.datasets.joint_names import JointMap
from estimators.datasets.listing import ListedImage, Listing
from estimators.datasets.mat_child import several
from estimators.datasets.people import SHIFT_PX, Described, box_of, numbers, person_of
from estimators.errors import InputError
from estimators.skeletons import COCO_17

# The order of both files, by the names of the authors' description.
JOINTS = JointMap.of(
    (
        *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
        *("pelvis", "thorax", "upper_neck", "head_top", "right_wrist", "right_elbow"),
        *("right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
    )
)
# `scale` is a person's height in units of so many pixels.
SCALE_PX = 200.0
# PCKh's length is so much of the diagonal of the head's box (the authors' evaluation code).
HEAD_SHARE = 0.6
_OWN = re.compile(r"^[0-9]{9}\.")
_HEAD_BOXES = ("head_box", "headbox", "head_rect", "head_bbox")
_HEAD_LENGTHS = ("head_length", "head_size", "headsize")
# MATLAB's format 5: https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
_MAT_HEADER, _MAT_PACKED, _PIECE = 128, 15, 1 << 20
_ROOT, _MOST_SECONDS = Path(__file__).parents[2], 300
_ADVICE = "Give the file of the authors, or a JSON list with `image`, `joints`, `joints_vis`."


def is_mat(data: bytes) -> bool:
    """Whether it is a MATLAB file, of version 5 or 7.3 (which is HDF5)."""
    return data.startswith((b"MATLAB ", b"\x89HDF"))


def require_small(data: bytes, most_bytes: int, name: str) -> None:
    """Raises InputError where a MATLAB file's packed elements hold more than `most_bytes`."""
    at, unpacked = _MAT_HEADER, 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == _MAT_PACKED:
            stream, rest = zlib.decompressobj(), data[at + 8 : at + 8 + size]
            with suppress(zlib.error):  # told when it is read
                while rest and not stream.eof and unpacked <= most_bytes:
                    unpacked += len(stream.decompress(rest, _PIECE))
                    rest = stream.unconsumed_tail
        if unpacked > most_bytes:
            raise InputError(
                f"{name} would take over {most_bytes / 1e6:,.0f} MB when it is unpacked.",
                "Take only the part of the set that is to be evaluated.",
            )
        at += 8 + size


def is_mpii(content: Any) -> bool:
    """Whether a JSON is MPII's: a list of people with joints."""
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and {"image", "joints"} <= content[0].keys()
    )


def read_mpii_json(content: Any, name: str, findings: Findings) -> Listing:
    """The pictures with the people of MPII's JSON form."""
    people = []
    for at, entry in enumerate(content):
        place = f"[{at}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("image"), str):
            findings.add("annotation_unreadable", f"{place}: {quoted(entry)}")
        else:
            people.append((place, entry["image"], _of_json(entry, place, findings)))
    return _listing(people, name, findings)


def read_mpii_mat(data: bytes, name: str, findings: Findings) -> Listing:
    """The pictures with the people of the authors' `.mat`; those without people are left out.

    Raises:
        InputError: it is damaged, of another version, or holds something else.
    """
    people = []
    for at, entry in enumerate(_annolist(data, name), 1):
        place = f"annolist({at})"
        try:
            file = entry["name"]
            if not isinstance(file, str):
                raise TypeError("no name")
            people += [(w, file, p) for w, p in _of_mat(entry["annorect"], place)]
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
            findings.add("annotation_unreadable", f"{place}: {error}")
    return _listing(people, name, findings)


def _annolist(data: bytes, name: str) -> list[Any]:
    """What the child process finds in the file."""
    with tempfile.NamedTemporaryFile(prefix="pose-mat-") as file:
        file.write(data)
        file.flush()
        found = run_child(file.name)
    error = found.get("error")
    if error == "7.3":
        raise InputError(
            f"{name} is a MATLAB file of version 7.3.", "Save it with `save(…, '-v7')`."
        )
    if error == "other":
        raise InputError(f"{name} is no MPII file: it has no RELEASE.annolist.", _ADVICE)
    if error is not None:
        raise InputError(f"{name} is a MATLAB file that cannot be read ({error}).", _ADVICE)
    images: list[Any] = found["annolist"]
    return images


def run_child(path: str) -> dict[str, Any]:
    """`mat_child.annolist` in a process of its own, which a damaged file may end."""
    command = [sys.executable, "-m", "estimators.datasets.mat_child", path]
    try:
        done = subprocess.run(
            command, cwd=_ROOT, capture_output=True, check=False, timeout=_MOST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"error": f"damaged: it took over {_MOST_SECONDS} seconds"}
    if done.returncode != 0:
        return {"error": "damaged: reading it failed"}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


_Found = tuple[NDArray[np.float64], Described]  # [16, 3] as written, and what else is told


def _listing(people: list[tuple[str, str, _Found]], name: str, findings: Findings) -> Listing:
    images: dict[str, list[AnnotatedPerson]] = {}
    for place, file, found in people:
        persons = images.setdefault(file, [])
        from_1 = bool(_OWN.match((parts_of(file) or ("",))[0]))
        if from_1 and not persons:
            findings.add("pixels_from_1", file)
        persons.append(_person(found, from_1, place, findings))
    for joint in JOINTS.beyond:
        findings.add("unknown_joint", joint)
    for joint in COCO_17.joints:
        if joint not in JOINTS.joints:
            findings.add("joint_missing", joint)
    listed = [
        ListedImage(f"picture {n}", file, None, file, tuple(persons))
        for n, (file, persons) in enumerate(images.items(), 1)
    ]
    return Listing(name, listed, "mpii", JOINTS.joints)


def _person(found: _Found, from_1: bool, place: str, findings: Findings) -> AnnotatedPerson:
    values, said = found
    values[:, :2] += SHIFT_PX - from_1
    box = said.box_xyxy
    if box is not None and from_1:
        box = (box[0] - 1, box[1] - 1, box[2] - 1, box[3] - 1)
    head_px = said.head_px
    named = dict(zip(JOINTS.names, values, strict=True))
    neck, top = named["upper_neck"], named["head_top"]
    if not head_px > 0 and neck[2] > 0 and top[2] > 0:
        length = float(np.linalg.norm(top[:2] - neck[:2]))
        if np.isfinite(length):
            head_px = length
            findings.add("head_from_joints", place)
    person = person_of(values, JOINTS, Described(box, head_px=head_px), place, findings)
    if not person.labelled.any():
        return person
    # The square is too large a box to tell an area by.
    return replace(person, area=float(person_area(person.xy)), area_from="joints")


def _of_json(entry: Mapping[str, Any], place: str, findings: Findings) -> _Found:
    box = _square(numbers(entry.get("center"), 2), numbers(entry.get("scale"), 1))
    xy = numbers(entry.get("joints"), len(JOINTS), 2)
    if xy is None:
        findings.add("keypoints_length", place)
        return np.zeros((len(JOINTS), 3)), Described(box)
    flags = numbers(entry.get("joints_vis", [1] * len(JOINTS)), len(JOINTS))
    flags = np.ones(len(JOINTS)) if flags is None else flags
    # Absent joints are at (-1, -1) or (0, 0).  Some files mark those that cannot be seen as 0, too.
    there = (xy >= 0).all(axis=1) & (xy > 0).any(axis=1)
    hidden = there & ~(flags > 0)
    if hidden.any():
        findings.add("hidden_by_name", place, int(hidden.sum()))
    # At no number, but marked visible: counted where positions are looked at.
    nowhere = ~np.isfinite(xy).all(axis=1) & (flags > 0)
    written = np.where(there, np.where(flags > 0, 2.0, 1.0), np.where(nowhere, 2.0, 0.0))
    values = np.column_stack([xy, written])
    boxes = (numbers(entry.get(key), 4) for key in _HEAD_BOXES)
    head = HEAD_SHARE * next((_diagonal(b) for b in boxes if b is not None), math.nan)
    if math.isnan(head):
        lengths = (numbers(entry.get(key), 1) for key in _HEAD_LENGTHS)
        head = next((float(n[0]) for n in lengths if n is not None), math.nan)
    return values, Described(box, head_px=head)


def _of_mat(rects: Sequence[Any], place: str) -> Iterator[tuple[str, _Found]]:
    for number, rect in enumerate(rects, 1):
        points = rect.get("annopoints")
        points = several(points.get("point")) if isinstance(points, dict) else []
        if not points:
            continue  # of the test part, or only a head
        values = np.zeros((len(JOINTS), 3))
        for point in points:
            values[int(point["id"])] = (float(point["x"]), float(point["y"]), _seen(point))
        corners = numbers([rect.get(key) for key in ("x1", "y1", "x2", "y2")], 4)
        head = math.nan if corners is None else HEAD_SHARE * _diagonal(corners)
        middle = rect.get("objpos")
        middle = middle if isinstance(middle, dict) else {}
        center = numbers([middle.get("x"), middle.get("y")], 2)
        box = _square(center, numbers(rect.get("scale"), 1))
        yield f"{place}.annorect({number})", (values, Described(box, head_px=head))


def _seen(point: Mapping[str, Any]) -> float:
    """COCO's flag: hidden only where it says so (head and neck have an empty one)."""
    seen = numbers(point.get("is_visible"), 1)
    return 1.0 if seen is not None and seen[0] == 0 else 2.0


def _diagonal(corners: NDArray[np.float64]) -> float:
    return float(np.hypot(corners[2] - corners[0], corners[3] - corners[1]))


def _square(
    center: NDArray[np.float64] | None, scale: NDArray[np.float64] | None
) -> tuple[float, float, float, float] | None:
    """The box that MPII's users take: a square of the person's height around the middle."""
    if center is None or scale is None or not scale[0] > 0 or not (center > 0).all():
        return None
    side = SCALE_PX * float(scale[0])
    return box_of((center[0] - side / 2, center[1] - side / 2, side, side))
