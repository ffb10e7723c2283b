"""The truth that comes with the samples: complete, of these very files, and of possible bodies."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tomllib

import numpy as np
import pytest
from pycocotools.coco import COCO

from estimators.analysis.plausibility import LIMBS, LONGEST_LIMB_TORSOS
from estimators.analysis.scale import torso_length
from estimators.annotated import AnnotatedImage
from estimators.datasets.coco import from_coco
from estimators.media.clips import open_clip
from estimators.media.pictures import read_picture
from estimators.media.samples import FOLDER, samples

FILE = FOLDER / "annotations.json"
CLAIMED = tomllib.loads((FOLDER / "manifest.toml").read_text())["annotations"]


@pytest.fixture(scope="module")
def images() -> list[AnnotatedImage]:
    return from_coco(FILE.read_bytes(), FILE.name)


def test_the_manifest_says_what_is_in_it(images: list[AnnotatedImage]) -> None:
    assert CLAIMED["file"] == FILE.name
    assert CLAIMED["size_bytes"] == FILE.stat().st_size
    assert CLAIMED["sha256"] == hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert CLAIMED["images"] == len(images)
    assert CLAIMED["people"] == sum(len(image.people) for image in images)
    assert CLAIMED["keypoints"] == sum(image.keypoints for image in images)


def test_it_belongs_to_these_files(images: list[AnnotatedImage]) -> None:
    of = {sample.path.name: sample for sample in samples()}
    assert {image.file for image in images} == set(of)
    for image in images:
        sample = of[image.file]
        assert image.sha256 == sample.sha256
        assert 0 < len(image.people) <= sample.people
        if sample.kind == "picture":
            frame = read_picture(sample.path)
            assert (image.width, image.height) == (frame.width, frame.height)
            assert image.frame_index is None
            assert len(image.people) == sample.people
        else:
            clip = open_clip(sample.path)
            assert (image.width, image.height) == (clip.width, clip.height)
            assert image.frame_index is not None
            assert 0 <= image.frame_index < len(clip.timestamps_s)


def test_every_joint_lies_in_its_picture_on_a_possible_body(images: list[AnnotatedImage]) -> None:
    for image in images:
        for person in image.people:
            xy = person.xy[person.labelled]
            assert ((xy >= 0) & (xy <= (image.width, image.height))).all()
            limbs = [np.linalg.norm(person.xy[a] - person.xy[b]) for a, b in LIMBS]
            longest = np.nanmax([*limbs, 0.0]) / torso_length(person.xy)
            assert longest < LONGEST_LIMB_TORSOS, image.file


def test_another_reader_of_coco_loads_it(images: list[AnnotatedImage]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(FILE))
    assert len(coco.getImgIds()) == len(images)
    annotations = coco.loadAnns(coco.getAnnIds())
    assert len(annotations) == sum(len(image.people) for image in images)
    for entry in annotations:
        flags = entry["keypoints"][2::3]
        assert entry["num_keypoints"] == sum(v > 0 for v in flags) >= 3
        assert entry["area"] > 0
