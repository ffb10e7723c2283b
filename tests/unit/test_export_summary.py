"""The figures in files are those of the pages and of the terminal, and the docs name each."""

from __future__ import annotations

import io
import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from test_export_tables import documented, section

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.figures import UNITS, clip_figures
from estimators.analysis.identity import identify_picture
from estimators.cli import output, summary
from estimators.cli.compare import ModelRun
from estimators.export.coco import image_ids
from estimators.export.files import to_bytes, write_csv, write_parquet, write_summary
from estimators.export.tables import (
    AGREEMENT_COLUMNS,
    SMOOTHED_COLUMNS,
    SUMMARY_COLUMNS,
    agreement_table,
    summary_table,
)
from estimators.registry import get
from estimators.runtime.api import ModelStatus
from estimators.skeletons import COCO_17
from estimators.types import Estimate, PoseSet, Timings
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.series import agreement_series
from pages.ui.columns import meaning
from pages.ui.video.tables import (
    disputed_table,
    latency_table,
    not_its_own,
    steadiness_table,
)
from tests.unit.analysis_motion import clip_of, standing, vanished, walking

A, B, C = "movenet-multipose", "keypointrcnn-fast", "blazepose-full"
TIME = np.arange(90) / 30
ONE, OTHER = walking(TIME, (300, 50), (10, 0)), walking(TIME, (900, 50), (0, 0))


@pytest.fixture(scope="module")
def analysis() -> ClipAnalysis:
    shaky = ONE + np.random.default_rng(0).normal(0, 4, ONE.shape)
    astray = vanished(OTHER, 20, 25)
    astray[60] += (0, 40)
    clips = {A: clip_of([ONE, OTHER], TIME, A), B: clip_of([shaky, astray], TIME, B, {5: "no"})}
    return ClipAnalysis.of(clips)


@pytest.fixture(scope="module")
def table(analysis: ClipAnalysis) -> pd.DataFrame:
    return in_file(analysis)


def in_file(analysis: ClipAnalysis) -> pd.DataFrame:
    figures = summary_table(clip_figures(analysis.report))
    text = to_bytes(lambda sink: write_csv(figures, sink))
    return pd.read_csv(io.BytesIO(text))


def value(table: pd.DataFrame, figure: str, **where: object) -> float:
    """The one value of a figure; what is not named must be unknown."""
    found = table[table.figure == figure]
    for name in ("file", "model", "other_model", "person", "joint", "frame_index"):
        wanted = where.get(name, math.nan if name != "file" else "walk.mp4")
        found = found[found[name].isna() if wanted != wanted else found[name] == wanted]
    assert len(found) == 1, (figure, where, found)
    return float(found.value.iloc[0])


def page(analysis: ClipAnalysis) -> SimpleNamespace:
    return SimpleNamespace(analysis=analysis, specs=[get(A), get(B)])


def test_the_steadiness_on_the_page_is_in_the_file(
    analysis: ClipAnalysis, table: pd.DataFrame
) -> None:
    keys = {get(key).title: key for key in (A, B)}
    names = {
        "frames seen": ("people", 1),
        "jitter, torsos/s²": ("jitter", 1),
        "dropout, %": ("dropout", 100),
        "identity switches": ("identity_switches", 1),
        "side swaps": ("side_swaps", 1),
        "limb jumps": ("limb_jumps", 1),
    }
    shown = steadiness_table(page(analysis))  # type: ignore[arg-type]  # all that it reads
    assert len(shown) == 4
    assert {*shown.columns} == {"person", "model", *names}
    assert all(meaning(name) for name in names)
    for _, row in shown.iterrows():
        who = {"model": keys[row["model"]], "person": row["person"]}
        for title, (figure, times) in names.items():
            assert times * value(table, figure, **who) == pytest.approx(row[title])


def timed(busy: range = range(30, 34)) -> ClipEstimates:
    """Each frame takes another time; beside some of them other work ran."""
    clip = ClipEstimates(A, COCO_17, "walk.mp4", (1280, 720))
    for t, seconds in enumerate(TIME):
        took = Timings(1, 5 + t % 45 / 5 if t else 40, 1)
        poses = PoseSet(COCO_17, ONE[t][None], np.full((1, 17), 0.9), np.full(1, 0.9))
        estimate = Estimate(poses, took, t, float(seconds))
        clip.append(estimate, 0.5, 2 + t % 3, busy=t in busy)
    return clip


def test_a_latency_of_busy_frames_alone_is_told_as_no_models_own() -> None:
    some, every = (ClipAnalysis.of({A: timed(busy)}) for busy in (range(1, 89), range(1, 90)))
    alone = [SimpleNamespace(analysis=analysis, specs=[get(A)]) for analysis in (some, every)]
    assert not_its_own(alone[0]) == ""  # type: ignore[arg-type]  # all that it reads
    assert get(A).title in not_its_own(alone[1])  # type: ignore[arg-type]


