"""Charts and tables of the Image page: titles, units, nothing cut off, doubtful joints in grey."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from estimators.analysis.plausibility import Finding
from estimators.registry import ModelSpec, get
from estimators.runtime.api import RunResult
from estimators.skeletons import BLAZEPOSE_33
from estimators.types import Estimate, PoseSet, Timings
from pages.ui import charts
from pages.ui.engine import Outcome
from pages.ui.image import world
from pages.ui.image.comparison import Comparison
from pages.ui.image.tables import joint_table, styled
from pages.ui.settings import Settings
from pages.ui.sources import Picture

SINGLE, SPATIAL, LOGITS = "movenet-lightning", "blazepose-full", "keypointrcnn-fast"
PICTURE = Picture("a.jpg", "digest", Path("a.jpg"), (300, 300), "Somebody.")
RNG = np.random.default_rng(0)
BODY = dict(zip(BLAZEPOSE_33.joints, RNG.uniform(0, 200, (33, 2)), strict=True))
# Metres; arms wide, so that the widest side is not the height.
WORLD = RNG.uniform(-1, 1, (1, 33, 3)) * np.array((1.4, 0.9, 0.1))


def result(spec: ModelSpec) -> RunResult:
    score = np.full((1, len(spec.skeleton)), 0.9)
    score[0, spec.skeleton.index("left_wrist")] = -3.0
    score[0, spec.skeleton.index("left_knee")] = np.nan
    poses = PoseSet(
        spec.skeleton,
        np.array([[BODY[joint] for joint in spec.skeleton.joints]]),
        score,
        [0.9],
        world_m=WORLD if spec.key == SPATIAL else None,
    )
    return RunResult(Estimate(poses, Timings(1, 20, 0.5)), 0.0, 0.1)


@pytest.fixture
def comparison() -> Comparison:
    specs = [get(key) for key in (SINGLE, SPATIAL, LOGITS)]
    settings = Settings(models=tuple(spec.key for spec in specs))
    return Comparison.of(PICTURE, settings, [Outcome(spec, result(spec)) for spec in specs])


@pytest.mark.parametrize("view", world._VIEWS)
def test_nobody_is_cut_off_in_space(comparison: Comparison, view: str) -> None:
    figure = world.world_chart(comparison, 0, view)
    scene = figure.layout.scene
    drawn = [trace for trace in figure.data if trace.mode == "markers"]
    assert [len(trace.x) for trace in drawn] == [33]
    metres = []
    for axis, share in (("x", scene.aspectratio.x), ("y", scene.aspectratio.y), ("z", None)):
        low, high = scene[f"{axis}axis"].range
        values = drawn[0][axis]
        assert low < min(values) < max(values) < high
        assert scene[f"{axis}axis"].title.text.endswith(", m")
        metres.append((high - low) / (share or scene.aspectratio.z))
    # A metre is as long in every direction.
    np.testing.assert_allclose(metres, metres[0], rtol=1e-5)


def test_every_chart_has_a_title_and_units(comparison: Comparison) -> None:
    specs, colours = comparison.specs, comparison.colours
    time = charts.latency_chart(specs, comparison.results, colours)
    memory = charts.memory_chart(specs, {SINGLE: 50.0, SPATIAL: 200.0}, colours)
    titles = [spec.title for spec in specs]
    oks = charts.matrix_chart(titles, comparison.matrix.oks, "Agreement, OKS", True)
    assert [f.layout.title.text for f in (time, memory, oks)] == [
        "Latency of this picture by stage",
        "Memory of each model's process",
        "Agreement, OKS",
    ]
    assert [f.layout.xaxis.title.text for f in (time, memory, oks)] == [
        "time, ms",
        "memory, MB",
        "model",
    ]
    # Stages add up to the total that stands beside the bar.
    stages = [bar.x for bar in time.data if bar.type == "bar" and bar.x[0] is not None]
    np.testing.assert_allclose(np.sum(stages, axis=0), 21.5)
    (labels,) = [trace for trace in time.data if trace.type == "scatter"]
    assert {text.strip() for text in labels.text} == {"21.5 ms"}
    # The legend's line lies between the title's and the plot.
    assert time.layout.margin.t > memory.layout.margin.t


def test_implausible_joints_are_on_yellow_and_told_to_the_viewer(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = comparison.specs[0].key
    doubt = Finding("long limb", model, 1, ("left_hip", "left_knee"), 1.5)
    monkeypatch.setitem(comparison.__dict__, "findings", (doubt,))
    page = styled(comparison, joint_table(comparison, 0), 0)
    page._compute()
    cells = [(at, dict(css)) for at, css in page.ctx.items()]
    yellow = {page.index[row] for (row, _), css in cells if "background-color" in css}
    assert yellow == {"left hip", "left knee"}
    assert comparison.doubts(model) == [
        (1, "left_hip", doubt.text),
        (1, "left_knee", doubt.text),
    ]


def test_joints_under_their_threshold_are_grey(comparison: Comparison) -> None:
    table = joint_table(comparison, 0)
    page = styled(comparison, table, 0)
    page._compute()
    grey = {page.index[row] for (row, _), css in page.ctx.items() if css and css[0][0] == "color"}
    assert grey == {"left wrist"}
    rows = page._translate(False, False)["body"]
    shown = {row[0]["display_value"]: [cell["display_value"] for cell in row[1:]] for row in rows}
    assert [shown["nose"][column] for column in (0, 4, 8)] == ["0.90", "0.90", "0.9"]
    assert shown["left heel"][:4] == ["–"] * 4
