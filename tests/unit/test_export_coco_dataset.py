"""Predictions as a COCO dataset: whole, read back by other tools, and to be corrected."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.thresholds import Thresholds
from estimators.datasets.read import read_annotated_set
from estimators.export.coco import CLIP_IDS, ImageIds, image_ids
from estimators.export.coco_dataset import coco_dataset, write_coco_dataset
from estimators.skeletons import BLAZEPOSE_33, COCO_17
from estimators.types import Estimate, PoseSet, Timings

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"
TIMES = Timings(1, 2, 3)
SIZE = (640, 480)
OVER = Thresholds(0.3, 0.5)


def poses(*pose_scores: float, boxes: bool = False) -> PoseSet:
    """Spread over the picture; the fourth joint is weak, the fifth outside, the sixth absent."""
    n = len(pose_scores)
    xy = np.random.default_rng(5).uniform(20, 460, (n, 17, 2))
    xy[:, 4] = (700, 30)
    xy[:, 5] = np.nan
    score = np.full((n, 17), 0.9)
    score[:, 3] = 0.1
    box = np.tile([10.0, 15, 470, 475], (n, 1)) if boxes else None
    return PoseSet(COCO_17, xy, score, np.array(pose_scores), box)


def picture(file: str, found: PoseSet, model: str = "movenet-multipose") -> ClipEstimates:
    return ClipEstimates.of_picture(model, file, SIZE, Estimate(found, TIMES))


def test_a_dataset_is_whole_and_loads(tmp_path: Path) -> None:
    one, two = poses(0.9, 0.7, 0.2), poses(0.8, boxes=True)
    failed = ClipEstimates("movenet-multipose", COCO_17, "30.jpg", SIZE)
    failed.append_failed(0, 0.0, "no answer")
    files = ["10.jpg", "20.jpg", "30.jpg"]
    estimates = [picture("10.jpg", one), picture("20.jpg", two), failed]
    write_coco_dataset(estimates, image_ids(files), OVER, tmp_path / "d.json")
    dataset = json.loads((tmp_path / "d.json").read_text())
    assert set(dataset) == {"info", "licenses", "images", "annotations", "categories"}
    assert "no truth" in dataset["info"]["description"]
    assert [image["id"] for image in dataset["images"]] == [10, 20]
    assert dataset["images"][0] == {"id": 10, "file_name": "10.jpg", "width": 640, "height": 480}
    (category,) = dataset["categories"]
    assert category["keypoints"] == list(COCO_17.joints)
    assert sorted(category["skeleton"]) == sorted([a + 1, b + 1] for a, b in COCO_17.bone_indices)
    annotations = dataset["annotations"]
    assert [a["id"] for a in annotations] == [1, 2, 3]  # whoever is under the threshold is not one
    assert [a["score"] for a in annotations] == pytest.approx([0.9, 0.7, 0.8])
    for annotation, xy in zip(annotations, [*one.xy[:2], *two.xy], strict=True):
        joints = np.reshape(annotation["keypoints"], (17, 3))
        assert joints[:6, 2].tolist() == [2, 2, 2, 1, 0, 0]
        assert annotation["num_keypoints"] == 15
        shown = joints[:, 2] > 0
        np.testing.assert_allclose(joints[shown, :2], xy[shown] - 0.5, atol=0.006)
        assert annotation["area"] > 0
        assert annotation["iscrowd"] == 0
    left, top = one.xy[0, [*range(4), *range(6, 17)]].min(axis=0)
    assert annotations[0]["bbox"][:2] == pytest.approx([left, top], abs=0.01)
    assert annotations[2]["bbox"] == [10, 15, 460, 460]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / "d.json"))
    assert len(coco.getAnnIds(catIds=coco.getCatIds(["person"]))) == 3


def test_joints_on_the_edge_are_inside_and_scores_have_five_decimals() -> None:
    xy = np.full((1, 17, 2), 100.0)
    xy[0, :5] = [(0, 0), SIZE, (-0.5, 9), (9, -0.5), (640.5, 9)]
    found = PoseSet(COCO_17, xy, np.full((1, 17), 0.9), [0.8765432])
    (annotation,) = coco_dataset([picture("7.jpg", found)], image_ids(["7.jpg"]), OVER)[
        "annotations"
    ]
    assert annotation["keypoints"][2::3][:6] == [2, 2, 0, 0, 0, 2]
    assert annotation["score"] == 0.87654


@pytest.mark.parametrize("box", [(10, 15, 470, 15), (10, 15, 10, 475), (np.nan, 1, 2, 3)])
def test_a_box_without_area_is_none(box: tuple[float, ...]) -> None:
    """The one around the joints stands in its place, as where the model gives none."""
    found = poses(0.9)
    flat = PoseSet(COCO_17, found.xy, found.score, found.pose_score, np.array([box]))
    own, without = (
        coco_dataset([picture("7.jpg", p)], image_ids(["7.jpg"]), OVER)["annotations"][0]["bbox"]
        for p in (flat, found)
    )
    assert own == without


def test_what_is_no_number_is_not_written(tmp_path: Path) -> None:
    found = poses(0.9)
    endless = np.array([[10, 15, np.inf, 475]])
    boxed = PoseSet(COCO_17, found.xy, found.score, found.pose_score, endless)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_coco_dataset(
            [picture("7.jpg", boxed)], image_ids(["7.jpg"]), OVER, tmp_path / "d.json"
        )


def test_a_model_that_answers_in_pixel_indices_is_not_shifted() -> None:
    found = poses(0.9)
    e = picture("1.jpg", found, "keypointrcnn-reference")
    (annotation,) = coco_dataset([e], image_ids(["1.jpg"]), OVER)["annotations"]
    joints = np.reshape(annotation["keypoints"], (17, 3))
    np.testing.assert_allclose(joints[6:, :2], found.xy[0, 6:], atol=0.006)


def test_blazepose_leaves_its_17_joints_of_coco() -> None:
    xy = np.arange(66, dtype=float).reshape(1, 33, 2)
    found = PoseSet(BLAZEPOSE_33, xy, np.full((1, 33), 0.9), np.ones(1))
    e = picture("1.jpg", found, "blazepose-full")
    (annotation,) = coco_dataset([e], image_ids(["1.jpg"]), OVER)["annotations"]
    at = 2 * BLAZEPOSE_33.index("left_ankle")
    joint = 3 * COCO_17.index("left_ankle")
    assert annotation["keypoints"][joint : joint + 3] == [at - 0.5, at + 0.5, 2]


def test_frames_are_pictures_of_their_own() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17, "walk.mp4", SIZE)
    clip.append(Estimate(poses(), TIMES, 0, 0.0))
    clip.append(Estimate(poses(0.9), TIMES, 4, 0.1668))
    clip.append_failed(5, 0.2, "no answer")
    dataset = coco_dataset([clip], CLIP_IDS, OVER)
    assert [(i["id"], i["file_name"], i["frame_index"]) for i in dataset["images"]] == [
        (1, "frame_000000.png", 0),
        (2, "frame_000004.png", 4),
    ]
    assert [a["image_id"] for a in dataset["annotations"]] == [2]


def test_nobody_makes_a_dataset_without_annotations() -> None:
    dataset = coco_dataset([picture("1.jpg", poses())], image_ids(["1.jpg"]), OVER)
    assert (len(dataset["images"]), dataset["annotations"]) == (1, [])


def test_what_comes_back_from_correction_is_read(tmp_path: Path) -> None:
    """As it is, with the frames as pictures that the annotation tool had."""
    clip = ClipEstimates("movenet-multipose", COCO_17, "walk.mp4", SIZE)
    clip.append(Estimate(poses(0.9), TIMES, 4, 0.1668))
    (tmp_path / "frames").mkdir()
    Image.new("RGB", SIZE).save(tmp_path / "frames" / "frame_000004.png")
    write_coco_dataset([clip], CLIP_IDS, OVER, tmp_path / "d.json")
    annotated, report = read_annotated_set(tmp_path / "frames", tmp_path / "d.json")
    (image, person) = annotated.people()[0]
    assert (image.file, report.findings) == ("frame_000004.png", ())
    np.testing.assert_allclose(person.xy[person.labelled], clip.xy[0][person.labelled], atol=0.006)


def test_pictures_keep_the_ids_of_their_annotations() -> None:
    ids = ImageIds({"a.jpg": 785, "b.jpg": 40083}, "annotations")
    estimates = [picture("b.jpg", poses(0.9)), picture("a.jpg", poses(0.9))]
    dataset = coco_dataset(estimates, ids, OVER)
    assert [image["id"] for image in dataset["images"]] == [40083, 785]
    assert [a["image_id"] for a in dataset["annotations"]] == [40083, 785]


def test_the_docs_list_the_real_keys() -> None:
    text = FORMATS.read_text("utf-8")
    (section,) = [p for p in re.split(r"^## ", text, flags=re.M) if p.startswith("Predictions")]
    documented = re.findall(r"^\| `(\w+)` \|", section, flags=re.M)
    dataset = coco_dataset([picture("1.jpg", poses(0.9))], image_ids(["1.jpg"]), OVER)
    assert set(documented) == dataset["annotations"][0].keys()
    assert all(f"`{key}`" in section for key in dataset)
