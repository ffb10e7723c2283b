"""The MoveNet adapter with its embedded LiteRT files, on sample pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from estimators import registry, weights
from estimators.errors import InputError, ModelError, ModelLoadError
from estimators.geometry import square_around
from estimators.maintenance import rebuild
from estimators.media.pictures import read_picture
from estimators.media.samples import FOLDER
from estimators.models import movenet
from estimators.skeletons import COCO_17
from estimators.types import EstimatorOptions, Frame, PoseModel

SINGLE = ("movenet-lightning", "movenet-thunder")
MULTI = ("movenet-multipose", "movenet-multipose-512")
CLIP = EstimatorOptions(video=True)
THREADS = 2


@pytest.fixture(scope="module", params=(*SINGLE, *MULTI))
def model(request: pytest.FixtureRequest) -> Iterator[PoseModel]:
    yield from opened(request.param)


@pytest.fixture(scope="module")
def thunder() -> Iterator[PoseModel]:
    yield from opened("movenet-thunder")


@pytest.fixture(scope="module")
def multipose() -> Iterator[PoseModel]:
    yield from opened("movenet-multipose-512")


def opened(key: str) -> Iterator[PoseModel]:
    loaded = movenet.load(registry.get(key), weights.path(key), THREADS)
    yield loaded
    loaded.close()


def sample(name: str) -> Frame:
    return read_picture(FOLDER / name)


def far_away(shrink: float = 0.2, index: int = 0) -> Frame:
    """A person who takes up a small part of a wide frame, off its centre."""
    person = sample("balance_from_behind.jpg").image
    small = cv2.resize(person, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    canvas = np.full((720, 1280, 3), 96, np.uint8)
    left = 820 + 6 * index
    canvas[300 : 300 + len(small), left : left + small.shape[1]] = small
    return Frame(canvas, index, index / 30)


def test_every_estimate_is_timed_and_knows_its_frame(model: PoseModel) -> None:
    frame = Frame(sample("two_people_outdoors.jpg").image, index=7, time_s=0.25)
    estimate = model.open(EstimatorOptions()).estimate(frame)
    timings = estimate.timings_ms
    assert (estimate.frame_index, estimate.time_s) == (7, 0.25)
    assert min(timings.preprocess, timings.inference, timings.postprocess) > 0
    assert timings.total == timings.preprocess + timings.inference + timings.postprocess


def test_single_pose_gives_one_person_scored_by_the_mean(thunder: PoseModel) -> None:
    poses = thunder.open(EstimatorOptions()).estimate(sample("balance_from_behind.jpg")).poses
    assert len(poses) == 1
    assert poses.pose_score is not None
    assert poses.pose_score[0] == pytest.approx(poses.score[0].mean())
    assert poses.pose_score[0] > 0.4


def test_a_person_far_away_is_found_by_following(thunder: PoseModel) -> None:
    """The first frame is seen whole; from then on the person is cut out and is clearer."""
    estimator = thunder.open(CLIP)
    scores = []
    for index in range(6):
        poses = estimator.estimate(far_away(index=index)).poses
        assert poses.pose_score is not None
        scores.append(float(poses.pose_score[0]))
    alone = thunder.open(EstimatorOptions()).estimate(far_away()).poses
    assert alone.pose_score is not None
    assert scores[0] == pytest.approx(float(alone.pose_score[0]))
    assert min(scores[2:]) > scores[0] + 0.05


def test_following_finds_the_same_joints_as_looking_closely(thunder: PoseModel) -> None:
    """The way back from the crop region: joints lie where the full-size picture has them."""
    shrink = 0.2
    estimator = thunder.open(CLIP)
    for _ in range(4):
        followed = estimator.estimate(far_away(shrink)).poses
    close = thunder.open(EstimatorOptions()).estimate(sample("balance_from_behind.jpg")).poses
    expected = close.xy[0] * shrink + (820, 300)
    clear = close.score[0] > 0.4
    assert clear.sum() >= 6
    apart = np.linalg.norm(followed.xy[0] - expected, axis=1)[clear]
    assert np.median(apart) < 2.5  # pixels; the person is about 130 tall


def test_pictures_are_not_followed(thunder: PoseModel) -> None:
    estimator = thunder.open(EstimatorOptions())
    first = estimator.estimate(far_away()).poses
    for index in range(3):
        again = estimator.estimate(far_away(index=index)).poses
    assert (thunder.open(EstimatorOptions()).estimate(far_away(index=2)).poses.xy == again.xy).all()
    assert (estimator.estimate(far_away()).poses.xy == first.xy).all()


def test_reset_forgets_the_person(thunder: PoseModel) -> None:
    estimator = thunder.open(CLIP)
    first = estimator.estimate(far_away()).poses
    assert not np.array_equal(estimator.estimate(far_away()).poses.xy, first.xy)
    estimator.reset()
    assert np.array_equal(estimator.estimate(far_away()).poses.xy, first.xy)


def test_a_change_of_frame_size_starts_anew(thunder: PoseModel) -> None:
    """Webcams change their frame size in mid-stream; the old region means nothing in the new."""
    estimator = thunder.open(CLIP)
    for index in range(3):
        estimator.estimate(far_away(index=index))
    smaller = Frame(cv2.resize(far_away().image, (640, 360), interpolation=cv2.INTER_AREA))
    fresh = thunder.open(CLIP).estimate(smaller).poses
    assert np.array_equal(estimator.estimate(smaller).poses.xy, fresh.xy)


def test_two_viewers_do_not_disturb_each_other(thunder: PoseModel) -> None:
    one, other = thunder.open(CLIP), thunder.open(CLIP)
    alone = thunder.open(CLIP)
    for index in range(3):
        mixed = one.estimate(far_away(index=index)).poses
        other.estimate(sample("two_people_outdoors.jpg"))
        expected = alone.estimate(far_away(index=index)).poses
    assert np.array_equal(mixed.xy, expected.xy)


# MultiPose 512 is the same network as MultiPose, at four times the cost.
@pytest.mark.parametrize("key", [*SINGLE, "movenet-multipose"])
def test_a_mirrored_picture_gives_the_mirrored_pose(key: str) -> None:
    """In the median to a seventh of an input pixel: the origin is the picture's corner."""
    spec = registry.get(key)
    loaded = movenet.load(spec, weights.path(key), THREADS)
    estimator = loaded.open(EstimatorOptions(max_people=1))
    shifts: list[float] = []
    for frame in around_people(16):
        mirrored = Frame(np.ascontiguousarray(frame.image[:, ::-1]))
        pose, other = (estimator.estimate(each).poses for each in (frame, mirrored))
        there, score = (each[:, COCO_17.flip_indices] for each in (other.xy, other.score))
        clear = np.minimum(pose.score, score) > 0.4
        apart = (pose.xy[..., 0] + there[..., 0] - frame.width) / 2
        shifts.extend(apart[clear] * spec.settings["input_side"] / max(frame.image.shape))
    loaded.close()
    same = [shift for shift in shifts if abs(shift) < 4]  # else another person, or swapped limbs
    assert len(same) > 300
    assert abs(np.median(same)) < 0.14


