"""Which annotated image a picture is, and in which pixels: never guessed, never forced."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from estimators.analysis.clip import ClipEstimates
from estimators.datasets.annotated_pixels import annotated_pixels
from estimators.errors import InputError
from estimators.export.annotated_ids import SourcePicture, annotated_ids
from estimators.export.coco import ImageIds, coco_results
from estimators.media.pictures import open_picture
from estimators.skeletons import COCO_17
from estimators.types import Estimate, PoseSet, Timings

SIZE = (320, 480)


def truth(tmp_path: Path, *images: Mapping[str, Any], encoding: str = "utf-8") -> Path:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"images": images}), encoding=encoding)
    return path


def ids_of(annotations: Path, *paths: str) -> ImageIds:
    return annotated_ids({path: SourcePicture(Path(path), SIZE) for path in paths}, annotations)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("cam1/0001.jpg", 1),
        ("cam2/0001.jpg", 2),
        ("/data/set/cam2/0001.jpg", 2),
        ("elsewhere/../cam2/0001.jpg", 2),
        ("b/cam2/0001.jpg", 3),  # longer than "cam2/0001.jpg"
        ("here/0002.jpg", 4),  # the only one of this name, wherever it lies
        ("root/0003.jpg", 5),  # the one that agrees as a whole
        ("deep/0003.jpg", 6),
        ("label/plain.jpg", 7),
        ("caf\u00e9.jpg", 8),
        ("cafe\u0301.jpg", 8),  # as a Mac writes it
    ],
)
def test_the_longest_end_of_the_path_decides(tmp_path: Path, path: str, expected: int) -> None:
    names = ["cam1/0001.jpg", "cam2/0001.jpg", "b/cam2/0001.jpg", "val/0002.jpg"]
    names += ["0003.jpg", "deep/0003.jpg", "..\\label\\plain.jpg", "caf\u00e9.jpg"]
    annotations = truth(tmp_path, *({"id": i, "file_name": n} for i, n in enumerate(names, 1)))
    ids = ids_of(annotations, path)
    assert ids.by_file == {path: expected}
    assert ids.source == "annotations"
    assert ids.notes == ()


def test_the_folder_counts_that_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = ({"id": 1, "file_name": "cam1/1.jpg"}, {"id": 2, "file_name": "cam2/1.jpg"})
    annotations = truth(tmp_path, *images)
    for number in (1, 2):
        (tmp_path / f"cam{number}").mkdir()
        monkeypatch.chdir(tmp_path / f"cam{number}")
        assert ids_of(annotations, "1.jpg").by_file == {"1.jpg": number}


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (["cam1/1.jpg", "cam2/1.jpg"], "cam3/1.jpg"),
        (["cam1/1.jpg", "cam1/1.jpg"], "cam1/1.jpg"),
        (["a\\b\\1.jpg", "c/b/1.jpg"], "b/1.jpg"),
    ],
)
def test_what_is_ambiguous_is_refused_with_its_places(
    tmp_path: Path, names: list[str], path: str
) -> None:
    annotations = truth(tmp_path, *({"id": i, "file_name": n} for i, n in enumerate(names, 1)))
    with pytest.raises(InputError, match=r"1\.jpg may be images\[0\] .* or images\[1\] ") as caught:
        ids_of(annotations, path)
    assert caught.value.advice


def test_two_pictures_cannot_be_one_image(tmp_path: Path) -> None:
    annotations = truth(tmp_path, {"id": 3, "file_name": "a/x.jpg"})
    with pytest.raises(InputError, match=r"a/x\.jpg and b/x\.jpg both agree with images\[0\]"):
        ids_of(annotations, "a/x.jpg", "b/x.jpg")


def test_files_that_are_not_annotated_are_named(tmp_path: Path) -> None:
    annotations = truth(tmp_path, {"id": 42, "file_name": "val/beach.jpg"})
    with pytest.raises(InputError, match=r"does not list 1, 2, 3 and 1 more"):
        ids_of(annotations, "val/beach.jpg", "1", "2", "3", "4")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("000785", '"000785"; .*without quotation marks'),
        ("0000001_02999_d_0000005", "the text .*Number the images"),
        ("caf\u00e9\x1b[31m", r"\\x1b\[31m"),
        ("x" * 5000, "x…"),
        *((True, "is true, not a whole number"), (False, "is false")),
        *((7.5, "is 7.5, not a whole"), (2**63, "is 9223.*too large")),
        *((1e300, "is 1e.*too large"), (2.0**53 + 2, "too large"), (-(2**70), "is -118")),
        *((float("nan"), "is NaN"), (float("inf"), "is Infinity")),
        *((None, "is missing"), ([7], r"is \[7\]"), ({"$oid": "5f"}, "is {")),
    ],
)
def test_an_id_that_is_no_whole_number_is_refused(tmp_path: Path, value: Any, words: str) -> None:
    """Even where it belongs to another picture: the whole file is of no use to COCO's tools."""
    images = ({"id": 1, "file_name": "plain.jpg"}, {"id": value, "file_name": "other.jpg"})
    with pytest.raises(InputError, match=words) as caught:
        ids_of(truth(tmp_path, *images), "plain.jpg")
    assert "the id of images[1]" in caught.value.message
    assert caught.value.advice
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("value", "expected"), [(7, 7), (7.0, 7), (0, 0), (-5, -5), (2**62, 2**62)]
)
def test_whole_numbers_are_taken(tmp_path: Path, value: float, expected: int) -> None:
    ids = ids_of(truth(tmp_path, {"id": value, "file_name": "plain.jpg"}), "plain.jpg")
    assert ids.by_file == {"plain.jpg": expected}
    assert type(ids.by_file["plain.jpg"]) is int


