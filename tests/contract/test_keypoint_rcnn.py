"""Keypoint R-CNN in its own process: torchvision's own numbers, and real people found.

The official weights cannot be fetched here, so: full size with seeded weights against torchvision
called directly, fetched from a local server in the published file's form, and a tiny trained
network (tests/fixtures/README.md) on a real man.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from estimators import weights
from estimators.errors import InputError
from estimators.media.pictures import read_picture
from estimators.media.samples import FOLDER
from estimators.runtime import host
from estimators.runtime.api import Runner
from estimators.runtime.runner import ProcessRunner
from estimators.runtime.transport import Limits
from estimators.settings import Settings
from estimators.skeletons import COCO_17
from estimators.types import EstimatorOptions, Frame, PoseSet
from tests.contract import child
from tests.fixtures import tiny_keypoint_rcnn as tiny
from tests.unit.weights_server import Server

KEY, NAME = "keypointrcnn-coco-v1", "keypointrcnn_resnet50_fpn_coco-fc266e95.pth"
REFERENCE, FAST = (f"tiny-keypointrcnn-{variant}" for variant in ("reference", "fast"))


def expect(file: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the product take `file`, at `url`, for the official weights."""
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest = file.parent / "manifest.toml"
    manifest.write_text(
        f'[{KEY}]\nurl = "{url}"\nsha256 = "{sha256}"\nsize_bytes = {file.stat().st_size}\n'
    )
    monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(manifest))


def pictures() -> dict[str, np.ndarray]:
    return {
        "upper-body": read_picture(FOLDER / "astronaut.jpg").image[:240, 60:420],
        "wide": read_picture(FOLDER / "three_people_lab.jpg").image[:100, :600],
    }


def torchvision_says(norm: str, folder: Path) -> tuple[Path, dict[str, np.ndarray]]:
    """A seeded checkpoint, and torchvision's answers with it (see plain_keypoint_rcnn.py)."""
    np.savez(folder / "pictures.npz", **pictures())
    script = Path(__file__).with_name("plain_keypoint_rcnn.py")
    arguments = (norm, folder, folder / "pictures.npz", folder / "answers.npz")
    subprocess.run([sys.executable, str(script), *map(str, arguments)], check=True)
    return folder / "hub" / "checkpoints" / NAME, dict(np.load(folder / "answers.npz"))


def assert_the_reference_says(answers: dict[str, np.ndarray]) -> None:
    # Seeded weights see a hundred people everywhere, and the machine may have other work.
    runner = ProcessRunner(Settings(), threads=2, limits=Limits(call_s=250))
    try:
        for name, picture in pictures().items():
            poses = runner.estimate("keypointrcnn-reference", Frame(picture)).estimate.poses
            assert_same(poses, {key: answers[f"{name}/{key}"] for key in ANSWERS})
    finally:
        runner.close()


@pytest.mark.timeout(900)
def test_the_published_files_whole_way_from_a_server_to_torchvisions_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published, answers = torchvision_says("frozen", tmp_path)
    size, cache = published.stat().st_size, tmp_path / "cache"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("POSE_CACHE_DIR", str(cache))
    monkeypatch.delenv("POSE_WEIGHTS_DIR", raising=False)
    told: list[tuple[int, int]] = []
    with Server(published.read_bytes()) as server:
        expect(published, server.url, monkeypatch)
        assert weights.state(KEY).state == "to_download"
        file = weights.fetch(KEY, lambda done, total: told.append((done, total)))
    assert file == cache / NAME
    assert {path.name for path in cache.iterdir()} == {NAME, f".{NAME}.lock"}
    assert told == sorted(told)
    assert (told[0], told[-1]) == ((0, size), (size, size))
    assert len(told) > 100
    assert_the_reference_says(answers)


@pytest.mark.timeout(900)
def test_a_checkpoint_with_ordinary_batch_norm_gives_torchvisions_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, answers = torchvision_says("ordinary", tmp_path)
    expect(file, "http://127.0.0.1:9/none", monkeypatch)
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(file.parent))
    assert_the_reference_says(answers)


ANSWERS = ("boxes", "scores", "keypoints", "keypoints_scores", "labels")


def assert_same(poses: PoseSet, answer: dict[str, np.ndarray]) -> None:
    assert len(poses) == len(answer["boxes"]) > 0
    assert (answer["labels"] == 1).all()
    assert poses.box_xyxy is not None
    assert poses.pose_score is not None
    np.testing.assert_allclose(poses.box_xyxy, answer["boxes"], atol=1e-4)
    np.testing.assert_allclose(poses.pose_score, answer["scores"], atol=1e-4)
    np.testing.assert_allclose(poses.score, answer["keypoints_scores"], atol=1e-4)
    np.testing.assert_allclose(poses.xy, answer["keypoints"][..., :2], atol=1e-4)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    specs = {spec.key: spec for spec in map(tiny.spec, ("reference", "fast"))}
    runner = ProcessRunner(Settings(), threads=2, models=specs)
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return tiny.clip_frames()


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """MoveNet Thunder's joints of the balancing man: x, y, score [frames, 17, 3]."""
    return np.array(json.loads(tiny.LABELS.read_text(encoding="utf-8")))


