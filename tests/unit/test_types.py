"""Core types refuse what does not fit, and convert between skeletons by joint name."""

import numpy as np
import pytest

from estimators.errors import InputError
from estimators.skeletons import BLAZEPOSE_33, COCO_17, Skeleton
from estimators.stages import StageTimer
from estimators.types import EstimatorOptions, Frame, PoseSet


def people(n: int, skeleton: Skeleton = COCO_17) -> PoseSet:
    k = len(skeleton)
    xy = np.arange(n * k * 2, dtype=np.float32).reshape(n, k, 2)
    return PoseSet(skeleton, xy, np.linspace(0, 1, n * k).reshape(n, k), np.linspace(0, 1, n))


def test_frame_refuses_other_dtypes_and_shapes() -> None:
    with pytest.raises(ValueError, match="expected uint8, got float32"):
        Frame(np.zeros((4, 4, 3), np.float32))  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(ValueError, match=r"\[any, any, 3\], got \[4, 4\]"):
        Frame(np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match="at least one pixel"):
        Frame(np.zeros((0, 4, 3), np.uint8))


def test_frame_is_read_only_and_leaves_the_callers_array_writeable() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    frame = Frame(image)
    assert (frame.height, frame.width) == (2, 3)
    with pytest.raises(ValueError, match="read-only"):
        frame.image[0, 0, 0] = 1
    image[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("score", np.zeros((2, 16)), r"score: expected shape \[2, 17\], got \[2, 16\]"),
        ("pose_score", np.zeros(3), r"pose_score: expected shape \[2\], got \[3\]"),
        ("box_xyxy", np.zeros((2, 5)), r"box_xyxy: expected shape \[2, 4\], got \[2, 5\]"),
        ("world_m", np.zeros((2, 17, 2)), r"world_m: expected shape \[2, 17, 3\]"),
    ],
)
def test_pose_set_names_expected_and_actual_shape(
    name: str, value: np.ndarray, expected: str
) -> None:
    fields = {"xy": np.zeros((2, 17, 2)), "score": np.zeros((2, 17)), name: value}
    with pytest.raises(ValueError, match=expected):
        PoseSet(COCO_17, **fields)


def test_nobody_is_a_pose_set_of_length_zero() -> None:
    nobody = PoseSet.empty(BLAZEPOSE_33)
    assert len(nobody) == 0
    assert nobody.xy.shape == (0, 33, 2)
    assert len(nobody.to_skeleton(COCO_17)) == 0


def test_blazepose_maps_onto_coco_by_name() -> None:
    poses = people(2, BLAZEPOSE_33)
    coco = poses.to_skeleton(COCO_17)
    for joint in COCO_17.joints:
        np.testing.assert_array_equal(
            coco.xy[:, COCO_17.index(joint)], poses.xy[:, BLAZEPOSE_33.index(joint)]
        )
    assert np.isfinite(coco.xy).all()
    back = coco.to_skeleton(BLAZEPOSE_33)
    heel = BLAZEPOSE_33.index("left_heel")
    assert np.isnan(back.xy[:, heel]).all()
    assert (back.score[:, heel] == 0).all()


def test_selecting_people_keeps_their_rows_together() -> None:
    poses = people(4)
    assert poses.pose_score is not None
    strong = poses.strong(0.5)
    assert len(strong) == 2
    np.testing.assert_array_equal(strong.xy, poses.xy[2:])
    assert len(PoseSet(COCO_17, poses.xy, poses.score).strong(0.9)) == 4


def test_a_joint_is_visible_when_it_has_a_place_and_enough_score() -> None:
    poses = people(1)
    xy = poses.xy.copy()
    xy[0, 16] = np.nan
    visible = PoseSet(COCO_17, xy, poses.score).visible(0.5)
    assert visible.sum() == 8
    assert not visible[0, 16]


@pytest.mark.parametrize("skeleton", [COCO_17, BLAZEPOSE_33], ids=lambda s: s.name)
def test_flipping_twice_is_the_identity_and_swaps_sides(skeleton: Skeleton) -> None:
    flip = skeleton.flip_indices
    assert [flip[i] for i in flip] == list(range(len(skeleton)))
    for i, j in enumerate(flip):
        name, other = skeleton.joints[i], skeleton.joints[j]
        sides = {name, name.replace("left", "right"), name.replace("right", "left")}
        assert other in sides
        assert (other == name) == ("left" not in name and "right" not in name)
    assert flip[skeleton.index("left_wrist")] == skeleton.index("right_wrist")
    assert flip[skeleton.index("nose")] == skeleton.index("nose")


def test_a_skeleton_with_an_unknown_joint_in_a_bone_is_refused() -> None:
    with pytest.raises(ValueError, match="tail"):
        Skeleton("cat", ("head",), (("head", "tail"),), ())


@pytest.mark.parametrize("people", [0, -3, 1.5, True, "2"])
def test_options_refuse_what_is_no_number_of_people(people: object) -> None:
    with pytest.raises(InputError, match=r"max_people is .*at least one person"):
        EstimatorOptions(max_people=people)  # type: ignore[arg-type]  # the point of the test


def test_options_say_whether_frames_belong_together() -> None:
    with pytest.raises(InputError, match="video is 1"):
        EstimatorOptions(video=1)  # type: ignore[arg-type]  # the point of the test
    assert EstimatorOptions(video=True, max_people=1) == EstimatorOptions(True, 1)


def test_a_timer_tells_the_stages_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.perf_counter", iter([5.0, 5.001, 5.021, 5.024]).__next__)
    timer = StageTimer()
    timer.done()
    timer.done()
    frame = Frame(np.zeros((2, 3, 3), np.uint8), 7, 0.25)
    estimate = timer.estimate(frame, PoseSet.empty(COCO_17))
    times = estimate.timings_ms
    assert (times.preprocess, times.inference, times.postprocess) == pytest.approx((1, 20, 3))
    assert (estimate.frame_index, estimate.time_s) == (7, 0.25)


def test_frames_that_went_together_took_equal_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.0, 1.4, 3.4, 3.8])
    monkeypatch.setattr("estimators.stages.time.perf_counter", lambda: next(clock))
    timer = StageTimer()
    timer.done()
    timer.done()
    frames = [Frame(np.zeros((2, 2, 3), np.uint8), n, n / 10) for n in range(4)]
    estimates = timer.estimates(frames, [PoseSet.empty(COCO_17)] * 4)
    assert [(e.frame_index, e.time_s) for e in estimates] == [(f.index, f.time_s) for f in frames]
    for estimate in estimates:
        took = estimate.timings_ms
        assert (took.preprocess, took.inference, took.postprocess) == pytest.approx((100, 500, 100))
