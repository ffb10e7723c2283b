"""A set of pictures together: who agrees where, and which model to use on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from estimators.analysis.agreement import joint_agreement, picture_agreement
from estimators.analysis.requirements import Needs
from estimators.analysis.sentences import Place
from pages.ui import engine, memory
from pages.ui.columns import explained
from pages.ui.engine import Outcome
from pages.ui.image.comparison import Comparison
from pages.ui.image.verdict import go_to, settle, verdict_of
from pages.ui.settings import Settings
from pages.ui.sources import Picture
from pages.ui.steps import third_family
from pages.ui.uploads import CHOSEN
from pages.ui.verdict_box import Ways, show, verdict_button

if TYPE_CHECKING:
    import pandas as pd

_FIGURES = ("agreement, OKS", "largest distance, torsos")


@dataclass(frozen=True, eq=False)
class PictureSet:
    """The pictures of a set that every model has answered.

    Attributes:
        comparisons: by the key of the upload.
        outcomes: of all pictures and models, answered or not.
        total: how many pictures the set has.
    """

    comparisons: Mapping[str, Comparison]
    outcomes: Sequence[Outcome]
    total: int

    @classmethod
    def of(cls, pictures: Mapping[str, Picture], settings: Settings) -> PictureSet:
        """Asks for every estimate at once and takes what is there."""
        comparisons, outcomes = {}, []
        for key, picture in pictures.items():
            each = engine.estimates(picture, settings.specs(), patience_s=0.0)
            outcomes += each
            if not any(outcome.pending for outcome in each):
                comparisons[key] = Comparison.of(picture, settings, each)
        return cls(comparisons, outcomes, len(pictures))


def picture_set(pictures: Mapping[str, Picture], settings: Settings, needs: Needs) -> list[Outcome]:
    """The summary of the set, where there are several pictures; what is still awaited."""
    if len(pictures) < 2:
        return []
    with st.container(border=True, key="picture_set"):
        st.header(f"All {len(pictures)} pictures", anchor=False)
        found = PictureSet.of(pictures, settings)
        done = len(found.comparisons)
        if done < found.total:
            st.progress(done / found.total, f"{done} of {found.total} pictures are compared")
        if any(comparison.specs for comparison in found.comparisons.values()):
            _summary(found, needs)
    return list(found.outcomes)


def _summary(found: PictureSet, needs: Needs) -> None:
    compared = list(found.comparisons.values())
    verdict = verdict_of(compared, needs)
    table, keys = set_table(found)
    show(verdict.together, _ways(found, keys), "set_verdict")
    verdict_button(verdict, "pictures.verdict.json")
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        key="set_table",
        on_select=_open_row(keys),
        selection_mode="single-row",
        column_config=explained(
            table, {name: st.column_config.NumberColumn(format="%.2f") for name in _FIGURES}
        ),
        alt="The pictures of the set, the one on which the models differ most first",
    )
    st.caption(
        "Choose a row to open its picture. People: found by each model. Agreement: OKS of every "
        "two models on every person, in the mean; a person whom one of the two does not find "
        "counts 0. Largest distance: of a joint from where the other families put it."
    )


def _ways(found: PictureSet, keys: Sequence[str]) -> Ways:
    """To the joint on its picture; the truth is marked on the most disputed picture first."""
    by_name = {c.picture.name: key for key, c in found.comparisons.items()}
    some = found.comparisons[keys[0]]

    def to_place(place: Place) -> None:
        _open(by_name.get(place.picture))
        go_to(place)

    def on_worst(act: Callable[[], None]) -> None:
        _open(keys[0])
        act()

    steps = third_family(some.estimates, some.settings.models)
    return Ways(to_place, steps | {name: partial(on_worst, act) for name, act in settle().items()})


def set_table(found: PictureSet) -> tuple[pd.DataFrame, list[str]]:
    """One row a picture, the most disputed first, and the uploads' keys in that order."""
    import pandas as pd

    rows = []
    for key, comparison in found.comparisons.items():
        apart = joint_agreement(comparison.shown, comparison.groups).values()
        finite = np.concatenate([np.zeros(0), *(d[np.isfinite(d)] for d in apart)])
        people = {
            f"{spec.title}, people": len(comparison.shown[spec.key]) for spec in comparison.specs
        }
        agreement = picture_agreement(comparison.groups, list(comparison.shown))
        row = {
            "picture": comparison.picture.name,
            **people,
            _FIGURES[0]: agreement,
            _FIGURES[1]: float(finite.max()) if finite.size else np.nan,
        }
        rows.append((agreement, key, row))
    rows.sort(key=lambda each: (np.isnan(each[0]), each[0]))
    return pd.DataFrame([row for _, _, row in rows]), [key for _, key, _ in rows]


def _open_row(keys: Sequence[str]) -> Callable[[], None]:
    def go() -> None:
        rows = st.session_state["set_table"].selection.rows
        if rows and rows[0] < len(keys):
            _open(keys[rows[0]])

    return go


def _open(key: str | None) -> None:
    """Shows that picture of the set."""
    if key is not None:
        st.session_state[CHOSEN] = memory.keep(CHOSEN, key)
