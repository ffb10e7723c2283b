"""The Benchmark page without a browser: what it measures, shows, keeps and is brought."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from estimators.analysis.accuracy.bootstrap import Figure
from estimators.export.sinks import to_bytes
from estimators.settings import Settings
from estimators.workflows.benchmark.asks import BenchmarkSettings
from estimators.workflows.benchmark.document import read_benchmark, write_benchmark
from estimators.workflows.benchmark.job import Surroundings
from estimators.workflows.benchmark.jobs import BenchmarkJobs, MediaFile
from estimators.workflows.benchmark.result import Benchmark
from pages.ui.benchmark import charts, work
from pages.ui.benchmark.others import name_among
from pages.ui.benchmark.tables import ratios_table, row_names
from pages.ui.running import Mine
from tests.app.visits import visit
from tests.unit.benchmark_stand import Host, benchmark, calls, measured, steady

SAMPLE_PICTURES = Path(__file__).resolve().parents[2] / "sample_media"
LIGHTNING, BLAZE = "movenet-lightning", "blazepose-full"
OWN = benchmark(measured(), measured(BLAZE, calls=calls([40.0] * 10), other_cores=1.5))


pytestmark = pytest.mark.usefixtures("server")


def page(own: Benchmark | None = None, **address: str) -> AppTest:
    at = visit("benchmark", models=f"{LIGHTNING},{BLAZE}", **address)
    if own is not None:
        done = SimpleNamespace(finished=True, state="done", error="", benchmark=own)
        at.session_state["benchmark_work"] = Mine("", done)  # type: ignore[type-var]
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    boxes = (*at.markdown, *at.info, *at.warning, *at.error, *at.caption)
    return "\n".join(box.value for box in boxes)


def test_it_measures_what_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(steady({LIGHTNING: 5.0, BLAZE: 9.0}))
    gate = threading.Event()

    def make(product: Settings, threads: int) -> Host:
        gate.wait(60)
        return host

    jobs = BenchmarkJobs(Surroundings(Settings(), make=make))  # type: ignore[arg-type]
    monkeypatch.setattr(work, "shared", lambda: jobs)
    at = page()
    assert "Nothing has been measured yet" in words(at)
    at.button(key="run_benchmark").click().run()
    assert any(button.key == "cancel_benchmark" for button in at.button)
    assert "Nothing has been measured yet" not in words(at)
    again = page()  # a session of its own, as after a reload
    assert any(button.key == "cancel_benchmark" for button in again.button)
    assert jobs.running == 1
    gate.set()
    end = time.monotonic() + 60
    while any(button.key == "cancel_benchmark" for button in at.button) and time.monotonic() < end:
        time.sleep(0.1)
        at.run()
    assert not at.exception
    table = at.dataframe[0].value
    assert set(table.index) == {"MoveNet Lightning", "BlazePose full"}
    assert table["latency, ms"].iloc[0].startswith("5.0 (5.0–5.0)")
    assert page().dataframe[0].value.equals(table), "what is done is found, too"
    fewer = page(benchmark_threads="1")
    assert fewer.query_params["benchmark_threads"] == "1"
    assert "Nothing has been measured yet" in words(fewer), "that was another question"


def test_one_who_leaves_while_it_waits_takes_the_file_from_nobody(tmp_path: Path) -> None:
    """Two have brought the same picture, and the first one's is gone when the turn comes."""
    first, second = (tmp_path / name for name in ("ann.jpg", "ben.jpg"))
    for file in (first, second):
        file.write_bytes((SAMPLE_PICTURES / "astronaut.jpg").read_bytes())
    host = Host(steady({LIGHTNING: 5.0}))
    around = Surroundings(Settings(), make=lambda product, threads: host)  # type: ignore[arg-type]
    jobs = BenchmarkJobs(around, present=lambda viewer: viewer == "ben")
    asked = BenchmarkSettings((LIGHTNING,), (1,), 1.0)
    turn = jobs._around.turn
    assert turn is not None
    with turn:
        job = jobs.watch(MediaFile(first, "same.jpg", "digest"), asked, "ann")
        assert jobs.watch(MediaFile(second, "same.jpg", "digest"), asked, "ben") is job
        first.unlink()
    job.join(60)
    assert (job.state, job.error) == ("done", "")
    links = list(jobs._links.values())
    assert jobs.running == 0
    assert not jobs._links
    assert not any(link.exists() for link in links)


def test_models_without_weights_are_not_said_to_be_no_choice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work.engine, "has_weights", lambda key: False)
    at = page()
    assert "has its weights here yet" in words(at)
    assert "No model is chosen" not in words(at)
    assert not any(button.key == "run_benchmark" for button in at.button)


