"""COCO results: accepted and scored by pycocotools, ids from the three sources."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from estimators.analysis.clip import ClipEstimates
from estimators.export.annotated_ids import SourcePicture, annotated_ids
from estimators.export.coco import CLIP_IDS, coco_results, image_ids, write_coco
from estimators.skeletons import BLAZEPOSE_33, COCO_17, Skeleton
from estimators.types import Estimate, PoseSet, Timings

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"
ANNOTATIONS = Path(__file__).parents[3] / "shared" / "data" / "coco4" / "person_keypoints.json"
TIMES = Timings(1, 2, 3)


def picture(model: str, file: str, poses: PoseSet) -> ClipEstimates:
    return ClipEstimates.of_picture(model, file, (640, 480), Estimate(poses, TIMES))


def coco_poses(n: int, seed: int = 0) -> PoseSet:
    rng = np.random.default_rng(seed)
    return PoseSet(
        COCO_17, rng.uniform(0, 400, (n, 17, 2)), rng.random((n, 17)), np.linspace(1, 0.1, n)
    )


def test_keypoints_are_51_numbers_in_pixel_indices() -> None:
    poses = coco_poses(1)
    xy = poses.xy.copy()
    xy[0, 0] = (10.5, 20.5)
    xy[0, 4] = np.nan
    (result,) = coco_results(
        [picture("movenet-lightning", "7.jpg", PoseSet(COCO_17, xy, poses.score, [0.75]))],
        image_ids(["7.jpg"]),
    )
    assert result["image_id"] == 7
    assert result["category_id"] == 1
    assert result["score"] == 0.75
    assert len(result["keypoints"]) == 51
    assert result["keypoints"][:3] == [10, 20, 1]
    assert result["keypoints"][12:15] == [0, 0, 0]
    np.testing.assert_allclose(result["keypoint_scores"], poses.score[0], atol=6e-6)
    assert "bbox" not in result


def test_pixels_have_three_decimals_and_scores_five() -> None:
    poses = PoseSet(COCO_17, np.full((1, 17, 2), 10.98765), np.full((1, 17), 0.123456), [0.5])
    (result,) = coco_results([picture("movenet-lightning", "7.jpg", poses)], image_ids(["7.jpg"]))
    assert result["keypoints"][:3] == [10.488, 10.488, 1]
    assert result["keypoint_scores"] == [0.12346] * 17


def test_joints_that_a_skeleton_lacks_have_no_score() -> None:
    face = Skeleton("face", COCO_17.joints[:5], (), ())
    poses = PoseSet(face, np.full((1, 5, 2), 9.5), np.full((1, 5), 0.25), [0.5])
    (result,) = coco_results([picture("movenet-lightning", "7.jpg", poses)], image_ids(["7.jpg"]))
    assert result["keypoint_scores"] == [0.25] * 5 + [0.0] * 12
    assert result["keypoints"] == [9, 9, 1] * 5 + [0, 0, 0] * 12


def test_a_model_that_answers_in_pixel_indices_is_not_shifted() -> None:
    poses = coco_poses(1)
    (result,) = coco_results(
        [picture("keypointrcnn-reference", "7.jpg", poses)], image_ids(["7.jpg"])
    )
    np.testing.assert_allclose(
        np.reshape(result["keypoints"], (17, 3))[:, :2], poses.xy[0], atol=6e-4
    )


def test_blazepose_is_mapped_by_name() -> None:
    xy = np.arange(66, dtype=float).reshape(1, 33, 2)
    score = np.arange(33, dtype=float)[None] / 40
    poses = PoseSet(BLAZEPOSE_33, xy, score, np.array([0.5]))
    (result,) = coco_results([picture("blazepose-full", "1.jpg", poses)], image_ids(["1.jpg"]))
    ankle = BLAZEPOSE_33.index("left_ankle")
    at = COCO_17.index("left_ankle")
    assert result["keypoints"][3 * at : 3 * at + 2] == [2 * ankle - 0.5, 2 * ankle + 0.5]
    assert result["keypoint_scores"][at] == pytest.approx(ankle / 40)


def test_a_model_without_pose_scores_gets_the_mean_of_its_joints() -> None:
    score = np.linspace(0, 1, 17)[None]
    poses = PoseSet(COCO_17, np.zeros((1, 17, 2)), score)
    (result,) = coco_results([picture("movenet-lightning", "1.jpg", poses)], image_ids(["1.jpg"]))
    assert result["score"] == pytest.approx(0.5)


def test_the_annotators_own_answers_score_a_perfect_ap(tmp_path: Path) -> None:
    """Annotated keypoints, moved to our coordinates and exported, must come back exactly."""
    if not ANNOTATIONS.is_file():
        pytest.skip("needs the annotated pictures of ../shared")
    truth = COCO(str(ANNOTATIONS))
    sizes = {i["file_name"]: (i["width"], i["height"]) for i in truth.dataset["images"]}
    clips = []
    for image in truth.dataset["images"]:
        annotated = truth.loadAnns(truth.getAnnIds(image["id"], iscrowd=False))
        people = [person for person in annotated if person["num_keypoints"]]
        points = np.array([p["keypoints"] for p in people], float).reshape(-1, 17, 3)
        poses = PoseSet(COCO_17, points[..., :2] + 0.5, points[..., 2], np.ones(len(points)))
        clips.append(picture("keypointrcnn-fast", image["file_name"], poses))
    pictures = {c.file: SourcePicture(Path(c.file), sizes[c.file]) for c in clips}
    ids = annotated_ids(pictures, ANNOTATIONS)
    assert (ids.source, ids.notes) == ("annotations", ())
    path = tmp_path / "keypointrcnn-fast.coco.json"
    write_coco(clips, ids, path)
    evaluation = COCOeval(truth, truth.loadRes(str(path)), "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_what_is_no_number_is_not_written(tmp_path: Path) -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17, "walk.mp4", (640, 480))
    clip.append(Estimate(coco_poses(1), TIMES, 4, float("nan")))
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_coco([clip], CLIP_IDS, tmp_path / "walk.coco.json")


def test_a_clip_has_its_frames_as_images() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17, "walk.mp4", (640, 480))
    clip.append(Estimate(coco_poses(2), TIMES, 4, 0.1668))
    clip.append(Estimate(coco_poses(1), TIMES, 6, 0.2502))
    results = coco_results([clip], CLIP_IDS)
    assert [(r["image_id"], r["frame_index"], r["time_s"]) for r in results] == [
        (4, 4, 0.1668),
        (4, 4, 0.1668),
        (6, 6, 0.2502),
    ]
    truth = COCO()
    truth.dataset = {
        "images": [{"id": 4}, {"id": 6}],
        "categories": [{"id": 1}],
        "annotations": [],
    }
    truth.createIndex()
    assert len(truth.loadRes(results).getAnnIds()) == 3


@pytest.mark.parametrize(
    ("files", "expected", "source"),
    [
        (["000000000785.jpg", "000000040083.jpg"], [785, 40083], "file name"),
        (["IMG_2024_0007.png", "IMG_2024_0008.png"], [7, 8], "file name"),
        (["a/img1.jpg", "b/img1.jpg"], [1, 2], "running"),
        (["beach.jpg", "12.jpg"], [1, 2], "running"),
        (["x" + "9" * 19 + ".jpg"], [1], "running"),  # longer than an int64
        (["x" + "9" * 19 + "_7.jpg"], [7], "file name"),
        (["x" + "9" * 18 + ".jpg"], [10**18 - 1], "file name"),
        ([], [], "file name"),
    ],
)
def test_ids_from_file_names(files: list[str], expected: list[int], source: str) -> None:
    ids = image_ids(files)
    assert list(ids.by_file.values()) == expected
    assert ids.source == source


def test_running_numbers_come_with_a_table() -> None:
    ids = image_ids(["beach.jpg", 'a "b", c.jpg'])
    assert ids.table() == 'image_id,file\n1,beach.jpg\n2,"a ""b"", c.jpg"\n'


def test_the_docs_list_the_real_keys() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17, "walk.mp4")
    clip.append(Estimate(coco_poses(1), TIMES))
    text = FORMATS.read_text("utf-8")
    (section,) = [p for p in re.split(r"^## ", text, flags=re.M) if p.startswith("`<model>.coco")]
    documented = re.findall(r"^\| `(\w+)` \|", section, flags=re.M)
    assert documented == list(coco_results([clip], CLIP_IDS)[0])
