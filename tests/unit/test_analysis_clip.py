"""Flat storage of a clip's estimates."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.thresholds import ShownClip, Thresholds
from estimators.registry import get
from estimators.skeletons import BLAZEPOSE_33, COCO_17
from estimators.types import Estimate, PoseSet, Timings

TIMES = Timings(1, 2, 3)


def poses(n: int, seed: int = 0, **extra: object) -> PoseSet:
    rng = np.random.default_rng(seed)
    return PoseSet(
        COCO_17,
        rng.uniform(0, 300, (n, 17, 2)),
        rng.random((n, 17)),
        rng.random(n),
        **extra,  # type: ignore[arg-type]  # arrays by keyword
    )


def test_what_goes_in_comes_out_frame_by_frame() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17, "walk.mp4", (640, 480))
    sets = [poses(n, seed) for seed, n in enumerate((2, 0, 3, 1) * 20)]
    for i, found in enumerate(sets):
        clip.append(Estimate(found, TIMES, 3 * i, i / 7), queue_ms=i)
    assert len(clip) == 80
    assert clip.person_count == 120
    assert clip.frame_index.tolist() == [3 * i for i in range(80)]
    for row, found in enumerate(sets):
        back = clip.poses(row)
        np.testing.assert_array_equal(back.xy, found.xy)
        np.testing.assert_array_equal(back.score, found.score)
        np.testing.assert_array_equal(back.pose_score, found.pose_score)
        assert back.box_xyxy is None
    assert clip.frame_of[:7].tolist() == [0, 0, 2, 2, 2, 3, 4]
    assert clip.person_of[:7].tolist() == [0, 1, 0, 1, 2, 0, 0]
    np.testing.assert_allclose(clip.latency_ms, 6)
    assert clip.timings_ms[5].tolist()[:4] == [1, 2, 3, 5]
    assert not (clip.busy | clip.restarted | clip.failed | clip.full).any()


def test_frames_with_as_many_people_as_were_asked_for_are_full() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17)
    assert (clip.file, clip.size, clip.held_to) == ("", (0, 0), None)
    for i in range(4):
        clip.append(Estimate(poses(i), TIMES, i))
    clip.held_to = 2
    assert clip.full.tolist() == [False, False, True, True]


def test_columns_that_only_some_frames_have_are_nan_elsewhere() -> None:
    clip = ClipEstimates("keypointrcnn-fast", COCO_17)
    clip.append(Estimate(poses(1), TIMES, 0))
    clip.append(Estimate(poses(2, box_xyxy=np.ones((2, 4))), TIMES, 1))
    clip.append(Estimate(poses(1), TIMES, 2))
    assert clip.box_xyxy is not None
    np.testing.assert_array_equal(np.isnan(clip.box_xyxy[:, 0]), [True, False, False, True])


def test_failed_frames_are_kept_with_their_reason() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17)
    clip.append(Estimate(poses(1), TIMES, 0))
    clip.append_failed(1, 0.1, "It crashed.")
    clip.append(Estimate(poses(1), TIMES, 2, 0.2))
    assert clip.failed.tolist() == [False, True, False]
    assert clip.errors == {1: "It crashed."}
    assert len(clip.poses(1)) == 0
    assert np.isnan(clip.latency_ms[1])


def test_frames_out_of_order_and_other_skeletons_are_refused() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17)
    clip.append(Estimate(poses(1), TIMES, 5))
    with pytest.raises(ValueError, match="frame 5 cannot come after frame 5"):
        clip.append(Estimate(poses(1), TIMES, 5))
    with pytest.raises(ValueError, match="expected coco17, got blazepose33"):
        clip.append(Estimate(PoseSet.empty(BLAZEPOSE_33), TIMES, 6))
    assert len(clip) == 1
    clip.append(Estimate(poses(1), TIMES, 7))
    with pytest.raises(ValueError, match="frame 6 cannot come after frame 7"):
        clip.append(Estimate(poses(1), TIMES, 6))


def test_its_arrays_cannot_be_written_to_and_grow_with_it() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17)
    clip.append(Estimate(poses(1), TIMES, 0))
    with pytest.raises(ValueError, match="read-only"):
        clip.xy[0] = 0
    before = clip.xy.copy()
    view = clip.xy
    for i in range(1, 100):
        clip.append(Estimate(poses(1, i), TIMES, i))
    np.testing.assert_array_equal(view, before)
    assert len(clip.xy) == 100


def test_ten_thousand_frames_are_small() -> None:
    clip = ClipEstimates("blazepose-full", BLAZEPOSE_33)
    found = PoseSet(
        BLAZEPOSE_33,
        np.ones((1, 33, 2)),
        np.ones((1, 33)),
        np.ones(1),
        world_m=np.ones((1, 33, 3)),
    )
    for i in range(10_000):
        clip.append(Estimate(found, TIMES, i, i / 30))
    arrays = (clip.xy, clip.score, clip.world_m, clip.time_s, clip.frame_index, clip.timings_ms)
    assert sum(a.base.nbytes for a in arrays if a is not None and a.base is not None) < 16e6


def test_identities_belong_to_what_was_there() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17)
    clip.append(Estimate(poses(2), TIMES, 0))
    assert clip.identity.tolist() == [-1, -1]
    clip.identify(np.array([4, 2]))
    assert clip.identity.tolist() == [4, 2]
    with pytest.raises(ValueError, match=r"expected \[2\]"):
        clip.identify(np.array([1]))
    clip.append(Estimate(poses(1), TIMES, 1))
    assert clip.identity.tolist() == [-1, -1, -1]


def test_thresholds_leave_people_and_joints_out() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17)
    xy = np.arange(3 * 34, dtype=float).reshape(3, 17, 2)
    score = np.full((3, 17), 0.9)
    score[0, 4] = 0.1  # one weak joint
    score[1, 2:] = 0.1  # only two joints left
    clip.append(Estimate(PoseSet(COCO_17, xy, score, np.array([0.8, 0.8, 0.1])), TIMES, 0))
    clip.append(Estimate(PoseSet.empty(COCO_17), TIMES, 1))
    clip.append(Estimate(PoseSet(COCO_17, xy[2:], score[2:], np.array([0.9])), TIMES, 2))
    shown = ShownClip.of(clip, Thresholds(0.5, 0.3))
    assert shown.rows.tolist() == [0, 3]
    assert np.isnan(shown.xy[0, 4]).all()
    assert np.isfinite(shown.xy[0, 5]).all()
    assert shown.people.tolist() == [1, 0, 1]
    assert shown.frame_of.tolist() == [0, 2]
    assert shown.spread(np.array([7, 8])).tolist() == [7, -1, -1, 8]
    assert len(ShownClip.of(clip)) == 4
    spec = get("movenet-multipose")
    assert Thresholds.of(spec) == Thresholds(spec.default_threshold, spec.default_pose_threshold)


def test_a_model_without_pose_scores_is_not_cut_by_their_threshold() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17)
    clip.append(Estimate(PoseSet(COCO_17, np.ones((1, 17, 2)), np.ones((1, 17))), TIMES, 0))
    assert len(ShownClip.of(clip, Thresholds(0.5, 0.9))) == 1
