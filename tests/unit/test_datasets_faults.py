"""What is wrong with annotations is counted, named and passed over; the rest is evaluated."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from estimators.annotated import AnnotatedSet
from estimators.datasets import archives, mpii
from estimators.datasets.content import read_listed
from estimators.datasets.files import Given
from estimators.datasets.health import KINDS, Findings, HealthReport
from estimators.datasets.mat_child import annolist
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from estimators.media.pictures import open_picture, size_of
from tests import annotated_factory as factory

Content = dict[str, Any]
SPOILT = Callable[[Content], object]


@pytest.fixture(autouse=True)
def _matlab_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/contract reads it as the product does."""
    monkeypatch.setattr(mpii, "run_child", annolist)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factory.pictures(tmp_path_factory.mktemp("images"))


def read(images: Given, content: Content, folder: Path) -> tuple[AnnotatedSet, HealthReport]:
    return read_annotated_set(images, factory.write_json(content, folder / "c.json"))


def first(content: Content, **changes: Any) -> None:
    content["annotations"][0] |= changes


def keypoint(content: Content, at: int, *values: float) -> None:
    content["annotations"][0]["keypoints"][3 * at : 3 * at + 3] = values


def another(content: Content, key: str, **changes: Any) -> None:
    content[key].append(content[key][0] | changes)


def with_text_ids(content: Content) -> None:
    for entry in content["images"]:
        entry["id"] = f"im-{entry['id']}"
    for entry in content["annotations"]:
        entry |= {"image_id": f"im-{entry['image_id']}", "id": f"an-{entry['id']}"}


def with_mixed_ids(content: Content) -> None:
    """As exports through a table have them: 1.0 for 1, and "2"."""
    for entry in content["annotations"]:
        entry["image_id"] = {1: 1.0, 2: "2"}[entry["image_id"]]


def nobody(content: Content) -> None:
    first(content, keypoints=[0] * 51, num_keypoints=0)


def without(content: Content, *keys: str) -> None:
    for key in keys:
        del content["annotations"][0][key]


