"""Marks belong to files by their content, as on the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.cli.marks import read_marks, sha256_of
from estimators.datasets.coco import to_coco
from estimators.errors import InputError

SOMEBODY = AnnotatedPerson(np.full((17, 2), 5.0), np.full(17, 2))


def saved(folder: Path, *marked: tuple[str, int | None]) -> Path:
    """A file of marks of (SHA-256, frame) each."""
    images = [AnnotatedImage("x", 40, 30, (SOMEBODY,), sha, frame) for sha, frame in marked]
    file = folder / "marks.json"
    file.write_text(json.dumps(to_coco(images)))
    return file


def test_pictures_and_frames_are_known_by_what_the_file_holds(tmp_path: Path) -> None:
    clip, other = tmp_path / "a.mp4", tmp_path / "b.mp4"
    clip.write_bytes(b"clip")
    other.write_bytes(b"other")
    picture, sha = sha256_of(b"picture"), sha256_of(clip)
    assert sha == sha256_of(b"clip")
    file = saved(tmp_path, (picture, None), (sha, 3), (sha, 0), (sha, None), ("f" * 64, None))
    marks = read_marks(file, {"a.jpg": picture, "b.jpg": sha256_of(b"")}, [clip, other])
    assert marks.pictures.keys() == {"a.jpg"}
    assert {c: [i.frame_index for i in f] for c, f in marks.clips.items()} == {
        clip: [3, 0],
        other: [],
    }
    assert marks.notes == ("marks.json: 2 of 5 marked images are none of the files given.",)
    assert read_marks(saved(tmp_path, (picture, None)), {"a.jpg": picture}, []).notes == ()


def test_one_picture_under_two_names_is_marked_under_both(tmp_path: Path) -> None:
    sha = sha256_of(b"picture")
    marks = read_marks(saved(tmp_path, (sha, None)), {"a.jpg": sha, "b.jpg": sha}, [])
    assert marks.pictures.keys() == {"a.jpg", "b.jpg"}
    assert marks.notes == ()


def test_marks_of_other_files_are_refused_with_advice(tmp_path: Path) -> None:
    for marked in (("", None), ("f" * 64, None), (sha256_of(b"picture"), 0)):
        with pytest.raises(InputError, match=r"marks none of the files given.*use `evaluate`"):
            read_marks(saved(tmp_path, marked), {"a.jpg": sha256_of(b"picture")}, [])
