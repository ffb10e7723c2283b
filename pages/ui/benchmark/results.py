"""What was measured: tables and charts of one machine, then machines side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from estimators.export.sinks import to_bytes
from estimators.workflows.benchmark.document import write_benchmark
from estimators.workflows.benchmark.notes import machine_text, notes
from estimators.workflows.benchmark.progress import in_words
from estimators.workflows.benchmark.result import Benchmark, Measured
from estimators.workflows.benchmark.tradeoff import measured_choices, published_choices
from pages.ui import memory
from pages.ui.address import choose
from pages.ui.benchmark import charts
from pages.ui.benchmark.tables import figures_table, machines_table, ratios_table, versions_apart
from pages.ui.benchmark.work import running
from pages.ui.columns import HELP, explained
from pages.ui.evaluate.found import measured_before
from pages.ui.plotting import plot
from pages.ui.tabs import tabs
from pages.ui.text import escaped, said

HERE = "This machine"
_MACHINE, _SEEN = "benchmark_machine", "benchmark_seen"


@dataclass(frozen=True, eq=False)
class Shown:
    """The pass that is looked at: every model with one number of threads."""

    benchmark: Benchmark
    models: tuple[Measured, ...]


def results(own: Benchmark | None, others: Mapping[str, Benchmark]) -> None:
    """Everything there is to see; says what to do while there is nothing."""
    every = ({HERE: own} if own is not None else {}) | dict(others)
    if not every:
        if running():
            return
        st.info(
            "Nothing has been measured yet. Every model is measured by itself, models take turns; "
            "close other programs first.",
            icon=":material/speed:",
        )
        return
    if own is not None and st.session_state.get(_SEEN) is not own:  # just measured
        st.session_state[_SEEN] = own
        st.session_state[_MACHINE] = memory.keep(_MACHINE, HERE)
    name = _chosen(list(every), _MACHINE, "Machine")
    benchmark = every[name]
    when = escaped(benchmark.made[:16].replace("T", " "))
    st.markdown(f"{escaped(machine_text(benchmark.machine))}. Measured {when} UTC.")
    if own is not None and name == HERE:
        _keep_button(own)
    if told := [said(note) for note in notes(benchmark)]:
        several = len(told) > 1
        st.info(
            "\n".join(f"- {note}" for note in told) if several else told[0], icon=":material/info:"
        )
    _table(figures_table(benchmark), "benchmark_figures", "Latency and cost of each model")
    _explained()
    shown = _pass(benchmark)
    views: dict[str, Callable[[Shown], None]] = {
        "Latency": _latency,
        "Stages": _stages,
        "Memory": _memory,
        "Accuracy against latency": _tradeoff,
    }
    if len(every) > 1:
        views["Side by side"] = partial(_side_by_side, every)
    tabs(views, shown, "benchmark_view")


def _chosen(names: list[str], key: str, label: str) -> str:
    if len(names) == 1:
        return names[0]
    return choose(label, {name: escaped(name) for name in names}, key)


def _keep_button(own: Benchmark) -> None:
    st.download_button(
        "JSON to keep",
        partial(to_bytes, partial(write_benchmark, own)),
        "benchmark.json",
        "application/json",
        key="download_benchmark",
        on_click="ignore",
        icon=":material/download:",
        help="Everything that was measured, with the machine beside it: lay it beside a "
        "colleague's on this page",
    )


def _explained() -> None:
    st.caption(
        "Latency is the model's own: preprocess, inference and postprocess; *whole* adds the way "
        "to its process and back. In brackets: 95 % intervals of the median over rounds. Memory: "
        "after warm-up, alone, shared pages by share; *peak* counts them in full. \\* while other "
        "work ran. Each figure: docs/benchmark.md."
    )


def _pass(benchmark: Benchmark) -> Shown:
    threads = sorted({m.threads for m in benchmark.measured}, reverse=True)
    words = {str(n): in_words(n) for n in threads}
    key = next(iter(words)) if len(words) == 1 else choose("Threads", words, "benchmark_pass")
    return Shown(benchmark, tuple(m for m in benchmark.measured if str(m.threads) == key))


def _latency(shown: Shown) -> None:
    left, right = st.columns(2)
    with left:
        _chart(charts.box_chart(shown.models), "benchmark_box", "Latency of each call as boxes")
    with right:
        _chart(
            charts.ecdf_chart(shown.models),
            "benchmark_ecdf",
            "Share of the calls that took at most so long",
        )
    ratios = ratios_table(shown.models)
    if ratios is not None:
        _table(ratios, "benchmark_ratios", "How many times as long one model takes as another")
        st.caption(
            "How many times as long the model of a row takes as that of a column. Both took turns, "
            "so that what slowed the machine down hit both alike."
        )


def _stages(shown: Shown) -> None:
    _chart(charts.stages_chart(shown.models), "benchmark_stages", "Latency of each model by stage")
    st.caption(
        "Means over the middle half of the calls, so that the stages add up to the whole. "
        "Transport: the picture's way to the model's process, the answer's way back, and the "
        "bookkeeping at both ends."
    )


def _memory(shown: Shown) -> None:
    known = tuple(m for m in shown.models if m.pss_mb is not None)
    _chart(charts.memory_chart(known), "benchmark_memory", "Memory of each model's process")


def _tradeoff(shown: Shown) -> None:
    ap, name = measured_before()
    choices = measured_choices(shown.models, ap, name)
    if not choices:
        choices = published_choices(shown.models)
        st.warning(
            "These accuracies are published ones, each on the publisher's own test set: only "
            "figures of one set, which have the same mark here, can be compared. Evaluate the "
            "models on the Evaluate page, and your own figures stand here.",
            icon=":material/warning:",
        )
    if not choices:
        st.info("No accuracy is known of any of these models.", icon=":material/info:")
        return
    _chart(charts.tradeoff_chart(choices), "benchmark_tradeoff", "Accuracy against latency")
    sources = dict.fromkeys(f"{c.test_set}: {c.source}" for c in choices)
    st.caption(
        "Ringed, and joined by a line: no other model of the same set is both as fast and as "
        f"accurate. Accuracy is AP. {escaped('; '.join(sources))}."
    )
    shown_too = {choice.model for choice in choices}
    if left := [m.title for m in shown.models if m.model not in shown_too]:
        st.caption(f"Not in the chart, with no accuracy known: {escaped(', '.join(left))}.")


def _side_by_side(every: Mapping[str, Benchmark], shown: Shown) -> None:
    _table(machines_table(every), "benchmark_machines", "Latency of each model on each machine")
    _chart(charts.machines_chart(every), "benchmark_side", "Latency of each model on each machine")
    media = {(b.media.sha256, b.media.frames) for b in every.values()}
    if len(media) > 1:
        st.warning(
            "They were not measured on the same picture or clip: models that look for several "
            "people take longer where there are more.",
            icon=":material/warning:",
        )
    if apart := versions_apart(every):
        st.caption(f"Of other versions, in the order of the columns: {escaped(apart)}.")
    for name, benchmark in every.items():
        st.caption(f"{escaped(name)}: {escaped(machine_text(benchmark.machine))}.")


def _table(table: object, key: str, alt: str) -> None:
    names = list(table.columns)  # type: ignore[attr-defined]  # a DataFrame, imported late
    right = st.column_config.TextColumn(alignment="right")
    config = {**dict.fromkeys(names, right), **explained(n for n in names if n in HELP)}
    st.dataframe(table, key=key, column_config=config, alt=alt)


def _chart(figure: object, key: str, alt: str) -> None:
    plot(figure, key, alt)