def test_the_latency_on_the_page_is_in_the_file() -> None:
    analysis = ClipAnalysis.of({A: timed(), B: clip_of([ONE], TIME, B, {5: "no"})})
    table = in_file(analysis)
    names = {
        "median, ms": "latency",
        "95th percentile, ms": "latency_p95",
        "least, ms": "latency_least",
        "most, ms": "latency_most",
        "first frame, ms": "latency_first",
        "transport, ms": "transport",
        "frames": "frames",
        "failed": "frames_failed",
        "measured while busy": "frames_busy",
    }
    shown = latency_table(page(analysis))  # type: ignore[arg-type]  # all that it reads
    assert {*shown.columns} == {*names}
    assert all(meaning(name) for name in names)
    for key in (A, B):
        row = shown.loc[get(key).title]
        for title, figure in names.items():
            told = value(table, figure, model=key)
            assert told == pytest.approx(row[title], nan_ok=True), title
    told = [value(table, figure, model=A) for figure in names.values()]
    assert len(set(told)) == len(names)  # each column has a number of its own
    assert value(table, "frames_failed", model=B) == 1
    held = {f.model: f.value for f in clip_figures(analysis.report, {A: 300}) if f.unit == "MB"}
    assert held == pytest.approx({A: 300, B: math.nan}, nan_ok=True)


def test_the_disputed_frames_on_the_page_are_in_the_file(
    analysis: ClipAnalysis, table: pd.DataFrame
) -> None:
    disputed = analysis.report.disputed()
    shown = disputed_table(disputed)
    assert len(shown) == (table.figure == "dispute").sum() >= 2
    for frame, (_, row) in zip(disputed, shown.iterrows(), strict=True):
        place = {
            "model": frame.models[0],
            "other_model": frame.models[1],
            "person": frame.person,
            "frame_index": frame.frame_index,
            "joint": frame.joint or math.nan,
        }
        assert value(table, "dispute", **place) == pytest.approx(row["dispute, 1 − OKS"])
        assert value(table, "apart", **place) == pytest.approx(row["apart, torsos"], nan_ok=True)


def test_agreement_and_people_are_in_the_file(analysis: ClipAnalysis, table: pd.DataFrame) -> None:
    report = analysis.report
    pair = report.pairs[A, B]
    both = {"model": A, "other_model": B}
    assert value(table, "matched_people", **both) == pair.matched == 2 * 90 - 2 - 6
    assert value(table, "only_model", **both) == 6  # lost by the other; its failed frame is none
    assert value(table, "only_other_model", **both) == 0
    assert value(table, "mean_oks", **both) == pytest.approx(pair.mean_oks)
    assert value(table, "median_distance", **both) == pytest.approx(pair.median_distance)
    for fact in report.facts({}):
        assert value(table, "people", model=fact.model) == fact.found
        assert value(table, "agreed_people", model=fact.model) == fact.agreed
        assert value(table, "distance_from_others", model=fact.model) == fact.distance


def test_the_line_of_agreement_on_the_page_is_in_the_file(analysis: ClipAnalysis) -> None:
    over_time = analysis.report.over_time
    table = agreement_table("walk.mp4", over_time)
    assert tuple(table.columns) == AGREEMENT_COLUMNS
    text = to_bytes(lambda sink: write_csv(table, sink))
    back = pd.read_csv(io.BytesIO(text))
    for person in over_time.people:
        line = agreement_series(analysis, person, B)
        rows = back[back.person == person].set_index("frame_index").oks
        judged = np.isfinite(line.values)
        assert rows.index.tolist() == line.frame_index[judged].tolist()
        np.testing.assert_allclose(rows, line.values[judged], rtol=1e-6)
    parquet = to_bytes(lambda sink: write_parquet(table, sink))
    assert pq.read_table(io.BytesIO(parquet)).num_rows == len(table)
    assert len(agreement_table("a", ClipAnalysis.of({}).report.over_time)) == 0


def test_json_and_parquet_hold_the_same_rows(analysis: ClipAnalysis, table: pd.DataFrame) -> None:
    figures = list(clip_figures(analysis.report))
    document = json.loads(to_bytes(lambda sink: write_summary(figures, sink)))
    assert document["format"] == "pose-comparison-summary/1"
    rows = pd.DataFrame(document["figures"], columns=list(SUMMARY_COLUMNS))
    parquet = to_bytes(lambda sink: write_parquet(summary_table(figures), sink))
    for other in (rows, pq.read_table(io.BytesIO(parquet)).to_pandas()):
        assert tuple(other.columns) == SUMMARY_COLUMNS
        assert other.figure.tolist() == table.figure.tolist()
        np.testing.assert_allclose(other.value.astype(float), table.value, rtol=1e-12)
        assert other.person.astype("Int64").equals(table.person.astype("Int64"))
    assert document["figures"][0]["joint"] is None


