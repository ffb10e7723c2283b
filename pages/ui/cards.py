"""The card of one variant: what a person reads before choosing it."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from estimators import weights
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.api import ModelStatus
from pages.ui import devices
from pages.ui.colours import family_colour, heading_html
from pages.ui.fetching import failure, megabytes, weights_control
from pages.ui.settings import MOST_MODELS
from pages.ui.sidebar import choose_models

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
        # HTML: the browser takes many times as long over Markdown, and over what Streamlit folds.
        st.html(f'<div class="model-card">{_told(spec, statuses)}</div>')
        with st.container(height="stretch", vertical_alignment="bottom"):
            _weights(spec)
            _comparison(spec, compared)


def _told(spec: ModelSpec, statuses: Sequence[ModelStatus]) -> str:
    """Name, summary and limits, and folded away what few people ask for; HTML."""
    where = _plain(devices.told(spec, statuses))
    limits = "".join(f"<li>{_plain(limit)}</li>" for limit in spec.limits)
    return (
        f"{heading_html(spec.title, family_colour(spec.family))}"
        f"<p>{_plain(spec.summary)}</p>"
        f"<p>{len(spec.skeleton)} joints · {_people(spec)} · {_plain(spec.runtime)}<br>"
        f"Computes on {where}<br>"
        f"Its score is a <b>{_plain(spec.score_kind)}</b>: {_plain(spec.score_meaning)}.</p>"
        f"<p><b>Limits</b></p><ul>{limits}</ul>"
        "<details><summary>Accuracy, training, weights, licence</summary>"
        f"<div>{_figures(spec)}<p>Trained on {_plain(spec.training_data)}. "
        f"Licence of the weights: {_plain(spec.licence)}.</p>"
        f"<p>Weights: {_plain(_source(spec))}</p></div></details>"
    )


def _plain(text: str) -> str:
    return html.escape(text, quote=False)


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
    """A table with its source, as HTML."""
    if not spec.figures:
        of = f"; see {_plain(MODELS[spec.reference_of].title)}" if spec.reference_of else ""
        return f"<p>No published figure for this variant{of}.</p>"
    rows = "".join(
        f"<tr><td>{_plain(f.metric)}</td><td>{f.value:.1f}</td><td>{_plain(f.test_set)}</td></tr>"
        for f in spec.figures
    )
    source = ", ".join(dict.fromkeys(_plain(f.source) for f in spec.figures))
    head = "<tr><th>measure</th><th>%</th><th>test set</th></tr>"
    return f"<table>{head}{rows}</table><p>Source: {source}.</p>"


def _source(spec: ModelSpec) -> str:
    state = weights.state(spec.weights)
    # Where files lie on the server is nobody's business.
    here = state.state in ("embedded", "cached")
    return f"{weights.entry(spec.weights).source}. {'' if here else state.detail}".strip()


def _weights(spec: ModelSpec) -> None:
    state = weights.state(spec.weights)
    if state.state in ("embedded", "cached"):
        where = "included" if state.state == "embedded" else "on this machine"
        size = f", {megabytes(state.size_bytes)}" if state.size_bytes else ""
        st.html(f'<span class="model-weights here">✓ Weights {where}{size}</span>')
        return
    if state.state != "downloading" and failure(state, spec.weights) is None:
        st.html('<span class="model-weights">Weights not on this machine yet</span>')
    weights_control(spec.weights, f"card_{spec.key}")
