"""The report of a clip puts the numbers together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.clip_latency import ClipLatency, summarise
from estimators.analysis.clip_report import report_clip
from estimators.analysis.facts import Cost, picture_facts
from estimators.analysis.matching import group_people
from estimators.analysis.scale import above_thresholds
from estimators.analysis.thresholds import Thresholds
from estimators.skeletons import COCO_17
from estimators.types import Estimate, PoseSet, Timings
from tests.unit.analysis_motion import clip_of, irregular, vanished, walking

TIME = irregular(4, 30)
LEFT = walking(TIME, (100, 50), (20, 0))
RIGHT = walking(TIME, (900, 50), (-20, 0))
SINGLE, MULTI, RCNN = "movenet-lightning", "movenet-multipose", "keypointrcnn-fast"
BLAZE = "blazepose-full"


def estimates() -> dict[str, ClipEstimates]:
    noise = np.random.default_rng(0).normal(0, 3, LEFT.shape)
    return {
        SINGLE: clip_of([LEFT + noise], TIME, SINGLE),
        MULTI: clip_of([LEFT, RIGHT], TIME, MULTI),
        RCNN: clip_of([LEFT, vanished(RIGHT, 10, 12)], TIME, RCNN),
    }


def test_facts_count_people_a_frame() -> None:
    report = report_clip(estimates())
    frames = len(TIME)
    facts = {f.model: f for f in report.facts({MULTI: Cost(9, 150), RCNN: Cost(600, 1200)})}
    assert (facts[SINGLE].found, facts[SINGLE].agreed) == (frames, frames)
    assert (facts[MULTI].found, facts[MULTI].agreed) == (2 * frames, 2 * frames - 3)
    assert (facts[RCNN].found, facts[RCNN].agreed) == (2 * frames - 3, 2 * frames - 3)
    assert {f.people for f in facts.values()} == {2 * frames - 3}
    assert facts[MULTI].distance < facts[SINGLE].distance < 0.1


def test_latency_disputes_and_steadiness_are_there() -> None:
    report = report_clip(estimates())
    assert report.latency[MULTI].median_ms == 7
    assert report.latency[MULTI].count == len(TIME) - 1
    assert {d.frame_index for d in report.disputed(1)} == {10}
    assert report.temporal[SINGLE].median_jitter > 10 * report.temporal[MULTI].median_jitter


def test_frames_measured_while_busy_count_only_where_there_are_no_others() -> None:
    def told(latencies_ms: list[float], busy: list[bool], restarted: int = -1) -> ClipLatency:
        clip = ClipEstimates(SINGLE, COCO_17)
        for n, (ms, disturbed) in enumerate(zip(latencies_ms, busy, strict=True)):
            estimate = Estimate(PoseSet.empty(COCO_17), Timings(0, ms, 0), n, n / 10)
            clip.append(estimate, restarted=n == restarted, busy=disturbed)
        return report_clip({SINGLE: clip}).latency[SINGLE]

    quiet = told([100, 7, 9, 70, 80], [False, False, False, True, True])
    assert (quiet.median_ms, quiet.count, quiet.busy) == (8, 2, False)
    busy = told([100, 70, 80, 90], [False, True, True, True])
    assert (busy.median_ms, busy.count, busy.busy) == (80, 3, True)
    restarted = told([100, 7, 60, 9], [False] * 4, restarted=2)
    assert (restarted.median_ms, restarted.count) == (8, 2)


def test_a_model_asked_for_one_person_is_not_blamed_for_the_other() -> None:
    """Both are there throughout; it follows the left one, then the right one."""
    half, last = len(TIME) // 2, len(TIME) - 1
    one = clip_of([vanished(LEFT, half, last), vanished(RIGHT, 0, half - 1)], TIME, SINGLE)
    clips = {SINGLE: one, MULTI: clip_of([LEFT, RIGHT], TIME, MULTI)}
    free = report_clip(clips)
    assert free.temporal[SINGLE].mean_dropout == pytest.approx(0.5)
    assert free.pairs[SINGLE, MULTI].only_b == len(TIME)
    one.held_to = 1
    held = report_clip(clips)
    assert held.temporal[SINGLE].mean_dropout == 0
    assert held.pairs[SINGLE, MULTI].only_b == 0
    assert not held.disputed()
    # Where it shows nobody at all there is room for the person that it lost.
    clips[SINGLE] = clip_of([vanished(LEFT, 3, 7)], TIME, SINGLE)
    clips[SINGLE].held_to = 1
    lost = report_clip(clips)
    assert lost.temporal[SINGLE].mean_dropout == pytest.approx(5 / len(TIME))
    assert {d.frame_index for d in lost.disputed()} & set(range(3, 8))


def test_scores_of_a_person_over_all_frames() -> None:
    report = report_clip(estimates())
    right = int(report.people[RCNN][report.shown[RCNN].xy[:, 0, 0] > 500][0])
    scores = report.scores(RCNN, right)
    assert scores.shape == (len(TIME), 17)
    assert np.isnan(scores[10:13]).all()
    np.testing.assert_allclose(np.delete(scores, [10, 11, 12], axis=0), 0.9)


def test_smoothing_calms_each_person_and_leaves_the_estimates_alone() -> None:
    given = estimates()
    before = given[SINGLE].xy.copy()
    report = report_clip(given)
    smooth = report.smoothed(SINGLE)
    np.testing.assert_array_equal(given[SINGLE].xy, before)
    assert smooth.shape == before.shape
    calm = np.abs(np.diff(smooth - LEFT, axis=0)).mean()
    assert calm < 0.5 * np.abs(np.diff(before - LEFT, axis=0)).mean()


@pytest.mark.parametrize(("first", "last"), [(40, 44), (40, 90)])
def test_hidden_joints_do_not_pull_the_smoothed_line(first: int, last: int) -> None:
    """A still wrist, hidden for a moment or for long, with the model's guess far away meanwhile."""
    time_s = np.arange(120) / 30
    still = walking(time_s, (300, 50), (0, 0))
    wrist = COCO_17.index("left_wrist")
    clip = ClipEstimates(SINGLE, COCO_17, "still.mp4", (1280, 720))
    for t, seconds in enumerate(time_s):
        xy, score = still[t].copy(), np.full(17, 0.9)
        if first <= t <= last:
            xy[wrist] += (80, -60)
            score[wrist] = 0.1
        poses = PoseSet(COCO_17, xy[None], score[None], np.ones(1))
        clip.append(Estimate(poses, Timings(1, 2, 3), t, float(seconds)))
    smooth = report_clip({SINGLE: clip}, {SINGLE: Thresholds(0.3, 0.2)}).smoothed(SINGLE)
    assert np.isnan(smooth[first : last + 1, wrist]).all()
    seen = np.delete(np.arange(len(time_s)), np.arange(first, last + 1))
    np.testing.assert_allclose(smooth[seen, wrist], still[seen, wrist], atol=1e-3)


