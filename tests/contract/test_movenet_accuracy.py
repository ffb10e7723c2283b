"""Our COCO results against those of a plain script with the same weights, on annotated pictures."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from estimators import registry, weights
from estimators.analysis.clip import ClipEstimates
from estimators.export.annotated_ids import SourcePicture, annotated_ids
from estimators.export.coco import coco_results
from estimators.maintenance.rebuild import CANVASES
from estimators.media.pictures import read_picture
from estimators.skeletons import COCO_17
from estimators.types import EstimatorOptions, PoseModel

PLAIN = Path(__file__).with_name("plain_movenet.py")
MULTIPOSE_HUB = "tfhub-movenet-multipose-lightning"
# The project's own promise: OKS-AP no more than this below the plain script.
TOLERANCE_AP = 0.01
View = tuple[tuple[int, int], bool]
# Width of a border at the left and at the top in pixels; whether it is mirrored then.
VIEWS: tuple[View, ...] = (
    ((0, 0), False),
    ((0, 0), True),
    ((13, 5), False),
    ((7, 19), True),
    ((29, 11), False),
    ((37, 3), True),
    ((3, 31), False),
    ((17, 23), True),
)


@pytest.fixture(scope="module")
def annotations(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four COCO pictures with 14 annotated people, in `VIEWS` each.

    With so few people a tenth of a pixel moves AP by 0.01; several views of each picture, shifted
    by a border and every second one mirrored, make it steady enough to compare.
    """
    source = shared / "data" / "coco4"
    folder = tmp_path_factory.mktemp("views")
    truth = json.loads((source / "person_keypoints.json").read_text())
    views: dict[str, Any] = {**truth, "images": [], "annotations": []}
    for image, (number, view) in product(truth["images"], enumerate(VIEWS)):
        picture = read_picture(source / image["file_name"]).image
        people = [a for a in truth["annotations"] if a["image_id"] == image["id"]]
        _add_view(views, picture, people, view)
        file = f"{image['id']}_{number}.png"
        views["images"][-1]["file_name"] = file
        Image.fromarray(_seen(picture, view)).save(folder / file)
    (folder / "annotations.json").write_text(json.dumps(views))
    return folder / "annotations.json"


def _seen(picture: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    (left, top), mirrored = view
    seen = np.pad(picture, ((top, 0), (left, 0), (0, 0)), mode="reflect")
    return np.ascontiguousarray(seen[:, ::-1]) if mirrored else seen


def _add_view(
    views: dict[str, Any], picture: NDArray[np.uint8], people: Sequence[dict[str, Any]], view: View
) -> None:
    (left, top), mirrored = view
    height, width = picture.shape[0] + top, picture.shape[1] + left
    image_id = len(views["images"]) + 1
    views["images"].append({"id": image_id, "height": height, "width": width})
    for person in people:
        joints = np.array(person["keypoints"], float).reshape(17, 3)
        joints[joints[:, 2] > 0, :2] += (left, top)
        x, y, w, h = person["bbox"]
        box = [x + left, y + top, w, h]
        if mirrored:
            joints[joints[:, 2] > 0, 0] = width - 1 - joints[joints[:, 2] > 0, 0]
            joints = joints[list(COCO_17.flip_indices)]
            box[0] = width - box[0] - w
        views["annotations"].append(
            {
                **{name: person[name] for name in ("area", "iscrowd", "category_id")},
                "num_keypoints": person["num_keypoints"],
                "id": len(views["annotations"]) + 1,
                "image_id": image_id,
                "keypoints": joints.ravel().tolist(),
                "bbox": box,
            }
        )


@pytest.fixture(scope="module")
def truth(annotations: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(annotations))


@pytest.fixture(params=CANVASES)
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(key: str) -> Iterator[PoseModel]:
    loaded = registry.load(registry.get(key), weights.path(key), 2)
    yield loaded
    loaded.close()


def average_precision(truth: COCO, results: Sequence[dict[str, Any]]) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(list(results)), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def plain(weights_path: Path, annotations: Path, scratch: Path, *options: str) -> list[Any]:
    """The results of the plain script, which needs TensorFlow and so a process of its own."""
    images = json.loads(annotations.read_text())["images"]
    pictures, output = scratch / "pictures.json", scratch / "results.json"
    files = [
        {"image_id": i["id"], "file": str(annotations.parent / i["file_name"])} for i in images
    ]
    pictures.write_text(json.dumps(files))
    subprocess.run(
        [sys.executable, str(PLAIN), str(weights_path), str(pictures), str(output), *options],
        check=True,
        capture_output=True,
    )
    results: list[Any] = json.loads(output.read_text())
    return results


def ours(key: str, model: PoseModel, annotations: Path) -> list[dict[str, Any]]:
    """Through the adapter and the COCO export, as a person gets them."""
    estimator = model.open(EstimatorOptions())
    files = [i["file_name"] for i in json.loads(annotations.read_text())["images"]]
    found, pictures = [], {}
    for file in files:
        frame = read_picture(annotations.parent / file)
        size = (frame.width, frame.height)
        pictures[file] = SourcePicture(annotations.parent / file, size)
        found.append(ClipEstimates.of_picture(key, file, size, estimator.estimate(frame)))
    return coco_results(found, annotated_ids(pictures, annotations))


def test_not_below_a_plain_script(
    key: str, model: PoseModel, annotations: Path, truth: COCO, tmp_path: Path
) -> None:
    have = average_precision(truth, ours(key, model, annotations))
    want = average_precision(truth, plain(weights.path(key), annotations, tmp_path))
    assert want > 0.1
    assert have >= want - TOLERANCE_AP


@pytest.mark.parametrize("key", ["movenet-multipose", "movenet-multipose-512"])
def test_fixed_shapes_cost_no_accuracy(
    key: str, model: PoseModel, annotations: Path, truth: COCO, shared: Path, tmp_path: Path
) -> None:
    """The SavedModel takes any multiple of 32, so it keeps the aspect with less padding."""
    folder = shared / "models" / "tfhub_modules" / weights.entry(MULTIPOSE_HUB).file_name
    side = str(registry.get(key).settings["input_side"])
    have = average_precision(truth, ours(key, model, annotations))
    want = average_precision(truth, plain(folder, annotations, tmp_path, "--keep-aspect", side))
    assert have >= want - TOLERANCE_AP


def test_a_longer_input_side_finds_more(annotations: Path, truth: COCO) -> None:
    """What the variant is there for."""
    precision = []
    for key in ("movenet-multipose", "movenet-multipose-512"):
        loaded = registry.load(registry.get(key), weights.path(key), 2)
        precision.append(average_precision(truth, ours(key, loaded, annotations)))
        loaded.close()
    assert precision[1] > precision[0] + 0.05