def test_two_images_with_one_id_are_refused(tmp_path: Path) -> None:
    images = [{"id": i, "file_name": f"{n}.jpg"} for n, i in enumerate((4, 5, 6, 5.0))]
    with pytest.raises(InputError, match=r"images\[1\] and images\[3\] have the same id, 5"):
        ids_of(truth(tmp_path, *images), "0.jpg")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_every_encoding_of_json_is_read(tmp_path: Path, encoding: str) -> None:
    annotations = truth(tmp_path, {"id": 7, "file_name": "plain.jpg"}, encoding=encoding)
    assert ids_of(annotations, "plain.jpg").by_file == {"plain.jpg": 7}


@pytest.mark.parametrize("name", [{}, {"file_name": None}, {"file_name": ""}, {"file_name": "."}])
def test_an_image_without_name_loses_only_itself(tmp_path: Path, name: dict[str, Any]) -> None:
    images = ({"id": 1} | name, {"id": 7, "file_name": "plain.jpg"})
    ids = ids_of(truth(tmp_path, *images), "plain.jpg")
    assert ids.by_file == {"plain.jpg": 7}
    assert len(ids.notes) == 1
    assert "without `file_name`, passed over: images[0]" in ids.notes[0]


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", '{"images": 3}', '{"images": {"1": {}}}', "null", "{}"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param('{"images": [{"id": 1' + "0" * 5000 + "}]}", id="long number"),
    ],
)
def test_something_that_is_no_annotation_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(InputError, match="not a COCO annotation file"):
        ids_of(path, "beach.jpg")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        ids_of(tmp_path / "absent.json", "beach.jpg")
    with pytest.raises(InputError, match="is a device"):
        ids_of(Path("/dev/zero"), "beach.jpg")
    with pytest.raises(InputError, match=r"images\[0\] is 5"):
        ids_of(truth(tmp_path, 5), "beach.jpg")


POINTS = [(3 + (5 * i) % 34, 2 + (7 * i) % 20) for i in range(17)]  # column, row


def stored_with(orientation: int) -> bytes:
    """A picture of 40×24 stored pixels; the value of each of POINTS is its number + 1."""
    pixels = np.zeros((24, 40), np.uint8)
    for number, (column, row) in enumerate(POINTS, 1):
        pixels[row, column] = number
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


def found_in(image: np.ndarray) -> PoseSet:
    """Somebody whose joints are the centres of the marked pixels."""
    at = [np.argwhere(image[..., 0] == number)[0][::-1] + 0.5 for number in range(1, 18)]
    return PoseSet(COCO_17, np.array([at]), np.ones((1, 17)), np.ones(1))


@pytest.mark.parametrize("scale", [1.0, 2.0, 12.5, 0.5])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    # As stored where the size tells it: sides change places.
    [*((n, True) for n in range(1, 9)), *((n, False) for n in (1, 5, 6, 7, 8))],
)
def test_poses_come_in_the_pixels_of_the_annotations(
    tmp_path: Path, orientation: int, scale: float, upright: bool
) -> None:
    """Marked pixels, found in the upright picture, come out where they were annotated."""
    picture = open_picture(stored_with(orientation))
    poses = found_in(picture.frame.image)
    size = picture.frame.full_size if upright else (40, 24)
    points = (poses.xy[0] - 0.5) if upright else np.array(POINTS, float)
    points = (points + 0.5) * scale - 0.5
    image = {"id": 9, "file_name": "x.png", "width": size[0] * scale, "height": size[1] * scale}
    source = SourcePicture(Path("x.png"), picture.frame.full_size, picture.orientation)
    ids = annotated_ids({"x.png": source}, truth(tmp_path, image))

    estimates = ClipEstimates.of_picture(
        "movenet-lightning", "x.png", source.size, Estimate(poses, Timings(1, 2, 3))
    )
    (result,) = coco_results([estimates], ids)
    np.testing.assert_allclose(
        np.reshape(result["keypoints"], (17, 3))[:, :2], points, atol=0.002 * scale
    )
    assert average_precision(image, points, result) == pytest.approx(1.0)
    assert bool(ids.notes) == (
        scale != 1 or (not upright and orientation >= 5) or orientation in (2, 3, 4)
    )