def test_a_joint_hidden_for_longer_than_the_gap_starts_afresh() -> None:
    """It comes back elsewhere: at once there after a long absence, on its way after a short one."""
    time_s = np.arange(90) / 30
    wrist = COCO_17.index("left_wrist")

    def first_back(hidden: int) -> float:
        path = walking(time_s, (300, 50), (0, 0))
        path[30:, wrist] += (40, 0)
        path[30 : 30 + hidden, wrist] = np.nan
        report = report_clip({SINGLE: clip_of([path], time_s, SINGLE)})
        return float(path[30 + hidden, wrist, 0] - report.smoothed(SINGLE)[30 + hidden, wrist, 0])

    assert first_back(3) > 10
    assert first_back(20) == pytest.approx(0, abs=1e-3)


def test_thresholds_count_on_each_models_own_scale() -> None:
    given = estimates()
    report = report_clip(given, {MULTI: Thresholds(joint=0.95)})
    assert len(report.shown[MULTI]) == 0
    assert report.temporal[MULTI].people == 0
    assert len(report.shown[RCNN]) == 2 * len(TIME) - 3


def test_identities_are_the_same_in_all_models() -> None:
    given = estimates()
    people = report_clip(given).people
    left = {int(i) for m, e in given.items() for i in people[m][e.xy[:, 0, 0] < 500]}
    right = {int(i) for m, e in given.items() for i in people[m][e.xy[:, 0, 0] > 500]}
    assert len(left) == len(right) == 1
    assert left != right


def test_a_picture_and_a_clip_of_one_frame_give_the_same_facts() -> None:
    """The distance is that from the median of the others, which differs from that to each pair."""
    rng = np.random.default_rng(4)
    apart = {m: LEFT[:1] + rng.normal(0, px, LEFT[:1].shape) for m, px in ((SINGLE, 25), (RCNN, 4))}
    given = {
        SINGLE: clip_of([apart[SINGLE]], TIME[:1], SINGLE),
        MULTI: clip_of([LEFT[:1], RIGHT[:1]], TIME[:1], MULTI),
        RCNN: clip_of([apart[RCNN], RIGHT[:1] + 3], TIME[:1], RCNN),
    }
    people = {m: above_thresholds(e.poses(0), 0.3, 0.2) for m, e in given.items()}
    of_picture = picture_facts(people, group_people(people), {})
    of_clip = report_clip(given).facts({})
    assert [replace(f, distance=0.0) for f in of_clip] == [
        replace(f, distance=0.0) for f in of_picture
    ]
    np.testing.assert_allclose(
        [f.distance for f in of_clip], [f.distance for f in of_picture], rtol=1e-4
    )


