"""BlazePose in its own process: MediaPipe's own numbers, in pixels, for pictures and for clips."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from estimators import weights
from estimators.errors import InputError
from estimators.media import clips
from estimators.media.pictures import read_picture
from estimators.media.samples import FOLDER
from estimators.runtime.api import Runner
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.skeletons import BLAZEPOSE_33, COCO_17
from estimators.types import EstimatorOptions, Frame, PoseSet
from tests.contract import child
from tests.fixtures.tiny_keypoint_rcnn import LABELS, clip_frames

KEYS = ("blazepose-lite", "blazepose-full")
CLIP = EstimatorOptions(video=True)
FRAMES = range(0, 100, 10)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = ProcessRunner(Settings(), threads=1)
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Ten frames of the balance clip (540×960), as if they came 30 to the second."""
    images = clip_frames()
    return [Frame(images[index], i, i / 30) for i, index in enumerate(FRAMES)]


@pytest.fixture(scope="module", params=KEYS)
def plain(
    request: pytest.FixtureRequest, frames: list[Frame], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, np.ndarray]]:
    """The variant and what a plain MediaPipe script says about the frames."""
    folder = tmp_path_factory.mktemp("plain")
    np.savez(folder / "frames.npz", frames=np.stack([frame.image for frame in frames]))
    script = Path(__file__).with_name("plain_blazepose.py")
    paths = [str(folder / "frames.npz"), str(folder / "answers.npz")]
    command = [sys.executable, str(script), str(weights.path(request.param)), "5", *paths]
    subprocess.run(command, check=True, capture_output=True)
    return request.param, dict(np.load(folder / "answers.npz", allow_pickle=True))


def assert_same(poses: PoseSet, table: np.ndarray) -> None:
    assert len(poses) == len(table) > 0
    assert poses.world_m is not None
    coco = [BLAZEPOSE_33.index(joint) for joint in COCO_17.joints]
    table = table[np.argsort(-table[:, coco, 2].mean(axis=1))]  # strongest first
    np.testing.assert_allclose(poses.xy, table[..., :2], atol=1e-3)
    np.testing.assert_allclose(poses.score, table[..., 2], atol=1e-6)
    np.testing.assert_allclose(poses.world_m, table[..., 3:], atol=1e-6)


def test_pictures_give_mediapipes_own_numbers(
    runner: Runner, frames: list[Frame], plain: tuple[str, dict[str, np.ndarray]]
) -> None:
    key, answers = plain
    for frame, table in zip(frames, answers["pictures"], strict=True):
        assert_same(runner.estimate(key, frame).estimate.poses, table)


def test_clips_give_mediapipes_own_numbers_again_after_a_reset(
    runner: Runner, frames: list[Frame], plain: tuple[str, dict[str, np.ndarray]]
) -> None:
    key, answers = plain
    for _ in range(2):
        with runner.open(key, CLIP) as session:
            for frame, table in zip(frames, answers["clip"], strict=True):
                assert_same(session.estimate(frame).estimate.poses, table)


def test_two_people_in_a_clip_are_found_anew_in_every_frame(
    runner: Runner, frames: list[Frame], plain: tuple[str, dict[str, np.ndarray]]
) -> None:
    """What asking for more people changes in a clip, and the reason why one is the default."""
    key, answers = plain
    with runner.open(key, EstimatorOptions(video=True, max_people=2)) as session:
        for frame, table in zip(frames[:4], answers["pictures"][:4], strict=True):
            assert_same(session.estimate(frame).estimate.poses, table)


def test_a_clip_is_followed_not_looked_at_anew(
    plain: tuple[str, dict[str, np.ndarray]],
) -> None:
    _, answers = plain
    first, *later = zip(answers["pictures"], answers["clip"], strict=True)
    np.testing.assert_allclose(first[0][0], first[1][0], atol=1e-3)
    assert any(not np.allclose(picture[0], clip[0], atol=0.1) for picture, clip in later)


# On these frames BlazePose takes the man's front for his front.  On others it takes his masked face
# for the back of a head and swaps all sides, in the plain script too.
FRONT = range(14, 30, 2)


@pytest.mark.parametrize("options", [EstimatorOptions(), CLIP], ids=["pictures", "clip"])
def test_joints_lie_where_movenet_sees_them(runner: Runner, options: EstimatorOptions) -> None:
    """Another model's joints of the same man: right names, right sides, right scale."""
    labels = np.array(json.loads(LABELS.read_text(encoding="utf-8")))
    images = clip_frames()
    body = slice(COCO_17.index("left_shoulder"), None)
    with runner.open("blazepose-full", options) as session:
        for index in FRONT:
            frame = Frame(images[index], index, index / 60)
            poses = session.estimate(frame).estimate.poses.to_skeleton(COCO_17)
            wanted = labels[index, :, :2]
            torso = np.linalg.norm(wanted[5:7].mean(0) - wanted[11:13].mean(0))
            errors = distance(poses.xy[0], wanted)[body]
            swapped = distance(poses.xy[0], wanted[list(COCO_17.flip_indices)])[body]
            assert np.median(errors) < 0.1 * torso
            assert errors.mean() < 0.5 * swapped.mean()


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=-1)


