"""Which models no other one beats in accuracy and latency, and the speed in a report."""

from __future__ import annotations

import json
import math

from estimators.analysis.accuracy.bootstrap import Figure
from estimators.devices import Placement
from estimators.export.report_html.speed import speed
from estimators.workflows.benchmark.document import as_report
from estimators.workflows.benchmark.tradeoff import measured_choices, published_choices
from tests.unit.benchmark_stand import benchmark, calls, measured


def timed(**ms: float) -> list[object]:
    return [measured(key.replace("_", "-"), calls=calls([value] * 6)) for key, value in ms.items()]


def ap(value: float) -> Figure:
    return Figure(value, value - 0.1, value + 0.1, 9)


def test_the_front_has_all_that_nobody_beats_in_both() -> None:
    every = timed(movenet_lightning=5.0, movenet_thunder=15.0, posenet=20.0, blazepose_full=40.0)
    values = {"movenet-lightning": 0.4, "movenet-thunder": 0.6, "posenet": 0.6}
    found = measured_choices(
        every,  # type: ignore[arg-type]
        {model: ap(value) for model, value in values.items()},
        "mine",
    )
    assert [c.model for c in found] == list(values), "only what was evaluated"
    # PoseNet is as accurate as Thunder but slower.
    assert [c.front for c in found] == [True, True, False]
    equal = measured_choices(
        timed(movenet_lightning=5.0, posenet=5.0),  # type: ignore[arg-type]
        {"movenet-lightning": ap(0.5), "posenet": ap(0.5)},
        "mine",
    )
    assert [c.front for c in equal] == [True, True], "neither beats the other"
    for latency, accuracy in ((5.0, 0.6), (4.0, 0.5)):  # better in one alone
        one_better = measured_choices(
            timed(movenet_lightning=5.0, posenet=latency),  # type: ignore[arg-type]
            {"movenet-lightning": ap(0.5), "posenet": ap(accuracy)},
            "mine",
        )
        assert [c.front for c in one_better] == [False, True]
    unknown = {"movenet-lightning": Figure(math.nan, math.nan, math.nan, 0)}
    assert measured_choices(every, unknown, "mine") == []  # type: ignore[arg-type]


def test_published_figures_are_held_against_those_of_the_same_set_alone() -> None:
    every = timed(movenet_lightning=5.0, movenet_thunder=15.0, blazepose_full=40.0, posenet=2.0)
    found = {c.model: c for c in published_choices(every)}  # type: ignore[arg-type]
    lightning, thunder, blaze = (
        found[key] for key in ("movenet-lightning", "movenet-thunder", "blazepose-full")
    )
    assert lightning.test_set == thunder.test_set != blaze.test_set
    assert (lightning.accuracy.value, blaze.accuracy.value) == (0.63, 0.626)
    # Slower and less accurate than Lightning, but on another set.
    assert blaze.front
    assert blaze.source == "MediaPipe Pose documentation"


def test_a_form_of_anothers_weights_has_its_published_figure() -> None:
    every = timed(keypointrcnn_fast=400.0, movenet_lightning_tfhub=20.0)
    fast, hub = published_choices(every)  # type: ignore[arg-type]
    assert fast.accuracy.value == 0.65
    assert hub.accuracy.value == 0.63


def test_a_report_tells_the_speed_and_hides_what_is_markup() -> None:
    gpu = {"device": "cuda:0", "where": Placement("cuda:0", dtype="float16, last layers float32")}
    evil = measured("movenet-thunder", title="<b>own</b>", pss_mb=None, alone=False, **gpu)
    report = {
        "models": {"movenet-lightning": {"title": "MoveNet Lightning"}},
        "benchmark": json.loads(json.dumps(as_report(benchmark(measured(), evil)))),
    }
    shown = speed(report)
    assert "10.0<small>10.0 to 10.0</small>" in shown
    assert "A processor, 2 of 2 cores" in shown
    assert "<b>own" not in shown
    assert "busy" in shown
    assert "cuda:0, float16<" in shown
    assert ">4.8<" in shown, "megabytes on the disk"
    assert "–" in shown, "memory that is not known"
    assert speed({"models": {}, "benchmark": None}) == ""
    assert speed({"models": {}}) == "", "an older report"