def test_the_model_that_lies_apart_is_told_from_those_it_lies_apart_from() -> None:
    """Of three families one is half a torso off: the others lie half as far from their median.

    A second variant that errs alike is the same voice.
    """
    apart = LEFT + np.array([0, 20.0])
    given = {
        SINGLE: clip_of([apart], TIME, SINGLE),
        BLAZE: clip_of([LEFT], TIME, BLAZE),
        RCNN: clip_of([LEFT], TIME, RCNN),
    }
    for more in ({}, {MULTI: clip_of([apart], TIME, MULTI)}):
        far = {f.model: f.distance for f in report_clip(given | more).facts({})}
        expected = {SINGLE: 0.2, BLAZE: 0.1, RCNN: 0.1} | dict.fromkeys(more, 0.2)
        assert far == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("px", "agreed"), [(20, True), (22, False)])
def test_families_agree_on_a_person_from_an_oks_of_a_half(px: float, agreed: bool) -> None:
    """In a picture and in a clip alike; the two lie in one group either way."""
    given = {
        SINGLE: clip_of([LEFT], TIME, SINGLE),
        MULTI: clip_of([LEFT], TIME, MULTI),
        RCNN: clip_of([LEFT + np.array([px, 0.0])], TIME, RCNN),
    }
    people = {m: above_thresholds(e.poses(0), 0.3, 0.2) for m, e in given.items()}
    (group,) = group_people(people)
    assert abs(group.oks[SINGLE, RCNN] - 0.5) < 0.03
    of_picture = picture_facts(people, (group,), {})
    of_clip = report_clip(given).facts({})
    assert [(f.agreed, f.people) for f in of_picture] == [(int(agreed),) * 2] * 3
    assert [(f.agreed, f.people) for f in of_clip] == [(len(TIME) * agreed,) * 2] * 3


@pytest.mark.parametrize("models", [[], [SINGLE]])
def test_none_or_one_model_is_enough(models: list[str]) -> None:
    report = report_clip({m: e for m, e in estimates().items() if m in models})
    assert all(f.agreed == f.people == 0 for f in report.facts({}))
    assert report.disputed() == ()
    assert len(report.facts({})) == len(models)
    assert len(report.over_time.time_s) == len(TIME) * len(models)


def test_a_model_held_to_one_person_may_leave_somebody_and_come_back() -> None:
    """In the meantime it shows the other one: nothing is known of the first."""
    a, b, last = 30, 90, len(TIME) - 1
    path = [vanished(LEFT, a, b - 1), vanished(vanished(RIGHT, 0, a - 1), b, last)]
    clips = {SINGLE: clip_of(path, TIME, SINGLE), MULTI: clip_of([LEFT, RIGHT], TIME, MULTI)}
    assert report_clip(clips).disputed()
    clips[SINGLE].held_to = 1
    held = report_clip(clips)
    assert held.disputed() == ()
    left = held.over_time.people.index(int(held.people[SINGLE][0]))
    assert np.isnan(held.over_time.oks[left, 0, a:b]).all()
    np.testing.assert_allclose(np.delete(held.over_time.oks[left, 0], np.s_[a:b]), 1, atol=1e-5)


def test_somebody_without_extent_has_no_scale_to_smooth_by_and_stays_as_found() -> None:
    """All joints in one point: no torso to measure the speed in."""
    path = np.zeros((len(TIME), 17, 2)) + np.random.default_rng(0).normal(0, 5, (len(TIME), 1, 2))
    clip = clip_of([path], TIME, SINGLE)
    np.testing.assert_array_equal(report_clip({SINGLE: clip}).smoothed(SINGLE), clip.xy)


def test_the_way_to_a_model_is_told_without_its_first_frame() -> None:
    clip = ClipEstimates(SINGLE, COCO_17)
    for n, way_ms in enumerate((90.0, 1.0, 5.0, 3.0)):
        estimate = Estimate(PoseSet.empty(COCO_17), Timings(0, 7, 0), n, n / 10)
        clip.append(estimate, queue_ms=40.0, transport_ms=way_ms)
    report = report_clip({SINGLE: clip})
    assert report.transport_ms(SINGLE) == 3
    assert report.first_ms(SINGLE) == 7


def test_no_time_at_all_is_no_figure() -> None:
    nothing = summarise(np.full(3, np.nan))
    assert (nothing.count, nothing.busy) == (0, False)
    assert np.isnan([nothing.median_ms, nothing.p95_ms]).all()
