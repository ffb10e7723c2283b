"""A clip's numbers as the page shows them: a person at a time, thinned, no spike lost."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.thresholds import Thresholds
from estimators.annotated import AnnotatedImage
from estimators.export.tables import smoothed_table
from estimators.skeletons import COCO_17
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.series import (
    MOST_COLUMNS,
    Series,
    agreement_series,
    frame_people,
    latency_series,
    people_in_common,
    position_series,
    score_map,
    unanswered_note,
)
from tests.unit.analysis_motion import clip_of, irregular, vanished, walking

TIME = irregular(4, 30)
N = len(TIME)
LEFT = walking(TIME, (100, 50), (20, 0))
RIGHT = walking(TIME, (900, 50), (-20, 0))
MULTI, RCNN = "movenet-multipose", "keypointrcnn-fast"


@pytest.fixture(scope="module")
def estimates() -> dict[str, ClipEstimates]:
    return {
        MULTI: clip_of([LEFT, RIGHT], TIME, MULTI),
        RCNN: clip_of([LEFT, vanished(RIGHT, 10, 12)], TIME, RCNN, failed={20: "no luck"}),
    }


@pytest.fixture(scope="module")
def analysis(estimates: dict[str, ClipEstimates]) -> ClipAnalysis:
    return ClipAnalysis.of(estimates, {RCNN: Thresholds(0.3, 0.2)})


def person_at(analysis: ClipAnalysis, model: str, x: float) -> int:
    shown = analysis.report.shown[model]
    return int(analysis.report.people[model][np.abs(shown.xy[:, 0, 0] - x).argmin()])


def test_who_is_who_is_told_without_touching_the_shared_answers(
    analysis: ClipAnalysis, estimates: dict[str, ClipEstimates]
) -> None:
    for model, e in analysis.estimates.items():
        assert set(e.identity.tolist()) == {1, 2}
        right = e.xy[:, 0, 0] > 500
        assert set(e.identity[right].tolist()) == {person_at(analysis, MULTI, 900)}
        assert set(estimates[model].identity.tolist()) == {-1}
        np.testing.assert_array_equal(e.xy, estimates[model].xy)


def test_steadiness_is_told_a_model_and_person(analysis: ClipAnalysis) -> None:
    rows = {(row.model, row.person): row for row in analysis.steadiness()}
    assert len(rows) == 4
    right = person_at(analysis, MULTI, 900)
    assert rows[MULTI, right].sightings == N
    assert rows[RCNN, right].sightings == N - 4
    assert rows[MULTI, right].dropout == 0
    # Three of the answered frames between the first and the last sighting lack the person.
    assert rows[RCNN, right].dropout == pytest.approx(3 / (N - 1))
    assert rows[RCNN, right].identity_switches == 0
    assert rows[MULTI, right].jitter == pytest.approx(0, abs=0.1)


def test_curves_are_one_persons_with_gaps_where_nobody_is_seen(analysis: ClipAnalysis) -> None:
    right = person_at(analysis, MULTI, 900)
    x, y = position_series(analysis, RCNN, right, "left_wrist")
    wrist = COCO_17.index("left_wrist")
    gone = [10, 11, 12, 20]
    assert np.flatnonzero(np.isnan(x.values)).tolist() == gone
    seen = np.setdiff1d(np.arange(N), gone)
    np.testing.assert_allclose(x.values[seen], RIGHT[seen, wrist, 0], atol=1e-3)
    np.testing.assert_allclose(y.values[seen], RIGHT[seen, wrist, 1], atol=1e-3)
    smooth, _ = position_series(analysis, RCNN, right, "left_wrist", smoothed=True)
    assert np.isnan(smooth.values[gone]).all()
    lag = smooth.values[seen] - x.values[seen]
    assert 0 < np.abs(lag).max() < 20, "another line, close to the raw one"


def test_the_smoothed_line_of_the_chart_is_in_the_table(analysis: ClipAnalysis) -> None:
    right = person_at(analysis, MULTI, 900)
    smoothed = {model: analysis.report.smoothed(model) for model in analysis.estimates}
    table = smoothed_table(list(analysis.estimates.values()), smoothed)
    for joint in ("left_wrist", "right_ankle"):
        x, y = position_series(analysis, RCNN, right, joint, smoothed=True)
        rows = table.query("model == @RCNN and identity == @right and joint == @joint")
        seen = np.isfinite(x.values)
        assert rows["frame_index"].tolist() == x.frame_index[seen].tolist()
        np.testing.assert_allclose(rows["time_s"], x.time_s[seen])
        np.testing.assert_allclose(rows["x_px"], x.values[seen])
        np.testing.assert_allclose(rows["y_px"], y.values[seen])


def test_agreement_is_zero_where_one_model_loses_the_person(analysis: ClipAnalysis) -> None:
    right = person_at(analysis, MULTI, 900)
    line = agreement_series(analysis, right, RCNN)
    assert line.values[10:13].tolist() == [0, 0, 0]
    assert np.isnan(line.values[20])
    assert line.values[13] > 0.99
    assert people_in_common(analysis) in ((1, 2), (2, 1))


def test_score_maps_show_what_thresholds_hide_and_stay_small() -> None:
    long = np.arange(3 * MOST_COLUMNS) / 30
    path = walking(long, (100, 50), (1, 0))
    clip = clip_of([path], long, MULTI)
    analysis = ClipAnalysis.of({MULTI: clip})
    scores = score_map(analysis, MULTI, 1)
    assert scores.score.shape == (17, MOST_COLUMNS)
    assert scores.time_s[0] == pytest.approx(long[:3].mean())
    np.testing.assert_allclose(scores.score, 0.9, atol=1e-6)


def test_thinning_keeps_every_spike_and_only_measured_points() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(5, 10, 10_000)
    values[[17, 5_003, 9_999]] = (900, 800, 700)
    values[3_000:3_100] = np.nan
    line = Series(np.arange(10_000), np.arange(10_000) / 30, values)
    thin = line.thinned(1_000)
    assert len(thin.values) <= 1_000
    assert {900.0, 800.0, 700.0} <= set(thin.values[np.isfinite(thin.values)])
    np.testing.assert_array_equal(thin.values, values[thin.frame_index])
    assert (np.diff(thin.frame_index) > 0).all()
    assert np.isnan(thin.values).any(), "the interruption stays one"
    assert line.thinned(20_000) is line


def test_latency_leaves_failed_frames_open_and_the_first_one_apart(analysis: ClipAnalysis) -> None:
    line = latency_series(analysis, RCNN)
    assert np.isnan(line.values[20])
    assert line.after_first().frame_index[0] == 1
    assert line.after_first().typical == 7


def test_a_frame_has_the_people_by_their_numbers_in_the_clip(analysis: ClipAnalysis) -> None:
    left, right = (person_at(analysis, MULTI, x) for x in (100, 900))
    both = frame_people(analysis, 5)
    assert {n: set(found) for n, found in both.members.items()} == {
        left: {MULTI, RCNN},
        right: {MULTI, RCNN},
    }
    for number, walk in ((left, LEFT), (right, RIGHT)):
        for model, i in both.members[number].items():
            np.testing.assert_allclose(both.shown[model].xy[i], walk[5], atol=1e-3)
    gone = frame_people(analysis, 11)
    assert set(gone.members[right]) == {MULTI}
    assert set(frame_people(analysis, 20).shown) == {MULTI}  # the other one failed
    assert frame_people(analysis, N + 5).members == {}


@pytest.mark.parametrize("frames", [0, 3])
def test_a_clip_without_people_or_frames_has_an_analysis(frames: int) -> None:
    empty = np.zeros((frames, 17, 2)) * np.nan
    estimates = {m: clip_of([empty], np.arange(frames) / 30, m) for m in (MULTI, RCNN)}
    analysis = ClipAnalysis.of(estimates)
    assert (analysis.people, analysis.steadiness()) == ((), ())
    assert analysis.report.disputed() == ()
    assert people_in_common(analysis) == ()


def test_marked_frames_without_answers_are_told(analysis: ClipAnalysis) -> None:
    def marked(*frames: int) -> list[AnnotatedImage]:
        return [AnnotatedImage("a.mp4", 640, 480, (), frame_index=frame) for frame in frames]

    assert unanswered_note(analysis, []) == ""
    assert unanswered_note(analysis, marked(0, 5)) == ""
    # One model failed on frame 20; the last is beyond what was processed.
    assert unanswered_note(analysis, marked(0, 20, N + 7)).startswith("2 of 3 marked frames")
