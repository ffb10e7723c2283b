"""How many people each model is asked for in clips and live video, kept in the address (`most`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from estimators.registry import MODELS, ModelSpec
from estimators.types import EstimatorOptions
from pages.ui import memory

_ADDRESS = "most"
_VIDEO = EstimatorOptions(video=True)


def choose_people(specs: Sequence[ModelSpec]) -> dict[str, int]:
    """A popover with a number for each model that can find several people.

    Returns:
        The numbers that are not what the model follows anyway, by model.
    """
    several = [spec for spec in specs if not spec.single_person]
    if not several:
        return {}
    addressed = _read(st.query_params.get(_ADDRESS, ""))
    with st.popover("People", icon=":material/groups:", key="most_people"):
        st.caption("Most people each model looks for. More of them take more time.")
        chosen = {spec.key: _number(spec, addressed) for spec in several}
    changed = {key: n for key, n in chosen.items() if n != MODELS[key].people_limit(_VIDEO)}
    _publish(changed)
    return changed


def held_back(people: Mapping[str, int], specs: Sequence[ModelSpec]) -> str:
    """Which models look for fewer people than they can find, in a line; empty where none does."""
    said = []
    for spec in specs:
        limit = spec.held_to(EstimatorOptions(video=True, max_people=people.get(spec.key)))
        if limit is not None:
            who = "one person" if limit == 1 else f"{limit} people"
            said.append(f"{spec.title} looks for {who} at most here; it can find {spec.max_people}")
    return f"{'. '.join(said)}." if said else ""


def _number(spec: ModelSpec, addressed: Mapping[str, int]) -> int:
    key, usual = f"most_{spec.key}", spec.people_limit(_VIDEO)
    value = memory.recall(key, addressed.get(spec.key, usual))
    one = " One person is followed and smoothed; more are found anew in each frame."
    number = st.number_input(
        spec.title,
        1,
        spec.max_people,
        value,
        key=key,
        help=f"Up to {spec.max_people}." + (one if spec.clip_people == 1 else ""),
    )
    return int(memory.keep(key, number))


def _read(text: str) -> dict[str, int]:
    """What the address says; what is unknown or out of range is ignored."""
    people = {}
    for item in text.split(","):
        key, _, number = item.partition(":")
        if key in MODELS and number.isascii() and number.isdecimal() and len(number) < 5:
            most = MODELS[key].max_people
            if 1 <= int(number) <= most:
                people[key] = int(number)
    return people


def _publish(changed: Mapping[str, int]) -> None:
    text = ",".join(f"{key}:{number}" for key, number in changed.items())
    if not text:
        st.query_params.pop(_ADDRESS, None)
    elif st.query_params.get(_ADDRESS) != text:
        st.query_params[_ADDRESS] = text