# What is done to the annotations, then the findings: kind, how many, a word of the example; and how
# many people are judged after that.
FAULTS: dict[str, tuple[SPOILT, str, int, str, int]] = {
    "absent": (
        lambda c: another(c, "images", id=9, file_name="x.jpg"),
        "picture_absent",
        1,
        "x",
        3,
    ),
    "nobody": (lambda c: None, "picture_without_people", 1, "c.png", 3),
    "not listed": (lambda c: c["images"].pop(), "picture_not_listed", 1, "c.png", 3),
    "no picture": (
        *(lambda c: first(c, image_id=77), "annotation_without_picture", 1),
        *("annotations[0]: 77", 2),
    ),
    "id twice": (
        *(lambda c: c["images"][2].update(id=2), "image_id_twice", 1),
        *("images[1] and images[2]: 2", 2),
    ),
    "same name twice": (
        *(lambda c: another(c, "images", id=8), "image_name_twice", 1, "a/0001.png", 3),
    ),
    "no id": (lambda c: c["images"][1].update(id=None), "image_without_id", 1, "images[1]", 2),
    "true id": (lambda c: c["images"][1].update(id=True), "image_without_id", 1, "true", 2),
    "no name": (lambda c: c["images"][1].pop("file_name"), "image_without_name", 1, "images[1]", 2),
    "text ids": (with_text_ids, "id_no_number", 6, "im-1", 3),
    "fraction": (lambda c: c["images"][2].update(id=2.5), "id_no_number", 1, "2.5", 3),
    "annotation 0": (lambda c: first(c, id=0), "annotation_id_zero", 1, "annotations[0]", 3),
    "annotation twice": (lambda c: first(c, id=2), "annotation_id_twice", 1, "annotations[1]", 3),
    "annotation without id": (lambda c: without(c, "id"), "annotation_id_missing", 1, "", 3),
    "not an object": (
        lambda c: c["annotations"].append(5),
        "annotation_unreadable",
        1,
        "[3]: 5",
        3,
    ),
    "no joints": (nobody, "nothing_labelled", 1, "person 1", 2),
    "no keypoints": (lambda c: without(c, "keypoints"), "nothing_labelled", 1, "person 1", 2),
    "neither": (lambda c: without(c, "keypoints", "bbox"), "annotation_unreadable", 1, "bbox", 2),
    "16 joints": (lambda c: first(c, keypoints=[1] * 48), "keypoints_length", 1, "[0]", 2),
    "no flags": (lambda c: first(c, keypoints=[1] * 34), "keypoints_length", 1, "[0]", 2),
    "words": (lambda c: first(c, keypoints=["x"] * 51), "keypoints_length", 1, "[0]", 2),
    "no area": (lambda c: without(c, "area"), "area_missing", 1, "person 1", 3),
    "area 0": (lambda c: first(c, area=0), "area_missing", 1, "person 1", 3),
    "area NaN": (lambda c: first(c, area=float("nan")), "area_missing", 1, "person 1", 3),
    "no box": (lambda c: without(c, "bbox"), "box_missing", 1, "person 1", 3),
    "empty box": (lambda c: first(c, bbox=[1, 1, 0, 0]), "box_missing", 1, "person 1", 3),
    "neither area nor box": (lambda c: without(c, "bbox", "area"), "area_from_joints", 1, "1", 3),
    "outside": (lambda c: keypoint(c, 5, 64.0, 5, 2), "outside", 1, "a/0001.png, person 1", 3),
    "flag 3": (lambda c: keypoint(c, 5, 4, 5, 3), "flag_out_of_range", 1, "[0]", 3),
    "flag 0.5": (lambda c: keypoint(c, 5, 4, 5, 0.5), "flag_out_of_range", 1, "[0]", 3),
    "flag -1": (lambda c: keypoint(c, 5, 4, 5, -1), "flag_out_of_range", 1, "[0]", 3),
    "nowhere": (lambda c: keypoint(c, 5, float("nan"), 5, 2), "position_no_number", 1, "[0]", 3),
    "far away": (lambda c: keypoint(c, 5, 2e6, 5, 2), "position_no_number", 1, "[0]", 3),
    "endless box": (lambda c: first(c, bbox=[1, 1, 1e308, 9]), "box_missing", 1, "person 1", 3),
    "endless area": (lambda c: first(c, area=1e300), "area_missing", 1, "person 1", 3),
    "wrong count": (lambda c: first(c, num_keypoints=1), "count_contradicts", 1, "[0]", 3),
    "crowd": (lambda c: first(c, iscrowd=1), "crowd", 1, "person 1", 2),
    "other category": (
        lambda c: (another(c, "categories", id=3, name="dog"), first(c, category_id=3)),
        *("other_category", 1, "annotations[0]", 2),
    ),
    "two of people": (
        lambda c: (
            c["categories"][0].update(name="rider"),
            another(c, "categories", id=3, name="walker"),
            first(c, category_id=3),
        ),
        *("categories", 2, "walker", 3),
    ),
    "unknown category": (lambda c: first(c, category_id=44), "other_category", 1, "[0]", 2),
    "no names": (lambda c: c.pop("categories"), "order_assumed", 1, "c.json", 3),
    "other joints": (
        *(lambda c: c["categories"][0]["keypoints"].__setitem__(0, "tail"), "unknown_joint", 1),
        *("tail", 3),
    ),
    "another size": (
        lambda c: c["images"][0].update(width=128, height=96),
        "scaled",
        1,
        "128×96",
        3,
    ),
    "another shape": (lambda c: c["images"][0].update(width=99), "other_shape", 1, "99×48", 1),
    "prefix": (
        *(lambda c: c["images"][2].update(file_name="up/0123abcd-C.png"), "name_prefix", 1),
        *("C.png is c.png", 3),
    ),
    **{
        f"address {file_name}": (
            *(lambda c, n=file_name: c["images"][2].update(file_name=n), "name_prefix", 1),
            *("is c.png", 3),
        )
        for file_name in ("/local-files/?d=c.png", "https://x/y/%63.png?key=1&b=2")
    },
    "not ambiguous": (
        *(lambda c: c["images"][0].update(file_name="0001.png"), "picture_ambiguous", 0, "", 3),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_counted_and_named_and_the_rest_evaluated(
    images: Path, tmp_path: Path, fault: str
) -> None:
    spoil, kind, count, word, judged = FAULTS[fault]
    content = factory.coco()
    spoil(content)
    annotated, report = read(images, content, tmp_path)
    found = {finding.kind: finding for finding in report.findings}
    assert (found[kind].count if kind in found else 0) == count
    assert report.people == judged == sum(p.judged for _, p in annotated.people())
    if count:
        assert any(word in example for example in (*found[kind].examples, found[kind].text))
        assert found[kind].text.startswith(KINDS[kind][1])
    expected = {kind, "picture_without_people", *COMPANY.get(fault, ())}
    assert {f for f in found if KINDS[f][0] != "note"} <= expected


# Other faults that come of one.
COMPANY = {
    "id twice": ("annotation_without_picture",),
    "no id": ("annotation_without_picture",),
    "true id": ("annotation_without_picture",),
    "no name": ("annotation_without_picture",),
    "neither area nor box": ("box_missing",),
    "empty box": ("box_missing",),
    "flag -1": ("count_contradicts",),
    "nowhere": ("count_contradicts",),
}


def test_every_kind_has_three_parts() -> None:
    for level, what, done in KINDS.values():
        assert level in ("left out", "changed", "note")
        assert what[0].isupper()
        assert done.endswith(".")


def test_a_few_are_named_and_the_others_counted() -> None:
    findings = Findings()
    for n in range(9):
        findings.add("picture_absent", f"{n % 5}.jpg")
    findings.add("crowd", "\x1b[31m" + "x" * 500)
    absent, crowd = findings.all()
    assert (absent.count, absent.examples) == (9, ("0.jpg", "1.jpg", "2.jpg"))
    assert "not there: 9 (0.jpg, 1.jpg, 2.jpg and 2 more). Left out." in absent.text
    assert crowd.examples[0].startswith("\\x1b[31mx")
    assert len(crowd.text) < 300


def test_mixed_ids_belong_together(images: Path, tmp_path: Path) -> None:
    content = factory.coco()
    with_mixed_ids(content)
    annotated, report = read(images, content, tmp_path)
    assert [image.image_id for image, _ in annotated.people()] == [1, 1, 2]
    assert report.people == 3


def test_text_ids_are_numbered_and_people_from_1(images: Path, tmp_path: Path) -> None:
    content = factory.coco()
    with_text_ids(content)
    annotated, _ = read(images, content, tmp_path)
    assert [image.image_id for image in annotated.images] == [1, 2, 3]
    assert [(p.annotation_id, p.source_id) for _, p in annotated.people()] == [
        *((1, "an-1"), (2, "an-2"), (3, "an-3"))
    ]


@pytest.mark.parametrize(
    ("flag", "expected"), [(3, 2), (0.5, 1), (1.5, 2), (-1, 0), (float("nan"), 0), (1e300, 2)]
)
def test_over_0_is_labelled(images: Path, tmp_path: Path, flag: float, expected: int) -> None:
    content = factory.coco()
    keypoint(content, 5, 4, 5, flag)
    annotated, _ = read(images, content, tmp_path)
    assert annotated.people()[0][1].visibility[5] == expected


def test_areas_that_are_not_given_follow_the_box(images: Path, tmp_path: Path) -> None:
    content = factory.coco()
    without(content, "area")
    first(content, bbox=[2, 3, 10, 20])
    person = read(images, content, tmp_path)[0].people()[0][1]
    assert (person.area, person.area_from) == (pytest.approx(0.53 * 200), "box")


def test_scaled_annotations_come_in_the_pictures_pixels(images: Path, tmp_path: Path) -> None:
    """Twice as large, so that the pixel index 2i + 0.5 is the middle of what is pixel i here."""
    content, plain = factory.coco(), read(images, factory.coco(), tmp_path)[0]
    content["images"][0] |= {"width": 128, "height": 96}
    for entry in content["annotations"][:2]:
        joints = np.reshape(entry["keypoints"], (17, 3)).astype(float)
        joints[:, :2] = 2 * joints[:, :2] + 0.5
        entry["keypoints"] = joints.ravel().tolist()
        entry |= {"bbox": [2 * v for v in entry["bbox"]], "area": 4 * entry["area"]}
    scaled = read(images, content, tmp_path)[0]
    for (image, one), (_, other) in zip(scaled.people()[:2], plain.people(), strict=False):
        np.testing.assert_allclose(one.xy, other.xy)
        np.testing.assert_allclose(one.box_xyxy or (), other.box_xyxy or ())
        assert one.area == pytest.approx(other.area)
        assert image.to_annotated is not None
        np.testing.assert_allclose(image.to_annotated, [[2, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_sizes_are_those_of_the_upright_picture(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    Image.new("RGB", (40, 24)).save(content, kind, exif=exif)
    picture = open_picture(content.getvalue())
    assert size_of(content, "x") == (picture.frame.full_size, picture.orientation)


def test_pictures_annotated_as_stored(tmp_path: Path) -> None:
    """A phone's picture, 64×48 as stored, shown turned; marked by a tool that does not turn."""
    exif = Image.Exif()
    exif[0x0112] = 6
    content = factory.coco()
    content["images"] = [{"id": 1, "file_name": "p.jpg", "width": 64, "height": 48}]
    (tmp_path / "i").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "i" / "p.jpg", exif=exif)
    annotated, report = read(tmp_path / "i", content, tmp_path)
    person, truth = annotated.people()[0][1], factory.people()[0]
    # Turned clockwise by a quarter: what is at (x, y) comes to (48 - y, x).
    expected = np.column_stack([48 - (truth["xy"][:, 1] + 0.5), truth["xy"][:, 0] + 0.5])
    np.testing.assert_allclose(person.xy[person.labelled], expected[person.labelled])
    assert "stored" in {finding.kind for finding in report.findings}
    assert annotated.images[0].width == 48


def test_pictures_that_cannot_be_read(tmp_path: Path) -> None:
    folder = factory.pictures(tmp_path / "i")
    (folder / "b" / "0001.png").write_bytes(b"no picture")
    (folder / "c.png").unlink()
    os.mkfifo(folder / "c.png")  # nobody writes to it: opening would wait for ever
    _, report = read(folder, factory.coco(), tmp_path)
    found = {finding.kind: finding for finding in report.findings}
    assert report.people == 2
    assert found["picture_unreadable"].count == 1
    assert found["picture_absent"].examples == ("c.png",)


def test_two_pictures_that_may_be_one_entry(tmp_path: Path) -> None:
    content = factory.coco()
    content["images"] = content["images"][:1]
    content["images"][0]["file_name"] = "0001.png"
    content["annotations"] += [dict(content["annotations"][0], id=9, image_id=9)]
    content["images"].append({"id": 9, "file_name": "c.png"})
    _, report = read(factory.pictures(tmp_path / "i"), content, tmp_path)
    found = {finding.kind: finding for finding in report.findings}
    assert "a/0001.png or b/0001.png" in found["picture_ambiguous"].text
    assert report.pictures == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ('{"images": []}', "no list `annotations`"),
        ("{}", "no list `images`"),
        ("[]", "of no known format"),
        ("3", "of no known format"),
        ('{"images": [], "annotations": []}', "None of the 0 pictures"),
    ],
)
def test_what_is_no_annotation_file(images: Path, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(InputError, match=words) as caught:
        read_annotated_set(images, tmp_path / "c.json")
    assert caught.value.advice
    assert len(str(caught.value)) < 700


def test_nothing_that_can_be_evaluated(images: Path, tmp_path: Path) -> None:
    content = factory.coco()
    for entry in content["images"]:
        entry["file_name"] = f"x/{entry['id']}.jpg"
    with pytest.raises(InputError, match=r"None of the 3 .*not there: 3 \(x/1.jpg"):
        read(images, content, tmp_path)
    content = factory.coco()
    for entry in content["annotations"]:
        entry |= {"keypoints": [0] * 51}
    with pytest.raises(InputError, match=r"3 pictures\..* People without a labelled joint: 3"):
        read(images, content, tmp_path)
    for entry in content["annotations"]:
        entry["iscrowd"] = 1
    with pytest.raises(InputError, match=r"pictures\..* Groups marked as crowd \(iscrowd\): 3"):
        read(images, content, tmp_path)
    with pytest.raises(InputError, match=r"pictures\. Pictures without annotation: 3"):
        read(images, content | {"annotations": []}, tmp_path)
    content["categories"][0]["keypoints"] = ["tail", "snout"]
    with pytest.raises(InputError, match="no skeleton of a person: its joints are called tail"):
        read(images, content, tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_windows_tools_write(images: Path, tmp_path: Path, encoding: str) -> None:
    content = factory.coco()
    for entry in content["images"]:
        entry["file_name"] = "..\\images\\" + entry["file_name"].replace("/", "\\")
    path = tmp_path / "c.json"
    path.write_text(json.dumps(content), encoding=encoding)
    assert read_annotated_set(images, path)[1].people == 3


def test_files_that_are_not_there_or_several(images: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_annotated_set(images, tmp_path / "absent.json")
    with pytest.raises(InputError, match="no annotation file of a known format"):
        read_annotated_set(images)
    with pytest.raises(InputError, match="is a device"):
        read_annotated_set(images, Path("/dev/zero"))
    for name in ("a.json", "b.json"):
        factory.write_json(factory.coco(), tmp_path / name)
    with pytest.raises(InputError, match=r"several annotation files: a\.json, b\.json"):
        read_annotated_set(images, {n: tmp_path / n for n in ("a.json", "b.json")})
    with pytest.raises(InputError, match="too large"):
        read_annotated_set(images, tmp_path / "a.json", most_bytes=100)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no pictures beside"):
        read_annotated_set(tmp_path / "empty", tmp_path / "a.json")


def test_why_there_may_be_no_annotations_in_a_zip(tmp_path: Path) -> None:
    """What nobody looked into is named: nothing, a ZIP in a ZIP, names that lead out of it."""
    path, content = tmp_path / "set.zip", json.dumps(factory.coco())
    for names, words in (
        ([], "holds no files that can be read"),
        (["inner.zip", "b.zip"], r"b\.zip and 1 more: a ZIP inside of another"),
        (["../a.json"], r"holds no files .* \(\.\./a\.json: its name leads out of the ZIP\)"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, content)
        with pytest.raises(InputError, match=f"of a known format.*{words}"):
            read_annotated_set(path)


@pytest.mark.parametrize(
    ("names", "left_out", "together"),
    [
        ("[person]", 3, 0),
        ("{7: player}", 0, 0),
        ("[sitting, standing]", 0, 2),
        ("{0: ball, 7: person}", 0, 0),
        ("{0: ball, 7: cat}", 0, 2),
    ],
)
def test_classes_of_yolo(tmp_path: Path, names: str, left_out: int, together: int) -> None:
    """A class that the description does not call people is not taken for people unsaid."""
    factory.yolo(tmp_path, yaml=f"kpt_shape: [17, 3]\nnames: {names}")
    for text in (tmp_path / "labels").rglob("*.txt"):
        lines = text.read_text().splitlines()
        text.write_text("".join(f"7{line[1:]}\n" for line in lines))
    if left_out:
        with pytest.raises(InputError, match=r"other categories.*: 3 \(.* line 1: class 7"):
            read_annotated_set(tmp_path)
        return
    _, report = read_annotated_set(tmp_path)
    found = {finding.kind: finding.count for finding in report.findings}
    assert found.get("categories", 0) == together
    assert report.people == 3


def test_a_wrong_kpt_shape_tells_both_lengths(tmp_path: Path) -> None:
    factory.yolo(tmp_path, yaml="kpt_shape: [17, 2]")
    with pytest.raises(InputError, match="line 1: 56 numbers instead of 39"):
        read_annotated_set(tmp_path)


@pytest.mark.parametrize(
    ("line", "kind", "people"),
    [
        ("0 0.5 0.5 0.2 0.2", "nothing_labelled", 3),
        ("0 0.5 0.5 0.2 0.2 0.1 0.1 2", "keypoints_length", 3),
        ("0 0.5 0.5", "annotation_unreadable", 3),
        ("person 0.5 0.5 0.2 0.2", "annotation_unreadable", 3),
        ("0 0.5 0.5 0 0" + " 0.5 0.5 2" * 17, "box_missing", 4),
        ("0 0.5 0.5 0.2 0.2" + " 1.5 0.5 2" * 17, "outside", 4),
        ("0 0.5 0.5 0.2 0.2" + " nan 0.5 2" * 17, "position_no_number", 3),
        ("0 0.5 0.5 0.2 0.2" + " 0.5 0.5 7" * 17, "flag_out_of_range", 4),
        ("", "picture_without_people", 3),
    ],
)
def test_lines_of_yolo(tmp_path: Path, line: str, kind: str, people: int) -> None:
    factory.yolo(tmp_path)
    text = tmp_path / "labels" / "val" / "c.txt"
    text.write_text(line + "\r\n", encoding="utf-8-sig")
    _, report = read_annotated_set(tmp_path)
    assert kind in {finding.kind for finding in report.findings}
    assert report.people == people


def test_labels_without_a_picture_and_pictures_of_no_part(tmp_path: Path) -> None:
    factory.yolo(tmp_path)
    (tmp_path / "labels" / "val" / "gone.txt").write_text("0 0.5 0.5 0.2 0.2")
    Image.new("RGB", (9, 9)).save(tmp_path / "plot.png")
    _, report = read_annotated_set(tmp_path)
    found = {finding.kind: finding for finding in report.findings}
    assert found["label_of_no_picture"].count == 1
    assert report.pictures == 3
    assert found["split"].text.startswith("Pictures by part of the dataset: 3 (val)")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MATLAB 5.0 MAT-file" + bytes(200), "damaged|no MPII"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "damaged|7.3"),
    ],
)
def test_broken_matlab_files(images: Path, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "m.mat").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_annotated_set(images, tmp_path / "m.mat")


def test_people_of_mpii_with_other_joints(images: Path, tmp_path: Path) -> None:
    content = json.loads(factory.mpii_json(tmp_path / "m.json").read_text())
    content[0]["joints"] = content[0]["joints"][:14]
    content += [{"image": 3, "joints": []}, {"image": "a/0001.png", "joints": [[1, 1]] * 16}]
    _, report = read_annotated_set(images, factory.write_json(content, tmp_path / "m.json"))
    found = {finding.kind: finding.count for finding in report.findings}
    assert (found["keypoints_length"], found["annotation_unreadable"]) == (1, 1)
    assert report.people == 3


def test_positions_of_mpii_that_are_no_numbers_are_told(images: Path, tmp_path: Path) -> None:
    content = json.loads(factory.mpii_json(tmp_path / "m.json").read_text())
    _, before = read_annotated_set(images, tmp_path / "m.json")
    at = next(k for k, flag in enumerate(content[0]["joints_vis"]) if flag)
    content[0]["joints"][at] = [float("nan"), 5.0]
    content[1]["joints"][9] = [3.0, float("inf")]  # the head: no length for PCKh, and no joint
    annotated, report = read_annotated_set(images, factory.write_json(content, tmp_path / "m.json"))
    found = {finding.kind: finding.count for finding in report.findings}
    assert found["position_no_number"] == 2
    assert report.joints == before.joints - 1
    assert sorted(p.head_px > 0 for _, p in annotated.people()) == [False, True, True]
    assert found["head_from_joints"] == 2


def zipped(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def good(images: Path) -> dict[str, bytes]:
    found = {name: (images / name).read_bytes() for name in factory.SIZES}
    return found | {"c.json": json.dumps(factory.coco()).encode()}


@pytest.mark.parametrize(
    "name",
    ["../../out.png", "/out.png", "a/../../out.png", "..\\out.png", "C:/out.png", "C:\\o.png"],
)
def test_a_zip_that_climbs_out(images: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    archive = zipped(folder / "z.zip", good(images) | {name: b"x"})
    before = sorted(tmp_path.rglob("*"))
    _, report = read_annotated_set(archive)
    (finding,) = (f for f in report.findings if f.kind == "archive_member")
    assert "leads out of the ZIP" in finding.text
    assert (finding.count, report.people) == (1, 3)
    assert sorted(tmp_path.rglob("*")) == before


def test_links_passwords_and_what_macs_add(images: Path, tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", good(images) | {"__MACOSX/._a.png": b"", "x/._b.png": b""})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("locked.png", b"x")
        archive.getinfo("locked.png").flag_bits |= 1
    _, report = read_annotated_set(path)
    (finding,) = (f for f in report.findings if f.kind == "archive_member")
    assert finding.examples == ("link.png: a link", "locked.png: encrypted")


def test_a_zip_that_unpacks_to_gigabytes(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "SMALL_BYTES", 4_000_000)
    path = zipped(tmp_path / "z.zip", good(images) | {"zero.png": bytes(5_000_000)})
    with pytest.raises(InputError, match=r"would unpack to"):
        read_annotated_set(path)
    # As large, but a part of it does not shrink: no bomb.
    noise = np.random.default_rng(0).bytes(200_000)
    zipped(path, good(images) | {"zero.png": bytes(5_000_000), "noise.png": noise})
    assert read_annotated_set(path)[1].people == 3


def test_a_zip_that_lies_about_its_sizes(images: Path, tmp_path: Path) -> None:
    """What it claims is all that is read."""
    path = zipped(tmp_path / "z.zip", good(images) | {"big.json": bytes(1_000_000)})
    data = path.read_bytes().replace(struct.pack("<I", 1_000_000), struct.pack("<I", 7))
    path.write_bytes(data)
    found = dict(archives.members(path, "z.zip", Findings()))
    with pytest.raises(InputError, match="damaged in the ZIP"):
        archives.read_member(found["big.json"], "big.json")


def test_damaged_zips(images: Path, tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", good(images))
    data = path.read_bytes()
    at = data.index(b"c.png") + 5
    path.write_bytes(data[:at] + bytes(20) + data[at + 20 :])
    _, report = read_annotated_set(path)
    assert "picture_unreadable" in {finding.kind for finding in report.findings}
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="damaged ZIP"):
        read_annotated_set(path)


def test_a_zip_that_tells_of_more_than_there_is(images: Path, tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", good(images))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("d.png", b"\x89PNG")
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 20 : entry + 28] = struct.pack("<II", 10**6, 10**6)
    path.write_bytes(data)
    found = dict(archives.members(path, "z.zip", Findings()))
    with pytest.raises(zipfile.BadZipFile, match="too early"):
        found["d.png"].read()
    with pytest.raises(InputError, match="damaged in the ZIP"):
        archives.read_member(found["d.png"], "d.png")
    content = factory.coco()
    content["images"].append({"id": 9, "file_name": "d.png"})
    _, report = read_annotated_set(path, factory.write_json(content, tmp_path / "c.json"))
    assert "picture_unreadable" in {finding.kind for finding in report.findings}


def test_a_member_without_a_name(images: Path, tmp_path: Path) -> None:
    """Python's own `is_dir` raises IndexError then; found by damaging files."""
    path = zipped(tmp_path / "z.zip", {**good(images), "q": b""})
    data = path.read_bytes()
    at = data.rfind(b"PK\1\2")
    changed = bytearray(data)
    changed[at + 28 : at + 30] = b"\0\0"  # the name has no letters ...
    changed[at + 32 : at + 34] = b"\1\0"  # ... and what was one is a comment
    path.write_bytes(changed)
    findings = Findings()
    found = dict(archives.members(path, "z.zip", findings))
    assert set(found) == set(good(images))
    read, report = read_annotated_set(path)
    assert len(read.images) == 3
    assert "archive_member" in {finding.kind for finding in report.findings}


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_damaged_members_of_every_method(images: Path, tmp_path: Path, method: int) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.png", bytes(range(256)) * 40)
    data = bytearray(path.read_bytes())
    for at in range(40, len(data) - 80, 7):
        data[at] ^= 0x55
    path.write_bytes(data)
    (member,) = dict(archives.members(path, "z.zip", Findings())).values()
    with pytest.raises(InputError, match="damaged in the ZIP"):
        archives.read_member(member, "a.png")


def test_too_many_files(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_MAX_FILES", "3")
    with pytest.raises(InputError, match="holds 4 files"):
        read_annotated_set(zipped(tmp_path / "z.zip", good(images)))
    monkeypatch.setattr("estimators.datasets.files.MOST_FILES", 2)
    with pytest.raises(InputError, match="over 2 files"):
        read_annotated_set(images, factory.write_json(factory.coco(), tmp_path / "c.json"))


def test_frames_of_clips(tmp_path: Path) -> None:
    """The samples' own annotations are of frames, too."""
    from estimators.media.samples import FOLDER

    content = json.loads((FOLDER / "annotations.json").read_text())
    content["images"] = [i for i in content["images"] if i["file_name"] == "balance.mp4"][:2]
    content["images"][1]["frame_index"] = 99_999
    annotated, report = read({"balance.mp4": FOLDER / "balance.mp4"}, content, tmp_path)
    (image,) = annotated.images
    assert (image.file, image.frame_index) == ("balance.mp4 frame 0", 0)
    assert read_listed(image.picture, "it").full_size == (image.width, image.height)
    assert [f.examples for f in report.findings if f.kind == "frame_absent"] == [
        ("balance.mp4 frame 99999",)
    ]


def test_labels_that_may_be_of_two_pictures(tmp_path: Path) -> None:
    """A picture outside of the folders of the labels: two of them are called like it."""
    factory.yolo(tmp_path / "s")
    (tmp_path / "i").mkdir()
    (tmp_path / "s" / "images" / "val" / "a" / "0001.png").rename(tmp_path / "i" / "0001.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "i" / "d.png")
    (tmp_path / "s" / "labels" / "d.txt").write_text("0 0.5 0.5 0.2 0.2" + " 0.5 0.5 2" * 17)
    _, report = read_annotated_set(tmp_path / "i", tmp_path / "s" / "data.yaml")
    found = {finding.kind: finding for finding in report.findings}
    assert "0001.png: " in found["label_ambiguous"].text
    assert (report.pictures, report.people) == (1, 1)


def test_a_description_that_grows_without_end(tmp_path: Path) -> None:
    """Aliases of aliases: small to read, endless to write out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 30):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]")
    lines += ["kpt_shape: [17, 3]", "names: {0: *a29, 1: *a29}", "kpt_names: {0: *a29}"]
    factory.yolo(tmp_path, yaml="\n".join(lines))
    assert read_annotated_set(tmp_path)[1].people == 3


def test_a_matlab_file_that_unpacks_to_gigabytes(images: Path, tmp_path: Path) -> None:
    mat = factory.mpii_mat(tmp_path / "m.mat")
    packed = zlib.compress(bytes(3_000_000))
    data = mat.read_bytes() + struct.pack("<II", 15, len(packed)) + packed
    mat.write_bytes(data)
    with pytest.raises(InputError, match="would take over"):
        read_annotated_set(images, mat, most_bytes=len(data))
    assert read_annotated_set(images, factory.mpii_mat(mat), most_bytes=len(data))[1].people == 3


def test_pictures_by_their_content_and_kinds_that_are_not_read(tmp_path: Path) -> None:
    folder, content = factory.pictures(tmp_path / "i"), factory.coco()
    (folder / "c.png").rename(folder / "c.bin")
    (folder / "b" / "0001.png").rename(folder / "b" / "0001.heic")
    (folder / "b" / "0001.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(60))
    content["images"][1]["file_name"], content["images"][2]["file_name"] = "b/0001.heic", "c.bin"
    annotated, report = read(folder, content, tmp_path)
    assert [image.file for image in annotated.images] == ["a/0001.png", "c.bin"]
    found = {finding.kind: finding for finding in report.findings}
    assert "HEIC" in found["picture_unreadable"].text


@pytest.mark.parametrize("depth", [30, 900, 50_000])
def test_deep_and_odd_entries(images: Path, tmp_path: Path, depth: int) -> None:
    """What is no name, id or number is passed over; too deep for Python is no JSON."""
    content = factory.coco()
    content["images"] += [{"id": "D"}, {"id": 50, "file_name": "D"}, "D"]
    content["annotations"] += [
        {"image_id": "D"},
        {"image_id": 1, "category_id": 1, "keypoints": "D", "bbox": "D"},
        {"image_id": 1, "category_id": 1, "keypoints": {"x": 1}, "id": {}, "iscrowd": []},
    ]
    content["categories"].append({"id": 9, "keypoints": ["D"], "name": "D"})
    deep = "[" * depth + "]" * depth
    (tmp_path / "c.json").write_text(json.dumps(content).replace('"D"', deep))
    if depth == 50_000:
        with pytest.raises(InputError, match="no JSON"):
            read_annotated_set(images, tmp_path / "c.json")
    else:
        assert read_annotated_set(images, tmp_path / "c.json")[1].people == 3
