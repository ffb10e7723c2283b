"""Plans for large jobs are arithmetic over what was measured, and the guide tells what it gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.scale_plan import CORE_MS, CORES, WORK, Work, core_hours, duration, node_hours

GUIDE = (Path(__file__).parents[2] / "docs" / "scale-out.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| (.*?) \| ([\d,]+)[^|]* \| ([\d.,]+) \| ([^|]*) \| `?", GUIDE, re.MULTILINE)

# What was measured on one, as the plan is told.
RATE = re.search(r"`--gpu keypointrcnn-fast=([\d.]+)`", GUIDE)
GPU = {"keypointrcnn-fast": float(RATE[1])} if RATE else {}


def test_hours_are_answers_by_what_one_takes() -> None:
    work = Work("a job", {"a": 7200, "b": 3600})
    core_ms = {"a": 500.0, "b": 1000.0}
    assert core_hours(work, core_ms) == pytest.approx(2.0)
    assert node_hours(work, core_ms, 4, {}) == pytest.approx(0.5)
    # One of them on a GPU, ten a second: six minutes, and the other on the cores.
    assert node_hours(work, core_ms, 4, {"b": 10.0}) == pytest.approx(0.25 + 0.1)
    with pytest.raises(KeyError):
        core_hours(work, {"a": 1.0})


def test_the_guide_tells_what_the_plan_computes() -> None:
    rows = [row for row in TABLE if row[3].split(";")[0].split(" and")[0]]
    assert len(rows) == len(WORK)
    on_gpu = 0
    for work, (_, answers, hours, node) in zip(WORK, rows, strict=True):
        whole = core_hours(work, CORE_MS)
        assert int(answers.replace(",", "")) == sum(work.answers.values())
        assert hours in (f"{whole:,.1f}", f"{whole:,.0f}")
        assert node.startswith(duration(node_hours(work, CORE_MS, CORES, {}))), work.name
        if eight := re.search(r"eight nodes ([^;]+)", node):
            assert eight[1] == duration(node_hours(work, CORE_MS, CORES, {}) / 8)
        if faster := re.search(r"with a GPU ([^;]+)", node):
            assert faster[1] == duration(node_hours(work, CORE_MS, CORES, GPU))
            on_gpu += 1
    assert on_gpu == sum("keypointrcnn-fast" in work.answers for work in WORK)


def test_the_guide_tells_what_was_measured() -> None:
    for model, name in (
        ("movenet-lightning", "MoveNet Lightning"),
        ("blazepose-full", "BlazePose full"),
        ("movenet-multipose", "MoveNet MultiPose"),
        ("posenet", "PoseNet"),
        ("keypointrcnn-fast", "Keypoint R-CNN fast"),
    ):
        told = re.search(rf"^\| {name}[^|]* \| ([\d,]+) \|", GUIDE, re.MULTILINE)
        assert told is not None, name
        assert float(told[1].replace(",", "")) == CORE_MS[model]
    assert f"takes {CORE_MS['clip:movenet-lightning']} ms of a core with Lightning" in GUIDE
    assert f"and {CORE_MS['clip:blazepose-full']} ms with BlazePose" in GUIDE.replace("\n", " ")
