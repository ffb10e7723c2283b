"""Agreement over time and the most disputed frames."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.analysis.agreement import PairAgreement
from estimators.analysis.clip_pairs import clip_matches
from estimators.analysis.clip_report import report_clip
from estimators.analysis.identity import shared_identities
from estimators.analysis.over_time import (
    AgreementOverTime,
    agreement_over_time,
    disputed_frames,
)
from estimators.analysis.pairing import match_all
from estimators.analysis.thresholds import ShownClip
from estimators.analysis.tracking import track_people
from estimators.skeletons import COCO_17
from tests.unit.analysis_motion import clip_of, irregular, shown, vanished, walking

TIME = irregular(4, 30)
A, B = "movenet-multipose", "keypointrcnn-fast"
WRIST = COCO_17.index("left_wrist")
LEFT = walking(TIME, (100, 50), (20, 0))
RIGHT = walking(TIME, (900, 50), (-20, 0))


def compare(
    clips: dict[str, ShownClip],
) -> tuple[AgreementOverTime, dict[str, NDArray[np.int64]]]:
    tracks = {model: track_people(clip) for model, clip in clips.items()}
    people = shared_identities(clips, tracks, match_all(clips))
    return agreement_over_time(clips, people), people


def test_agreement_falls_where_a_joint_goes_astray() -> None:
    astray = LEFT.copy()
    astray[70:73] += (0, 25)
    clips = {"a": shown([LEFT, RIGHT], TIME, "a"), "b": shown([astray, RIGHT], TIME, "b")}
    over_time, people = compare(clips)
    assert over_time.oks.shape == (2, 1, len(TIME))
    p = over_time.people.index(int(people["a"][0]))  # whoever stands first is on the left
    calm = np.delete(np.arange(len(TIME)), [70, 71, 72])
    np.testing.assert_allclose(over_time.oks[p, 0, calm], 1, atol=1e-5)
    assert (over_time.oks[p, 0, 70:73] < 0.9).all()
    np.testing.assert_allclose(over_time.oks[1 - p], 1, atol=1e-5)
    np.testing.assert_allclose(over_time.dispute[calm], 0, atol=1e-5)


def test_the_most_disputed_frames_name_the_person_the_models_and_the_joint() -> None:
    astray = LEFT.copy()
    astray[40, WRIST] += (0, 60)
    astray[90, WRIST] += (0, 90)
    astray[91, WRIST] += (0, 80)
    clips = {
        "a": shown([LEFT], TIME, "a"),
        "b": shown([astray], TIME, "b"),
        "c": shown([LEFT + 1], TIME, "c"),
    }
    over_time, people = compare(clips)
    worst = disputed_frames(over_time, clips, people, most=2)
    assert [d.frame_index for d in worst] == [90, 40]  # 91 is the same moment as 90
    assert worst[0].joint == "left_wrist"
    assert "b" in worst[0].models
    assert worst[0].distance == pytest.approx(0.9, abs=0.02)
    assert worst[0].time_s == pytest.approx(TIME[90])
    assert worst[0].dispute > worst[1].dispute > 0


def test_losing_somebody_the_other_sees_is_the_worst_dispute() -> None:
    whole, losing = shown([LEFT], TIME, "a"), shown([vanished(LEFT, 50, 52)], TIME, "b")
    for clips in ({"a": whole, "b": losing}, {"b": losing, "a": whole}):
        over_time, people = compare(clips)
        assert over_time.oks[0, 0, 50:53].tolist() == [0, 0, 0]
        worst = disputed_frames(over_time, clips, people)
        assert worst[0].frame_index == 50
        assert worst[0].dispute == 1
        assert worst[0].joint is None


def test_whom_neither_sees_for_a_moment_is_no_dispute_then() -> None:
    path = vanished(LEFT, 50, 52)
    clips = {model: shown([path], TIME, model) for model in "ab"}
    over_time, _ = compare(clips)
    assert np.isnan(over_time.oks[0, 0, 50:53]).all()
    np.testing.assert_allclose(np.delete(over_time.oks[0, 0], [50, 51, 52]), 1)


def test_a_frame_with_too_few_shared_joints_is_not_judged() -> None:
    """Three joints left in one model, three others in the other: none to compare by."""
    upper, lower = LEFT.copy(), LEFT.copy()
    upper[40:43, 5:] = np.nan
    lower[40:43, :11] = np.nan
    astray = lower.copy()
    astray[70, WRIST] += (0, 60)
    clips = {"a": shown([upper], TIME, "a"), "b": shown([astray], TIME, "b")}
    over_time, people = compare(clips)
    assert np.isnan(over_time.oks[0, 0, 40:43]).all()
    assert np.isnan(over_time.dispute[40:43]).all()
    assert [d.frame_index for d in disputed_frames(over_time, clips, people)] == [70]


def test_what_is_not_judged_adds_no_distance() -> None:
    """For three frames the models share the shoulders alone, and those lie 30 px apart."""
    upper, lower = LEFT.copy(), LEFT.copy()
    upper[40:43, 7:] = np.nan
    lower[40:43, :5] = np.nan
    lower[40:43] += (30, 0)
    clips = {"a": shown([upper], TIME, "a"), "b": shown([lower], TIME, "b")}
    same = {model: np.ones(len(clip), np.int64) for model, clip in clips.items()}
    matches = clip_matches(clips, same)["a", "b"]
    assert np.flatnonzero(np.isnan(matches.oks)).tolist() == [40, 41, 42]
    assert np.isnan(matches.distance[40:43]).all()
    agreement = PairAgreement.of([matches])
    assert (agreement.matched, agreement.only_a, agreement.only_b) == (len(TIME), 0, 0)
    assert agreement.mean_oks == pytest.approx(1)
    assert agreement.joint_distance[5] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("seconds", "apart_s", "told"),
    [(20, 0.6, 2), (20, 0.4, 1), (4, 0.25, 2), (4, 0.1, 1)],
)
def test_neighbouring_frames_are_one_dispute(seconds: float, apart_s: float, told: int) -> None:
    """Half a second counts as neighbouring, in a short clip a twentieth of it."""
    time_s = np.arange(0, seconds, 1 / 30)
    path = walking(time_s, (300, 50), (0, 0))
    astray = path.copy()
    astray[[60, 60 + round(30 * apart_s)]] += (0, 40)
    report = report_clip({m: clip_of([p], time_s, m) for m, p in ((A, path), (B, astray))})
    assert len(report.disputed()) == told


def test_ten_disputes_half_a_second_apart_are_told() -> None:
    time_s = np.arange(80) / 4
    path = walking(time_s, (300, 50), (0, 0))
    for frames, told in ((range(3, 80, 6), 10), ((10, 12), 2), ((10, 11), 1)):
        astray = path.copy()
        astray[list(frames)] += (0, 40)
        report = report_clip({m: clip_of([p], time_s, m) for m, p in ((A, path), (B, astray))})
        assert len(report.disputed()) == told


def test_a_dispute_in_the_first_frame_and_at_the_first_joint_is_told() -> None:
    astray = LEFT[:30].copy()
    astray[0] += np.where(np.arange(17)[:, None] == 0, 40, 20)
    report = report_clip({m: clip_of([p], TIME[:30], m) for m, p in ((A, LEFT[:30]), (B, astray))})
    (told,) = report.disputed()
    assert (told.frame_index, told.joint) == (0, "nose")
    assert told.distance == pytest.approx(np.hypot(40, 40) / 100, rel=1e-4)
    for distance in report.distance.values():
        assert distance[0, 0] == pytest.approx(told.distance, rel=1e-4)
        np.testing.assert_allclose(distance[1:], 0, atol=1e-4)


def test_a_small_difference_is_not_worth_a_look() -> None:
    astray = LEFT.copy()
    astray[30] += (0, 11)
    astray[80] += (0, 12)
    report = report_clip({m: clip_of([p], TIME, m) for m, p in ((A, LEFT), (B, astray))})
    dispute = report.over_time.dispute
    assert 0.23 < dispute[30] < 0.25 < dispute[80] < 0.27
    assert [frame.frame_index for frame in report.disputed()] == [80]


def test_people_one_model_never_follows_are_no_dispute() -> None:
    clips = {"many": shown([LEFT, RIGHT], TIME, "many"), "one": shown([LEFT], TIME, "one")}
    over_time, people = compare(clips)
    assert len(over_time.people) == 1
    assert disputed_frames(over_time, clips, people) == ()


def test_nor_is_somebody_before_a_model_first_finds_them() -> None:
    clips = {"a": shown([LEFT], TIME, "a"), "b": shown([vanished(LEFT, 0, 30)], TIME, "b")}
    over_time, _ = compare(clips)
    assert np.isnan(over_time.oks[0, 0, :31]).all()
    np.testing.assert_allclose(over_time.oks[0, 0, 31:], 1)
    clips = {"a": shown([LEFT], TIME, "a"), "b": shown([vanished(LEFT, 90, len(TIME))], TIME, "b")}
    over_time, _ = compare(clips)
    np.testing.assert_allclose(over_time.oks[0, 0, :90], 1)
    assert np.isnan(over_time.oks[0, 0, 90:]).all()


def test_failed_frames_are_not_counted_as_disagreement() -> None:
    clips = {
        "a": shown([LEFT], TIME, "a"),
        "b": ShownClip.of(clip_of([LEFT], TIME, "b", failed={60: "It crashed."})),
    }
    over_time, _ = compare(clips)
    assert np.isnan(over_time.oks[0, 0, 60])
    assert np.isfinite(over_time.oks[0, 0, [59, 61]]).all()


def test_models_with_different_frames_share_one_axis() -> None:
    """One model was cancelled earlier: the rest of the axis is there, without agreement."""
    clips = {"a": shown([LEFT], TIME, "a"), "b": shown([LEFT[:50]], TIME[:50], "b")}
    over_time, _ = compare(clips)
    assert len(over_time.time_s) == len(TIME)
    np.testing.assert_allclose(over_time.time_s, TIME)
    assert np.isnan(over_time.oks[0, 0, 50:]).all()


def test_one_model_or_nobody_has_nothing_to_compare() -> None:
    over_time, people = compare({"a": shown([LEFT], TIME, "a")})
    assert over_time.people == ()
    assert np.isnan(over_time.dispute).all()
    clips = {"a": shown([], TIME, "a"), "b": shown([], TIME, "b")}
    over_time, people = compare(clips)
    assert disputed_frames(over_time, clips, people) == ()
