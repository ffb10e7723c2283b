"""The card of one variant: what a person reads before choosing it."""

from __future__ import annotations

import streamlit as st

from estimators import weights
from estimators.registry import MODELS, ModelSpec
from pages.ui.colours import heading
from pages.ui.fetching import megabytes, weights_control

_CARD_WIDTH = 340


def reading_help() -> None:
    """How to read the cards, and where weights may come from."""
    st.caption(
        "Accuracy figures are the publishers' own, each on its own test set: compare them within "
        "a family, never across. Weights that somebody already has can be put into the folder "
        "named by `POSE_WEIGHTS_DIR`; nothing is fetched then."
    )


def card(spec: ModelSpec) -> None:
    """Everything about one variant, the weights' state last with what can be done about it."""
    from estimators.render.style import family_colour

    theme = "dark" if st.context.theme.type == "dark" else "light"
    with st.container(border=True, width=_CARD_WIDTH, key=f"model_{spec.key}"):
        heading(spec.title, family_colour(spec.family, 0, theme))
        st.markdown(spec.summary)
        st.markdown(f"**{len(spec.skeleton)} joints** · **{_people(spec)}** · {spec.runtime}")
        st.markdown(
            f"Score: **{spec.score_kind}**", help=f"{spec.score_kind}: {spec.score_meaning}."
        )
        with st.expander("Limits"):
            st.markdown("\n".join(f"- {limit}" for limit in spec.limits))
        with st.expander("Published accuracy and training"):
            _figures(spec)
            st.caption(f"Trained on {spec.training_data}. Licence: {spec.licence}.")
        _weights(spec)


def _people(spec: ModelSpec) -> str:
    return "one person" if spec.max_people == 1 else f"up to {spec.max_people} people"


def _figures(spec: ModelSpec) -> None:
    if not spec.figures:
        of = f"; see {MODELS[spec.reference_of].title}" if spec.reference_of else ""
        st.caption(f"No published figure for this variant{of}.")
        return
    rows = "\n".join(f"| {f.metric} | {f.value:g} | {f.test_set} |" for f in spec.figures)
    st.markdown(f"| figure | % | test set |\n|---|--:|---|\n{rows}")
    st.caption("Source: " + ", ".join(dict.fromkeys(f.source for f in spec.figures)) + ".")


def _weights(spec: ModelSpec) -> None:
    state = weights.state(spec.weights)
    entry = weights.entry(spec.weights)
    size = megabytes(state.size_bytes)
    if state.state == "embedded":
        st.badge(f"Weights included, {size}", icon=":material/check:", color="green")
    elif state.state == "cached":
        st.badge(
            "Weights on this machine", icon=":material/check:", color="green", help=state.detail
        )
    else:
        if state.state == "to_download":
            st.badge(f"Weights to fetch, {size}", icon=":material/cloud_download:", color="gray")
        weights_control(spec.weights, f"card_{spec.key}")
    st.caption(f"{entry.source}")
