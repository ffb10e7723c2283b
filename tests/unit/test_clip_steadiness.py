"""Steadiness, from poses to what the page, the command line and the files say: one number each."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from estimators.cli import clip_summary
from estimators.registry import get
from estimators.workflows.clip.analysis import ClipAnalysis, Steadiness
from estimators.workflows.clip.job import ClipProgress
from pages.ui.video.tables import steadiness_table
from tests.unit.analysis_motion import clip_of, vanished, walking

A, B, C = "movenet-multipose", "keypointrcnn-fast", "blazepose-full"
TIME = np.arange(150) / 30
STILL = walking(TIME, (300, 50), (10, 0))
Path = NDArray[np.float64]


def analysed(**paths: list[Path]) -> ClipAnalysis:
    keys = {"a": A, "b": B}
    return ClipAnalysis.of({keys[m]: clip_of(p, TIME, keys[m]) for m, p in paths.items()})


def lost(*seconds: tuple[float, float]) -> Path:
    path = STILL
    for start, end in seconds:
        path = vanished(path, round(30 * start), round(30 * end) - 1)
    return path


def printed(analysis: ClipAnalysis) -> dict[str, list[str]]:
    """The command line's row of each model under STEADINESS OF."""
    job = SimpleNamespace(
        clip=SimpleNamespace(name="walk.mp4"), progress=ClipProgress(len(TIME), len(TIME), 1.0)
    )
    part = clip_summary.text(job, analysis).split("STEADINESS OF")[1].split("\n\n")[0]  # type: ignore[arg-type]  # all that it reads of a job
    rows = [line.split() for line in part.splitlines()[1:]]
    return {row[0]: row[1:] for row in rows}


def shown_on_page(analysis: ClipAnalysis) -> pd.DataFrame:
    table = steadiness_table(SimpleNamespace(analysis=analysis))  # type: ignore[arg-type]  # all that it reads
    return table.set_index("model")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([(1, 4)], [(0.5, 1), (3, 3.5)], (60, 20)),
        ([(2, 5)], [(0.5, 1), (3, 3.5)], (60, 20)),  # lost to the end
        ([(0, 3)], [(0.5, 1), (3, 3.5)], (60, 20)),  # found late
        ([(1, 4)], [], (60, 0)),
        ([(0, 2), (4, 5)], [(2.5, 3)], (60, 10)),
    ],
)
def test_losing_somebody_for_long_costs_as_much_as_losing_them_often(
    a: list[tuple[float, float]], b: list[tuple[float, float]], expected: tuple[float, float]
) -> None:
    analysis = analysed(a=[lost(*a)], b=[lost(*b)])
    of_person = {row.model: row for row in analysis.steadiness()}
    overall = {row.model: row for row in analysis.overall()}
    said, page = printed(analysis), shown_on_page(analysis)
    for model, percent in zip((A, B), expected, strict=True):
        assert page.loc[get(model).title, "dropout, %"] == pytest.approx(percent)
        assert page.loc[get(model).title, "identity switches"] == 0
        assert 100 * of_person[model].dropout == pytest.approx(percent)
        assert 100 * overall[model].dropout == pytest.approx(percent)
        assert said[model][1] == f"{percent:.1f}"
        assert said[model][2] == "0"
        assert of_person[model].identity_switches == overall[model].identity_switches == 0


def test_what_no_model_saw_does_not_count() -> None:
    """The person comes after a second and leaves after three: 0.5 of these 2 s is a quarter."""
    analysis = analysed(a=[lost((0, 1), (3, 5))], b=[lost((0, 1.5), (3, 5))])
    assert {r.model: r.dropout for r in analysis.steadiness()} == pytest.approx({A: 0, B: 0.25})


def test_each_person_counts_by_the_time_that_it_is_there() -> None:
    """One is there for 5 s without a gap, the other for 1 s, half of it lost by the model."""
    other = vanished(walking(TIME, (900, 50), (0, 0)), 30, len(TIME))
    analysis = analysed(a=[STILL, vanished(other, 15, 29)], b=[STILL, other])
    by_person = sorted(r.dropout for r in analysis.steadiness() if r.model == A)
    assert by_person == pytest.approx([0, 0.5])
    assert analysis.overall()[0].dropout == pytest.approx(15 / 180)
    assert printed(analysis)[A][1] == f"{100 * 15 / 180:.1f}"


def test_the_page_and_the_command_line_count_the_same_events() -> None:
    """A swap, limb jumps and a change of persons: the people add up to the model."""
    swapping = STILL.copy()
    swapping[60:] = swapping[60:][:, [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]]
    jumping = walking(TIME, (900, 50), (0, 0))
    jumping[80:, :, 1] += 900  # somebody else
    jumping[100, 9] += (0, 150)
    analysis = analysed(a=[swapping, jumping])
    rows = analysis.steadiness()
    overall = analysis.overall()[0]

    def total(rows: tuple[Steadiness, ...]) -> tuple[int, ...]:
        events = [(r.sightings, r.identity_switches, r.side_swaps, r.limb_jumps) for r in rows]
        return tuple(sum(column) for column in zip(*events, strict=True))

    assert total(rows) == total((overall,)) == (300, 1, 1, 2)
    assert printed(analysis)[A][2:] == ["1", "1", "2"]
    page = shown_on_page(analysis)[["identity switches", "side swaps", "limb jumps"]]
    assert page.sum().tolist() == [1, 1, 2]
    assert [r.identity_switches for r in rows if r.sightings == 70] == [1]


def test_jitter_of_one_person_is_that_of_the_model() -> None:
    shaky = STILL + np.random.default_rng(0).normal(0, 3, STILL.shape)
    analysis = analysed(a=[shaky])
    assert analysis.steadiness()[0].jitter == analysis.overall()[0].jitter > 10
    assert printed(analysis)[A][0] == f"{analysis.overall()[0].jitter:.1f}"


def test_a_track_that_goes_on_with_the_same_person_is_no_switch() -> None:
    """Lost when turning round, found 4.5 torsos back: the other model knows it is the same one."""
    running = walking(TIME, (0, 50), (900, 0))
    running[60:, :, 0] = 2 * running[60, :, 0] - running[60:, :, 0]
    gap = vanished(running, 60, 74)
    alone = analysed(a=[gap])
    assert alone.overall()[0].identity_switches == 1
    together = analysed(a=[gap], b=[running])
    assert [row.identity_switches for row in together.overall()] == [0, 0]
    assert together.people == (1,)
