"""Annotated sets of strangers are read in a child: ZIPs, annotations and the pictures in them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import psutil
import pytest
from PIL import Image

from estimators.annotated import AnnotatedImage, ZipMember
from estimators.datasets import in_children as sets
from estimators.datasets.coco import to_coco
from estimators.datasets.read import read_annotated_set
from estimators.decode.pool import Pool
from estimators.errors import InputError
from estimators.workflows.evaluate.pictures import SetPictures
from tests import annotated_factory as factory


@pytest.fixture
def nothing_unpacked_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails whoever opens a ZIP or parses a picture's head in the app's own process."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("opened in the app's own process")

    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    monkeypatch.setattr(Image, "open", refuse)
    monkeypatch.setattr(json, "loads", refuse)


def packed(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                target.write(path, str(path.relative_to(folder)))
    return archive


def content(image: AnnotatedImage) -> tuple[Any, ...]:
    people = [(p.xy.tobytes(), p.visibility.tobytes(), p.box_xyxy, p.area) for p in image.people]
    return image.file, image.width, image.height, image.image_id, people


def coco_zip(tmp_path: Path) -> Path:
    factory.pictures(tmp_path / "set")
    factory.write_json(factory.coco(), tmp_path / "set" / "person.json")
    return packed(tmp_path / "set", tmp_path / "set.zip")


def test_a_set_in_a_zip_is_the_one_that_this_process_reads(
    decoders: Pool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    archive = coco_zip(tmp_path)
    alike, health = read_annotated_set(archive)
    wanted = [SetPictures().frame(image).image for image in alike.images]
    request.getfixturevalue("nothing_unpacked_here")
    there, told = sets.read_annotated_set({"set.zip": archive})
    assert told == health
    assert [content(image) for image in there.images] == [content(image) for image in alike.images]
    assert there.sha256 == alike.sha256
    assert not there.images[0].people[0].xy.flags.writeable
    pictures = SetPictures()
    digests = [pictures.digest(image) for image in there.images]
    found = [pictures.frame(image).image for image in there.images]
    assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True))
    assert len(set(digests)) == len(set(map(bytes, wanted)))
    assert pictures.unreadable == {}


def test_mpii_in_matlabs_format_is_read_there_too(decoders: Pool, tmp_path: Path) -> None:
    factory.pictures(tmp_path)
    factory.mpii_mat(tmp_path / "mpii.mat")
    files = {path.name: path for path in tmp_path.iterdir()}
    there, _ = sets.read_annotated_set(files)
    alike, _ = read_annotated_set(files)
    assert [content(image) for image in there.images] == [content(image) for image in alike.images]


def test_marks_are_read_there(decoders: Pool, tmp_path: Path) -> None:
    marked = [i for i in read_annotated_set(coco_zip(tmp_path))[0].images if i.keypoints]
    found = sets.read_marks(json.dumps(to_coco(marked)).encode(), "marks.json")
    assert [image.keypoints for image in found] == [image.keypoints for image in marked]
    with pytest.raises(InputError, match=r"marks\.json"):
        sets.read_marks(b"{", "marks.json")


def test_annotations_that_take_too_much_memory_are_one_message(
    decoders: Pool, tmp_path: Path
) -> None:
    """A ZIP of 30 kB that holds 24 MB of empty objects, which are ten times that when parsed."""
    before = psutil.Process().memory_info().rss
    text = b'{"images": [' + b"{}," * 8_000_000 + b"{}]}"
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", text)
    with pytest.raises(InputError, match=r"set\.zip takes more memory .* \(600 MB\)"):
        sets.read_annotated_set({"set.zip": tmp_path / "set.zip"})
    assert psutil.Process().memory_info().rss < before + 200e6
    there, _ = sets.read_annotated_set({"set.zip": coco_zip(tmp_path)})
    assert there.images


def test_a_picture_that_is_a_bomb_costs_itself_alone(decoders: Pool, tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (20, 10)).save(picture, "PNG")
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(120_000_000))
        archive.writestr("good.png", picture.getvalue())
    pictures = SetPictures()

    def image(number: int, file: str, size: int) -> AnnotatedImage:
        member = ZipMember(tmp_path / "set.zip", file, size)
        return AnnotatedImage(file, 20, 10, (), image_id=number, picture=member)

    before = psutil.Process().memory_info().rss
    with pytest.raises(InputError, match=r"bomb\.png is too large for a picture: 120 MB"):
        pictures.frame(image(1, "bomb.png", 120_000_000))
    assert psutil.Process().memory_info().rss < before + 60e6
    good = image(2, "good.png", len(picture.getvalue()))
    assert pictures.frame(good).image.shape == (10, 20, 3)
    assert set(pictures.unreadable) == {1}