def torso(xy: np.ndarray) -> float:
    """Middle of the shoulders to middle of the hips, in pixels."""
    shoulders = [COCO_17.index(f"{side}_shoulder") for side in ("left", "right")]
    hips = [COCO_17.index(f"{side}_hip") for side in ("left", "right")]
    return float(np.linalg.norm(xy[shoulders].mean(0) - xy[hips].mean(0)))


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=-1)


def best(runner: Runner, model: str, image: np.ndarray) -> PoseSet:
    """The strongest person; the strongest alone must pass for a certain one."""
    poses = runner.estimate(model, Frame(image)).estimate.poses.strong(0.7)
    assert len(poses) == 1
    return poses


@pytest.mark.parametrize("model", [REFERENCE, FAST])
def test_real_joints_are_found_on_frames_not_trained_on(
    runner: Runner, images: list[np.ndarray], labels: np.ndarray, model: str
) -> None:
    assert not set(tiny.TEST_FRAMES) & set(tiny.TRAINING_FRAMES)
    mirrored = list(COCO_17.flip_indices)
    for index in tiny.TEST_FRAMES:
        poses, wanted = best(runner, model, images[index]), labels[index, :, :2]
        errors = distance(poses.xy[0], wanted)
        assert np.median(errors) <= 0.1 * torso(wanted), f"frame {index}"
        assert errors.mean() < distance(poses.xy[0], wanted[mirrored]).mean(), f"frame {index}"
        assert poses.box_xyxy is not None
        left, top, right, bottom = poses.box_xyxy[0]
        assert 0 <= left < poses.xy[0, :, 0].mean() < right <= images[index].shape[1]
        assert 0 <= top < poses.xy[0, :, 1].mean() < bottom <= images[index].shape[0]


@pytest.mark.parametrize("model", [REFERENCE, FAST])
def test_a_mirrored_man_has_mirrored_joints(
    runner: Runner, images: list[np.ndarray], labels: np.ndarray, model: str
) -> None:
    index = tiny.TEST_FRAMES[5]
    image, wanted = images[index][:, ::-1].copy(), labels[index, :, :2]
    found = best(runner, model, image).xy[0, list(COCO_17.flip_indices)]
    found = found * (-1, 1) + (image.shape[1], 0)
    assert np.median(distance(found, wanted)) <= 0.1 * torso(wanted)


@pytest.mark.parametrize("model", [REFERENCE, FAST])
def test_pixels_are_those_of_the_frame_whatever_its_size(
    runner: Runner, images: list[np.ndarray], labels: np.ndarray, model: str
) -> None:
    """Enlarged threefold, so that `fast` shrinks it first, and cut to another shape."""
    index = tiny.TEST_FRAMES[8]
    image = images[index][60:].repeat(3, axis=0).repeat(3, axis=1)
    wanted = (labels[index, :, :2] - (0, 60)) * 3
    errors = distance(best(runner, model, image).xy[0], wanted)
    assert np.median(errors) <= 0.1 * torso(wanted)


def test_fast_stays_close_to_the_reference(runner: Runner, images: list[np.ndarray]) -> None:
    for index in tiny.TEST_FRAMES[::4]:
        one, other = (best(runner, model, images[index]) for model in (REFERENCE, FAST))
        assert np.median(distance(one.xy[0], other.xy[0])) < 0.03 * torso(one.xy[0])


@pytest.mark.parametrize("model", [REFERENCE, FAST])
@pytest.mark.parametrize("size", [(1, 1), (3, 400), (480, 640)])
def test_nobody(runner: Runner, model: str, size: tuple[int, int]) -> None:
    poses = runner.estimate(model, Frame(np.full((*size, 3), 90, np.uint8))).estimate.poses
    assert len(poses.strong(0.5)) == 0


def test_most_people(runner: Runner, images: list[np.ndarray]) -> None:
    with runner.open(REFERENCE, EstimatorOptions(max_people=1)) as session:
        assert len(session.estimate(Frame(images[0])).estimate.poses) == 1
    with pytest.raises(InputError, match="at least one"):
        runner.estimate(REFERENCE, Frame(images[0]), EstimatorOptions(max_people=0))


