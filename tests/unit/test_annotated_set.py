"""The type that every annotation format is read into."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from estimators.annotated import AnnotatedImage, AnnotatedPerson, AnnotatedSet, ZipMember
from estimators.datasets.content import read_content
from estimators.errors import InputError


def person(number: int = 1, flag: int = 2, **more: object) -> AnnotatedPerson:
    return AnnotatedPerson(
        np.full((17, 2), 3.5),
        np.full(17, flag),
        annotation_id=number,
        **more,  # type: ignore[arg-type]
    )


def image(number: int = 1, *people: AnnotatedPerson) -> AnnotatedImage:
    name = f"{number}.jpg"
    return AnnotatedImage(name, 8, 6, people, image_id=number, picture=Path(name))


def test_everybody_comes_with_their_picture() -> None:
    annotated = AnnotatedSet((image(1, person(1), person(2)), image(5), image(7, person(3))))
    assert [(i.image_id, p.annotation_id) for i, p in annotated.people()] == [
        (1, 1),
        (1, 2),
        (7, 3),
    ]


@pytest.mark.parametrize(
    "images",
    [
        (image(1), image(1)),
        (image(1, person(1)), image(2, person(1))),
        (image(1, person(0)),),
        (replace(image(1), picture=None),),
        (image(1), replace(image(2), file="1.jpg")),
    ],
)
def test_numbers_tell_apart(images: tuple[AnnotatedImage, ...]) -> None:
    with pytest.raises(ValueError, match=r"number|picture"):
        AnnotatedSet(images)


def test_crowds_and_people_without_labels_are_not_judged() -> None:
    assert person().judged
    assert not person(iscrowd=True).judged
    assert not person(flag=0).judged


def test_a_picture_is_read_from_where_it_lies(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/1.jpg", b"picture")
    (tmp_path / "1.jpg").write_bytes(b"other")
    member = ZipMember(tmp_path / "a.zip", "in/1.jpg", 7)
    assert read_content(member, "1.jpg").data == b"picture"
    assert read_content(tmp_path / "1.jpg", "1.jpg").data == b"other"


def test_what_is_no_picture_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("estimators.datasets.content.MAX_PICTURE_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.jpg", bytes(1001))
    (tmp_path / "1.jpg").write_bytes(bytes(1001))
    for source in (ZipMember(tmp_path / "a.zip", "1.jpg", 1001), tmp_path / "1.jpg"):
        with pytest.raises(InputError, match="too large for a picture"):
            read_content(source, "1.jpg")
    with pytest.raises(InputError, match=r"1\.jpg cannot be read: No such file"):
        read_content(ZipMember(tmp_path / "b.zip", "1.jpg", 10), "1.jpg")
