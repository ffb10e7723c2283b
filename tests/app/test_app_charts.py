"""Charts and tables of the Image page: titles, units, nothing cut off, doubtful joints in grey."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from estimators.analysis.plausibility import Finding
from estimators.registry import ModelSpec, get
from estimators.render.style import model_colours, rgb
from estimators.runtime.api import RunResult
from estimators.skeletons import BLAZEPOSE_33
from estimators.types import Estimate, PoseSet, Timings
from estimators.workflows.clip.series import ScoreMap, Series
from pages.ui import charts, colours
from pages.ui.engine import Outcome
from pages.ui.evaluate import charts as bars
from pages.ui.image import world
from pages.ui.image.comparison import Comparison
from pages.ui.image.tables import DISTANCE, TINTS, joint_table, styled
from pages.ui.settings import Settings
from pages.ui.sources import Picture
from pages.ui.video import charts as over_time
from pages.ui.video.results import _when
from pages.ui.viewer.panels import JointRef

SINGLE, SPATIAL, LOGITS = "movenet-lightning", "blazepose-full", "keypointrcnn-fast"
PICTURE = Picture("a.jpg", "digest", Path("a.jpg"), (300, 300), "Somebody.")
INK = over_time.Ink("#D55E00")
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


@pytest.mark.parametrize("size", [0.1, 1.0, 30.0])
def test_ticks_in_space_are_few_and_alike(comparison: Comparison, size: float) -> None:
    comparison.people[SPATIAL] = replace(comparison.people[SPATIAL], world_m=size * WORLD)
    scene = world.world_chart(comparison, 0, "Front").layout.scene
    axes = (scene.xaxis, scene.yaxis, scene.zaxis)
    (step,) = {axis.dtick for axis in axes}
    sides = [axis.range[1] - axis.range[0] for axis in axes]
    assert max(sides) <= 4 * step
    assert step <= max(sides)


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
    yellow = {
        page.index[row] for (row, _), css in cells if css.get("background-color") == "#FFE14D59"
    }
    assert yellow == {"left hip", "left knee"}
    assert comparison.doubts(model) == [
        (1, "left_hip", doubt.text),
        (1, "left_knee", doubt.text),
    ]


def luminance(colour: str) -> float:
    c = np.array(rgb(colour)) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def at(scale: object, value: float) -> tuple[float, float, float]:
    """What a colour scale has at `value`, 0 to 1."""
    places = [place for place, _ in scale]
    parts = np.array([rgb(colour) for _, colour in scale])
    return tuple(np.interp(value, places, channel) for channel in parts.T)


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def written(colour: tuple[float, float, float]) -> str:
    return "#{:02X}{:02X}{:02X}".format(*(round(part) for part in colour))


def test_agreement_of_076_and_of_100_look_different_and_are_readable() -> None:
    values = np.array([[1.0, 0.76, 0.05], [0.76, 1.0, 0.84], [0.05, 0.84, 1.0]])
    figure = charts.matrix_chart(["a", "b", "c"], values, "Agreement, OKS", True)
    scale = figure.data[0].colorscale
    assert contrast(written(at(scale, 0.76)), written(at(scale, 1.0))) > 4
    numbers = {(note.x, note.y): note for note in figure.layout.annotations}
    assert numbers[1, 0].text == "0.76"
    for (column, row), note in numbers.items():
        cell = written(at(scale, values[row, column]))
        assert contrast(cell, "#FFFFFF" if note.font.color == "white" else note.font.color) > 4
    apart = charts.matrix_chart(["a", "b", "c"], 0.3 * (1 - values), "Distance", False)
    assert [n.font.color for n in apart.layout.annotations] == [
        n.font.color for n in figure.layout.annotations
    ]


@pytest.mark.parametrize(("key", "dark"), [(SINGLE, False), (SPATIAL, True), ("posenet", False)])
def test_scores_of_076_and_of_100_look_different(key: str, dark: bool) -> None:
    spec = get(key)
    scores = ScoreMap(np.arange(4.0), ("nose", "left_eye"), np.linspace(0, 1, 8).reshape(2, 4))
    colour = model_colours([key], "dark" if dark else "light")[key]
    figure = over_time.score_chart(spec, scores, colour, dark)
    scale = figure.data[0].colorscale
    assert contrast(written(at(scale, 0.76)), written(at(scale, 1.0))) > 1.4
    # Each cell can be clicked, and the player's frame is a line.
    assert sorted(zip(figure.data[1].x, figure.data[1].y, strict=True))[0] == (0.0, "left eye")
    assert over_time.cursor(figure, 1.5).layout.shapes[0].x0 == 1.5


def test_long_clips_have_places_to_click_all_over() -> None:
    scores = ScoreMap(np.arange(4000.0), ("nose",) * 33, np.ones((33, 4000)))
    places = over_time.score_chart(get(SPATIAL), scores, "#D55E00", False).data[1]
    assert len(places.x) <= 1600
    assert max(places.x) > 3900


def test_the_time_axis_is_that_of_all_frames_and_one_frame_has_its_own_time() -> None:
    def axis(*times: float) -> tuple[list[float], tuple[float, ...] | None]:
        line = Series(np.arange(2), np.array([3.0, 4.0]), np.full(2, np.nan))
        chart = over_time.position_chart("left wrist", "x", {SPATIAL: ("A", INK, line, None)})
        shown = over_time.time_axis(chart, np.array(times)).layout.xaxis
        return [*shown.range], shown.tickvals

    (first, last), ticks = axis(0.0, 2.0, 10.0)
    assert (first, last) == pytest.approx((0, 10), abs=0.2)
    assert ticks is None
    assert axis(3.0) == ([2.5, 3.5], (3.0,))


def test_when_somebody_is_seen_is_no_range_where_it_is_a_moment() -> None:
    assert _when([(0.0, 0.0)]) == "0.0 s"
    assert _when([(0.0, 4.21), (8.0, 8.04)]) == "0.0–4.2 and 8.0 s"
    assert _when([(0, 1), (2, 3), (5, 9)]) == "0.0–9.0 s, in 3 parts"


def test_of_one_frame_each_ring_has_its_model_in_the_legend() -> None:
    def named(frames: int) -> list[str]:
        line = Series(np.arange(frames), np.arange(float(frames)), np.ones(frames))
        figure = over_time.latency_chart([get(SINGLE)], {SINGLE: line}, {SINGLE: INK})
        return [t.name for t in figure.data if len(t.x) and t.showlegend is not False]

    assert named(1) == ["MoveNet Lightning, first frame"]
    assert named(2) == ["MoveNet Lightning"]


def test_variants_differ_by_pattern_in_bars_of_an_evaluation() -> None:
    gains = SimpleNamespace(corrections=SimpleNamespace(gains=[]))
    models = {str(n): bars.Shown(str(n), "#D55E00", n, gains) for n in range(4)}  # type: ignore[arg-type]
    markers = [trace.marker for trace in bars.gains_chart(models).data]
    assert len({marker.pattern.shape for marker in markers}) == 4
    assert {marker.color for marker in markers} == {"#D55E00"}


def test_variants_differ_by_dash_and_symbol_in_charts_over_time() -> None:
    line = Series(np.arange(3), np.arange(3.0), np.ones(3))
    specs = [get(key) for key in ("movenet-lightning", "movenet-thunder", "movenet-multipose")]
    inks = {spec.key: over_time.Ink("#000000", n) for n, spec in enumerate(specs)}
    figure = over_time.latency_chart(specs, {spec.key: line for spec in specs}, inks)
    drawn = [trace for trace in figure.data if "lines" in trace.mode]
    assert len({trace.line.dash for trace in drawn}) == 3
    assert len({trace.marker.symbol for trace in drawn}) == 3


def test_the_range_stands_beside_the_median_and_busy_times_are_marked(
    comparison: Comparison,
) -> None:
    ranged = replace(comparison.results[SINGLE], least_ms=19.0, most_ms=30.5, calls=5)
    busy = replace(comparison.results[SPATIAL], busy=True)
    results = {**comparison.results, SINGLE: ranged, SPATIAL: busy}
    figure = charts.latency_chart(comparison.specs, results, comparison.colours)
    (labels,) = [trace for trace in figure.data if trace.type == "scatter"]
    assert [text.strip() for text in labels.text] == [
        "21.5 ms<br> (19.0–30.5)",
        "21.5 ms, busy",
        "21.5 ms",
    ]


def test_large_distances_are_tinted_and_the_picked_joint_is_marked(
    comparison: Comparison,
) -> None:
    table = joint_table(comparison, 0)
    columns = [column for column in table.columns if column[1] == DISTANCE]
    assert len(columns) == 3
    for far, column in zip((0.19, 0.2, 0.5), columns, strict=True):
        table.loc["nose", column] = far
    page = styled(comparison, table, 0, JointRef(comparison.specs[0].key, 1, "right_knee"))
    page._compute()
    at = {
        (page.index[row], page.columns[column]): dict(css)
        for (row, column), css in page.ctx.items()
    }
    tints = [at.get(("nose", column), {}).get("background-color") for column in columns]
    assert tints == [None, *(colour for _, colour in TINTS)]
    marked = {row for (row, column), css in at.items() if css.get("font-weight") == "700"}
    assert marked == {"▸ right knee"}
    other = styled(comparison, table, 0, JointRef(comparison.specs[0].key, 2, "right_knee"))
    assert "right knee" in other.index  # somebody else's


def test_what_lies_between_two_models_is_told_once(comparison: Comparison) -> None:
    three = [model for model, what in joint_table(comparison, 0).columns if what == DISTANCE]
    assert three == [spec.title for spec in comparison.specs]
    one, other = comparison.specs[:2]
    assert one.family != other.family
    keys = (one.key, other.key)
    pair = replace(
        comparison,
        specs=[one, other],
        **{
            name: {key: getattr(comparison, name)[key] for key in keys}
            for name in ("results", "people", "shown")
        },
    )
    table = joint_table(pair, 0)
    assert [model for model, what in table.columns if what == DISTANCE] == ["between the two"]
    assert table["between the two", DISTANCE].notna().any()


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


def test_where_no_frame_is_disputed_there_is_a_sentence_and_no_empty_table() -> None:
    def page() -> None:
        from types import SimpleNamespace

        from pages.ui.video.results import _disputes

        _disputes(SimpleNamespace(disputed=()))

    at = AppTest.from_function(page).run()
    assert not at.exception
    assert not at.dataframe
    assert "No frame stands out" in at.caption[0].value


def test_a_chart_comes_with_the_look_of_the_pages_and_is_drawn_once() -> None:
    def page() -> None:
        import plotly.graph_objects as go

        from pages.ui.plotting import plot

        flat = go.Figure(go.Scatter(x=[1], y=[2]))
        flat.update_layout(title="A chart", margin_l=77, yaxis={"gridcolor": "#123456"})
        flat.add_bar(x=["1"], y=[2], marker_pattern_shape="/")
        plot(flat, "flat", "a point")
        scene = {"scene": {"aspectmode": "cube"}}
        across = go.Figure(go.Bar(x=[2], y=["a"], orientation="h"))
        plot(across, "across", "a bar")
        plot(across.update_traces(text=["2"]), "told", "a bar with its number")
        plot(go.Figure(go.Scatter3d(x=[1], y=[2], z=[3]), scene), "space", "a point")

    at = AppTest.from_function(page).run()
    assert not at.exception
    protos = [chart.proto for chart in at.get("plotly_chart")]
    flat, across, told, space = (json.loads(proto.spec)["layout"] for proto in protos)
    grids = [[each[axis]["showgrid"] for axis in ("xaxis", "yaxis")] for each in (across, told)]
    assert grids == [[True, False], [False, False]], "lines to read values by, none through numbers"
    assert across["yaxis"]["dtick"] == 1, "every row has its name"
    (bar,) = (t for t in json.loads(protos[0].spec)["data"] if t["type"] == "bar")
    assert bar["marker"]["pattern"]["fillmode"] == "overlay", "else it hides the bar's own colour"
    assert flat["autotypenumbers"] == "strict", "names of digits are names"
    # Either would be a change when Streamlit hands over the figure again: all is drawn twice then.
    assert {proto.theme for proto in protos} == {""}
    for layout in (flat, across, space):
        assert "template" not in layout
        assert layout["datarevision"] == 1
    assert "xaxis" not in space, "axes of a flat chart around one in space"
    assert (flat["margin"], flat["yaxis"]["gridcolor"]) == ({"l": 77, "pad": 8}, "#123456")
    for ground in (flat["paper_bgcolor"], flat["plot_bgcolor"], flat["hoverlabel"]["bgcolor"]):
        for text in (flat["font"], flat["title"]["font"], flat["yaxis"]["tickfont"]):
            assert contrast(ground, text["color"]) > 4.5


def test_room_for_the_names_grows_with_them() -> None:
    short, long = (
        charts.matrix_chart([name, "b"], np.eye(2), "Agreement, OKS", True).layout.margin
        for name in ("MoveNet", "Keypoint R-CNN reference")
    )
    assert long.l - short.l > 80
    assert long.b == short.b


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_have_their_colours_where_streamlit_knows_no_config(
    theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does where the app was started from another folder."""
    monkeypatch.setattr(colours, "_theme", lambda: theme)
    assert colours.of_theme("borderColor") == {"light": "#D9DDE6", "dark": "#343C49"}[theme]
    monkeypatch.setattr(colours.st, "get_option", lambda name: None)
    assert colours.of_theme("borderColor") == {"light": "#D9DDE6", "dark": "#343C49"}[theme]