def test_no_control_stands_there_that_changes_nothing() -> None:
    at = page(OWN)
    assert not at.slider
    assert "draw" not in {group.key for group in at.button_group}


def test_the_table_marks_what_was_busy_and_says_why() -> None:
    at = page(OWN)
    rows = at.dataframe[0].value.to_dict("index")
    assert rows["MoveNet Lightning"]["latency, ms"] == "10.0 (10.0–10.0)"
    assert rows["BlazePose full"]["latency, ms"] == "40.0 (40.0–40.0)*"
    assert rows["MoveNet Lightning"]["memory, MB"] == "54"
    assert "Other programs used up to 1\\.5" in words(at)
    ratios = at.dataframe[1].value
    assert ratios.loc["BlazePose full", "MoveNet Lightning"] == "4.00 (4.00–4.00)"
    assert ratios.loc["MoveNet Lightning", "MoveNet Lightning"] == "–"


def test_the_json_to_keep_is_a_benchmark() -> None:
    at = page(OWN)
    assert at.get("download_button")
    assert read_benchmark(to_bytes(lambda sink: write_benchmark(OWN, sink)), "b") == OWN


def chart(at: AppTest, number: int = 0) -> dict[str, object]:
    return json.loads(at.get("plotly_chart")[number].proto.spec)


@pytest.mark.parametrize("view", ["Latency", "Stages", "Memory"])
def test_every_view_has_its_chart(view: str) -> None:
    at = page(OWN, benchmark_view=view)
    assert chart(at)["data"]


def test_accuracy_is_the_persons_own_where_they_have_evaluated() -> None:
    view = {"benchmark_view": "Accuracy against latency"}
    published = page(OWN, **view)
    assert "published ones" in words(published)
    figures = {"AP": Figure(0.31, 0.2, 0.4, 9)}
    report = SimpleNamespace(models={LIGHTNING: SimpleNamespace(figures=figures)})
    outcome = SimpleNamespace(annotated=SimpleNamespace(name="mine.json"))
    evaluated = SimpleNamespace(evaluation=SimpleNamespace(report=report))
    at = visit("benchmark", models=f"{LIGHTNING},{BLAZE}", benchmark_view=view["benchmark_view"])
    at.session_state["benchmark_work"] = published.session_state["benchmark_work"]
    at.session_state["evaluate_measured"] = (outcome, {}, evaluated)
    at.run()
    assert not at.exception
    assert "published ones" not in words(at)
    assert "mine\\.json" in words(at)
    marks = [t for t in chart(at)["data"] if t.get("mode") == "markers+text"]
    assert [t["y"] for t in marks] == [[0.31]]
    assert "no accuracy known: BlazePose full" in words(at)
    assert "no accuracy known" not in words(published)


def test_other_machines_stand_beside_this_one() -> None:
    found = benchmark(measured("posenet", calls=calls([7.0] * 10)), measured(threads=8))
    theirs = replace(found, versions={"numpy": "1.0", "torch": "3"})
    at = page(OWN)
    at.session_state["benchmark_others"] = {"their<b>.json": theirs}
    at.query_params["benchmark_view"] = "Side by side"
    at.run()
    assert not at.exception
    at.run()
    table = next(d.value for d in at.dataframe if "This machine" in d.value)
    assert list(table.columns) == ["threads", "device", "This machine", "their<b>.json"]
    assert table.loc["PoseNet", "their<b>.json"] == "7.0 (7.0–7.0)"
    assert table.loc["PoseNet", "This machine"] == "–"
    lightning = table.loc["MoveNet Lightning"]
    assert list(lightning["threads"]) == ["2", "8"], "beside each other"
    assert list(table.index[:2]) == ["MoveNet Lightning"] * 2
    assert "numpy 2\\.0 / 1\\.0, torch none / 3" in words(at)
    assert "other versions" not in words(page(OWN, benchmark_view="Latency"))


def test_a_choice_that_is_there_no_more_is_another_one() -> None:
    """What was measured later, or elsewhere, knows other numbers of threads."""
    both = benchmark(measured(threads=1), measured(threads=2))
    at = page(both)
    at.button_group(key="benchmark_pass").set_value("2").run()
    assert not at.exception
    other = benchmark(measured(threads=1), measured(threads=4))
    done = SimpleNamespace(finished=True, state="done", error="", benchmark=other)
    at.session_state["benchmark_work"] = Mine("", done)  # type: ignore[type-var]
    at.run()
    assert not at.exception
    assert at.button_group(key="benchmark_pass").value == "4"