def runs(*answers: list[np.ndarray]) -> list[ModelRun]:
    """Three models on two pictures, each given the people it sees on them."""
    out = []
    for key, people in zip((A, B, C), answers, strict=True):
        run = ModelRun(get(key), status=ModelStatus(key, "ready", rss_mb=900, pss_mb=300, load_s=2))
        for i, xy in enumerate(people):
            poses = PoseSet(COCO_17, xy, np.full((len(xy), 17), 0.9), np.full(len(xy), 0.9))
            poses = poses.to_skeleton(get(key).skeleton)
            estimate = Estimate(poses, Timings(1, 2, 3))
            run.estimates.append(ClipEstimates.of_picture(key, f"{i}.png", (900, 500), estimate))
        out.append(run)
    for i in range(2):
        identify_picture({run.spec.key: run.estimates[i] for run in out})
    return out


PERSON = standing() + np.array([300, 20])
COMPARED = runs(
    [np.stack([PERSON, PERSON + np.array([400, 0])]), np.stack([PERSON])],
    [np.stack([PERSON + np.array([0, 8])]), np.stack([PERSON + np.array([0, 8])])],
    [np.stack([PERSON + np.array([0, 2])]), np.stack([PERSON + np.array([500, 0])])],
)


def test_what_the_terminal_tells_of_pictures_is_in_the_file() -> None:
    table = summary_table(summary.figures(COMPARED)).replace({None: math.nan})
    printed = [line.split() for line in summary.text(COMPARED, 2).splitlines()]
    everything = {"file": math.nan}
    for key in (A, B, C):
        row = next(cells for cells in printed if cells[:1] == [key])
        assert value(table, "people", model=key, **everything) == float(row[1])
        assert value(table, "mean_score", model=key, **everything) == pytest.approx(float(row[2]))
        assert value(table, "latency", model=key, **everything) == float(row[4])
        assert value(table, "memory", model=key, **everything) == float(row[7]) == 300
    for one, other in ((A, B), (A, C), (B, C)):
        row = next(cells for cells in printed if cells[:2] == [one, other])
        both = {"model": one, "other_model": other, **everything}
        assert value(table, "matched_people", **both) == float(row[2])
        assert value(table, "mean_oks", **both) == pytest.approx(float(row[3]), abs=5e-4)
        assert value(table, "median_distance", **both) == pytest.approx(float(row[4]), abs=5e-4)


def test_of_each_picture_the_joints_tell_who_lies_apart() -> None:
    table = summary_table(summary.figures(COMPARED)).replace({None: math.nan})
    who = {"file": "0.png", "person": 1, "joint": "left_wrist"}
    # The others lie in the middle of 2 and 8, of 0 and 2, of 0 and 8 hundredths of a torso.
    for key, apart in ((A, 0.05), (B, 0.07), (C, 0.02)):
        assert value(table, "distance_from_others", model=key, **who) == pytest.approx(apart)
    assert value(table, "people", model=A, file="0.png") == 2
    assert value(table, "agreed_people", model=A, file="0.png") == 1
    assert value(table, "matched_people", model=A, other_model=C, file="1.png") == 0
    assert value(table, "only_other_model", model=A, other_model=C, file="1.png") == 1


def test_the_command_line_writes_it_in_each_format() -> None:
    writer = output.Writer(SimpleNamespace(), ("csv", "parquet", "json"), None)  # type: ignore[arg-type]  # no folder is needed
    ids = image_ids(["0.png", "1.png"])
    named = {n for kind in writer.formats for n, _ in output._NAMED[kind](COMPARED, ids)}
    assert {"summary.csv", "summary.parquet", "summary.json"} <= named


def test_the_docs_list_the_columns_and_figures() -> None:
    summary_part = section("`summary.csv`")
    assert re.findall(r"^\| `(\w+)` \|", summary_part, flags=re.M) == [*SUMMARY_COLUMNS, *UNITS]
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", summary_part, flags=re.M))
    assert {name: told[name] for name in UNITS} == dict(UNITS)
    assert documented("`agreement.csv`") == list(AGREEMENT_COLUMNS)
    assert documented("`smoothed.csv`") == list(SMOOTHED_COLUMNS)


def test_how_alike_two_models_see_a_person_is_in_the_file() -> None:
    table = summary_table(summary.figures(COMPARED)).replace({None: math.nan})
    said = {}
    for one, other in ((A, B), (A, C), (B, C)):
        where = {"model": one, "other_model": other, "file": "0.png", "person": 1}
        said[one, other] = value(table, "oks", **where)
    # 8, 2 and 6 pixels apart.
    assert 1 > said[A, C] > said[B, C] > said[A, B] > 0
    both = {"file": "0.png", "person": 1, "model": math.nan}
    mean = np.mean(list(said.values()))
    assert value(table, "mean_oks", **both) == pytest.approx(mean)
