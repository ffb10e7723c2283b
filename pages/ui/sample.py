"""The choice among the samples that the product brings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from estimators.media.samples import Sample
from pages.ui.address import publish, recall


def choose_sample(label: str, samples: Sequence[Sample], key: str) -> Sample:
    """The chosen one of `samples`; kept in the address as `key`, unless it is the first."""
    by_name = {sample.path.stem: sample for sample in samples}
    names = list(by_name)
    name = st.pills(
        label,
        names,
        default=recall(key, names),
        format_func=lambda name: by_name[name].title,
        required=True,
        key=key,
        label_visibility="collapsed",
    )
    publish(key, name, names[0])
    return by_name[name]


@st.cache_data(max_entries=64, show_spinner=False)
def sample_digest(path: Path) -> str:
    """The SHA-256 of a sample's content: read once, for it does not change."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