def test_what_was_just_measured_is_shown_whichever_machine_was_looked_at() -> None:
    theirs = {name: benchmark(measured("posenet")) for name in ("a.json", "b.json")}
    at = page()
    at.session_state["benchmark_others"] = theirs
    at.run()
    at.button_group(key="benchmark_machine").set_value("b.json").run()
    assert set(at.dataframe[0].value.index) == {"PoseNet"}
    done = SimpleNamespace(finished=True, state="done", error="", benchmark=OWN)
    at.session_state["benchmark_work"] = Mine("", done)  # type: ignore[type-var]
    at.run()
    assert not at.exception
    assert set(at.dataframe[0].value.index) == {"MoveNet Lightning", "BlazePose full"}
    at.button_group(key="benchmark_machine").set_value("b.json").run()
    assert set(at.dataframe[0].value.index) == {"PoseNet"}, "chosen again, it stays"


def test_charts_keep_apart_what_is_called_alike_and_take_no_title_for_markup() -> None:
    gpu = measured(device="cuda:0", title="<b>%{x}</b>", calls=calls([4.0] * 10))
    models = (measured(title="<b>%{x}</b>"), gpu, measured(BLAZE))
    names = [f"‹b›% {{x}}‹/b›, {device}" for device in ("cpu", "cuda:0")] + ["BlazePose full"]
    for make in (charts.box_chart, charts.ecdf_chart):
        assert [trace.name for trace in make(models).data] == names
    for make in (charts.stages_chart, charts.memory_chart):
        assert list(make(models).data[0].y) == names
    assert list(ratios_table(models).columns) == row_names(models)  # type: ignore[union-attr]
    both = charts.machines_chart({"<i>.json": benchmark(*models)})
    assert [(trace.name, list(trace.y)) for trace in both.data] == [
        ("‹i›.json", ["‹b›% {x}‹/b›", "BlazePose full"])
    ]
    assert list(both.data[0].x) == [4.0, 10.0], "the faster device"


def test_bars_and_boxes_have_the_numbers_and_room_for_them() -> None:
    models = (measured(pss_mb=50.0, peak_mb=200.0), measured(BLAZE, pss_mb=None, peak_mb=None))
    memory = charts.memory_chart(models)
    shown = {
        bar.marker.pattern.shape: list(bar.x) for bar in memory.data if bar.showlegend is False
    }
    assert shown == {"": [50.0, 0.0], "/": [200.0, 0.0]}
    assert [list(bar.text) for bar in memory.data[::2]] == [["50 MB", ""], ["200 MB", ""]]
    assert memory.layout.xaxis.range[1] > 200
    stages = charts.stages_chart(models)
    bars = [list(bar.x) for bar in stages.data if bar.showlegend is False and bar.type == "bar"]
    assert [sum(column) for column in zip(*bars, strict=True)] == pytest.approx([11.0, 11.0])
    assert stages.layout.xaxis.range[1] > 11
    machines = charts.machines_chart({"a": OWN})
    assert list(machines.data[0].text) == ["10.0", "40.0*"], "the second was busy"
    assert machines.layout.xaxis.range[1] > 40


@pytest.mark.parametrize(("slower", "kind"), [(11.0, None), (13.0, "log")])
def test_an_axis_is_logarithmic_where_models_are_far_apart(slower: float, kind: str | None) -> None:
    models = [measured(), measured(BLAZE, calls=calls([slower * 10.0] * 10))]
    axis = charts.box_chart(models).layout.xaxis
    assert axis.type == kind
    if kind:
        low, high = axis.range
        assert 10**low < 10.0 < slower * 10.0 < 10**high
        assert list(axis.tickvals) == pytest.approx([10.0, 20.0, 50.0, 100.0])
        assert list(axis.ticktext) == ["10", "20", "50", "100"]


def test_files_of_several_machines_may_be_called_alike() -> None:
    mine, theirs, third = (benchmark(measured(load_s=s)) for s in (1.0, 2.0, 3.0))
    kept = {"benchmark.json": mine}
    assert name_among(kept, "benchmark.json", mine) == "benchmark.json", "the same once more"
    assert name_among(kept, "b.json", theirs) == "b.json"
    kept[name_among(kept, "benchmark.json", theirs)] = theirs
    assert list(kept) == ["benchmark.json", "benchmark (2).json"]
    assert name_among(kept, "benchmark.json", theirs) == "benchmark (2).json"
    assert name_among(kept, "benchmark.json", third) == "benchmark (3).json"


def test_a_bad_file_is_told_and_costs_nothing_else() -> None:
    at = page(OWN)
    at.session_state["benchmark_others_refused"] = ["x.json is no JSON file"]
    at.run()
    assert any("no JSON file" in box.value for box in at.error)
    assert len(at.dataframe) == 2