def test_what_fast_changes_is_what_it_says() -> None:
    figures = json.loads(child.script("tuned_keypoint_rcnn.py"))
    assert figures["norms_folded"] == figures["norms_in_the_network"] > 0
    assert figures["norms_left"] == 0
    assert figures["folding"] < 1e-5
    if figures["quick_convolutions"]:  # else this PyTorch has no NNPACK
        assert figures["quick_convolutions"] > 20
        assert 0 < figures["quick"] < 1e-4
    assert figures["proposals"] < 1e-5
    assert 1e-5 < figures["bfloat16_proposals"] < 0.03
    assert figures["float32_boxes_px"] < 1e-2
    assert figures["float32_logits"] < 1e-3
    assert 1e-5 < figures["bfloat16_features"] < 0.03
    assert figures["bfloat16_dtypes"] == ["torch.bfloat16", "torch.float32"]


def test_fewer_people_are_the_best_of_all_and_cost_no_more_joints() -> None:
    code = """
import json
from pathlib import Path
import numpy as np
from estimators.types import EstimatorOptions, Frame
from tests.fixtures import tiny_keypoint_rcnn as tiny

model = tiny.load(tiny.spec("fast"), Path(), 1)
heads = model.network.roi_heads
heads.score_thresh = 0.0  # whatever it finds
boxes = []
joints = heads.keypoint_head.forward
heads.keypoint_head.forward = lambda x: boxes.append(len(x)) or joints(x)
frame = Frame(np.random.default_rng(0).integers(0, 256, (180, 320, 3), np.uint8))
found = [
    model.open(EstimatorOptions(max_people=n)).estimate(frame).poses.xy for n in (None, 2, None)
]
same = [bool(np.abs(found[i][:2] - found[1]).max() < 1e-2) for i in (0, 2)]
print(json.dumps([boxes, [len(xy) for xy in found], same]))
"""
    boxes, people, same = json.loads(child.code(code))
    assert boxes == people
    assert boxes[1] == 2 < boxes[0] == boxes[2]
    assert same == [True, True]


def test_the_compilers_stay_out_and_can_still_be_imported() -> None:
    code = """
import sys
from pathlib import Path
import numpy as np
from estimators.types import EstimatorOptions, Frame
from tests.fixtures import tiny_keypoint_rcnn as tiny
model = tiny.load(tiny.spec("fast"), Path(), 1)
model.open(EstimatorOptions()).estimate(Frame(np.zeros((90, 160, 3), np.uint8)))
model.close()
print(sorted({"torch._dynamo", "triton", "sympy", "tensorflow", "mediapipe"} & set(sys.modules)))
import torch._dynamo
print(torch._dynamo.optimize.__module__)
"""
    assert child.code(code).split() == ["[]", "torch._dynamo.eval_frame"]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the adapter says about each kind of bad file."""
    folder = tmp_path_factory.mktemp("damaged")
    said: dict[str, str] = json.loads(child.script("damaged_checkpoint.py", str(folder)))
    assert not list(folder.rglob("executed"))  # nothing in a checkpoint may ever run
    return said


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("absent", "cannot be read"),
        ("empty", "cannot be read"),
        ("text", "cannot be read"),
        ("cut", "cannot be read"),
        ("code", "cannot be read"),
        ("list", "something else than named tensors"),
        ("other", "not a checkpoint of this network: Missing key"),
        ("shapes", "not a checkpoint of this network: size mismatch"),
    ],
)
def test_a_bad_file_is_named(refusals: dict[str, str], damage: str, reason: str) -> None:
    assert refusals[damage].startswith("damaged.pth ")
    assert reason in refusals[damage]
    assert "keypointrcnn_resnet50_fpn_coco-fc266e95.pth" in refusals[damage]


def test_the_rows_of_a_map_give_torchvisions_roi_align() -> None:
    apart = json.loads(child.script("roi_rows.py"))
    assert len(apart) == 12
    assert max(apart.values()) < 1e-4


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_memory_is_used_again_while_frames_follow_and_given_back_at_rest(
    runner: Runner, images: list[np.ndarray]
) -> None:
    def faults() -> int:
        """Pages that the system hands out for one frame."""
        (pid,) = (s.pid for s in runner.status() if s.model == FAST and s.pid)
        before = _minor_faults(pid)
        runner.estimate(FAST, Frame(images[0]))
        return _minor_faults(pid) - before

    for image in images[:3]:
        runner.estimate(FAST, Frame(image))
    if runner.placement(FAST).kind != "cpu":
        pytest.skip("on a GPU nothing is kept")
    at_once = faults()
    time.sleep(host._AT_REST[0][0] + 0.5)
    assert at_once < faults() / 2


def _minor_faults(pid: int) -> int:
    """Field 10 of proc(5)'s `stat`."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7])
