"""Marker: one picture on which a person puts keypoints where they really are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from estimators.annotated import HIDDEN, NOT_LABELLED, VISIBLE, AnnotatedPerson
from estimators.skeletons import COCO_17
from pages.ui.scripts import script, texts
from pages.ui.viewer.panels import Layer, Panel, ViewOptions, panels_payload, skeleton_payload
from pages.ui.viewer.picture import StagePicture, picture_payload

# As marker.js counts them: a joint that nobody has confirmed does not count.
_OPEN, _HIDDEN, _SEEN, _NOT_THERE = range(4)
_FLAGS = {_OPEN: NOT_LABELLED, _HIDDEN: HIDDEN, _SEEN: VISIBLE, _NOT_THERE: NOT_LABELLED}
_STATES = {HIDDEN: _HIDDEN, VISIBLE: _SEEN}
# Violet, as the product's accent: the other colours belong to the models.
COLOUR = "#7C5CFF"

_HERE = Path(__file__).parent
_marker = st.components.v2.component(
    "pose_comparison.marker",
    html=texts(_HERE / "viewer.html"),
    css=texts(_HERE / "viewer.css", _HERE / "marker.css"),
    js=script(_HERE / "marker.js"),
)


@dataclass(frozen=True, eq=False)
class Start:
    """Poses that open joints may start from.

    Attributes:
        key, title: identifies it; `key` of a layer that is shown where it is a model's.
        people: xy [17, 2] in pixels on COCO-17 by the person's number, NaN where absent.
    """

    key: str
    title: str
    people: Mapping[int, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Marks:
    """The state of the marking of one picture.

    Attributes:
        people: as the browser tells them: {id, from, xy (34, None where absent), state (17)}.
        revision: goes up when Python changes `people`; the browser then forgets its own.
    """

    people: Sequence[Mapping[str, Any]] = ()
    revision: int = 0

    @classmethod
    def open_from(cls, start: Start, numbers: Sequence[int]) -> Marks:
        """The people with these numbers as `start` has them, nothing confirmed yet."""
        return cls([_mark(n, start.key, start.people[n], [_OPEN] * len(COCO_17)) for n in numbers])

    @classmethod
    def of(cls, people: Sequence[AnnotatedPerson], revision: int) -> Marks:
        """People who were marked before."""
        marks = []
        for number, person in enumerate(people, 1):
            states = [_STATES.get(int(flag), _OPEN) for flag in person.visibility]
            marks.append(_mark(number, "", person.xy, states))
        return cls(marks, revision)

    def annotated(self) -> tuple[AnnotatedPerson, ...]:
        """What was confirmed; people of whom nothing was are left out."""
        people = []
        for mark in self.people:
            flags = np.array([_FLAGS[state] for state in mark["state"]])
            xy = np.array([math.nan if v is None else v for v in mark["xy"]], np.float64)
            if flags.any():
                people.append(AnnotatedPerson(xy.reshape(-1, 2), flags))
        return tuple(people)


@dataclass(frozen=True, eq=False)
class Marking:
    """What the marker shows beside the picture.

    Attributes:
        starts: poses to start from; those of models in the order of their layers.
        asked: (person's number, joint) of the joints that decide most, the first one first.
        layers: of the models, drawn faintly when the person asks for them.
        come: where it is a new number, the page scrolls to the marker.
    """

    starts: Sequence[Start] = ()
    asked: Sequence[tuple[int, str]] = ()
    layers: Sequence[Layer] = field(default_factory=tuple)
    come: int = 0


def marker(
    key: str,
    picture: StagePicture,
    marks: Marks,
    marking: Marking,
    on_change: Callable[[Marks], object],
) -> Marks:
    """Shows `picture` for marking and gives what is marked on it now.

    Args:
        key: unique on the page.
        picture: what the positions refer to.
        marks: what is known; the browser keeps its own until `revision` goes up.
        on_change: is given what is marked before the page runs, which may show no marker again:
            a control that was pressed right after may have changed the page.
    """
    panel = Panel("Your marks", "only what you confirm counts", marking.layers)
    payload = panels_payload([panel], ViewOptions())
    payload["skeletons"][COCO_17.name] = skeleton_payload(COCO_17)
    payload["picture"] = picture_payload(key, picture)
    payload["key"] = key
    payload["marking"] = {
        "joints": list(COCO_17.joints),
        "people": [dict(mark) for mark in marks.people],
        "revision": marks.revision,
        "sources": [_start(start) for start in marking.starts],
        "asked": [[person, COCO_17.index(joint)] for person, joint in marking.asked],
        "colour": COLOUR,
        "come": marking.come,
    }
    picture_id = payload["picture"]["id"]

    def changed() -> None:
        on_change(_reported(st.session_state[key].marked, picture_id, marks))

    with st.container(key=f"{key}-frame"):
        result = _marker(key=key, data=payload, default={"marked": None}, on_marked_change=changed)
    return _reported(result.marked, picture_id, marks)


def _reported(value: Any, picture_id: str, marks: Marks) -> Marks:
    """What the browser told last, unless that was about another picture or is outdated."""
    if not isinstance(value, dict) or value.get("picture") != picture_id:
        return marks
    if value.get("revision") != marks.revision or not all(map(_is_mark, value["people"])):
        return marks
    return Marks(value["people"], marks.revision)


def _is_mark(mark: Any) -> bool:
    """Whether it has the form of a mark; the browser is a stranger."""
    if not isinstance(mark, dict) or not isinstance(mark.get("id"), int):
        return False
    xy, state = mark.get("xy"), mark.get("state")
    if not isinstance(xy, list) or not isinstance(state, list):
        return False
    k = len(COCO_17)
    numbers = all(v is None or (isinstance(v, int | float) and math.isfinite(v)) for v in xy)
    if (len(xy), len(state)) != (2 * k, k) or not numbers or not set(state) <= set(_FLAGS):
        return False
    placed = [xy[2 * i] is not None and xy[2 * i + 1] is not None for i in range(k)]
    return all(there for there, s in zip(placed, state, strict=True) if s in (_HIDDEN, _SEEN))


def _mark(number: int, origin: str, xy: NDArray[np.float64], states: list[int]) -> dict[str, Any]:
    return {"id": number, "from": origin, "xy": _numbers(xy), "state": states}


def _start(start: Start) -> dict[str, Any]:
    people = {str(number): _numbers(xy) for number, xy in start.people.items()}
    return {"key": start.key, "title": start.title, "people": people}


def _numbers(xy: NDArray[np.float64]) -> list[float | None]:
    """Tenths of a pixel; half a position counts as none."""
    whole = np.where(np.isfinite(xy).all(axis=-1, keepdims=True), xy, np.nan)
    return [round(float(v), 1) if math.isfinite(v) else None for v in whole.ravel()]
