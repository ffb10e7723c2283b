"""The tables beside the live video say what the stream's figures say."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from estimators.analysis.latency import RollingLatency, StreamLatency
from estimators.registry import get
from estimators.render.style import PoseStyle
from estimators.types import PoseSet
from estimators.workflows.live.figures import ModelFigures, StreamFigures
from estimators.workflows.live.follower import Overlay
from estimators.workflows.live.mosaic import LiveModel
from pages.ui.live.figures import joint_table, model_table, people_found, stream_line

MODEL = LiveModel(get("blazepose-full"), PoseStyle((213, 94, 0)), 0.5, 0.0)
VIDEO = StreamLatency(30, 29.97, 4.21, 9.0, 0)


def told(**changes: object) -> StreamFigures:
    skeleton = MODEL.spec.skeleton
    score = np.linspace(0, 1, len(skeleton.joints), dtype=np.float32)[np.newaxis]
    poses = PoseSet(skeleton, np.zeros((1, len(skeleton.joints), 2), np.float32), score)
    summary = StreamLatency(90, 14.83, 61.04, 104.2, 17)
    figures = ModelFigures(
        *(MODEL, "following", "", summary, 42.5, 17),
        Overlay(poses, (640, 480), 7, 0.0),
        RollingLatency(),
    )
    return StreamFigures("running", VIDEO, (640, 480), (replace(figures, **changes),))


def cells(table: str) -> list[list[str]]:
    rows = re.findall(r"<tr.*?</tr>", table)
    return [
        [re.sub("<.*?>", " ", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in rows
    ]


def test_a_row_of_figures_under_its_head() -> None:
    head, name, figures = cells(model_table(told()))
    assert head == ["rate /s", "median ms", "p95 ms", "age ms", "skipped in 30 s"]
    assert name == ["BlazePose full"]
    assert figures == ["14.8", "61.0", "104", "42.5", "17"]


def test_a_model_without_answers_says_why() -> None:
    loading = told(state="loading", age_ms=None)
    assert cells(model_table(loading))[2] == ["Loading …"]
    failed = told(state="failed", age_ms=None, error="No <file>.")
    assert cells(model_table(failed))[2] == ["No &lt;file&gt;."]


def test_joints_stand_on_the_models_own_scale() -> None:
    head, nose, *others = cells(joint_table(told()))
    assert head == ["joint", "BlazePose full visibility"]
    assert nose == ["nose", "0.00"]
    assert others[-1] == ["right ankle", f"{28 / 32:.2f}"]
    rows = re.findall(r"<tr.*?</tr>", joint_table(told()))
    assert ["weak" in row for row in rows[1:]] == [True] * 6 + [False] * 7
    assert joint_table(told(overlay=None)) == ""


def test_the_stream_in_a_line() -> None:
    figures = told()
    assert stream_line(figures) == "640 × 480 · 30.0 frames a second · drawn in 4.2 ms"
    assert stream_line(replace(figures, size=None)) == "No picture yet."
    assert stream_line(replace(figures, size=(480, 640))).startswith("480 × 640 · ")
    smaller = stream_line(replace(figures, size=(480, 360)))
    assert smaller.startswith("480 × 360 (asked for 640 × 480) · ")
    assert people_found(figures.models) == "People found: BlazePose full: 1"
    assert people_found(told(overlay=None).models) == ""


def test_somebody_all_of_whose_joints_are_hidden_is_not_found() -> None:
    hidden = told()
    strict = replace(hidden.models[0], model=replace(MODEL, joint_threshold=1.5))
    assert people_found([strict]) == "People found: BlazePose full: 0"
