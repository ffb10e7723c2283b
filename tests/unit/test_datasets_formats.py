"""The same people in the same pictures come out of every format, to the pixel."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from estimators.annotated import AnnotatedSet
from estimators.datasets import mpii
from estimators.datasets.content import read_content
from estimators.datasets.health import HealthReport
from estimators.datasets.joint_names import plain_joint
from estimators.datasets.mat_child import annolist
from estimators.datasets.people import moved
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from estimators.skeletons import COCO_17
from tests import annotated_factory as factory

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"
BODY = [j for j in COCO_17.joints if not j.endswith(("nose", "eye", "ear"))]


@pytest.fixture(autouse=True)
def _matlab_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/contract reads it as the product does."""
    monkeypatch.setattr(mpii, "run_child", annolist)


def kinds(report: HealthReport) -> dict[str, int]:
    return {finding.kind: finding.count for finding in report.findings}


def of_coco(folder: Path) -> tuple[AnnotatedSet, HealthReport]:
    images = factory.pictures(folder / "images")
    return read_annotated_set(images, factory.write_json(factory.coco(), folder / "c.json"))


def of_yolo(folder: Path) -> tuple[AnnotatedSet, HealthReport]:
    factory.yolo(folder)
    return read_annotated_set(folder / "images", folder / "data.yaml")


def of_yolo_2(folder: Path) -> tuple[AnnotatedSet, HealthReport]:
    return read_annotated_set(None, factory.yolo(folder, dimensions=2))


def of_mpii_json(folder: Path) -> tuple[AnnotatedSet, HealthReport]:
    images = factory.pictures(folder / "images")
    return read_annotated_set(images, factory.mpii_json(folder / "m.json"))


def of_mpii_mat(folder: Path) -> tuple[AnnotatedSet, HealthReport]:
    images = factory.pictures(folder / "images")
    return read_annotated_set(images, factory.mpii_mat(folder / "m.mat"))


@pytest.mark.parametrize("read", [of_coco, of_yolo, of_yolo_2, of_mpii_json, of_mpii_mat])
def test_every_format_gives_the_same_people(
    tmp_path: Path, read: Callable[[Path], tuple[AnnotatedSet, HealthReport]]
) -> None:
    annotated, report = read(tmp_path)
    found = annotated.people()
    assert [image.file.removeprefix("val/").removeprefix("images/val/") for image, _ in found] == [
        "a/0001.png",
        "a/0001.png",
        "b/0001.png",
    ]
    assert [person.annotation_id for _, person in found] == [1, 2, 3]
    assert (report.people, report.format) == (3, annotated.format)
    have = [j for j in COCO_17.joints if annotated.format != "mpii" or j in BODY]
    assert annotated.joints == tuple(have)
    assert report.joints == sum(int(person.labelled.sum()) for _, person in found)
    for (_, person), truth in zip(found, factory.people(), strict=True):
        flags = np.where(np.isin(COCO_17.joints, have), truth["flags"], 0)
        np.testing.assert_array_equal(person.labelled, flags > 0)
        # Marked pixels: the centre of the first one is at 0.5.
        xy = np.where((flags > 0)[:, None], truth["xy"] + 0.5, np.nan)
        np.testing.assert_allclose(person.xy, xy, atol=1e-9)
        if read not in (of_yolo_2, of_mpii_json):  # which do not tell hidden joints
            np.testing.assert_array_equal(person.visibility, flags)
        if annotated.format != "mpii":
            left, top, width, height = truth["box"]
            assert person.area == pytest.approx(0.53 * width * height)
            np.testing.assert_allclose(
                person.box_xyxy or (), (left, top, left + width, top + height), atol=1e-9
            )


