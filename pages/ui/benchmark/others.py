"""Benchmarks of other machines, to be laid beside this one's."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from pathlib import PurePath

import streamlit as st

from estimators.errors import InputError
from estimators.media.names import printable
from estimators.workflows.benchmark.document import MOST_BYTES, read_benchmark
from estimators.workflows.benchmark.result import Benchmark
from pages.ui.server.files import arrived_anew, content_of, next_key
from pages.ui.text import escaped, said

_KEPT, _REFUSED, _WIDGET = "benchmark_others", "benchmark_others_refused", "others_upload"
_MOST = 8


def bring() -> Mapping[str, Benchmark]:
    """The uploader, and what has been brought in this session, by the file's name."""
    kept: dict[str, Benchmark] = st.session_state.setdefault(_KEPT, {})
    with st.expander("Other machines", icon=":material/devices:", expanded=bool(kept)):
        st.file_uploader(
            "Benchmarks of other machines (JSON files that this page or `benchmark --json` wrote)",
            accept_multiple_files=True,
            type="json",
            key=next_key(_WIDGET),
            max_upload_size=MOST_BYTES >> 20,
            on_change=_take,
            args=(next_key(_WIDGET),),
        )
        for reason in st.session_state.get(_REFUSED, []):
            st.error(said(reason), icon=":material/block:")
        if kept:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(", ".join(map(escaped, kept)), width="content")
                st.button("Remove", key="others_remove", icon=":material/delete:", on_click=_remove)
    return kept


def _take(widget: str) -> None:
    kept: dict[str, Benchmark] = st.session_state[_KEPT]
    if widget == next_key(_WIDGET):  # else it is more of what was just looked at
        st.session_state[_REFUSED] = []
    refused = st.session_state[_REFUSED]
    for file in arrived_anew(_WIDGET, widget):
        name = printable(file.name)
        try:
            found = read_benchmark(content_of(file, MOST_BYTES >> 20), name)
            called = name_among(kept, name, found)
            if called not in kept and len(kept) >= _MOST:
                raise InputError(f"{name} is one too many.", f"{_MOST} machines are the most.")
            kept[called] = found
        except InputError as error:
            refused.append(str(error))


def name_among(kept: Mapping[str, Benchmark], name: str, found: Benchmark) -> str:
    """`name`, with a number where another benchmark is called so: all begin as `benchmark.json`."""
    path = PurePath(name)
    numbered = (f"{path.stem} ({number}){path.suffix}" for number in count(2))
    while name in kept and kept[name] != found:
        name = next(numbered)
    return name


def _remove() -> None:
    st.session_state[_KEPT], st.session_state[_REFUSED] = {}, []