def around_people(each: int) -> Iterator[Frame]:
    """Parts of the sample pictures around their clearest person, `each` of every picture."""
    random = np.random.default_rng(0)
    loaded = movenet.load(
        registry.get("movenet-multipose"), weights.path("movenet-multipose"), THREADS
    )
    for path in sorted(FOLDER.glob("*.jpg")):
        frame = read_picture(path)
        pose = loaded.open(EstimatorOptions(max_people=1)).estimate(frame).poses
        joints = pose.xy[0][pose.score[0] > 0.3]
        middle, reach = (joints.min(axis=0) + joints.max(axis=0)) / 2, np.ptp(joints, axis=0).max()
        for _ in range(each):
            shift = random.uniform(-0.1, 0.1, 2) * reach
            region = square_around(middle + shift, reach * random.uniform(0.6, 0.8))
            part = region.inside((frame.height, frame.width))
            yield Frame(frame.image[part.top : part.bottom, part.left : part.right])
    loaded.close()


def test_multipose_finds_the_people_strongest_first(multipose: PoseModel) -> None:
    poses = multipose.open(EstimatorOptions()).estimate(sample("two_people_outdoors.jpg")).poses
    assert poses.pose_score is not None
    assert poses.box_xyxy is not None
    assert (np.diff(poses.pose_score) <= 0).all()
    assert (poses.pose_score > 0.2).sum() == 2
    assert np.isfinite(poses.xy).all()
    # The box is the model's own: it must hold most of the person's clear joints.
    for i in range(2):
        clear = poses.xy[i][poses.score[i] > 0.4]
        left, top, right, bottom = poses.box_xyxy[i]
        margin = 0.1 * (bottom - top)
        low, high = (left - margin, top - margin), (right + margin, bottom + margin)
        assert ((clear >= low) & (clear <= high)).all(axis=1).mean() > 0.8


def test_no_more_people_than_asked_for(multipose: PoseModel) -> None:
    frame = sample("two_people_outdoors.jpg")
    everyone = multipose.open(EstimatorOptions()).estimate(frame).poses
    strongest = multipose.open(EstimatorOptions(max_people=1)).estimate(frame).poses
    assert len(everyone) > len(strongest) == 1
    assert np.array_equal(strongest.xy[0], everyone.xy[0])


def test_nobody_is_asked_for(model: PoseModel) -> None:
    with pytest.raises(InputError, match="at least one person"):
        model.open(EstimatorOptions(max_people=0))


@pytest.mark.parametrize("shape", [(40, 3), (3, 700), (1, 1), (33, 1500)])
def test_any_shape_of_frame(model: PoseModel, shape: tuple[int, int]) -> None:
    frame = Frame(np.full((*shape, 3), 127, np.uint8))
    assert np.isfinite(model.open(CLIP).estimate(frame).poses.xy).all()


@pytest.mark.parametrize("key", rebuild.CANVASES)
def test_the_embedded_file_takes_the_canvases_it_was_made_for(key: str) -> None:
    network = movenet.LiteRTNetwork(weights.path(key), THREADS)
    assert set(network.canvases) == set(rebuild.CANVASES[key])
    network.close()


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    damaged = tmp_path / "movenet.tflite"
    damaged.write_bytes(weights.path("movenet-lightning").read_bytes()[:100_000])
    with pytest.raises(ModelLoadError, match="not a MoveNet model"):
        movenet.load(registry.get("movenet-lightning"), damaged, THREADS)
    damaged.write_bytes(b"<html>403 Forbidden</html>")
    with pytest.raises(ModelLoadError, match="not a MoveNet model"):
        movenet.load(registry.get("movenet-lightning"), damaged, THREADS)


def test_another_models_file_is_told() -> None:
    with pytest.raises(ModelLoadError, match="takes 192-pixel pictures"):
        movenet.load(registry.get("movenet-lightning"), weights.path("movenet-multipose"), THREADS)


def test_a_closed_model_says_so() -> None:
    loaded = movenet.load(
        registry.get("movenet-lightning"), weights.path("movenet-lightning"), THREADS
    )
    estimator = loaded.open(EstimatorOptions())
    loaded.close()
    loaded.close()
    with pytest.raises(ModelError, match="was closed"):
        estimator.estimate(far_away())
