"""Marked pictures as COCO keypoint datasets, and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from estimators.annotated import HIDDEN, VISIBLE, AnnotatedImage, AnnotatedPerson
from estimators.datasets.coco import from_coco, to_coco
from estimators.errors import InputError
from estimators.skeletons import COCO_17

K = len(COCO_17)


def image(**changes: object) -> AnnotatedImage:
    xy = np.arange(2 * K, dtype=np.float64).reshape(K, 2) * 4 + 0.5
    flags = np.full(K, VISIBLE)
    flags[3], flags[4] = HIDDEN, 0
    content = {"file": "a b.jpg", "width": 200, "height": 150, "sha256": "f" * 64} | changes
    return AnnotatedImage(people=(AnnotatedPerson(xy, flags),), **content)  # type: ignore[arg-type]


def test_what_was_marked_comes_back() -> None:
    images = [image(), image(file="clip.mp4", frame_index=12, sha256="")]
    back = from_coco(json.dumps(to_coco(images)).encode(), "saved.json")
    for one, other in zip(images, back, strict=True):
        same = ("file", "width", "height", "sha256", "frame_index", "keypoints")
        assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
        np.testing.assert_array_equal(one.people[0].visibility, other.people[0].visibility)
        np.testing.assert_allclose(one.people[0].xy, other.people[0].xy, atol=0.01)
    assert back[1].is_of("f", 12) is False
    assert back[0].is_of("f" * 64)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_windows_tools_write_is_read(encoding: str) -> None:
    text = json.dumps(to_coco([image()]))
    (back,) = from_coco(text.encode(encoding), "saved.json")
    assert back.keypoints == K - 1


def test_pycocotools_reads_it_and_finds_the_truth_equal_to_itself(tmp_path: Path) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    dataset = to_coco([image()])
    (annotation,) = dataset["annotations"]
    # Pixel indices: the centre of the first pixel is 0.  A joint without a label is 0, 0, 0.
    assert annotation["keypoints"][:3] == [0.0, 4.0, 2.0]
    assert annotation["keypoints"][12:15] == [0.0, 0.0, 0.0]
    assert annotation["num_keypoints"] == K - 1
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(dataset))
    truth = COCO(str(path))
    found = truth.loadRes(
        [{k: annotation[k] for k in ("image_id", "category_id", "keypoints")} | {"score": 1.0}]
    )
    evaluation = COCOeval(truth, found, "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def marked(keypoints: bytes) -> bytes:
    """Somebody as they should be, and somebody with these keypoints."""
    one = b'{"image_id": 1, "bbox": [1, 1, 5, 5], "keypoints": '
    return (
        b'{"images": [{"id": 1, "file_name": "a", "width": 9, "height": 9}], "annotations": ['
        + one
        + b"["
        + b"1,1,2," * 16
        + b"1,1,2]},"
        + one
        + keypoints
        + b"}]}"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[", "it is no JSON"),
        (b"[]", "no list `images`"),
        (b'{"images": []}', "no list `annotations`"),
        (b'{"images": [], "annotations": []}', "marks nobody"),
        (b'{"images": [{"id": 1, "width": 5, "height": 5}], "annotations": []}', "images[0]"),
        (b'{"images": [{"id": 1, "file_name": "a"}], "annotations": []}', "`width` and `height`"),
        (b'{"images": [{"id": true, "file_name": "a"}], "annotations": []}', "images[0]: true"),
        (b'{"images": [{"id": NaN, "file_name": "a"}], "annotations": []}', "images[0]: NaN"),
        (
            b'{"images": [{"id": 7, "file_name": "a"}, {"id": 7.0}], "annotations": []}',
            "images[0] and images[1]",
        ),
        (b'{"images": [], "annotations": [{"image_id": 1, "keypoints": [1, 2]}]}', "no skeleton"),
        (marked(b"[1, 2]"), "wrong length: 1 (annotations[1])"),
        (marked(b"[" + b"NaN,0,2," * 16 + b"0,0,1]"), "no position: 1 (annotations[1])"),
        (marked(b'["x"' + b",0" * 50 + b"]"), "wrong length: 1 (annotations[1])"),
    ],
)
def test_other_content_is_refused_with_its_place(content: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        from_coco(content, "x.json")
    assert words in str(caught.value)
    assert "x.json" in str(caught.value)
