"""The card of one variant: what a person reads before choosing it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from estimators import weights
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.api import ModelStatus
from pages.ui import devices
from pages.ui.colours import family_colour, heading
from pages.ui.fetching import failure, megabytes, weights_control
from pages.ui.settings import MOST_MODELS
from pages.ui.sidebar import choose_models
from pages.ui.text import escaped

_COLUMNS = 4


def reading_help() -> None:
    """How to read the cards, and where weights may come from."""
    st.caption(
        "Accuracy figures are the publishers' own, each on its own test set: compare them within "
        "a family, never across families. Weights that somebody already has can be put into the "
        "folder that `POSE_WEIGHTS_DIR` names; then nothing is fetched."
    )


def cards(
    specs: Sequence[ModelSpec], compared: Sequence[str], statuses: Sequence[ModelStatus]
) -> None:
    """One family's cards in rows; reference runtimes, which few people need, are folded away.

    Args:
        compared: keys of the models that are compared now.
        statuses: of the runner; asked once a page, for it looks at the memory of each process.
    """
    _rows([spec for spec in specs if spec.reference_of is None], compared, statuses)
    references = [spec for spec in specs if spec.reference_of is not None]
    if not references:
        return
    folded = st.expander(
        "Reference runtimes: the original files, for checking ours against them",
        key=f"references_{references[0].family}",
        on_change="rerun",
    )
    if folded.open:
        with folded:
            _rows(references, compared, statuses)


def _rows(
    specs: Sequence[ModelSpec], compared: Sequence[str], statuses: Sequence[ModelStatus]
) -> None:
    for start in range(0, len(specs), _COLUMNS):
        for column, spec in zip(
            st.columns(_COLUMNS), specs[start : start + _COLUMNS], strict=False
        ):
            with column:
                _card(spec, compared, statuses)


def _card(spec: ModelSpec, compared: Sequence[str], statuses: Sequence[ModelStatus]) -> None:
    with st.container(border=True, height="stretch", key=f"model_{spec.key}"):
        heading(spec.title, family_colour(spec.family))
        # One text: the browser takes its time over each.
        st.markdown(
            f"{spec.summary}\n\n"
            f"{len(spec.skeleton)} joints · {_people(spec)} · {spec.runtime}  \n"
            f"Computes on {devices.told(spec, statuses)}  \n"
            f"Its score is a **{spec.score_kind}**: {spec.score_meaning}.\n\n"
            "**Limits**\n" + "".join(f"\n- {limit}" for limit in spec.limits)
        )
        # Made only when somebody looks, like all that is folded on this page of many cards.
        folded = st.expander(
            "Accuracy, training, licence", key=f"figures_{spec.key}", on_change="rerun"
        )
        if folded.open:
            trained = f"Trained on {spec.training_data}. Licence of the weights: {spec.licence}."
            folded.caption(f"{_figures(spec)}\n\n{trained}")
        with st.container(height="stretch", vertical_alignment="bottom"):
            _weights(spec)
            _comparison(spec, compared)


def _comparison(spec: ModelSpec, compared: Sequence[str]) -> None:
    """The way into the comparison, or out of it."""
    if spec.key in compared:
        others = [model for model in compared if model != spec.key]
        label, icon, models = "In the comparison: take out", ":material/check:", others
    else:
        label, icon, models = "Add to comparison", ":material/add:", [*compared, spec.key]
    full = len(models) > MOST_MODELS
    st.button(
        label,
        key=f"compare_{spec.key}",
        icon=icon,
        disabled=full,
        help=f"At most {MOST_MODELS} at once: take one out first." if full else None,
        on_click=choose_models,
        args=(models,),
    )


def _people(spec: ModelSpec) -> str:
    return "one person" if spec.single_person else f"up to {spec.max_people} people"


def _figures(spec: ModelSpec) -> str:
    """A table with its source, as Markdown."""
    if not spec.figures:
        of = f"; see {MODELS[spec.reference_of].title}" if spec.reference_of else ""
        return f"No published figure for this variant{of}."
    rows = "\n".join(f"| {f.metric} | {f.value:.1f} | {f.test_set} |" for f in spec.figures)
    source = ", ".join(dict.fromkeys(f.source for f in spec.figures))
    return f"| measure | % | test set |\n|---|--:|---|\n{rows}\n\nSource: {source}."


def _weights(spec: ModelSpec) -> None:
    state = weights.state(spec.weights)
    entry = weights.entry(spec.weights)
    source = escaped(f"{entry.source}. {state.detail}")
    if state.state in ("embedded", "cached"):
        where = "included" if state.state == "embedded" else "on this machine"
        size = f", {megabytes(state.size_bytes)}" if state.size_bytes else ""
        st.badge(f"Weights {where}{size}", icon=":material/check:", color="green", help=source)
        return
    if state.state != "downloading" and failure(state, spec.weights) is None:
        st.badge(
            "Weights not on this machine yet",
            icon=":material/cloud_download:",
            color="gray",
            help=escaped(entry.source) if state.tried else source,
        )
    weights_control(spec.weights, f"card_{spec.key}")