def average_precision(image: dict[str, Any], points: np.ndarray, result: dict[str, Any]) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        person = {
            "id": 1,
            "image_id": image["id"],
            "category_id": 1,
            "iscrowd": 0,
            "keypoints": np.c_[points, np.full(17, 2)].ravel().tolist(),
            "num_keypoints": 17,
            "area": 400.0,
            "bbox": [0, 0, 40, 40],
        }
        coco.dataset = {"images": [image], "categories": [{"id": 1}], "annotations": [person]}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes([result]), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


@pytest.mark.parametrize(
    ("size", "orientation", "annotated", "kind", "unclear"),
    [
        ((320, 480), 1, (320, 480), "same", False),
        ((320, 480), 1, None, "same", False),
        ((320, 480), 6, None, "same", True),
        ((320, 480), 6, (320, 480), "same", False),
        ((320, 480), 3, (320, 480), "same", True),
        ((480, 480), 6, (480, 480), "same", True),
        ((480, 480), 6, (960, 960), "scaled", True),
        ((320, 480), 1, (640, 960), "scaled", False),
        ((4000, 2668), 1, (1000, 667), "scaled", False),
        ((1023, 681), 1, (4096, 2730), "scaled", False),  # shrunk, and rounded down
        ((320, 480), 8, (480, 320), "stored", False),
        ((320, 480), 8, (960, 640), "stored", False),
        ((1000, 1001), 8, (1001, 1000), "stored", False),
        ((320, 480), 1, (480, 320), "other", False),
        ((320, 480), 3, (480, 320), "other", False),
        ((320, 480), 1, (320, 400), "other", False),
        ((160, 240), 1, (162, 240), "other", False),
        ((320, 480), 6, (640, 640), "other", False),
    ],
)
def test_sizes_are_compared(
    size: tuple[int, int],
    orientation: int,
    annotated: tuple[int, int] | None,
    kind: str,
    unclear: bool,
) -> None:
    relation = annotated_pixels(size, orientation, annotated)
    assert (relation.kind, relation.unclear) == (kind, unclear)


def test_another_shape_is_refused_in_words(tmp_path: Path) -> None:
    annotations = truth(tmp_path, {"id": 7, "file_name": "plain.jpg", "width": 480, "height": 320})
    with pytest.raises(InputError, match=r"320×480 pixels, but by images\[0\].*480×320.*turned"):
        ids_of(annotations, "plain.jpg")


@pytest.mark.parametrize("width", [None, 0, -1, "wide", True, float("nan")])
def test_a_size_that_is_none_is_not_compared(tmp_path: Path, width: Any) -> None:
    image = {"id": 7, "file_name": "plain.jpg", "width": width, "height": 480}
    ids = ids_of(truth(tmp_path, image), "plain.jpg")
    assert (ids.by_file, ids.notes, ids.pixels) == ({"plain.jpg": 7}, (), {})


def test_many_pictures_share_a_note(tmp_path: Path) -> None:
    names = [f"{n}.jpg" for n in range(9)]
    images = [
        {"id": n, "file_name": name, "width": "640", "height": 960} for n, name in enumerate(names)
    ]
    (note,) = ids_of(truth(tmp_path, *images), *names).notes
    assert note.startswith("0.jpg (640×960 pixels instead of 320×480 pixels), 1.jpg")
    assert "2.jpg" in note
    assert "and 6 more: annotated at another size" in note


REFUSED = {
    "a12_nan": r"images\[0\] is NaN",
    "a13_size": "turned",
    "a4_bool": r"images\[0\] is true",
    "a4_numeric_string": "000785",
    "a4_string_id": "0000001_02999_d_0000005",
    "a5_dup_ids": r"images\[0\] and images\[1\]",
}
TAKEN = {"a2_backslash": 7, "a3_bom": 7, "a3_utf16": 7, "a4_float": 7, "a6_missing_file_name": 7}
TAKEN |= {"a13_other_size": 5}


def test_found_annotations(shared: Path) -> None:
    folder = shared / "data" / "faults" / "annotations"
    plain = {"plain.jpg": SourcePicture(folder / "plain.jpg", SIZE)}
    for name, words in REFUSED.items():
        with pytest.raises(InputError, match=words):
            annotated_ids(plain, folder / f"{name}.json")
    for name, expected in TAKEN.items():
        assert annotated_ids(plain, folder / f"{name}.json").by_file == {"plain.jpg": expected}
    for name, expected in (("cam1/0001.jpg", 101), ("cam2/0001.jpg", 202)):
        cam = {name: SourcePicture(folder / name, SIZE)}
        assert annotated_ids(cam, folder / "a1_same_basename.json").by_file == {name: expected}