def test_what_each_format_lacks_is_said(tmp_path: Path) -> None:
    for name in ("coco", "yolo", "mpii", "mat"):
        (tmp_path / name).mkdir()
    coco, yolo = of_coco(tmp_path / "coco")[1], of_yolo(tmp_path / "yolo")[1]
    mpii, mat = of_mpii_json(tmp_path / "mpii")[1], of_mpii_mat(tmp_path / "mat")[1]
    assert kinds(coco) == {"picture_without_people": 1}
    assert kinds(yolo) == {
        "area_missing": 3,
        "order_assumed": 1,
        "picture_without_people": 1,
        "split": 3,
    }
    assert kinds(mpii) == {
        "area_from_joints": 3,
        "head_from_joints": 3,
        "joint_missing": 5,
        "picture_not_listed": 1,
        "unknown_joint": 4,
    }
    assert "head_from_joints" not in kinds(mat)
    text = {finding.kind: finding.text for finding in yolo.findings}["area_missing"]
    assert "0.53 of the box" in text
    assert yolo.of_level("changed")[0].level == "changed"
    told = json.loads(json.dumps(mpii.as_json()))
    assert told["findings"][0]["count"] == 3
    documented = FORMATS.read_text("utf-8").split("**health report**")[1]
    assert all(f"`{key}`" in documented for key in (*told, *told["findings"][0]))


def test_the_length_for_pckh(tmp_path: Path) -> None:
    (tmp_path / "mat").mkdir()
    for _, person in of_mpii_json(tmp_path)[0].people():
        # A square of 0.2 × 200 pixels around (30, 24).
        assert person.box_xyxy == pytest.approx((10, 4, 50, 44))
        assert person.head_px == pytest.approx(5)  # from neck (20, 12) to top (23, 8)
        assert person.beyond["head_top"] == (23.5, 8.5)
    for _, person in of_mpii_mat(tmp_path / "mat")[0].people():
        assert person.head_px == pytest.approx(0.6 * 10)  # a box of 6×8 pixels


@pytest.mark.parametrize(("box", "expected"), [("head_box", 6.0), ("head_size", 9.0)])
def test_a_head_in_json(tmp_path: Path, box: str, expected: float) -> None:
    content = json.loads(factory.mpii_json(tmp_path / "m.json").read_text())
    for entry in content:
        entry[box] = [1, 1, 7, 9] if box == "head_box" else 9.0
    factory.write_json(content, tmp_path / "m.json")
    annotated, report = read_annotated_set(factory.pictures(tmp_path / "i"), tmp_path / "m.json")
    assert [person.head_px for _, person in annotated.people()] == pytest.approx([expected] * 3)
    assert "head_from_joints" not in kinds(report)


def test_mpii_counts_its_own_pictures_pixels_from_1(tmp_path: Path) -> None:
    own = {name: f"01560186{n}.png" for n, name in enumerate(factory.SIZES)}
    factory.pictures(tmp_path / "p")
    (tmp_path / "i").mkdir()
    for name, new in own.items():
        shutil.copy(tmp_path / "p" / name, tmp_path / "i" / new)
    mat = factory.mpii_mat(tmp_path / "m.mat", shift=1, rename=own)
    annotated, report = read_annotated_set(tmp_path / "i", mat)
    person, truth = annotated.people()[0][1], factory.people()[0]
    body = [COCO_17.index(j) for j in BODY if truth["flags"][COCO_17.index(j)]]
    np.testing.assert_allclose(person.xy[body], truth["xy"][body] + 0.5)
    assert kinds(report)["pixels_from_1"] == 2


def test_joints_that_mpii_calls_invisible_are_hidden_where_they_have_a_place(
    tmp_path: Path,
) -> None:
    content = json.loads(factory.mpii_json(tmp_path / "m.json").read_text())
    content[0]["joints_vis"][12] = 0  # right shoulder, which is labelled
    factory.write_json(content, tmp_path / "m.json")
    annotated, report = read_annotated_set(factory.pictures(tmp_path / "i"), tmp_path / "m.json")
    assert annotated.people()[0][1].visibility[COCO_17.index("right_shoulder")] == 1
    assert kinds(report)["hidden_by_name"] == 1


@pytest.mark.parametrize(
    ("written", "name"),
    [
        *(("LShoulder", "left_shoulder"), ("r-sho", "right_shoulder"), ("lank", "left_ankle")),
        *(("Hip (left)", "left_hip"), ("rightEar", "right_ear"), ("NOSE", "nose")),
        *(("left_eye_inner", "left_eye_inner"), ("top_head", "head_top"), ("neck", "upper_neck")),
        *(("R Knee", "right_knee"), ("wrist_l", "left_wrist"), ("head", "head")),
    ],
)
def test_joints_are_known_by_name(written: str, name: str) -> None:
    assert plain_joint(written) == name


