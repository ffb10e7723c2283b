"""The PoseNet adapter with its embedded file: geometry, people, accuracy on annotated pictures."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from estimators import registry, weights
from estimators.analysis.clip import ClipEstimates
from estimators.errors import InputError, ModelError, ModelLoadError
from estimators.export.coco import coco_results, image_ids
from estimators.media.pictures import read_picture
from estimators.media.samples import FOLDER
from estimators.models import posenet
from estimators.skeletons import COCO_17
from estimators.types import EstimatorOptions, Frame, PoseModel

SPEC = registry.get("posenet")
PLAIN = Path(__file__).with_name("plain_posenet.py")
# The project's own promise: OKS-AP no more than this below the plain decoder.
TOLERANCE_AP = 0.01


@pytest.fixture(scope="module")
def model() -> Iterator[PoseModel]:
    loaded = posenet.load(SPEC, weights.path("posenet"), 2)
    yield loaded
    loaded.close()


def estimate(model: PoseModel, image: np.ndarray, most: int | None = None) -> Any:
    options = EstimatorOptions(max_people=most)
    return model.open(options).estimate(Frame(np.ascontiguousarray(image))).poses


def test_a_group_is_found_strongest_first(model: PoseModel) -> None:
    poses = estimate(model, read_picture(FOLDER / "three_people_lab.jpg").image)
    clear = poses.strong(SPEC.default_pose_threshold)
    assert len(clear) >= 3
    assert (np.diff(poses.pose_score) <= 0).all()
    assert len(poses) <= SPEC.max_people == 10


def test_a_mirrored_picture_gives_the_mirrored_pose(model: PoseModel) -> None:
    """In the median to a seventh of an input pixel: the origin is the picture's corner."""
    shifts: list[float] = []
    for image in views(10):
        pose, other = estimate(model, image, 1), estimate(model, image[:, ::-1], 1)
        if not len(pose) or not len(other):
            continue
        there, score = (each[:, COCO_17.flip_indices] for each in (other.xy, other.score))
        clear = np.minimum(pose.score, score) > 0.4
        apart = (pose.xy[..., 0] + there[..., 0] - image.shape[1]) / 2
        shifts.extend(apart[clear] * SPEC.settings["input_side"] / max(image.shape))
    same = [shift for shift in shifts if abs(shift) < 8]  # else another person, or swapped limbs
    assert len(same) > 300
    assert abs(np.median(same)) < 0.14


def views(each: int) -> Iterator[np.ndarray]:
    """Parts of the sample pictures, `each` of every picture."""
    random = np.random.default_rng(0)
    for path in sorted(FOLDER.glob("*.jpg")):
        image = read_picture(path).image
        for _ in range(each):
            share = random.uniform(0.6, 0.95, 2)
            size = (share * image.shape[:2]).astype(int)
            top, left = (random.integers(0, image.shape[i] - size[i]) for i in (0, 1))
            yield image[top : top + size[0], left : left + size[1]]


def test_nobody_is_asked_for(model: PoseModel) -> None:
    with pytest.raises(InputError, match="at least one person"):
        model.open(EstimatorOptions(max_people=0))


def test_a_damaged_or_foreign_file_is_told(tmp_path: Path) -> None:
    damaged = tmp_path / "posenet.tflite"
    damaged.write_bytes(weights.path("posenet").read_bytes()[:100_000])
    for file in (damaged, weights.path("movenet-lightning")):
        with pytest.raises(ModelLoadError, match="not a PoseNet model"):
            posenet.load(SPEC, file, 2)


def test_another_input_side_is_told(shared: Path) -> None:
    smaller = shared / "models" / "posenet-mobilenet075-stride16-385.tflite"
    with pytest.raises(ModelLoadError, match="takes 513-pixel pictures"):
        posenet.load(SPEC, smaller, 2)


def test_a_closed_model_says_so() -> None:
    loaded = posenet.load(SPEC, weights.path("posenet"), 2)
    estimator = loaded.open(EstimatorOptions())
    loaded.close()
    loaded.close()
    with pytest.raises(ModelError, match="was closed"):
        estimator.estimate(Frame(np.zeros((40, 30, 3), np.uint8)))


def average_precision(truth: Path, results: list[dict[str, Any]]) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        annotations = COCO(str(truth))
        evaluation = COCOeval(annotations, annotations.loadRes(results), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def test_not_below_a_plain_decoder(model: PoseModel, shared: Path, tmp_path: Path) -> None:
    truth = shared / "data" / "coco20" / "person_keypoints.json"
    images = json.loads(truth.read_text())["images"]
    folder = truth.parent / "images"
    asked = [{"image_id": i["id"], "file": str(folder / i["file_name"])} for i in images]
    pictures, output = tmp_path / "pictures.json", tmp_path / "results.json"
    pictures.write_text(json.dumps(asked))
    subprocess.run(
        [sys.executable, str(PLAIN), str(weights.path("posenet")), str(pictures), str(output)],
        check=True,
        capture_output=True,
    )
    want = average_precision(truth, json.loads(output.read_text()))
    files = [i["file_name"] for i in images]
    estimator = model.open(EstimatorOptions())
    found = []
    for file in files:
        frame = read_picture(folder / file)
        size = (frame.width, frame.height)
        found.append(ClipEstimates.of_picture("posenet", file, size, estimator.estimate(frame)))
    have = average_precision(truth, coco_results(found, image_ids(files)))
    print(f"AP {have:.4f}, plain decoder {want:.4f}")
    assert want > 0.2
    assert have >= want - TOLERANCE_AP
