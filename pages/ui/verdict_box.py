"""Which should I use?  The answer in words, the same on every page, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import streamlit as st

from estimators.analysis.recommend import Recommendation
from estimators.analysis.requirements import Needs
from estimators.analysis.sentences import Place, Reason
from estimators.export.sinks import to_bytes
from estimators.workflows.verdicts import Verdicts
from pages.ui import memory
from pages.ui.text import escaped

_RULE = Path(__file__).parents[2] / "docs/verdict.md"
_RULE_PX = 480
_MOST_PEOPLE, _LONGEST_MS, _MOST_MB = 50, 10_000, 10_000
_NUMBERS = {
    "need_people": ("People at once", 1, _MOST_PEOPLE),
    "need_ms": ("At most so many ms a picture or frame (0: any)", 0, _LONGEST_MS),
    "need_mb": ("At most so many MB of memory (0: any)", 0, _MOST_MB),
}


@dataclass(frozen=True)
class Ways:
    """Where the box leads to.

    Attributes:
        to_place: shows the place that a reason is about; None where there is nothing to go to.
        steps: what a person can do where nothing is recommended, by the button's text and icon.
    """

    to_place: Callable[[Place], None] | None = None
    steps: Mapping[tuple[str, str], Callable[[], None]] = field(default_factory=dict)


def chosen_needs() -> Needs:
    """What a person needs, as the box's controls were left."""
    people, latency, held = (int(memory.recall(key, low)) for key, (_, low, _) in _NUMBERS.items())
    return Needs(people, memory.recall("need_3d", False), latency or None, held or None)


def verdict_box(answer: Recommendation, ways: Ways, key: str = "verdict") -> None:
    """The answer for `chosen_needs`, and the controls that change them."""
    with st.container(border=True, key=key):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.header("Which should I use?", anchor=False, width="content")
            with st.popover("What I need", icon=":material/tune:"):
                _needs()
        show(answer, ways, key)


def _needs() -> None:
    wanted = memory.recall("need_3d", False)
    memory.keep("need_3d", st.toggle("Joints in 3-D", wanted, key="need_3d"))
    for key, (label, low, high) in _NUMBERS.items():
        value = memory.recall(key, low)
        memory.keep(key, st.number_input(label, low, high, value, key=key))


def show(answer: Recommendation, ways: Ways, key: str) -> None:
    """The headline, the reasons with their places, the next step, and how this is decided.

    Args:
        key: unique on the page.
    """
    st.markdown(f"**{escaped(answer.headline)}**")
    with st.container(gap=None):
        for number, reason in enumerate(answer.reasons):
            _reason(reason, f"{key}_reason_{number}", ways.to_place)
    with st.container(horizontal=True, key=f"{key}_steps"):
        if answer.model is None:
            for number, ((label, icon), act) in enumerate(ways.steps.items()):
                if st.button(label, icon=icon, key=f"{key}_step_{number}", on_click=act):
                    st.rerun()  # all of the page, where the box is in a fragment of it
    _rule(f"{key}_rule")


def _reason(reason: Reason, key: str, to_place: Callable[[Place], None] | None) -> None:
    place = reason.place
    if to_place is None or place is None or place.person is None:
        st.markdown(f"- {escaped(str(reason))}")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"- {escaped(str(reason))}", width="content")
        st.button(
            "Show",
            key=key,
            type="tertiary",
            icon=":material/my_location:",
            help="Shows where this is",
            on_click=partial(to_place, place),
        )


def verdict_button(verdict: Verdicts, name: str) -> None:
    """Saves the verdict with its reasons as the file `name`, as `compare` writes it."""
    st.download_button(
        "Verdict, JSON",
        lambda: to_bytes(verdict.write),
        name,
        "application/json",
        key=f"download_{name}",
        on_click="ignore",
        icon=":material/table:",
        help=f"Saves {escaped(name)}",
    )


def _rule(key: str) -> None:
    """The rule, to be opened; it stays open when the page runs again, which a dialog does not."""
    told = st.expander(
        "How this is decided", key=key, icon=":material/gavel:", type="compact", on_change="rerun"
    )
    if told.open:
        # A table that is wider than a phone scrolls by itself.
        st.html(f"<style>.st-key-{key} table {{ display: block; overflow-x: auto; }}</style>")
        told.container(height=_RULE_PX).markdown(_rule_text())


@cache
def _rule_text() -> str:
    """docs/verdict.md without its title; links to other documents lead nowhere from a page."""
    _, text = _RULE.read_text(encoding="utf-8").split("\n", 1)
    return re.sub(r"\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", text)
