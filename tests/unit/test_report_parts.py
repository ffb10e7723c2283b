"""Numbers, bars and curves of a report's page, by hand."""

from __future__ import annotations

import math
import re

import pytest

from estimators.export.report_html.parts import (
    DASH,
    bars,
    dot,
    in_line,
    interval,
    key,
    number,
    plot,
    share,
    stacked,
    table,
    text,
    with_interval,
)


def test_numbers_as_people_read_them() -> None:
    assert number(1234.56789) == "1,234.568"
    assert number(0.0625, 1) == "0.1"
    assert share(0.1234) == "12.3 %"
    for unknown in (None, math.nan):
        assert (number(unknown), share(unknown)) == (DASH, DASH)


def test_a_figure_with_and_without_its_interval() -> None:
    figure = {"value": 0.61234, "interval": (0.5172, 0.70551)}
    assert interval(figure) == "0.517 to 0.706"
    assert with_interval(figure) == "0.612<small>0.517 to 0.706</small>"
    assert with_interval(figure, 2) == "0.61<small>0.52 to 0.71</small>"
    assert in_line(figure) == "0.612 (0.517 to 0.706)"
    assert in_line(figure, 1) == "0.6 (0.5 to 0.7)"
    alone = {"value": 0.5, "interval": None}
    assert (interval(alone), with_interval(alone), in_line(alone)) == ("", "0.500", "0.500")
    assert with_interval(None) == DASH


def test_names_are_text() -> None:
    assert text("<b> & 'c'\n") == r"&lt;b&gt; &amp; &#x27;c&#x27;\n"
    assert dot("red", "<b>").endswith('style="--colour:red" aria-hidden="true"></span>&lt;b&gt;')
    assert key(["a", "<b>"]).count("&lt;b&gt;") == 2


def test_the_first_column_of_a_table_names_its_row() -> None:
    assert table(["Model", "AP"], [["<i>A</i>", "0.5"], ["B", "0.4"]]) == (
        '<div class="wide"><table><thead><tr><th scope="col">Model</th><th scope="col">AP</th></tr>'
        '</thead><tbody><tr><th scope="row"><i>A</i></th><td>0.5</td></tr>'
        '<tr><th scope="row">B</th><td>0.4</td></tr></tbody></table></div>'
    )


@pytest.mark.parametrize(
    ("value", "width"),
    [(0.123, "12.30%"), (-0.5, "0.00%"), (1.5, "100.00%"), (None, "0%"), (math.nan, "0%")],
)
def test_a_bar_is_as_long_as_its_value(value: float | None, width: str) -> None:
    drawn = bars([("A", "red", {"value": value, "interval": None})])
    assert f'style="--colour:red"><i class="one" style="width:{width}"></i></span>' in drawn


def test_a_line_over_the_bar_spans_the_interval() -> None:
    drawn = bars([("A", "red", {"value": 0.5, "interval": (0.25, 0.75)})])
    assert '<b style="left:25.00%;width:calc(75.00% - 25.00%)"></b>' in drawn
    assert drawn.endswith("</span><span>0.500 (0.250 to 0.750)</span></div>")
    assert "<b" not in bars([("A", "red", {"value": None, "interval": (0.25, 0.75)})])


def test_shares_lie_side_by_side() -> None:
    drawn = stacked([("A", {"good": 0.75, "miss": 0.25}, "of 8 joints")])
    assert re.findall('<i class="(.+?)" style="width:(.+?)" title="(.+?)">', drawn) == [
        ("good", "75.00%", "good: 75.0 %"),
        ("miss", "25.00%", "miss: 25.0 %"),
    ]
    assert "<span>A</span>" in drawn
    assert "<span>of 8 joints</span>" in drawn


def labels(drawn: str) -> dict[tuple[float, float], str]:
    """Each text that is not turned, by where it stands."""
    found = re.findall(r'<text x="(.+?)" y="(.+?)" text-anchor="\w+">(.*?)</text>', drawn)
    return {(float(x), float(y)): words for x, y, words in found}


def test_a_curve_fills_its_axes_from_corner_to_corner() -> None:
    """The picture has 340 × 230 pixels; the axes leave 42 left, 12 right, 10 above, 36 below."""
    drawn = plot([(0, 0), (0.25, 0.5), (1, 1)], "red", ("score", "right"), diagonal=True)
    assert drawn.startswith(
        '<svg viewBox="0 0 340 230" role="img" aria-label="right against score"'
    )
    assert '<path class="axis" d="M42,10V194H328"/>' in drawn
    assert '<path class="ideal" d="M42.0,194.0L328.0,10.0"/>' in drawn
    assert '<path class="curve" d="M42.0,194.0L113.5,102.0L328.0,10.0"/>' in drawn
    marks = re.findall('<circle class="mark" cx="(.+?)" cy="(.+?)"', drawn)
    assert marks == [("42.0", "194.0"), ("113.5", "102.0"), ("328.0", "10.0")]
    assert labels(drawn) == {
        (36, 198): "0",  # beside the axis, four below the middle of the line
        (36, 106): "0.5",
        (36, 14): "1",
        (42, 209): "0",
        (185, 209): "0.5",
        (328, 209): "1",
        (185, 226): "score",
    }
    assert '<text transform="translate(11,102.0)rotate(-90)" text-anchor="middle">right<' in drawn


@pytest.mark.parametrize(
    ("xs", "ends"),
    [
        ([], ("0", "0.5", "1")),
        ([0.25, 0.75], ("0", "0.5", "1")),
        ([0.0, 0.75], ("0", "0.5", "1")),
        ([0.25, 1.0], ("0", "0.5", "1")),
        ([0.5, 2.5], ("0.5", "1.5", "2.5")),
        ([-1.0, 0.5], ("-1", "-0.25", "0.5")),
        ([3.0], ("3", "3.5", "4")),
    ],
)
def test_shares_have_an_axis_to_1_and_other_scores_one_of_their_own(
    xs: list[float], ends: tuple[str, ...]
) -> None:
    found = labels(plot([(x, 0.5) for x in xs], "red", ("x", "y")))
    assert tuple(found[at, 209] for at in (42, 185, 328)) == ends


def test_where_a_score_lies_on_an_axis_of_its_own() -> None:
    drawn = plot([(2.0, 0), (3.0, 0.25), (6.0, 1)], "red", ("x", "y"))
    assert 'class="curve" d="M42.0,194.0L113.5,148.0L328.0,10.0"' in drawn
    assert "ideal" not in drawn
    assert "curve" not in plot([], "red", ("x", "y"))


@pytest.mark.parametrize(("points", "marks"), [(20, 20), (21, 0)])
def test_few_points_are_marked(points: int, marks: int) -> None:
    drawn = plot([(i / 100, 0.5) for i in range(points)], "red", ("x", "y"))
    assert drawn.count("<circle") == marks