def renamed(names: list[str], order: list[int]) -> dict[str, object]:
    """The COCO set with joints in another order and by other names."""
    content = factory.coco()
    content["categories"][0]["keypoints"] = names
    for annotation in content["annotations"]:
        joints = np.reshape([*annotation["keypoints"], 7, 7, 2], (-1, 3))[order]
        annotation["keypoints"] = joints.ravel().tolist()
        annotation["num_keypoints"] = int((joints[:, 2] > 0).sum())
    return content


def test_a_skeleton_is_taken_by_name_not_by_place(tmp_path: Path) -> None:
    """CrowdPose: 14 joints in another order, head and neck unknown to COCO."""
    order = [COCO_17.index(j) if j in COCO_17.joints else 17 for j in factory.CROWDPOSE]
    content = renamed(list(factory.CROWDPOSE), order)
    images = factory.pictures(tmp_path / "i")
    annotated, report = read_annotated_set(images, factory.write_json(content, tmp_path / "c.json"))
    assert annotated.joints == tuple(BODY)
    person, truth = annotated.people()[0][1], factory.people()[0]
    body = [COCO_17.index(j) for j in BODY if truth["flags"][COCO_17.index(j)]]
    np.testing.assert_allclose(person.xy[body], truth["xy"][body] + 0.5)
    assert not person.labelled[:5].any()
    assert person.beyond == {"head": (7.5, 7.5), "upper_neck": (7.5, 7.5)}
    found = kinds(report)
    assert (found["unknown_joint"], found["joint_missing"]) == (2, 5)


def test_names_of_other_tools_and_numbers_of_cvat(tmp_path: Path) -> None:
    images = factory.pictures(tmp_path / "i")
    reverse = list(range(16, -1, -1))
    camel = [factory.NAMES[i].title().replace("_", " ") for i in reverse]
    truth = read_annotated_set(images, factory.write_json(factory.coco(), tmp_path / "c.json"))[0]
    for names, order in ((camel, reverse), ([str(n) for n in range(1, 18)], list(range(17)))):
        content = renamed(names, order)
        path = factory.write_json(content, tmp_path / "other.json")
        annotated, report = read_annotated_set(images, path)
        for (_, one), (_, other) in zip(annotated.people(), truth.people(), strict=True):
            np.testing.assert_array_equal(one.xy, other.xy)
        assert ("order_assumed" in kinds(report)) == (names[0] == "1")


def test_names_in_a_data_yaml(tmp_path: Path) -> None:
    """By `kpt_names`, whatever their number; the class of people among several."""
    yaml = f"""
kpt_shape: [17, 3]
names: [ball, person]
kpt_names:
  0: [a, b]
  1: {factory.NAMES}
"""
    factory.yolo(tmp_path, yaml=yaml)
    text = tmp_path / "labels" / "val" / "a" / "0001.txt"
    first, second = text.read_text().splitlines()
    text.write_text(f"0{first[3:]}\n1{second[3:]}\n")
    annotated, report = read_annotated_set(tmp_path)
    assert len(annotated.people()) == 1
    np.testing.assert_allclose(
        annotated.people()[0][1].xy[5:7], factory.people()[1]["xy"][5:7] + 0.5
    )
    assert kinds(report)["other_category"] == 2


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("kpt_shape: [14, 3]", "no `kpt_names`, and 14 joints"),
        (f"kpt_shape: [17, 3]\nflip_idx: {list(range(17))}", "`flip_idx` is not COCO's"),
        ("kpt_shape: 17", "no `kpt_shape` of two numbers"),
        ("kpt_shape: [17, 4]", "no `kpt_shape` of two numbers"),
        ("kpt_shape: [4, 2]\nkpt_names: {0: [a, b, c, d]}", "no skeleton of a person"),
        ("kpt_shape: [17, 3", "is no YAML"),
    ],
)
def test_a_data_yaml_that_does_not_tell_its_joints(tmp_path: Path, yaml: str, words: str) -> None:
    factory.yolo(tmp_path, yaml=yaml)
    with pytest.raises(InputError, match=words) as caught:
        read_annotated_set(tmp_path / "images", tmp_path / "data.yaml")
    assert caught.value.advice