def test_times_that_repeat_or_go_back_are_accepted(runner: Runner, frames: list[Frame]) -> None:
    with runner.open("blazepose-lite", CLIP) as session:
        for time_s in (0.0, 0.0, 0.0001, 5.0, 1.0, 1.0):
            frame = Frame(frames[0].image, 0, time_s)
            assert len(session.estimate(frame).estimate.poses) == 1


def test_pictures_show_several_people_clips_follow_one(runner: Runner) -> None:
    group = read_picture(FOLDER / "three_people_lab.jpg")

    def found(video: bool, people: int | None) -> int:
        with runner.open("blazepose-full", EstimatorOptions(video, people)) as session:
            return len(session.estimate(group).estimate.poses)

    assert found(False, None) == 2
    assert found(False, 1) == 1
    assert found(True, None) == 1
    with pytest.raises(InputError, match="at least one"):
        found(False, 0)


def test_a_clip_of_a_street_shows_several_people_when_they_are_asked_for(runner: Runner) -> None:
    """Each in a place of its own."""
    street = list(clips.frames(clips.open_clip(FOLDER / "street.mp4"), stride=12))

    def found(people: int | None) -> list[PoseSet]:
        with runner.open("blazepose-full", EstimatorOptions(True, people)) as session:
            return [session.estimate(frame).estimate.poses for frame in street]

    assert max(len(poses) for poses in found(None)) == 1
    several = found(5)
    assert np.mean([len(poses) for poses in several]) > 1.4
    assert max(len(poses) for poses in found(2)) == 2
    apart = [
        np.linalg.norm(poses.xy[0].mean(axis=0) - poses.xy[1].mean(axis=0))
        for poses in several
        if len(poses) > 1
    ]
    assert np.median(apart) > 100


def test_the_pose_score_is_the_mean_visibility_of_the_coco_joints(runner: Runner) -> None:
    poses = runner.estimate("blazepose-full", read_picture(FOLDER / "astronaut.jpg")).estimate.poses
    coco = poses.to_skeleton(COCO_17)
    assert poses.pose_score is not None
    np.testing.assert_allclose(poses.pose_score, coco.score.mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (480, 640)])
@pytest.mark.parametrize("options", [EstimatorOptions(), CLIP], ids=["pictures", "clip"])
def test_nobody(runner: Runner, size: tuple[int, int], options: EstimatorOptions) -> None:
    with runner.open("blazepose-lite", options) as session:
        assert len(session.estimate(Frame(np.full((*size, 3), 90, np.uint8))).estimate.poses) == 0


def test_a_picture_that_was_made_smaller_is_told_in_its_own_pixels() -> None:
    """With a lower limit: of a picture over the real one nobody is large enough to be found."""
    code = """
import numpy as np
from estimators import registry, weights
from estimators.models import blazepose
from estimators.types import EstimatorOptions, Frame
from tests.fixtures.tiny_keypoint_rcnn import clip_frames
key = "blazepose-lite"
model = registry.load(registry.get(key), weights.path(key), 1)
image = clip_frames()[20][:, :-3]
found = []
for blazepose._LONGEST_SIDE in (960, 959, 330):
    estimator = model.open(EstimatorOptions(max_people=1))
    found.append(estimator.estimate(Frame(image)).poses.xy[0])
apart = [np.median(np.linalg.norm(xy - found[0], axis=-1)) for xy in found[1:]]
model.close()
print(*apart, np.ptp(found[0][:, 1]))
"""
    *apart, tall = map(float, child.code(code).split())
    assert tall > 300
    assert max(apart) < 0.02 * tall
    assert min(apart) > 0  # it really was another picture


def test_tensorflow_stays_out_and_mediapipe_quiet() -> None:
    code = """
import sys
import numpy as np
from estimators import registry, weights
from estimators.types import EstimatorOptions, Frame
key = "blazepose-lite"
model = registry.load(registry.get(key), weights.path(key), 1)
estimator = model.open(EstimatorOptions(video=True))
estimator.estimate(Frame(np.zeros((90, 160, 3), np.uint8)))
estimator.close()
estimator.close()
model.close()
model.close()
print(sorted({"tensorflow", "torch", "keras"} & set(sys.modules)))
"""
    assert child.code(code).strip() == "[]"


@pytest.mark.parametrize("damage", ["empty", "cut", "other", "absent"])
def test_a_bad_file_is_named(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "damaged.task"
    good = weights.path("blazepose-lite").read_bytes()
    if damage != "absent":
        file.write_bytes({"empty": b"", "cut": good[:-5000], "other": b"text" * 999}[damage])
    code = """
import sys
from pathlib import Path
from estimators import registry
from estimators.errors import ModelLoadError
try:
    registry.load(registry.get("blazepose-lite"), Path(sys.argv[1]), 1)
except ModelLoadError as error:
    print(error)
"""
    said = child.code(code, str(file))
    assert "BlazePose lite: MediaPipe cannot use damaged.task" in said
    assert "fetched again" in said