def packed(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


@pytest.mark.parametrize("format", ["coco", "yolo-pose", "mpii"])
def test_a_zip_that_holds_both(tmp_path: Path, format: str) -> None:
    folder = tmp_path / "set"
    if format == "yolo-pose":
        factory.yolo(folder)
    else:
        factory.pictures(folder / "images")
        if format == "coco":
            factory.write_json({"images": [], "annotations": []}, folder / "captions.json")
            factory.write_json(factory.coco(), folder / "person.json")
        else:
            factory.mpii_json(folder / "mpii.json")
    archive = packed(folder, tmp_path / "set.zip")
    for given in ((archive, None), (None, archive), ({"upload": archive}, None), (folder, None)):
        annotated, report = read_annotated_set(*given)
        assert (report.format, report.people) == (format, 3)
    assert read_content(annotated.images[0].picture, "it").data.startswith(b"\x89PNG")


def test_annotations_are_found_in_the_zip_by_their_name(tmp_path: Path) -> None:
    factory.yolo(tmp_path / "deep" / "set")
    archive = packed(tmp_path / "deep", tmp_path / "set.zip")
    for named in ("data.yaml", "set/data.yaml"):
        assert read_annotated_set(archive, Path(named))[1].people == 3
    with pytest.raises(InputError, match=r"There is no file other/data\.yaml"):
        read_annotated_set(archive, Path("other/data.yaml"))


def test_uploads_are_known_by_the_names_they_came_with(tmp_path: Path) -> None:
    """The page keeps files under other names; the one of a picture comes in a mapping."""
    factory.pictures(tmp_path / "i")
    given = {"notes.json": factory.write_json(factory.coco(), tmp_path / "77ab")}
    for number, name in enumerate(factory.SIZES):
        given[name] = (tmp_path / "i" / name).rename(tmp_path / f"{number}f")
    annotated, report = read_annotated_set(given)
    assert [image.file for image in annotated.images] == list(factory.SIZES)
    assert report.name == "notes.json"


def test_labels_beside_a_folder_of_pictures(tmp_path: Path) -> None:
    """As with YOLO's own tools `images` in the path becomes `labels`, wherever `data.yaml` is."""
    factory.yolo(tmp_path / "set")
    (tmp_path / "elsewhere").mkdir()
    yaml = (tmp_path / "set" / "data.yaml").rename(tmp_path / "elsewhere" / "data.yaml")
    _, report = read_annotated_set(tmp_path / "set" / "images" / "val", yaml)
    assert report.people == 3


def test_the_annotated_set_of_the_field(shared: Path) -> None:
    folder = shared / "data" / "coco20"
    annotated, report = read_annotated_set(folder / "images", folder / "person_keypoints.json")
    truth = json.loads((folder / "person_keypoints.json").read_text())
    assert (report.pictures, len(annotated.people())) == (20, len(truth["annotations"]))
    by_id = {person.source_id: (image, person) for image, person in annotated.people()}
    for entry in truth["annotations"]:
        image, person = by_id[entry["id"]]
        given = np.reshape(entry["keypoints"], (17, 3))
        assert image.image_id == entry["image_id"]
        assert (person.area, person.area_from) == (entry["area"], "file")
        assert person.judged == (entry["num_keypoints"] > 0 and not entry["iscrowd"])
        np.testing.assert_array_equal(person.visibility, given[:, 2])
        np.testing.assert_array_equal(np.nan_to_num(person.xy - 0.5), given[:, :2])
    assert set(kinds(report)) == {"crowd", "nothing_labelled"}


def test_ochumans_own_file(tmp_path: Path) -> None:
    """People within their images, other flags, boxes by corners; read as its authors do."""
    names = [*BODY, "head", "neck", *COCO_17.joints[:5]]
    flags_there = {0: 0, 2: 1, 1: 3}  # missing, visible, hidden by others
    images = []
    for number, (name, (width, height)) in enumerate(factory.SIZES.items(), 1):
        people = []
        for p in (p for p in factory.people() if p["image"] == number):
            joints = np.zeros((19, 3), int)
            for at, joint in enumerate(names):
                if joint in COCO_17.joints:
                    k = COCO_17.index(joint)
                    joints[at] = (*p["xy"][k], flags_there[int(p["flags"][k])])
            joints[5 + len(BODY) - 12, 2] = 2  # hidden by the person's own body: visible
            left, top, w, h = p["box"]
            people.append(
                {"bbox": [left, top, left + w, top + h], "keypoints": joints.ravel().tolist()}
            )
        size = {"width": width, "height": height, "image_id": f"00{number}", "file_name": name}
        images.append(size | {"annotations": people})
    images[2]["annotations"] = [{"bbox": [1, 1, 20, 30], "keypoints": None, "segms": {}}]
    content = {"keypoint_names": names, "keypoint_visible": {"missing": 0}, "images": images}
    path = factory.write_json(content, tmp_path / "ochuman.json")
    annotated, report = read_annotated_set(factory.pictures(tmp_path / "i"), path)
    assert (report.people, len(annotated.people())) == (3, 4)
    for (_, person), truth in zip(annotated.people(), factory.people(), strict=False):
        seen = truth["flags"].copy()
        seen[COCO_17.index(names[5])] = 2
        np.testing.assert_array_equal(person.visibility, seen)
        there = truth["flags"] > 0
        np.testing.assert_allclose(person.xy[there], truth["xy"][there] + 0.5)
        assert person.area == pytest.approx(truth["box"][2] * truth["box"][3])


@pytest.mark.parametrize("split", ["", "valid"])
def test_layouts_of_yolo(tmp_path: Path, split: str) -> None:
    """Pictures and labels side by side (Roboflow: `valid/images`), or in one folder."""
    factory.yolo(tmp_path / "s", yaml="kpt_shape: [17, 3]\nval: ../valid/images\nnames: [person]")
    target = tmp_path / "t" / split
    for kind in ("images", "labels"):
        shutil.copytree(
            tmp_path / "s" / kind / "val", target / (kind if split else ""), dirs_exist_ok=True
        )
    shutil.copy(tmp_path / "s" / "data.yaml", tmp_path / "t")
    annotated, report = read_annotated_set(tmp_path / "t")
    assert [len(image.people) for image in annotated.images] == [2, 1, 0]
    assert report.people == 3


def test_a_coco_dataset_in_parts(tmp_path: Path) -> None:
    """CVAT writes one file a subset, each with its own ids; one picture in two is refused."""
    images = factory.pictures(tmp_path / "images")
    for at, name in enumerate(("train", "val")):
        content = factory.coco()
        content["images"] = content["images"][at : at + 1] + content["images"][2:] * at
        inside = {image["id"] for image in content["images"]}
        kept = [a for a in content["annotations"] if a["image_id"] in inside]
        content["annotations"] = [{**a, "id": n, "image_id": 1} for n, a in enumerate(kept, 1)]
        content["images"][0]["id"] = 1
        factory.write_json(content, tmp_path / f"person_keypoints_{name}.json")
    annotated, report = read_annotated_set(tmp_path)
    assert [len(image.people) for image in annotated.images] == [2, 1, 0]
    assert len({image.image_id for image in annotated.images}) == 3
    assert report.name == "person_keypoints_train.json, person_keypoints_val.json"
    shutil.copy(tmp_path / "person_keypoints_val.json", images / "copy.json")
    with pytest.raises(InputError, match=r"several annotation files: images/copy\.json, person"):
        read_annotated_set(tmp_path)


@pytest.mark.parametrize("own", [False, True])
def test_mpiis_square_is_two_hundred_pixels_a_unit_around_the_middle(
    tmp_path: Path, own: bool
) -> None:
    """MPII's own pictures count from 1: their boxes move by a pixel."""
    factory.pictures(tmp_path)
    content = json.loads(factory.mpii_json(tmp_path / "m.json").read_text())[:1]
    if own:
        (tmp_path / content[0]["image"]).rename(tmp_path / "015601864.png")
        content[0]["image"] = "015601864.png"
    annotated, _ = read_annotated_set(tmp_path, factory.write_json(content, tmp_path / "m.json"))
    ((_, person),) = annotated.people()
    assert person.box_xyxy == pytest.approx(np.array([10, 4, 50, 44]) - own)


def test_a_head_moves_to_other_pixels_as_a_length(tmp_path: Path) -> None:
    factory.pictures(tmp_path)
    annotated, _ = read_annotated_set(tmp_path, factory.mpii_json(tmp_path / "m.json"))
    person = annotated.people()[0][1]
    twice = moved(person, np.array([[2.0, 0, 3], [0, 2, 5]]))
    assert twice.head_px == pytest.approx(2 * person.head_px)
    assert twice.area == pytest.approx(4 * person.area)
